"""Kernels over lists of scores: each is mapped by its own statistics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_lanes import LANES, kernel

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

BLOCK = 4096
KINDS = ("minmax", "max", "sum", "l2", "zscore", "dbsf", "given")
MINMAX, MAX, SUM, L2, ZSCORE, DBSF, GIVEN = range(len(KINDS))
# Places of a summary: minimum, maximum and mean; squared deviations (for l2, squared scores); number of entries that are not NaN.
LOW, HIGH, MEAN, SQUARES, COUNT = range(5)
# Places of a rule, float64.
KIND, SIGN, DDOF, N_SIGMA, EPS, TOLERANCE, ON_CONSTANT, ON_SINGLE = range(8)


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
def summarise_block(scores: Array, start: int, stop: int, kind: int, lanes: Array, block: Array) -> None:
    """Fill the summary ``block`` of at most BLOCK entries; ``lanes`` (2, LANES) are zero before and after."""
    low, high, count, first = math.inf, -math.inf, 0, 0.0
    for i in range(start, stop):
        value = np.float64(scores[i])
        if not math.isnan(value):
            first = value if count == 0 else first
            low, high, count = min(low, value), max(high, value), count + 1
    block[LOW], block[HIGH], block[MEAN], block[SQUARES], block[COUNT] = low, high, 0.0, 0.0, count
    if count == 0 or kind in (MINMAX, MAX, GIVEN):
        return
    shift = 0.0 if kind == L2 else first
    for i in range(start, stop):
        value = np.float64(scores[i])
        if not math.isnan(value):
            deviation = value - shift
            lanes[0, (i - start) % LANES] += deviation
            lanes[1, (i - start) % LANES] += deviation * deviation
    total, squares = _fold(lanes[0]), _fold(lanes[1])
    if kind == L2:
        block[SQUARES] = squares
        return
    block[MEAN] = shift + total / count
    block[SQUARES] = np.maximum(squares - total * total / count, 0.0)  # NaN stays


@kernel
def merge(kind: int, total: Array, block: Array) -> None:
    """Add a block to the summary of the blocks before it."""
    if block[COUNT] == 0:
        return
    if total[COUNT] == 0:
        total[:] = block
        return
    total[LOW], total[HIGH] = min(total[LOW], block[LOW]), max(total[HIGH], block[HIGH])
    before = total[COUNT]
    total[COUNT] += block[COUNT]
    total[SQUARES] += block[SQUARES]
    if kind in (SUM, ZSCORE, DBSF):
        delta, share = block[MEAN] - total[MEAN], block[COUNT] / total[COUNT]
        total[MEAN] += delta * share
        total[SQUARES] += delta * delta * (before * share)


@kernel
def _deviation(total: Array, ddof: float) -> float:
    freedom = total[COUNT] - ddof
    return math.sqrt(total[SQUARES] / freedom) if freedom > 0.0 else 0.0


@kernel
def _line(rule: Array, total: Array, first: float, second: float) -> tuple[float, float, float]:
    """(unit, centre, scale) of the list times the rule's sign; ``first`` and ``second`` are what the caller gave, or NaN."""
    kind, sign = int(rule[KIND]), rule[SIGN]
    low, high = (total[LOW], total[HIGH]) if sign > 0.0 else (-total[HIGH], -total[LOW])
    mean = total[MEAN] if sign > 0.0 else -total[MEAN]
    if kind == MINMAX:
        bottom, top = (first, second) if sign > 0.0 else (-second, -first)
        low, high = low if math.isnan(bottom) else bottom, high if math.isnan(top) else top
        unit = 1.0 if math.isfinite(high - low) else 0.5
        return unit, low * unit, high * unit - low * unit
    if kind == MAX:
        return 1.0, 0.0, high if high > 0.0 or rule[EPS] > 0.0 else -low
    if kind == SUM:
        return 1.0, low, total[COUNT] * (mean - low)
    if kind == L2:
        return 1.0, 0.0, math.sqrt(total[SQUARES])
    if kind == ZSCORE:
        return 1.0, mean, _deviation(total, rule[DDOF])
    if kind == DBSF:
        reach = rule[N_SIGMA] * _deviation(total, rule[DDOF])
        return 1.0, mean - reach, 2.0 * reach
    return 1.0, sign * first, second


