"""The certificate of a recall: a threshold, what is promised of it and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

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

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; infinite evidence becomes None."""
        return {each.name: plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RecallCertificate(LabelledResult):
    """A threshold whose recall is certified, or the reason why there is none but the whole pool.

    Attributes
    ----------
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
        Without a threshold: the fewest labels with which any procedure could rule out that too many relevant rows are hidden, if
        the pool holds as many as the labels suggest; None if none was found.
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
    higher_is_better: bool = True

    @property
    def certified(self) -> bool:
        """Whether there is a threshold."""
        return self.threshold is not None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return LabelledResult.to_dict(self)
