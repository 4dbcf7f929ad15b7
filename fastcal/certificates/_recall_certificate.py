"""The certificate of a recall: a threshold, what is promised of it and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from fastcal.certificates._recall_facts import RecallFacts
from fastcal.labelling.result import LabelledResult, plain


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RecallStep:
    """A stricter threshold was certified.

    Attributes
    ----------
    labels : int
        Labels used until then.
    threshold : float
        Inclusive.
    n_rows : int
        Rows it selects.
    positives, positives_above : int
        Relevant rows among the labels, and those of them that the threshold selects.
    log_evidence : float
        At least log(1 / delta); infinite where the labels leave no doubt.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> step = fc.certify_recall(np.arange(100.0), lambda rows: rows >= 50, seed=0).trace[0]
    >>> step.positives == step.positives_above, step.log_evidence > 2.99
    (True, True)
    """

    labels: int
    threshold: float
    n_rows: int
    positives: int
    positives_above: int
    log_evidence: float

    def __str__(self) -> str:
        seen = f"{self.positives_above} of {self.positives} found above"
        return f"{self.n_rows:>9} rows from {self.threshold:<11.6g} {seen:<24} log evidence {self.log_evidence:6.2f}  {self.labels} labels"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; infinite evidence becomes None."""
        return {each.name: plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RecallCertificate(LabelledResult):
    """A threshold whose recall is certified, or the reason why there is none but the whole pool.

    Attributes
    ----------
    labels_floor : int
        The fewest labels that certify a threshold, all of them relevant and beyond it: 36 for .9 at .05 and a large pool.
    target_recall, delta : float
        With probability at least 1 - delta over the random order of labelling there is no threshold here, or what it selects
        holds at least this share of the relevant rows of the pool.
    n_pool : int
        Rows of the pool.
    budget : int
        Labels that might have been used.
    stopped : str
        What ended the search for a stricter threshold: "budget", "missed" (the next one is known to miss the target),
        "strictest" (there is none), "futility" or "whole pool" (all rows are labelled).
    positives_found : int
        Relevant rows among the labels.
    recall_sample : float or None
        Share of those that the threshold selects. For display: it was looked at on the way.
    interval : tuple of float, or None
        95 % Wilson interval of it, for display.
    labels_needed : int or None
        Of the reasons "budget" and "futility": an estimate of the labels, those used included, with which a threshold would be
        certified if the others were like these, and no fewer than any procedure needs to rule out that too many relevant rows are
        hidden. None if no relevant row was found, or too many of them are below every threshold.
    by_query : RecallFacts or None
        The same selection query by query, which the promise is not about; None without lists or without a threshold.
    n_truncated : int or None
        Queries whose list ends at or beyond the threshold, so that further rows of theirs may qualify; None without lists or without
        a threshold.
    trace : tuple of RecallStep
        What the labels bought, in order. The last one is the result, unless later labels disproved it.
    higher_is_better : bool
        True: selected means ``score >= threshold``; False: ``score <= threshold``.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> certificate = fc.certify_recall(np.arange(100.0), lambda rows: rows >= 50, seed=0)
    >>> certificate.certified, certificate.n_selected, certificate.labels_used, certificate.stopped
    (True, 46, 100, 'whole pool')
    """

    target_recall: float
    delta: float
    n_pool: int
    budget: int | None
    stopped: str
    positives_found: int
    recall_sample: float | None
    interval: tuple[float, float] | None
    labels_needed: int | None
    trace: tuple[RecallStep, ...] = field(repr=False)
    by_query: RecallFacts | None = None
    n_truncated: int | None = None
    higher_is_better: bool = True

    @property
    def certified(self) -> bool:
        """Whether there is a threshold."""
        return self.threshold is not None

    def __str__(self) -> str:
        promise = f"recall >= {self.target_recall:g} with confidence {1 - self.delta:g}"
        if self.threshold is None:
            needed = "" if self.labels_needed is None else f", some {self.labels_needed} labels needed"
            found = f"no threshold is certified for {promise} ({self.reason}{needed})"
        else:
            side = ">=" if self.higher_is_better else "<="
            found = f"score {side} {self.threshold:.9g}: {promise}, {self.n_selected} of {self.n_pool} rows"
        judged = f", {self.n_cannot_judge} of which nobody could judge" if self.n_cannot_judge else ""
        used = f"{self.labels_used} labels used of {self.budget}{judged}, {self.positives_found} relevant; stopped by: {self.stopped}"
        return "\n".join([found, used, self.scope, *(f"  {step}" for step in self.trace)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return LabelledResult.to_dict(self)