@kernel
def plan(rule: Array, total: Array, first: float, second: float) -> tuple[bool, float, float, float, float]:
    """(refused, value for all, unit, centre, scale) of a list that is not empty; a scale of 0 means that the value counts."""
    if not (math.isfinite(total[LOW]) and math.isfinite(total[HIGH]) and math.isfinite(total[MEAN]) and math.isfinite(total[SQUARES])):
        return True, 0.0, 1.0, 0.0, 0.0
    if total[COUNT] == 1 and rule[ON_SINGLE] != -math.inf:
        return False, rule[ON_SINGLE], 1.0, 0.0, rule[SIGN] if rule[ON_SINGLE] == math.inf else 0.0
    unit, centre, scale = _line(rule, total, first, second)
    if not (math.isfinite(centre) and math.isfinite(scale)):
        return True, 0.0, 1.0, 0.0, 0.0
    if rule[EPS] > 0.0:
        scale = max(scale, rule[EPS])
    elif scale <= rule[TOLERANCE]:
        return False, rule[ON_CONSTANT], 1.0, 0.0, rule[SIGN] if rule[ON_CONSTANT] == math.inf else 0.0
    return False, 0.0, unit, rule[SIGN] * centre, rule[SIGN] * scale


@kernel
def apply(scores: Array, start: int, stop: int, value: float, unit: float, centre: float, scale: float, out: Array) -> None:
    """Map the entries that are not NaN."""
    slope = 1.0 / scale
    for i in range(start, stop):
        score = np.float64(scores[i])
        if math.isnan(score):
            out[i] = scores[i]
        elif scale == 0.0:
            out[i] = value + 0.0
        elif out.itemsize == 4:
            out[i] = np.float32((score - centre) * slope) + np.float32(0.0)
        else:
            out[i] = (score * unit - centre) / scale + 0.0


@kernel
def affine_lists(scores: Array, offsets: Array, first: int, last: int, rule: Array, given: Array, out: Array) -> int:
    """Lists first..last; returns the first one refused, or -1."""
    first_bad, kind = -1, int(rule[KIND])
    lanes, block, total = np.zeros((2, LANES)), np.zeros(5), np.zeros(5)
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        total[COUNT] = 0.0
        for begin in range(start, stop, BLOCK):
            summarise_block(scores, begin, min(begin + BLOCK, stop), kind, lanes, block)
            merge(kind, total, block)
        if total[COUNT] == 0.0:
            out[start:stop] = scores[start:stop]
            continue
        refused, value, unit, centre, scale = plan(rule, total, given[i % len(given), 0], given[i % len(given), 1])
        if refused:
            first_bad = i if first_bad < 0 else first_bad
        else:
            apply(scores, start, stop, value, unit, centre, scale, out)
    return first_bad


@kernel
def _order(scores: Array, start: int, stop: int, sign: float, out: Array) -> int:
    """Positions of one list, by sign * score descending, ties by position, NaN last; returns how many are not NaN."""
    count = 0
    for j in range(start, stop):
        if not math.isnan(scores[j]):
            out[count] = j
            count += 1
    kept = out[:count].copy()
    out[:count] = kept[np.argsort(-sign * scores[kept].astype(np.float64), kind="mergesort")]
    end = count
    for j in range(start, stop):
        if math.isnan(scores[j]):
            out[end] = j
            end += 1
    return count


@kernel
def order_lists(scores: Array, offsets: Array, first: int, last: int, out: Array) -> None:
    """Positions of lists first..last."""
    for i in range(first, last):
        _order(scores, offsets[i], offsets[i + 1], 1.0, out[offsets[i] : offsets[i + 1]])


@kernel
def rank_lists(scores: Array, offsets: Array, first: int, last: int, sign: float, ties: tuple[bool, float], pools: Array, out: Array) -> int:
    """Lists first..last; a pool of 0 stands for the number of scores. Returns the first list with an infinity, or -1."""
    first_bad = -1
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        order = np.empty(stop - start, np.int64)
        count = _order(scores, start, stop, sign, order)
        if count and (math.isinf(scores[order[0]]) or math.isinf(scores[order[count - 1]])):
            first_bad = i if first_bad < 0 else first_bad
            continue
        pool = pools[i % len(pools)] if pools[0] else count
        head = 0
        while head < count:
            end = head + 1
            while ties[0] and end < count and scores[order[end]] == scores[order[head]]:
                end += 1
            value = 1.0 - (head + (end - head - 1) * ties[1]) / pool
            for r in range(head, end):
                out[order[r]] = value
            head = end
        for r in range(count, stop - start):
            out[order[r]] = scores[order[r]]
    return first_bad
