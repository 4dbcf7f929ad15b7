"""Methods that map every score alike, whatever its list."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastcal import _backend
from fastcal._validate import lists as judge
from fastcal._validate.numbers import flag, number
from fastcal.errors import InvalidValueError
from fastcal.normalization import _statistics
from fastcal.normalization._arrays import Lists


def identity(lists: Lists) -> None:
    """``s``; its negative if lower is better."""
    _statistics.affine(lists, "given", np.tile([0.0, 1.0], (lists.n_lists, 1)))


def atan(lists: Lists, *, centre: Any = 0.0, scale: Any = 1.0, nonnegative: Any = False) -> None:
    """``1/2 + atan(t) / pi`` of ``t = (s - centre) / scale``; `nonnegative`: ``2 atan(t) / pi``, or one minus that if lower is better."""
    middle, unit = _as_line(centre, scale)
    judge.refuse_infinity(lists.scores, lists.offsets)
    turns = np.arctan((lists.scores.astype(np.float64) - middle) / unit) / math.pi
    if not flag(nonnegative, "nonnegative"):
        lists.out[...] = 0.5 + turns if lists.higher_is_better else 0.5 - turns
        return
    if (turns < 0.0).any():
        at = int(np.argmax(turns < 0.0))
        raise InvalidValueError(f"atan with nonnegative=True expects scores of at least centre={middle}; got {lists.scores[at]}")
    lists.out[...] = 2.0 * turns if lists.higher_is_better else 1.0 - 2.0 * turns


def sigmoid(lists: Lists, *, centre: Any = 0.0, scale: Any = 1.0) -> None:
    """``1 / (1 + exp(-(s - centre) / scale))``; the complement if lower is better."""
    middle, unit = _as_line(centre, scale)
    judge.refuse_infinity(lists.scores, lists.offsets)
    slope = -1.0 / unit if lists.higher_is_better else 1.0 / unit
    _backend.active().platt_predict(lists.scores, slope, -slope * middle, lists.out, num_threads=lists.num_threads)


def _as_line(centre: Any, scale: Any) -> tuple[float, float]:
    middle = number(centre, "centre", "a finite number", math.isfinite)
    return middle, number(scale, "scale", "a finite number above 1e-300", lambda x: 1e-300 < x < math.inf)
