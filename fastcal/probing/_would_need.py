"""What a certificate would have taken, by the cost formula of the walk."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from fastcal.intervals.evidence import log_evidence

_DELTA = 0.05
_MISSES = 300  # followed exactly; 0.05 s
_CHUNK = 64
_LUCK = 0.45  # standard deviations: within 6 % where more are missed
_HALF_LOG_TAU = math.log(2 * math.pi) / 2
_SMALL = np.array([math.lgamma(n + 1) for n in range(16)])

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def certify_would_need(rows: int, precision: float, target: float) -> dict[str, float | int | None]:
    """Return the labels that certifying a selection takes, if its precision is the estimate.

    ``n1 (1 + .7 ln(rows / n1))``: n1 labels for the selection alone, and the cuts of a walk of ratio 2 on the way to it. Near the
    target n1 approaches the whole selection, below it no number is enough.
    """
    single = single_prefix(rows, precision, target) if rows else None
    floor = math.ceil(math.log(_DELTA) / math.log(target) - 1e-12)
    labels = None if single is None else min(rows, math.ceil(single * (1 + 0.7 * math.log(rows / single))))
    return {"delta": _DELTA, "precision": precision, "labels_floor": floor, "single_prefix": single, "labels": labels}


def single_prefix(rows: int, precision: float, target: float) -> int | None:
    """Return after how many labels the e-process has certified half of all random orders of `rows` rows; None if never.

    Exact where that happens within 300 misses (some 3,000 labels at a target of .9), to some 6 % beyond. With m misses it crosses at
    one number of labels n_m and not before. The chance to cross there first is that of being there at all, less that of having
    crossed with j < m misses and getting there from n_j.
    """
    positives = math.floor(precision * rows + 1e-9)
    null_hits = math.ceil(Fraction(str(target)) * rows) - 1
    if positives <= null_hits:
        return None
    misses = rows - positives
    ends = np.empty(0, np.int64)
    first, crossed = np.empty(0), 0.0
    for m in range(min(misses, _MISSES) + 1):
        ends = np.append(ends, _crossing(rows, null_hits, m, int(ends[-1]) if m else 0))
        there = math.exp(_log_chance(rows, misses, int(ends[-1]), m))
        again = np.exp(_log_chance(rows - ends[:-1], misses - np.arange(m), ends[-1] - ends[:-1], m - np.arange(m)))
        first = np.append(first, max(there - float(first @ again), 0.0))
        crossed += float(first[-1])
        if crossed >= 0.5:
            return int(ends[-1])
    return _on_a_lucky_path(rows, positives, null_hits, int(ends[-1]))


def _on_a_lucky_path(rows: int, positives: int, null_hits: int, least: int) -> int:
    """Return after how many labels, more than `least`, the expected positives and a share of their deviation certify."""
    rate, low, high = positives / rows, least, rows
    while high - low > 1:
        n = min(2 * low, (low + high) // 2)
        hits = round(n * rate + _LUCK * math.sqrt(n * rate * (1 - rate) * (rows - n) / (rows - 1)))
        passes = _passes(rows, null_hits, n, n - min(n, positives, hits), n - 1).item()
        low, high = (low, n) if passes else (n, high)
    return high


def _passes(rows: int, null_hits: int, n: int, misses: int, start: int) -> npt.NDArray[np.bool_]:
    """Return whether the labels up to each of start + 1 .. n certify, with `misses` negative ones at their beginning."""
    labels = np.ones(n, np.uint8)
    labels[:misses] = 0
    return log_evidence(labels, rows, null_hits, start=start) >= -math.log(_DELTA)


def _crossing(rows: int, null_hits: int, misses: int, least: int) -> int:
    """Return the fewest labels, `misses` of them negative, that certify; more than `least`. All but certain at ``null_hits + 1`` positives."""
    start, size = max(least, misses), least + _CHUNK
    while True:
        passes = _passes(rows, null_hits, min(size, null_hits + 1 + misses), misses, start)
        if passes.any():
            return start + int(passes.argmax()) + 1
        size *= 2


def _log_chance(rows: int | Int64, misses: int | Int64, n: int | Int64, m: int | Int64) -> Float64:
    """Return the log chance that n of `rows` rows, `misses` of them negative, hold m negative ones."""
    return np.asarray(_log_choose(n, m) + _log_choose(rows - n, misses - m) - _log_choose(rows, misses))


def _log_choose(n: int | Int64, k: int | Int64) -> Float64:
    with np.errstate(invalid="ignore", divide="ignore"):
        found = _log_factorial(n) - _log_factorial(k) - _log_factorial(np.subtract(n, k))
    return np.where((np.asarray(k) < 0) | (np.asarray(k) > n), -math.inf, found)


def _log_factorial(n: npt.ArrayLike) -> Float64:
    """Stirling's series from 16 on, right to 1e-15 relative; sums of logs below."""
    x = np.maximum(np.asarray(n, np.float64), 0.0)
    some = np.maximum(x, 16.0)
    series = (some + 0.5) * np.log(some) - some + _HALF_LOG_TAU + (1 / 12 - (1 / 360 - 1 / (1260 * some**2)) / some**2) / some
    return np.where(x < 16, _SMALL[np.minimum(x, 15).astype(np.int64)], series)
