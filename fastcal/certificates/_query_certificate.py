"""The certificate of an average over queries: a threshold, what is promised of it and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.labelling.result import LabelledResult, plain


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class QueryTest:
    """One test of whether the mean loss over queries, at this threshold, is within the limit.

    Attributes
    ----------
    threshold : float
        Inclusive.
    n_queries : int
        Queries judged for it, in the order drawn.
    n_empty : int
        Of those, the ones without loss for want of anything: lists that select nothing or, for recall, hold nothing relevant.
    mean_loss : float
        Of the queries judged; NaN if there is none.
    labels : int
        First asked for here.
    log_evidence : float
        The highest value of the log evidence; certified from log(1 / delta) on.
    verdict : str
        "certified", "futility", "budget" or "queries" (too few of them).
    labels_needed : int or None
        Of the verdict "budget": the labels, those used before included, that further queries would take if they were as good as one may
        hope: without loss, or better than those judged by two standard errors. None otherwise.
    queries_needed : int or None
        Of the verdict "queries": as many of them, likewise; None where no number would do.
    path : ndarray of float64, shape (n_queries,)
        Log evidence after each query.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> certificate = fc.certify_queries(np.ones((40, 2)), lambda rows: rows >= 0, thresholds=[0.5], seed=0)
    >>> test = certificate.trace[0]
    >>> test.verdict, test.n_queries, test.labels
    ('certified', 36, 72)
    """

    threshold: float
    n_queries: int
    n_empty: int
    mean_loss: float
    labels: int
    log_evidence: float
    verdict: str
    labels_needed: int | None
    queries_needed: int | None
    path: npt.NDArray[np.float64] = field(repr=False)

    def __str__(self) -> str:
        loss = f"mean loss {self.mean_loss:.4g}, {self.n_empty} empty, " if self.n_queries else ""
        return f"score {self.threshold:.9g}: {self.n_queries} queries, {loss}{self.labels} new labels, {self.verdict}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, without the path."""
        return {each.name: plain(getattr(self, each.name)) for each in fields(self) if each.name != "path"}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class QueryCertificate(LabelledResult):
    """A threshold whose precision or recall, averaged over future queries, is certified, or the reason why there is none.

    Attributes
    ----------
    labels_floor : int
        Labels without which nothing can be certified here: those of the cheapest queries, as many as it takes if none has a loss
        (36 for .9 at .05), at the first threshold tried.
    loss : str
        "precision" or "recall": the loss of a query is 1 minus that of its list at the threshold.
    target, delta : float
        With probability at least 1 - delta over the queries there is no threshold here, or the mean over queries reaches the target.
    budget : int or None
        Labels that might have been used; None is no limit.
    stopped : str
        What ended the search: "last cut" (there is no further one), "futility", "budget" or "queries".
    n_queries : int
        Queries judged for the certified threshold; 0 without one.
    n_reserved : int
        Queries whose scores placed the thresholds that were tried; none of them was judged.
    mean_loss : float or None
        Of the queries judged at the certified threshold.
    share_empty : float or None
        Share of those whose loss is 0 for want of anything; see :class:`QueryTest`.
    mean_answered : float or None
        Precision or recall averaged over the others. Where many lists are empty this is much less than 1 - ``mean_loss``, and
        nothing is promised of it.
    labels_needed, queries_needed : int or None
        Without a threshold for want of labels or of queries: how many of them it takes at the least; see :class:`QueryTest`.
    n_truncated : int or None
        Queries whose list ends at or beyond the threshold, so that further rows of theirs may qualify; None without a threshold.
    trace : tuple of QueryTest
        Every threshold that was tried, in order.
    higher_is_better : bool
        True: selected means ``score >= threshold``; False: ``score <= threshold``.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> certificate = fc.certify_queries(np.ones((40, 2)), lambda rows: rows >= 0, thresholds=[0.5], seed=0)
    >>> certificate.certified, certificate.mean_loss, certificate.share_empty, certificate.labels_used
    (True, 0.0, 0.0, 72)
    """

    loss: str
    target: float
    delta: float
    budget: int | None
    stopped: str
    n_queries: int
    n_reserved: int
    mean_loss: float | None
    share_empty: float | None
    mean_answered: float | None
    labels_needed: int | None
    queries_needed: int | None
    n_truncated: int | None
    trace: tuple[QueryTest, ...] = field(repr=False)
    higher_is_better: bool = True

    @property
    def certified(self) -> bool:
        """Whether there is a threshold."""
        return self.threshold is not None

    def __str__(self) -> str:
        promise = f"mean {self.loss} over future queries >= {self.target:g} with confidence {1 - self.delta:g}"
        needed = {"budget": f", {self.labels_needed} labels or more needed", "queries": f", {self.queries_needed} queries or more needed"}
        if self.threshold is None:
            has = self.labels_needed is not None or self.queries_needed is not None
            found = f"no threshold is certified for {promise} ({self.reason}{needed[self.reason] if has else ''})"
        else:
            found = f"score {'>=' if self.higher_is_better else '<='} {self.threshold:.9g}: {promise}, {self.n_selected} rows"
        judged = f", {self.n_cannot_judge} of which nobody could judge" if self.n_cannot_judge else ""
        lines = [found, f"{self.labels_used} labels used of {self.budget}{judged}; stopped by: {self.stopped}", self.scope]
        return "\n".join([*lines, *(f"  {test}" for test in self.trace)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return LabelledResult.to_dict(self)
