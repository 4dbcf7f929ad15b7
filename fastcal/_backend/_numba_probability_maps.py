"""Kernels of beta calibration's map and of step curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_calibration import exp_minus
from fastcal._backend._numba_fusion_values import natural_log
from fastcal._backend._numba_lanes import kernel

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_LEAST_CHANCE = 2.0**-25
_MOST_CHANCE = 1.0 - 2.0**-25


@kernel
def beta_predict(scores: Array, offset: float, slope: float, a: float, b: float, c: float, out: Array) -> None:
    """``out = 1 / (1 + exp(-(a ln u - b ln v + c)))`` with u = offset + slope s and v = 1 - u, clipped."""
    for i in range(scores.size):
        s = np.float64(scores[i])
        if math.isnan(s):
            out[i] = scores[i]
            continue
        u = min(max(offset + slope * s, _LEAST_CHANCE), _MOST_CHANCE)
        v = min(max((1.0 - offset) - slope * s, _LEAST_CHANCE), _MOST_CHANCE)
        t = (a * natural_log(u) - b * natural_log(v)) + c
        e = exp_minus(abs(t))
        out[i] = (e if t < 0.0 else 1.0) / (1.0 + e)


@kernel
def step_predict(scores: Array, knots: Array, values: Array, out: Array) -> None:
    """``values[2 i + 1]`` at knot i, ``values[2 i]`` below it and above the one before; NaN stays."""
    for i in range(scores.size):
        score = np.float64(scores[i])
        if math.isnan(score):
            out[i] = scores[i]
            continue
        low, high = 0, knots.size
        while low < high:
            middle = (low + high) // 2
            if knots[middle] < score:
                low = middle + 1
            else:
                high = middle
        at_knot = low < knots.size and knots[low] == score
        out[i] = values[2 * low + 1 if at_knot else 2 * low]
