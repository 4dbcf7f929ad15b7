"""Quantiles of the beta distribution, on which exact binomial limits rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from fastcal.intervals._counts import log_beta

if TYPE_CHECKING:
    from fastcal._clusters import Float64

Bools: TypeAlias = npt.NDArray[np.bool_]

_STEPS = 100
_TINY = 1e-300


def lower_limit(hits: Float64, n: Float64, tail: float, extra: float) -> Float64:
    """Quantile `tail` of Beta(hits + extra, n - hits + 1 - extra), of any shape; 0 without hits."""
    low, some = np.zeros(hits.shape), hits > 0
    if some.any():
        a, b = hits[some].reshape(-1) + extra, (n - hits)[some].reshape(-1) + (1.0 - extra)
        low[some] = beta_quantile(a, b, np.full(a.size, tail))
    return low


def beta_quantile(a: Float64, b: Float64, level: Float64) -> Float64:
    """Return x with I_x(a, b) = level, elementwise on flat arrays; a, b > 0 and 0 < level < 1.

    Newton's method, kept inside a bracket that every step narrows; to 1e-12 of x for parameters up to 1e6.
    """
    log_scale = -log_beta(a, b)
    result, open_ = _guess(a, b, level), np.arange(a.size)
    low, high = np.zeros(a.shape), np.ones(a.shape)
    for _ in range(_STEPS):
        x, done = _step(a[open_], b[open_], level[open_], log_scale[open_], result[open_], (low, high))
        result[open_] = x
        open_, low, high = open_[~done], low[~done], high[~done]
        if not open_.size:
            break
    return result


def _guess(a: Float64, b: Float64, level: Float64) -> Float64:
    """Log-odds of a beta variable are roughly normal; Tukey's lambda distribution stands for the normal quantile."""
    deviate = 4.91 * (level**0.14 - (1 - level) ** 0.14)
    return np.asarray(a / (a + b * np.exp(-(deviate * np.sqrt(1 / a + 1 / b)).clip(-4.0, 4.0))))


def _step(a: Float64, b: Float64, level: Float64, log_scale: Float64, x: Float64, bracket: tuple[Float64, Float64]) -> tuple[Float64, Bools]:
    """Move x by Newton's step, or halve the bracket, which is narrowed in place; and say where that is enough."""
    (low, high), share = bracket, _share(a, b, x, log_scale)
    below = share < level
    low[below], high[~below] = x[below], x[~below]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore", under="ignore"):
        newton = x - (share - level) / np.exp(log_scale + (a - 1) * np.log(x) + (b - 1) * np.log1p(-x))
    inside = (newton == x) | ((newton > low) & (newton < high))
    moved = np.where(inside, newton, _middle(low, high))
    # A step of Newton's squares the error.
    return moved, np.abs(moved - x) <= np.where(inside, 1e-8, 1e-15) * np.minimum(x, 1 - x)


def _middle(low: Float64, high: Float64) -> Float64:
    """Halve a bracket, by its exponent while it spans several."""
    wide = (high > 4 * low) & (low > 0)
    return np.asarray(np.where(wide, np.sqrt(low * high), (low + high) / 2))


def _share(a: Float64, b: Float64, x: Float64, log_scale: Float64) -> Float64:
    """Regularised incomplete beta function I_x(a, b), from the side on which its continued fraction converges."""
    left = x * (a + b + 2) < a + 1
    p, q, y = np.where(left, a, b), np.where(left, b, a), np.where(left, x, 1 - x)
    with np.errstate(under="ignore", divide="ignore"):
        front = np.exp(log_scale + p * np.log(y) + q * np.log1p(-y)) / p
    part = front * _fraction(p, q, y)
    return np.asarray(np.where(left, part, 1 - part))


def _fraction(a: Float64, b: Float64, x: Float64) -> Float64:
    """1 / (1 + d1 / (1 + d2 / (1 + ...))) by Lentz's method (Abramowitz & Stegun 26.5.8)."""
    numerator, inverse = np.ones(x.shape), 1 / _away(1 - (a + b) * x / (a + 1))
    value = inverse.copy()
    for m in range(1, 200 + 10 * int(np.sqrt(max(a.max(), b.max())))):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for d in (even, odd):
            inverse, numerator = 1 / _away(1 + d * inverse), _away(1 + d / numerator)
            value *= inverse * numerator
        if (np.abs(inverse * numerator - 1) < 1e-13).all():
            break
    return value


def _away(values: Float64) -> Float64:
    """Move zeros off zero."""
    return np.where(np.abs(values) < _TINY, _TINY, values)
