"""Probabilities of counts, to nearly the last bit of their logarithm whatever the size of the counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcal import _backend

if TYPE_CHECKING:
    from fastcal._clusters import Float64

TIE = 1e-12  # of a logarithm: a count at exactly the level belongs to the interval
_STEPS = np.arange(16.0)  # the series below is right to 1e-17 from 16 on
_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))


def stirling_error(x: Float64) -> Float64:
    """ln(x!) - (x ln x - x + ln(2 pi x) / 2) of x > 0, not necessarily whole."""
    large, error, small = np.array(x, dtype=np.float64), np.zeros(np.shape(x)), np.asarray(x) < _STEPS.size
    y = large[small][:, None] + _STEPS
    error[small] = ((y + 0.5) * np.log1p(1 / y) - 1).sum(axis=1)  # of each y, less that of y + 1
    large[small] += _STEPS.size
    z = 1 / (large * large)
    series = np.zeros(large.shape)
    for coefficient in reversed(_SERIES):
        series = series * z + coefficient
    return error + series / large


def log_beta(a: Float64, b: Float64) -> Float64:
    """ln(B(a, b)) of a, b > 0, with an error of some 1e-16 of its size or of 1."""
    less, more, both = np.minimum(a, b), np.maximum(a, b), a + b
    errors = stirling_error(a) + stirling_error(b) - stirling_error(both)
    powers = less * np.log(less / both) + more * np.log1p(-less / both)
    return np.asarray(powers + 0.5 * np.log(both / a / b) + _HALF_LOG_2PI + errors)


def log_binomial(hits: Float64, n: Float64, rate: Float64, other: Float64) -> Float64:
    """Log probability of whole 0 <= hits <= n at a rate, `other` being 1 - rate (Loader 2000: deviances, not factorials)."""
    hits, n, rate, other = np.broadcast_arrays(hits, n, rate, other)
    with np.errstate(divide="ignore", invalid="ignore"):
        none, all_of_them = (np.where(x < 0.5, np.log(x), np.log1p(-y)) for x, y in ((other, rate), (rate, other)))
        out = np.where(hits == 0, np.where(n == 0, 0.0, n * none), n * all_of_them)
    inside = (hits > 0) & (hits < n) & (rate > 0) & (other > 0)
    h, m, p, q = hits[inside], n[inside], rate[inside], other[inside]
    errors = stirling_error(m) - stirling_error(h) - stirling_error(m - h)
    out[inside] = errors - _deviance(h, m * p) - _deviance(m - h, m * q) + 0.5 * np.log(m / h / (m - h)) - _HALF_LOG_2PI
    return out


def log_hypergeometric(hits: Float64, n: Float64, positives: Float64, population: Float64) -> Float64:
    """Log probability of so many hits among n draws without replacement; all counts are possible ones."""
    rate, other = n / population, (population - n) / population
    drawn = log_binomial(hits, positives, rate, other) + log_binomial(n - hits, population - positives, rate, other)
    return np.asarray(drawn - log_binomial(n, population, rate, other))


def log_at_most(hits: Float64, n: Float64, positives: Float64, population: Float64) -> Float64:
    """Log probability of so many hits or fewer among n draws without replacement, of flat arrays of possible counts."""
    out = np.empty(hits.shape)
    good, misses = positives - hits + 1, n - hits + 1
    _backend.active().log_tail_sums(hits, population - positives - n + hits, good, misses, out)
    return log_hypergeometric(hits, n, positives, population) + out


def _deviance(x: Float64, mean: Float64) -> Float64:
    """Half the deviance, x ln(x / mean) + mean - x; its error is 1e-16 of x - mean."""
    t = (x - mean) / mean
    return np.asarray(mean * ((1 + t) * np.log1p(t) - t))


def last_true(holds: Callable[[Any, Float64], Any], low: Float64, high: Float64) -> Float64:
    """The last whole number in [low, high] at which ``holds(positions, numbers)``, elementwise; it holds at `low`, and not again once it fails."""
    low, high = low.copy(), high.copy()
    while (at := np.flatnonzero(low < high)).size:
        middle = np.ceil((low[at] + high[at]) / 2)
        good = holds(at, middle)
        low[at[good]] = middle[good]
        high[at[~good]] = middle[~good] - 1
    return low
