"""From a probability back to a score: a search over the float64 numbers themselves, so that it agrees with `predict` to the bit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcal._backend.protocol import Array

_PARTS = 256


def first_reaching(predict: Callable[[Array], Array], target: float, low: float, high: float, *, rising: bool, closed: bool) -> float | None:
    """Return the first score, from the worse end on, at which a monotone `predict` is at least `target`.

    None if there is none up to the better end. If the worse end reaches it: that end where it is `closed`, beyond which nothing
    has a probability, or else infinity.
    """
    sign = 1 if rising else -1
    before, at = sorted((sign * _order(low), sign * _order(high)))
    worst, best = predict(_score(np.array([sign * before, sign * at], dtype=np.int64)))
    if worst >= target:
        return (low if rising else high) if closed else -sign * math.inf
    if not best >= target:
        return None
    while at - before > 1:  # the number at `before` does not reach the target, that at `at` does
        steps = [before + (at - before) * part // _PARTS for part in range(1, _PARTS + 1)]
        reached = int(np.argmax(predict(_score(np.array([sign * step for step in steps], dtype=np.int64))) >= target))
        before, at = steps[reached - 1] if reached > 0 else before, steps[reached]
    return float(_score(np.array([sign * at], dtype=np.int64))[0])


def _order(score: float) -> int:
    """Return an integer in the order of float64 numbers; 0 for both zeros."""
    magnitude = int(np.array(abs(score)).view(np.int64))
    return magnitude if score >= 0.0 else -magnitude


def _score(order: Array) -> Array:
    scores: Array = np.copysign(np.abs(order).view(np.float64), order)
    return scores
