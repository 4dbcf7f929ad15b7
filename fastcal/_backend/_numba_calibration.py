"""Calibration kernels: our exp, Platt's map and the sums of its fit, isotonic fit and map, the threshold sweep."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_lanes import kernel

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_TAYLOR = tuple(1.0 / math.factorial(i) for i in range(13, -1, -1))
_EXP_LIMIT = 708.0
_POWER_OF_TWO = tuple(
    np.float32(float.fromhex(h)) for h in ("0x1.62e42ap-1", "0x1.ebfd74p-3", "0x1.c686b4p-5", "0x1.3d217cp-7", "0x1.462150p-10", "0x1.c765a6p-13")
)
_SUM_BLOCK = 1024


@kernel
def exp_minus(x: float) -> float:
    """exp(-x) for x >= 0, with the bits of ``docs/numerics.md``; at x <= 708 the power of two is a normal number."""
    minus_x = -min(x, _EXP_LIMIT)
    n = np.rint(minus_x * _LOG2_E)
    r = (minus_x - n * _LN2_HIGH) - n * _LN2_LOW
    value = _TAYLOR[0]
    for i in range(1, 14):
        value = value * r + _TAYLOR[i]
    power = np.int64((np.int64(n) + 1023) << 52).view(np.float64)
    return float(value * power)


@kernel
def platt_predict(scores: Array, a: float, b: float, out: Array) -> None:
    """``out = 1 / (1 + exp(a s + b))`` of float64 scores."""
    for i in range(scores.size):
        t = a * scores[i] + b
        if math.isnan(t):
            out[i] = t
        else:
            e = exp_minus(abs(t))
            out[i] = e / (1.0 + e) if t > 0.0 else 1.0 / (1.0 + e)


@kernel
def platt_predict_f32(scores: Array, a: float, b: float, out: Array) -> None:
    """``platt_predict`` of float32 scores: t = a s + b in float64, the exponential and the division in float32."""
    one, half, least = np.float32(1.0), np.float32(0.5), np.float32(2.0**-64)
    for i in range(scores.size):
        u = (a * np.float64(scores[i]) + b) * _LOG2_E - 0.5
        if math.isnan(u):
            out[i] = np.float32(math.nan)
            continue
        cut = min(max(u, -32.0), 160.0)
        n = np.rint(cut)
        f = np.float32(cut - n) + half
        power = _POWER_OF_TWO[5]
        for j in range(4, -1, -1):
            power = np.float32(power * f) + _POWER_OF_TWO[j]
        power = np.float32(f * power) + one
        e = np.float32(power * np.float32(math.ldexp(1.0, int(n) - 64)))
        out[i] = least / np.float32(least + e)


@kernel
def platt_sums(scores: Array, targets: Array, weights: Array, a: float, b: float, sums: Array) -> None:
    """Add to ``sums``: cross-entropy, its gradient (a, b), its Hessian (aa, ab, bb); small blocks bound the rounding."""
    for begin in range(0, scores.size, _SUM_BLOCK):
        loss = da = db = h_aa = h_ab = h_bb = 0.0
        for i in range(begin, min(begin + _SUM_BLOCK, scores.size)):
            s, target, weight = scores[i], targets[i], weights[i]
            t = a * s + b
            e = math.exp(-abs(t))
            if t >= 0.0:
                p, q = e / (1.0 + e), 1.0 / (1.0 + e)
                loss += weight * (target * t + math.log1p(e))
            else:
                p, q = 1.0 / (1.0 + e), e / (1.0 + e)
                loss += weight * ((target - 1.0) * t + math.log1p(e))
            slope, curvature = weight * (target - p), weight * p * q
            da += slope * s
            db += slope
            h_aa += curvature * s * s
            h_ab += curvature * s
            h_bb += curvature
        sums[0] += loss
        sums[1] += da
        sums[2] += db
        sums[3] += h_aa
        sums[4] += h_ab
        sums[5] += h_bb


@kernel
def isotonic_fit(scores: Array, labels: Array, weights: Array, out_x: Array, out_y: Array) -> int:
    """PAVA over samples sorted by score, weights > 0; writes the knots and returns their number.

    Invariant: blocks 0..n_blocks have strictly increasing means; block i spans scores low[i]..high[i].
    """
    size = scores.size
    low, high, total, weight = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    n_blocks = 0
    i = 0
    while i < size:
        score, s, w = scores[i], 0.0, 0.0
        while i < size and scores[i] == score:
            w += weights[i]
            s += weights[i] * labels[i]
            i += 1
        low[n_blocks], high[n_blocks], total[n_blocks], weight[n_blocks] = score + 0.0, score + 0.0, s, w
        n_blocks += 1
        while n_blocks > 1 and total[n_blocks - 2] / weight[n_blocks - 2] >= total[n_blocks - 1] / weight[n_blocks - 1]:
            n_blocks -= 1
            high[n_blocks - 1] = high[n_blocks]
            total[n_blocks - 1] += total[n_blocks]
            weight[n_blocks - 1] += weight[n_blocks]
    n_knots = 0
    for block in range(n_blocks):
        out_x[n_knots], out_y[n_knots] = low[block], total[block] / weight[block]
        n_knots += 1
        if high[block] != low[block]:
            out_x[n_knots], out_y[n_knots] = high[block], total[block] / weight[block]
            n_knots += 1
    return n_knots


@kernel
def isotonic_predict(scores: Array, knots_x: Array, knots_y: Array, out: Array) -> None:
    """Linear interpolation between knots, clipped to the end values; NaN stays."""
    last = knots_x.size - 1
    for i in range(scores.size):
        value = np.float64(scores[i])
        if math.isnan(value):
            out[i] = scores[i]
        elif value <= knots_x[0]:
            out[i] = knots_y[0]
        elif value >= knots_x[last]:
            out[i] = knots_y[last]
        else:
            low, high = 0, last
            while high - low > 1:
                middle = (low + high) // 2
                if knots_x[middle] <= value:
                    low = middle
                else:
                    high = middle
            share = (value - knots_x[low]) / (knots_x[high] - knots_x[low])
            inside = knots_y[low] + (knots_y[high] - knots_y[low]) * share
            out[i] = min(max(inside, knots_y[low]), knots_y[high])


@kernel
def threshold_sweep(
    order: Array, scores: Array, labels: Array, weights: Array, out_threshold: Array, out_selected: Array, out_weight: Array, out_positive: Array
) -> int:
    """Cumulative counts in ``order`` (score descending, stable) at each distinct score; empty ``weights`` are ones."""
    total, positive, count = 0.0, 0.0, 0
    for i in range(order.size):
        sample = order[i]
        weight = weights[sample] if weights.size else 1.0
        total += weight
        if labels[sample]:
            positive += weight
        if i + 1 < order.size and scores[order[i + 1]] == scores[sample]:
            continue
        out_threshold[count], out_selected[count] = scores[sample] + 0.0, i + 1
        out_weight[count], out_positive[count] = total, positive
        count += 1
    return count
