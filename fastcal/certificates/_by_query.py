"""What a pooled selection looks like query by query: pooled precision is not per query."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._clusters import Float64, Int64, effective_trials
from fastcal.intervals.wilson import wilson_interval
from fastcal.labelling.result import plain


@dataclass(frozen=True, slots=True, eq=False)
class QueryFacts:
    """A certified selection, query by query.

    Counts are exact. Precisions are estimated from the labels the walk bought, a random sample of the selection beside
    those of its head: they are described, not promised. Measured on ten kinds of pools (20 to 1,000 queries, 1 to 4 labels for each
    that has one, 250 runs of each): see the two estimates.

    Attributes
    ----------
    n_queries : int
        Queries of the pool.
    share_empty : float
        Share of them of which nothing is selected. Exact.
    share_of_top : float
        Share of the selection that the 5 % of queries with the largest selections own (rounded up to whole queries). Exact.
    n_labelled : int
        Answered queries with at least one label.
    macro_precision : float
        Mean over answered queries of the precision of what is selected for them. Ratio estimate, a row weighing 1 / rows selected
        for its query. Too high by .01 to .03 in the mean: a walk stops while its labels look good.
    macro_interval : tuple of float
        95 % Wilson interval of it at Kish's effective number of labels, for display. It held in 95 to 100 % of the runs.
    below_half : float
        Share of answered queries whose labels fall below half the target, each weighed by one over its chance to have a label.
        Wrong in either direction where a query has few labels, as one miss puts a query below half and one hit keeps it out. In the mean
        from .03 too low (a tenth of the queries at precision .3, the others at .98) to .06 too high (all of them at .97 or .8).
    below_half_most : float
        No more than this by Markov's inequality, (1 - macro precision) / (1 - target / 2), at the lower end of the interval. It
        held in all of the runs; to rely on, rather than the estimate.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> scores = np.linspace(1.0, 0.0, 300).reshape(60, 5)
    >>> found = fc.certify_threshold(scores, lambda positions: positions < 150, seed=0, groups=np.arange(60))
    >>> found.by_query.n_queries, found.by_query.share_empty
    (60, 0.5)
    """

    n_queries: int
    share_empty: float
    share_of_top: float
    n_labelled: int
    macro_precision: float
    macro_interval: tuple[float, float]
    below_half: float
    below_half_most: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {name: plain(getattr(self, name)) for name in self.__slots__}


def query_facts(
    sizes: Int64, head: tuple[Int64, npt.NDArray[np.bool_]], drawn: tuple[Int64, npt.NDArray[np.bool_], Float64], target: Fraction
) -> QueryFacts:
    """Describe a selection.

    Parameters
    ----------
    sizes : ndarray of int64, shape (n_queries,)
        Rows selected for each query.
    head : query and label of every row of the census that is selected
    drawn : query, label and design weight of the rows drawn from the others
    """
    answered = int(np.count_nonzero(sizes))
    macro, interval = _macro(sizes, head, drawn)
    low, n_labelled = _below_half(sizes, head, drawn, float(target) / 2)
    most = min(1.0, (1.0 - interval[0]) / (1.0 - float(target) / 2))
    top = np.sort(sizes)[::-1][: math.ceil(sizes.size / 20)].sum() / max(int(sizes.sum()), 1)
    return QueryFacts(sizes.size, 1.0 - answered / sizes.size, float(top), n_labelled, macro, interval, low, most)


def _macro(
    sizes: Int64, head: tuple[Int64, npt.NDArray[np.bool_]], drawn: tuple[Int64, npt.NDArray[np.bool_], Float64]
) -> tuple[float, tuple[float, float]]:
    """The head counted, the others by a ratio estimate; a row weighs 1 / (answered queries * rows selected for its query)."""
    weight = 1.0 / np.maximum(sizes, 1) / np.count_nonzero(sizes)
    known, others = weight[head[0]], drawn[2] * weight[drawn[0]]
    inside, hits = float(known.sum()), float(known[head[1]].sum())
    if not others.size:
        return hits / inside, (hits / inside, hits / inside)
    positive, trials = effective_trials(drawn[1], others, None)
    rates = positive / trials, *wilson_interval(positive, trials)
    macro, low, high = (hits + (1.0 - inside) * rate for rate in rates)
    return macro, (low, min(1.0, high))


def _below_half(
    sizes: Int64, head: tuple[Int64, npt.NDArray[np.bool_]], drawn: tuple[Int64, npt.NDArray[np.bool_], Float64], half: float
) -> tuple[float, int]:
    """Share of queries whose labelled rows fall short, by one over the chance to have a label; and how many have one."""
    queries, labels = np.concatenate([head[0], drawn[0]]), np.concatenate([head[1], drawn[1]])
    n = np.bincount(queries, minlength=sizes.size)
    hits = np.bincount(queries, labels, minlength=sizes.size)
    some = n > 0
    chance = np.where(np.bincount(head[0], minlength=sizes.size) > 0, 1.0, _chances(sizes, drawn[0].size, int(sizes.sum()) - head[0].size))
    weight = 1.0 / chance[some]
    return float(weight[hits[some] < half * n[some]].sum() / weight.sum()), int(some.sum())


def _chances(sizes: Int64, drawn: int, others: int) -> Float64:
    """Chance that a query has one of the rows drawn: 1 - C(M - m, n) / C(M, n)."""
    distinct, code = np.unique(sizes, return_inverse=True)
    chances = [1.0 - math.exp(_log_missed(others, drawn, min(int(m), others))) for m in distinct]
    return np.asarray(np.maximum(np.array(chances), 1e-12)[code])


def _log_missed(others: int, drawn: int, m: int) -> float:
    if drawn + m > others:
        return -math.inf
    parts = (others - m, others - drawn, others, others - m - drawn)
    a, b, c, d = (math.lgamma(part + 1) for part in parts)
    return min(0.0, a + b - c - d)
