"""An interval for any metric: resample the queries, not the pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._clusters import JACKKNIFE_BLOCKS, Float64, Int64, bca_limits, numbered, sums_interval
from fastcal._validate.numbers import fraction, integer
from fastcal._validate.scores import Pairs, pairs
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.metrics._additive import sums_of


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and what resampled queries make of it.

    Attributes
    ----------
    value : float
        The metric on all pairs.
    low, high : float
        The interval.
    n, n_groups : int
        Pairs and queries; without groups every pair is one.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.bootstrap(fc.metrics.brier_score, [0, 1], [0.5, 0.5]).to_dict()
    {'value': 0.25, 'low': 0.25, 'high': 0.25, 'n': 2, 'n_groups': 2}
    """

    value: float
    low: float
    high: float
    n: int
    n_groups: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def bootstrap(
    metric: Callable[..., float],
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    sample_weight: npt.ArrayLike | None = None,
    **options: Any,
) -> Estimate:
    """Estimate a metric and its BCa interval from resampled queries.

    Pairs of one query rise and fall together; resampling pairs would take them for independent and give intervals that
    are too narrow, here by factors of two and more. A query drawn twice counts twice. Bias and skewness are corrected
    (Efron 1987), the skewness from leaving out queries, or one of 200 sets of queries, at a time.

    Parameters
    ----------
    metric : callable
        ``metric(labels, probabilities, **options) -> float``: any metric of this module or one of yours. With
        `sample_weight` it gets that too, by name.
    labels : array_like of 0/1, shape of `probabilities`
    probabilities : array_like of float, any shape
        Or scores, if the metric takes those. NaN marks padding, and those pairs are dropped.
    groups : array_like of int or str, shape of `probabilities` or one per row, optional
        Query ids. Without them every pair is its own group.
    n_resamples : int, default 1000
        At least 100.
    confidence : float, default 0.95
        Strictly between 0 and 1.
    seed : int, default 0
    sample_weight : array_like of float, shape of `probabilities`, optional
        Finite and not negative.
    **options
        Handed to the metric.

    Returns
    -------
    Estimate
        Resamples on which the metric is NaN or raises InvalidValueError (one class only) are left out.

    Raises
    ------
    ValueError
        If there is one group only, more than half of the resamples have no value, or an argument is unusable.
    TypeError
        If `metric` is not callable, or an argument is of another type than described.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> rng = np.random.default_rng(0)
    >>> p = rng.random((50, 10))
    >>> found = fc.metrics.bootstrap(fc.metrics.brier_score, rng.random((50, 10)) < p, p, groups=np.arange(50))
    >>> found.n, found.n_groups, found.low < found.value < found.high
    (500, 50, True)
    """
    if not callable(metric):
        raise InvalidTypeError(f"metric must be callable, got {type(metric).__name__}")
    resamples, level = integer(n_resamples, "n_resamples", least=100), fraction(confidence, "confidence")
    start = integer(seed, "seed", least=0)
    sample = pairs(probabilities, labels, sample_weight, groups)
    codes, n_groups = numbered(sample.groups, len(sample.labels))
    if n_groups < 2:
        raise InvalidValueError("groups holds one query; an interval by query needs at least 2")
    value = _on(metric, sample, np.arange(len(codes)), options)
    summed = sums_of(metric, sample, codes, n_groups, options)
    if summed is not None:
        return Estimate(value, *sums_interval(*summed, resamples, level, start), len(codes), n_groups)
    low, high = _repeated(metric, sample, codes, n_groups, value, resamples, level, start, options)
    return Estimate(value, low, high, len(codes), n_groups)


def _repeated(
    metric: Callable[..., float], sample: Pairs, codes: Int64, n_groups: int, value: float, n_resamples: int, level: float, seed: int, options: Any
) -> tuple[float, float]:
    draws = _values(metric, sample, _resamples(codes, n_groups, n_resamples, seed), options)
    if np.isnan(draws).mean() > 0.5:
        raise InvalidValueError("the metric has no value on more than half of the resamples; expected more queries with both classes")
    blocks = codes % min(n_groups, JACKKNIFE_BLOCKS)
    without = _values(metric, sample, (np.flatnonzero(blocks != block) for block in range(int(blocks.max()) + 1)), options)
    return bca_limits(draws, value, without, level)


def _resamples(codes: Int64, n_groups: int, n_resamples: int, seed: int) -> Iterator[Int64]:
    """Yield the positions of the pairs of drawn queries."""
    order, sizes = np.argsort(codes, kind="stable"), np.bincount(codes, minlength=n_groups)
    starts, rng = np.cumsum(sizes) - sizes, np.random.default_rng(seed)
    for _ in range(n_resamples):
        drawn = rng.integers(0, n_groups, n_groups)
        ends = np.cumsum(sizes[drawn])
        yield order[np.arange(ends[-1]) + np.repeat(starts[drawn] - ends + sizes[drawn], sizes[drawn])]


def _values(metric: Callable[..., float], sample: Pairs, picks: Iterator[Int64], options: Any) -> Float64:
    return np.array([_on_or_nan(metric, sample, at, options) for at in picks], dtype=np.float64)


def _on_or_nan(metric: Callable[..., float], sample: Pairs, at: Int64, options: Any) -> float:
    try:
        return _on(metric, sample, at, options)
    except InvalidValueError:
        return float("nan")


def _on(metric: Callable[..., float], sample: Pairs, at: Int64, options: Any) -> float:
    weights = {} if sample.weights is None else {"sample_weight": sample.weights[at]}
    return float(metric(sample.labels[at], sample.scores[at], **weights, **options))
