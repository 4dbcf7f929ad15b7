"""An interval for any metric: resample the queries, not the pairs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal._clusters import JACKKNIFE_BLOCKS, Float64, Int64, bca_limits, jackknife_sums, mirrored_limits, numbered, resampled_sums
from fastcal._validate.numbers import fraction, integer, one_of
from fastcal._validate.scores import Pairs, pairs
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.metrics._additive import sums_of
from fastcal.metrics.calibration_error import expected_calibration_error
from fastcal.metrics.debiased import debiased_calibration_error
from fastcal.metrics.smooth_ece import smooth_ece

Interval = Literal["bca", "mirrored"]
_ERRORS: tuple[Any, ...] = (expected_calibration_error, debiased_calibration_error, smooth_ece)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and what resampled queries make of it.

    Attributes
    ----------
    value : float
        The metric on all pairs.
    low, high : float
        The interval, together as `interval`.
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

    @property
    def interval(self) -> tuple[float, float]:
        """``(low, high)``, as the intervals of other results are."""
        return self.low, self.high

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
    interval: Interval | None = None,
    **options: Any,
) -> Estimate:
    """Estimate a metric and its interval from resampled queries.

    Pairs of one query rise and fall together; resampling pairs would take them for independent and give intervals that
    are too narrow, here by factors of two and more. A query drawn twice counts twice.

    "bca" corrects for bias and skewness (Efron 1987), the skewness from leaving out queries, or one of 200 sets of queries, at a
    time. It is for metrics that resamples scatter around the value, such as mean losses. A calibration error is none of them: it
    adds up sizes of gaps, noise makes gaps larger, and a resample has the noise of the sample and its own, so that nearly all draws lie
    above the value, and BCa ends in their last tail. "mirrored" turns the quantiles of the squares round the square of the value: that
    exceeds the truth's by about as much as the draws' exceed it. It holds the value and stays in [0, 1]. Of 95 % intervals of the ECE of
    probabilities that are right, or off by up to .06, in 50 and 300 queries of 10 pairs, 77 to 100 % held the truth, of BCa's 0 to 96 %;
    those that miss it end below it, most often where the error is near .03: bins hide part of a gap.

    Parameters
    ----------
    metric : callable
        ``metric(labels, probabilities, **options) -> float``: a metric of this module or one of yours. With
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
    interval : {"bca", "mirrored"}, optional
        "mirrored" for the calibration errors of this module (a ``functools.partial`` of one is one) and "bca" for all else by default.
        "mirrored" is for metrics between 0 and 1.
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
    mirrored = _mirrored(metric, value, interval)
    summed = sums_of(metric, sample, codes, n_groups, options)
    if summed is not None:
        sums, of_totals = summed
        draws = of_totals(resampled_sums(sums, resamples, start))
        without = of_totals(sums.sum(axis=0) - jackknife_sums(sums))
    else:
        draws = _values(metric, sample, _resamples(codes, n_groups, resamples, start), options)
        without = np.empty(0) if mirrored else _values(metric, sample, _left_out(codes, n_groups), options)
    if np.isnan(draws).mean() > 0.5:
        raise InvalidValueError("the metric has no value on more than half of the resamples; expected more queries with both classes")
    low, high = mirrored_limits(draws, value, level) if mirrored else bca_limits(draws, value, without, level)
    return Estimate(value, low, high, len(codes), n_groups)


def _mirrored(metric: Callable[..., float], value: float, interval: Interval | None) -> bool:
    if interval is None:
        return (metric.func if isinstance(metric, functools.partial) else metric) in _ERRORS
    mirrored = one_of(interval, "interval", ("bca", "mirrored")) == "mirrored"
    if mirrored and not 0.0 <= value <= 1.0:
        raise InvalidValueError(f'interval="mirrored" is for metrics between 0 and 1, and this one is {value:g}')
    return mirrored


def _left_out(codes: Int64, n_groups: int) -> Iterator[Int64]:
    """Yield the positions of the pairs of all queries but one, or but one of 200 sets of queries."""
    blocks = codes % min(n_groups, JACKKNIFE_BLOCKS)
    return (np.flatnonzero(blocks != block) for block in range(int(blocks.max()) + 1))


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
