"""Means and deviations from exact sums, each the nearest float64.

Sums are taken into pairs of float64 (Dekker, "A floating-point technique for extending the available precision", 1971), which are right to
2^-100 of themselves. Where the error cannot change the rounding of what follows, that is the result; elsewhere, Python's integers decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcal._backend.protocol import Array

Pair = tuple[Array, Array]
# Sums of scores are in units of 2^-149, of squares in units of 2^-298. ERROR exceeds what the few operations on pairs lose, relatively.
_UNIT, _ERROR = 149, 2.0**-96
_SPLIT = 2.0**27 + 1.0
_MOST = 2**53


def means(sums: Any, counts: Array) -> Array:
    """Return sum / n; 0 of none."""
    total, n = _pair(sums, _UNIT), np.maximum(counts, 1).astype(np.float64)
    mean = _over(total, n)
    return _rounded(mean, _ERROR * np.abs(mean[0]), counts, lambda i: _integer(sums, i) / (int(counts[i]) << _UNIT))


def excesses(sums: Any, counts: Array, low: Array, sign: int) -> Array:
    """Return sum - n * low, of the scores times `sign`; 0 of none."""
    high, rest = _pair(sums, _UNIT)
    least = np.where(counts > 0, low, 0.0)
    taken = _product(counts.astype(np.float64), least)
    found = _plus((sign * high, sign * rest), (-taken[0], -taken[1]))
    error = _ERROR * (np.abs(high) + np.abs(taken[0]))

    def exact(i: int) -> float:
        return (sign * _integer(sums, i) - int(counts[i]) * int(math.ldexp(least[i], _UNIT))) / (1 << _UNIT)

    return _rounded(found, error, counts, exact)


def roots(squares: Any) -> Array:
    """Return the root of each sum of squares."""
    root = _root(_pair(squares, 2 * _UNIT))
    return _rounded(root, _ERROR * root[0], np.zeros(len(root[0])), lambda i: _exact_root(_integer(squares, i), 1))


def deviations(sums: Any, squares: Any, counts: Array, varies: Array) -> Array:
    """Return sqrt(n * squares - sum^2) / n, and 0 where nothing `varies`."""
    n, total = counts.astype(np.float64), _pair(sums, _UNIT)
    whole = _times(_pair(squares, 2 * _UNIT), (n, np.zeros(len(n))))
    square = _times(total, total)
    left = _plus(whole, (-square[0], -square[1]))
    safe = varies & (left[0] > 0.0)
    variation = np.where(safe, left[0], 1.0), np.where(safe, left[1], 0.0)
    found = _over(_root(variation), np.maximum(n, 1.0))
    error = np.where(safe, found[0] * _ERROR * (1.0 + whole[0] / variation[0]), np.inf)

    def exact(i: int) -> float:
        s, q, count = _integer(sums, i), _integer(squares, i), int(counts[i])
        return _exact_root(count * q - s * s, count * count)

    still = ~varies
    found[0][still], found[1][still], error[still] = 0.0, 0.0, 0.0
    return _rounded(found, error, counts, exact)


def _rounded(value: Pair, error: Array, counts: Array, exact: Callable[[int], float]) -> Array:
    """Round pairs that are wrong by at most half of `error`, or ask for the exact result."""
    with np.errstate(invalid="ignore"):
        below, above = value[0] + (value[1] - error), value[0] + (value[1] + error)
    for i in np.flatnonzero((below != above) | (counts >= _MOST)).tolist():
        below[i] = exact(i)
    rounded: Array = below + 0.0
    return rounded


def _integer(words: Array, i: int) -> int:
    return int.from_bytes(np.ascontiguousarray(words[i], "<u8").tobytes(), "little", signed=True)


def _exact_root(numerator: int, denominator: int) -> float:
    """Return sqrt(numerator / denominator) * 2**-149, rounded once: 64 or more bits of the root, the last telling whether more follow."""
    if numerator == 0:
        return 0.0
    shift = max(0, 130 - numerator.bit_length() + denominator.bit_length()) // 2
    whole, rest = divmod(numerator << 2 * shift, denominator)
    root = math.isqrt(whole)
    inexact = rest != 0 or root * root != whole
    return (2 * root + inexact) / (1 << (shift + _UNIT + 1))


def _pair(words: Any, unit: int) -> Pair:
    """Two's complement words times 2^-unit."""
    negative = words[:, -1] >> np.uint64(63) != 0
    magnitudes = np.where(negative[:, None], ~words, words)
    found = np.zeros(len(words)), np.zeros(len(words))
    for word in magnitudes.T[::-1]:
        if not word.any():  # most are: scores of one scale fill two or three words
            found = found[0] * 2.0**64, found[1] * 2.0**64
            continue
        halves = _sum((word >> np.uint64(32)).astype(np.float64) * 2.0**32, (word & np.uint64(0xFFFFFFFF)).astype(np.float64))
        found = _plus((found[0] * 2.0**64, found[1] * 2.0**64), halves)
    found = _plus(found, (negative.astype(np.float64), np.zeros(len(words))))  # -x is ~x + 1
    sign = np.where(negative, -(2.0**-unit), 2.0**-unit)
    return found[0] * sign, found[1] * sign


def _sum(a: Array, b: Array) -> Pair:
    total = a + b
    from_b = total - a
    return total, (a - (total - from_b)) + (b - from_b)


def _product(a: Array, b: Array) -> Pair:
    total = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return total, ((a_high * b_high - total) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: Array) -> Pair:
    scaled = _SPLIT * a
    high = scaled - (scaled - a)
    return high, a - high


def _plus(a: Pair, b: Pair) -> Pair:
    high, error = _sum(a[0], b[0])
    low, more = _sum(a[1], b[1])
    high, error = _sum(high, error + low)
    return _sum(high, error + more)


def _times(a: Pair, b: Pair) -> Pair:
    high, error = _product(a[0], b[0])
    return _sum(high, error + (a[0] * b[1] + a[1] * b[0]))


def _over(a: Pair, n: Array) -> Pair:
    high = a[0] / n
    back, error = _product(high, n)
    return _sum(high, (((a[0] - back) - error) + a[1]) / n)


def _root(a: Pair) -> Pair:
    high = np.sqrt(a[0])
    back, error = _product(high, high)
    twice = np.where(high > 0.0, 2.0 * high, 1.0)
    return _sum(high, (((a[0] - back) - error) + a[1]) / twice)
