"""Kernels over lists of scores: each is mapped by its own statistics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_lanes import LANES, kernel

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

BLOCK = 4096


@kernel
def _extent(scores: Array, start: int, stop: int) -> tuple[float, float, int]:
    """Minimum, maximum and number of the entries that are not NaN."""
    low, high, count = math.inf, -math.inf, 0
    for i in range(start, stop):
        value = np.float64(scores[i])
        if not math.isnan(value):
            low, high, count = min(low, value), max(high, value), count + 1
    return low, high, count


@kernel
def minmax(scores: Array, offsets: Array, first: int, last: int, on_constant: float, out: Array) -> int:
    """Lists first..last; returns the first that holds an infinity, or -1."""
    first_bad = -1
    for i in range(first, last):
        low, high, count = _extent(scores, offsets[i], offsets[i + 1])
        if count and (math.isinf(low) or math.isinf(high)):
            if first_bad < 0:
                first_bad = i
            continue
        half = 0.5 if math.isinf(high - low) else 1.0
        bottom = low * half
        span = high * half - bottom
        for j in range(offsets[i], offsets[i + 1]):
            value = np.float64(scores[j])
            if math.isnan(value):
                out[j] = scores[j]
            elif low == high:
                out[j] = on_constant + 0.0
            else:
                out[j] = (value * half - bottom) / span + 0.0
    return first_bad


@kernel
def _fold(lanes: Array) -> float:
    """Lanes 8, 4, 2 and 1 apart are added; the lanes are left at +0.0."""
    width = LANES // 2
    while width:
        for i in range(width):
            lanes[i] += lanes[i + width]
        width //= 2
    total = float(lanes[0])
    lanes[:] = 0.0
    return total


@kernel
def _blocked_sum(scores: Array, start: int, stop: int, centre: float, power: int, lanes: Array) -> float:
    """Sum of (s - centre)**power over the entries that are not NaN, in blocks; ``power`` is 1 (centre 0) or 2."""
    total = 0.0
    for block in range(start, stop, BLOCK):
        for i in range(block, min(block + BLOCK, stop)):
            value = np.float64(scores[i])
            if not math.isnan(value):
                if power == 2:
                    value = value - centre
                    value = value * value
                lanes[(i - block) % LANES] += value
        total += _fold(lanes)
    return total


@kernel
def zscore(scores: Array, offsets: Array, first: int, last: int, ddof: int, out: Array) -> int:
    """Lists first..last; returns the first whose moments are not finite, or -1."""
    first_bad = -1
    lanes = np.zeros(LANES)
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        low, high, count = _extent(scores, start, stop)
        bad = count > 0 and (math.isinf(low) or math.isinf(high))
        mean, deviation = 0.0, 0.0
        if count > ddof and low < high and not bad:
            mean = _blocked_sum(scores, start, stop, 0.0, 1, lanes) / count
            deviation = math.sqrt(_blocked_sum(scores, start, stop, mean, 2, lanes) / (count - ddof))
            bad = not (math.isfinite(mean) and math.isfinite(deviation))
        if bad:
            first_bad = i if first_bad < 0 else first_bad
            continue
        for j in range(start, stop):
            value = np.float64(scores[j])
            if math.isnan(value):
                out[j] = scores[j]
            else:
                out[j] = 0.0 if deviation == 0.0 else (value - mean) / deviation + 0.0
    return first_bad
