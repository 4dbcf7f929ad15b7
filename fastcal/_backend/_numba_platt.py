"""Platt's fit: Newton's method with backtracking (Lin, Lin and Weng 2007) on standardised scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_calibration import platt_sums
from fastcal._backend._numba_pool import ranges

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_MAX_ITERATIONS = 100
_MIN_STEP = 1e-10
_SUFFICIENT_DECREASE = 1e-4
_RIDGE = 1e-12
# Per unit of weight: about ten roundings of the sums themselves, so that steps stop where they stop meaning anything.
_GRADIENT_TOLERANCE = 1e-15
_CHUNK = 1 << 16


def fit(scores: Array, targets: Array, weights: Array) -> tuple[float, float]:
    """Return (a, b) of p = 1 / (1 + exp(a s + b)) that minimise the weighted cross-entropy."""
    total = math.fsum(weights)
    mean_target = math.fsum(weights * targets) / total
    used = scores[weights > 0]
    unit = float(np.abs(used).max())
    if used.min() == used.max():
        return 0.0, _minus_logit(mean_target)
    scaled = scores / unit  # so that no square overflows or vanishes
    mean = math.fsum(weights * scaled) / total
    spread = math.sqrt(math.fsum(weights * (scaled - mean) ** 2) / total)
    if spread == 0.0:
        return 0.0, _minus_logit(mean_target)
    problem = _Problem((scaled - mean) / spread, targets, weights)
    start = _minus_logit(min(max(mean_target, 1e-12), 1.0 - 1e-12))
    a, b = _newton(problem, start, _GRADIENT_TOLERANCE * total)
    return a / spread / unit, b - a * mean / spread


def _minus_logit(p: float) -> float:
    if p <= 0.0:
        return math.inf
    return math.log1p(-p) - math.log(p) if p < 1.0 else -math.inf


class _Problem:
    """The loss and its derivatives, summed chunk by chunk so that Ctrl-C gets through."""

    def __init__(self, scores: Array, targets: Array, weights: Array) -> None:
        self._data = tuple(np.ascontiguousarray(part, dtype=np.float64) for part in (scores, targets, weights))

    def at(self, a: float, b: float) -> list[float]:
        """Loss, gradient (a, b), Hessian (aa, ab, bb)."""
        sums = np.zeros(6)
        for start, stop in ranges(self._data[0].size, _CHUNK):
            scores, targets, weights = (part[start:stop] for part in self._data)
            platt_sums(scores, targets, weights, a, b, sums)
        values: list[float] = sums.tolist()
        return values


def _newton(problem: _Problem, b: float, tolerance: float) -> tuple[float, float]:
    a = 0.0
    loss, da, db, h_aa, h_ab, h_bb = problem.at(a, b)
    for _ in range(_MAX_ITERATIONS):
        if max(abs(da), abs(db)) <= tolerance:
            break
        h_aa, h_bb = h_aa + _RIDGE, h_bb + _RIDGE
        determinant = h_aa * h_bb - h_ab * h_ab
        step_a, step_b = -(h_bb * da - h_ab * db) / determinant, -(h_aa * db - h_ab * da) / determinant
        slope = da * step_a + db * step_b
        size = 1.0
        while size >= _MIN_STEP:
            trial = problem.at(a + size * step_a, b + size * step_b)
            if trial[0] < loss + _SUFFICIENT_DECREASE * size * slope or _only_rounding_left(size, slope, loss, trial, da, db):
                break
            size /= 2.0
        else:
            break
        a, b = a + size * step_a, b + size * step_b
        loss, da, db, h_aa, h_ab, h_bb = trial
    return a, b


def _only_rounding_left(size: float, slope: float, loss: float, trial: list[float], da: float, db: float) -> bool:
    """Whether a full step changes the loss by less than its rounding, yet shrinks the gradient."""
    return size == 1.0 and abs(slope) <= 1e-12 * abs(loss) and max(abs(trial[1]), abs(trial[2])) < max(abs(da), abs(db))
