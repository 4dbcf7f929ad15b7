"""The certificate: a threshold, what is promised of it and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastcal._clusters import effective_trials
from fastcal.certificates._by_query import QueryFacts
from fastcal.certificates._pool import Pool
from fastcal.certificates._trace import CutTest
from fastcal.certificates._walk import Rule, Walk
from fastcal.intervals.wilson import wilson_interval
from fastcal.labelling._ledger import Ledger
from fastcal.labelling.result import LabelledResult


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Certificate(LabelledResult):
    """A threshold whose precision is certified, or the reason why there is none.

    Attributes
    ----------
    reason : str
        "certified"; or, of a search that certified nothing, "head_fails" (the best rows miss the target, which is known),
        "futility" (given up, for it looked hopeless), "budget", or "rows" (too few rows to show it, for promises about future pairs).
    target_precision, delta : float
        With probability at least 1 - delta there is no threshold here, or the precision of what it selects is at least the
        target. The probability is over the random order of labelling; of promises about future pairs, over the draw of the pairs.
    labels_floor : int
        The fewest labels with which any procedure could have kept this promise; of one about future pairs, those of this one.
    n_pool : int
        Rows of the pool.
    budget : int or None
        Labels that might have been used.
    stopped : str
        What ended the search for a laxer threshold: "whole pool" (there is none), "census" (nothing beyond it was tried),
        "missed", "futility", "budget" or "rows".
    precision_sample : float or None
        Estimate of the precision of the selection from its labels. For display: the walk stops where labels look good, so it
        is somewhat too high, as is that of :class:`QueryFacts`.
    interval : tuple of float, or None
        95 % Wilson interval of it, for display.
    trace : tuple of CutTest
        Every cut that was looked at, in order.
    by_query : QueryFacts or None
        The same selection query by query, which the promise is not about; None without queries or without a threshold.
    n_truncated : int or None
        Queries whose list ends at or beyond the threshold, so that further rows of theirs may qualify; None without lists.
    higher_is_better : bool
        True: selected means ``score >= threshold``; False: ``score <= threshold``.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> found = fc.certify_threshold(np.arange(300.0), np.ones_like, seed=0)
    >>> found.threshold, found.reason, found.labels_used, found.labels_floor, found.stopped
    (0.0, 'certified', 79, 27, 'whole pool')
    """

    target_precision: float
    delta: float
    n_pool: int
    budget: int | None
    stopped: str
    precision_sample: float | None
    interval: tuple[float, float] | None
    trace: tuple[CutTest, ...] = field(repr=False)
    by_query: QueryFacts | None = None
    n_truncated: int | None = None
    higher_is_better: bool = True

    @property
    def certified(self) -> bool:
        """Whether there is a threshold."""
        return self.threshold is not None

    @property
    def _scale(self) -> str:
        """What the threshold is applied to."""
        return "score"

    def __str__(self) -> str:
        promise = f"precision >= {self.target_precision:g} with confidence {1 - self.delta:g}"
        side = ">=" if self.higher_is_better else "<="
        if self.threshold is None:
            found = f"no threshold is certified for {promise} ({self.reason})"
        else:
            found = f"{self._scale} {side} {self.threshold:.9g}: {promise}, {self.n_selected} of {self.n_pool} rows"
        doubt = f", {self.n_cannot_judge} of which nobody could judge" if self.n_cannot_judge else ""
        lines = [found, f"{self.labels_used} labels used of {self.budget}{doubt}; stopped by: {self.stopped}", self.scope]
        return "\n".join([*lines, *(f"  {test}" for test in self.trace)])


def certificate(
    pool: Pool,
    found: Walk,
    ledger: Ledger,
    rule: Rule,
    *,
    n_pool: int,
    labels_floor: int,
    scope: str,
    by_query: QueryFacts | None = None,
    n_truncated: int | None = None,
) -> Certificate:
    """Put together what a walk found."""
    estimate, interval = _estimate(pool, found)
    cut = found.cut
    return Certificate(
        threshold=None if cut is None else float(pool.thresholds[cut]),
        reason=_reason(found),
        labels_used=ledger.n_used,
        labels_floor=labels_floor,
        n_selected=0 if cut is None else int(pool.counts[cut]),
        scope=scope,
        n_cannot_judge=ledger.n_cannot_judge,
        seed=ledger.seed,
        state=ledger.to_state(),
        target_precision=float(rule.target),
        delta=rule.delta,
        n_pool=n_pool,
        budget=ledger.budget,
        stopped=found.stopped,
        precision_sample=estimate,
        interval=interval,
        trace=found.trace,
        by_query=by_query,
        n_truncated=n_truncated,
        higher_is_better=pool.higher_is_better,
    )


def _reason(found: Walk) -> str:
    """Of a walk that certified nothing: the head is known to miss the target, or a later cut was given up, or labels ran out."""
    if found.cut is not None:
        return "certified"
    if found.stopped in {"budget", "rows"}:
        return found.stopped
    strictest = min(found.trace, key=lambda test: test.n_rows)
    return "head_fails" if strictest.verdict == "missed" else "futility"


def _estimate(pool: Pool, found: Walk) -> tuple[float | None, tuple[float, float] | None]:
    """Precision of the selection: its head is counted, the others are estimated from a sample of them."""
    if found.cut is None:
        return None, None
    n, (head, drawn) = int(pool.counts[found.cut]), (found.head, found.drawn)
    hits, others = int(head.positive.sum()), n - head.positive.size
    if drawn.positive.size == others:
        exact = (hits + int(drawn.positive.sum())) / n
        return exact, (exact, exact)
    positive, trials = effective_trials(drawn.positive, drawn.design, None)
    if not trials:  # the head alone is enough
        return (hits + others / 2) / n, (hits / n, 1.0)
    low, high = wilson_interval(positive, trials)
    return (hits + others * positive / trials) / n, ((hits + others * low) / n, (hits + others * high) / n)
