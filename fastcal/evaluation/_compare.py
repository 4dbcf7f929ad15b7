"""Is one run really better than another on these queries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction, integer
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.evaluation._bootstrap import mean_interval
from fastcal.evaluation._per_query import Evaluator
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Qrels, Run

_TIE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class RunComparison:
    """The paired comparison of runs `a` and `b` on the judged queries.

    Attributes
    ----------
    metric : str
    mean_a, mean_b : float
        Means over the judged queries; a query that a run does not answer counts as 0.
    difference : float
        ``mean_a - mean_b``: positive where `a` is better.
    interval : tuple of float
        Bootstrap interval (BCa) of `difference`.
    confidence : float
    share_below_zero : float
        Share of resamples in which `b` is better; resamples without a difference count half. Twice the smaller of
        this and its complement reads like a two-sided p-value.
    n_queries, n_resamples, seed : int
    wins, losses, ties : int
        Queries on which `a` is better, worse, and the same to within 1e-9.
    query_ids : ndarray of object (str), shape (n_queries,)
        In sorted order.
    values_a, values_b : ndarray of float64, shape (n_queries,)

    Examples
    --------
    >>> import fastcal as fc
    >>> a, b = fc.Run([[1], [2]]), fc.Run([[1], [3]])
    >>> result = fc.compare_runs(a, b, {0: {1: 1}, 1: {2: 1}}, "P@1")
    >>> result.difference, (result.wins, result.losses, result.ties)
    (0.5, (1, 0, 1))
    """

    metric: str
    mean_a: float
    mean_b: float
    difference: float
    interval: tuple[float, float]
    confidence: float
    share_below_zero: float
    n_queries: int
    n_resamples: int
    seed: int
    wins: int
    losses: int
    ties: int
    query_ids: npt.NDArray[np.object_]
    values_a: npt.NDArray[np.float64]
    values_b: npt.NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        arrays = {name: value.tolist() for name, value in fields.items() if isinstance(value, np.ndarray)}
        return fields | arrays | {"interval": list(self.interval)}


def compare_runs(
    a: Run | SearchResult | RangeResult,
    b: Run | SearchResult | RangeResult,
    qrels: Qrels | Mapping[Any, Mapping[Any, int]],
    metric: Any = "nDCG@10",
    *,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> RunComparison:
    """Compare two runs query by query, with a bootstrap interval of the mean difference.

    Queries are the unit: they are resampled with replacement, and both runs are measured on the same queries. The
    interval is the bias-corrected and accelerated one (BCa); it speaks about new queries of the same kind, drawn
    independently, and not about runs that were tuned on these judgements. A seed gives the same numbers on one
    version of NumPy, whatever the order of queries in `qrels`, `a` and `b`.

    Parameters
    ----------
    a, b : Run, SearchResult or RangeResult
        Lists count in their own order: ties are not reordered by name as trec_eval does.
    qrels : Qrels, or mapping of the form ``{query: {document: relevance}}``
        Relevances are integers or bools. The judged queries are those measured: one that a run does not answer counts as
        0, as in ``trec_eval -c``, and a query of a run without judgements is left out. Names are compared as
        strings; queries of a run without `query_ids` are named by position.
    metric : str or ir_measures.Measure, default "nDCG@10"
        Any measure of ir-measures, which is in the extra ``metrics``.
    n_resamples : int, default 10_000
    confidence : float, default 0.95
        Strictly between 0 and 1.
    seed : int, default 0

    Returns
    -------
    RunComparison

    Raises
    ------
    ValueError
        If the metric is unknown or cannot be computed here, nothing is judged, a run answers no judged query, or a
        number is out of range.
    TypeError
        If an argument is of another type than described.
    MissingExtraError
        Without ir-measures.

    References
    ----------
    Efron, "Better bootstrap confidence intervals", JASA 82, 1987. Sakai, "Evaluating evaluation metrics based on
    the bootstrap", SIGIR 2006.

    Examples
    --------
    >>> import fastcal as fc
    >>> one = fc.Run.from_dict({"q1": {"d1": 3.0, "d2": 2.0}, "q2": {"d3": 1.0}, "q3": {"d4": 1.0}})
    >>> other = fc.Run.from_dict({"q1": {"d2": 3.0, "d1": 2.0}, "q2": {"d5": 1.0}})
    >>> result = fc.compare_runs(one, other, {"q1": {"d1": 1}, "q2": {"d3": 1}, "q3": {"d9": 1}}, "RR")
    >>> result.values_a.tolist(), result.values_b.tolist(), result.difference
    ([1.0, 1.0, 0.0], [0.5, 0.0, 0.0], 0.5)
    """
    runs = _as_run(a, "a"), _as_run(b, "b")
    resamples, level = integer(n_resamples, "n_resamples", least=100), fraction(confidence, "confidence")
    start = integer(seed, "seed", least=0)
    evaluator = Evaluator(qrels, metric)
    for name, run in zip("ab", runs, strict=True):
        _require_answers(run, name, evaluator)
    first, second = (evaluator(run) for run in runs)
    gain = first - second
    low, high, share = mean_interval(gain, resamples, level, start)
    wins, losses = int(np.count_nonzero(gain > _TIE)), int(np.count_nonzero(gain < -_TIE))
    return RunComparison(
        evaluator.metric,
        _mean(first),
        _mean(second),
        _mean(gain),
        (low, high),
        level,
        share,
        gain.size,
        resamples,
        start,
        wins,
        losses,
        gain.size - wins - losses,
        np.array(evaluator.query_ids, dtype=np.object_),
        first,
        second,
    )


def _as_run(run: Any, name: str) -> Run:
    if isinstance(run, (SearchResult, RangeResult)):
        return Run.from_search(run)
    if not isinstance(run, Run):
        raise InvalidTypeError(f"{name} must be a Run, a SearchResult or a RangeResult, got {type(run).__name__}")
    return run


def _require_answers(run: Run, name: str, evaluator: Evaluator) -> None:
    """Raise if names do not meet at all: a run of 0 for every query is a mistake more often than a result."""
    names = np.arange(run.n_queries) if run.query_ids is None else run.query_ids
    if not set(map(str, names.tolist())) & set(evaluator.query_ids):
        shown = ", ".join(map(repr, names[:3].tolist())) or "none"
        raise InvalidValueError(f"{name} and qrels share no query: {name} has {shown}, qrels have {', '.join(map(repr, evaluator.query_ids[:3]))}")


def _mean(values: npt.NDArray[np.float64]) -> float:
    return math.fsum(values.tolist()) / values.size
