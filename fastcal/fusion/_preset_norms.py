"""What presets add up: the scores of one run, mapped list by list the way a system maps them.

Each function takes an aligned run whose scores are finite and returns float32, higher is better, in the order of ``run.ids``.
Statistics are float64. Distances are negated first, except by :func:`milvus`, which has a map for them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidValueError
from fastcal.normalization import minmax, normalize_lists
from fastcal.run import Run

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# OpenSearch gives this to a score that would be 0, so that the document still counts as found.
_OPENSEARCH_FLOOR = 0.001
# Float.MIN_VALUE, at which its search for the maximum starts.
_JAVA_MIN_VALUE = math.ldexp(1.0, -149)
# Below this range, or norm, Elasticsearch takes a list as constant, or as zero.
_ELASTIC_EPSILON = 1e-6


def constant_as(value: float) -> Callable[[Run, int], Float32]:
    """Return the min-max map that gives a constant list this value."""
    return lambda run, threads: minmax(_scores(run), offsets=run.offsets, on_constant=value, num_threads=threads)


def minmax_by_sign(run: Run, num_threads: int) -> Float32:
    """LlamaIndex: a constant list is 1.0 if it is positive, else 0.0."""
    return _sign_where_constant(run, constant_as(math.nan)(run, num_threads))


def dbsf_by_sign(run: Run, num_threads: int) -> Float32:
    """LlamaIndex: as :func:`minmax_by_sign`, between three standard deviations of the population."""
    return _sign_where_constant(run, _dbsf(run, 0, math.nan, num_threads))


def dbsf_sample(run: Run, num_threads: int) -> Float32:
    """Qdrant: three standard deviations of the sample; a constant list is 0.5."""
    return _dbsf(run, 1, 0.5, num_threads)


def dbsf_or_raw(run: Run, num_threads: int) -> Float32:
    """Haystack: three standard deviations of the population; a constant list keeps its scores."""
    mapped = _dbsf(run, 0, math.nan, num_threads)
    return np.where(np.isnan(mapped), _scores(run), mapped)


def opensearch_minmax(run: Run, _num_threads: int) -> Float32:
    """The maximum starts just above 0, and a result of 0 becomes 0.001."""
    scores, low, high = _scores(run).astype(np.float64), _each(np.minimum, run), _each(np.maximum, run)
    top = np.maximum(high, _JAVA_MIN_VALUE)
    mapped = _ratio(scores - low, top - low)
    mapped[mapped == 0] = _OPENSEARCH_FLOOR
    return np.where(low == top, 1.0, mapped).astype(np.float32)


def opensearch_zscore(run: Run, _num_threads: int) -> Float32:
    """Sample deviation, in float32; a score at the mean becomes the raw maximum, a result of at most 0 becomes 0.001."""
    scores = _positive(run)
    mean = _spread(run, _sums(run, scores) / _counts(run))
    deviation = _spread(run, np.sqrt(_sums(run, (scores - mean) ** 2) / np.maximum(_counts(run) - 1, 1))).astype(np.float32)
    raw, centre = _scores(run), mean.astype(np.float32)
    z = _ratio(raw - centre, deviation)
    mapped = np.where(z <= 0, _OPENSEARCH_FLOOR, z)
    return np.select([raw == centre, deviation == 0], [_each(np.maximum, run), _each(np.minimum, run)], mapped).astype(np.float32)


def opensearch_l2(run: Run, _num_threads: int) -> Float32:
    """Scores over their Euclidean norm; a list of zeros becomes 0.001."""
    scores = _positive(run)
    norm = _spread(run, np.sqrt(_sums(run, scores * scores)))
    return np.where(norm == 0, _OPENSEARCH_FLOOR, _ratio(scores, norm)).astype(np.float32)


def elastic_minmax(run: Run, _num_threads: int) -> Float32:
    """The maximum starts just above 0; a list without range is 1.0."""
    scores, low, high = _scores(run).astype(np.float64), _each(np.minimum, run), _each(np.maximum, run)
    span = np.maximum(high, 0.0) - low
    return np.where(span < _ELASTIC_EPSILON, 1.0, _ratio(scores - low, span)).astype(np.float32)


def elastic_l2(run: Run, _num_threads: int) -> Float32:
    """Scores over their Euclidean norm; a list with next to none stays as it is."""
    scores = _scores(run).astype(np.float64)
    norm = _spread(run, np.sqrt(_sums(run, scores * scores)))
    return np.where(norm < _ELASTIC_EPSILON, scores, _ratio(scores, norm)).astype(np.float32)


def unchanged(run: Run, _num_threads: int) -> Float32:
    """Return the scores as they are."""
    return _scores(run)


def opensearch_reciprocal(run: Run, k: float) -> Float32:
    """``1 / (k + rank)``, half up to ten decimals."""
    rank = np.arange(1, run.ids.size + 1) - np.repeat(run.offsets[:-1], run.counts())
    rounded: Float64 = np.floor(1e10 / (k + rank) + 0.5) / 1e10
    return rounded.astype(np.float32)


MILVUS: dict[str, Callable[[Float64], Float64]] = {
    "cosine": lambda s: (1.0 + s) * 0.5,
    "ip": lambda s: 0.5 + np.arctan(s) / math.pi,
    "bm25": lambda s: 2.0 * np.arctan(s) / math.pi,
    "l2": lambda d: 1.0 - 2.0 * np.arctan(d) / math.pi,
}


def milvus(run: Run, metric: str) -> Float32:
    """Map each score by its metric alone."""
    assert run.scores is not None
    return MILVUS[metric](run.scores.astype(np.float64)).astype(np.float32)


def _scores(run: Run) -> Float32:
    assert run.scores is not None
    return run.scores if run.higher_is_better else 0 - run.scores


def _positive(run: Run) -> Float64:
    scores = _scores(run)
    if scores.size and scores.min() < 0:
        raise InvalidValueError(f"OpenSearch has no negative scores, and its mean would skip them; got {scores.min()}")
    return scores.astype(np.float64)


def _dbsf(run: Run, ddof: int, on_constant: float, num_threads: int) -> Float32:
    mapped: Float32 = normalize_lists(
        _scores(run), run.offsets, "dbsf", num_threads=num_threads, ddof=ddof, on_constant=on_constant, on_single=on_constant
    )
    return mapped


def _sign_where_constant(run: Run, mapped: Float32) -> Float32:
    return np.where(np.isnan(mapped), np.where(_scores(run) > 0, np.float32(1), np.float32(0)), mapped)


def _counts(run: Run) -> npt.NDArray[np.int64]:
    """Return the lengths of the lists that are not empty."""
    counts = run.counts()
    return counts[counts > 0]


def _starts(run: Run) -> npt.NDArray[np.int64]:
    return run.offsets[:-1][run.counts() > 0]


def _sums(run: Run, values: Float64) -> Float64:
    return np.add.reduceat(values, _starts(run)) if values.size else values


def _spread(run: Run, per_list: Float64) -> Float64:
    """Return the value of each list at each of its entries."""
    return np.repeat(per_list, _counts(run))


def _each(ufunc: np.ufunc, run: Run) -> Float64:
    """Return the minimum or maximum of each entry's list."""
    scores = _scores(run).astype(np.float64)
    return _spread(run, ufunc.reduceat(scores, _starts(run))) if scores.size else scores


def _ratio(numerator: npt.NDArray[Any], denominator: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Divide where that is possible, else give 0."""
    quotient: npt.NDArray[Any] = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
    return quotient
