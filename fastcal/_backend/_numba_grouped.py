"""Kernels over rows of a table that belong to groups."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcal._backend._numba_lanes import kernel

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

SUM_DIGITS, SQUARE_DIGITS = 12, 20
_LOW = 0xFFFFFFFF


@kernel
def compare(values: Array, offsets: Array, i: int, j: int) -> int:
    """Order of the keys of two rows: below, at or above 0. Without offsets keys are integers."""
    if len(offsets) == 0:
        return int(values[i] > values[j]) - int(values[i] < values[j])
    a, b = offsets[i + 1] - offsets[i], offsets[j + 1] - offsets[j]
    for at in range(min(a, b)):
        x, y = values[offsets[i] + at], values[offsets[j] + at]
        if x != y:
            return 1 if x > y else -1
    return int(a > b) - int(a < b)


@kernel
def number_texts(values: Array, offsets: Array, codes: Array, firsts: Array) -> int:
    """Codes in order of first appearance, by open addressing; returns how many there are."""
    slots, hashes, size = np.full(1024, -1, np.int32), np.zeros(len(codes), np.uint64), 0
    at: Any
    for i in range(len(codes)):
        if i > 0 and compare(values, offsets, i, i - 1) == 0:
            codes[i] = codes[i - 1]
            continue
        key = np.uint64(14695981039346656037)
        for at in range(offsets[i], offsets[i + 1]):
            key = (key ^ np.uint64(values[at])) * np.uint64(1099511628211)
        key ^= key >> np.uint64(32)
        at = np.int64(key & np.uint64(len(slots) - 1))
        while slots[at] >= 0 and (hashes[slots[at]] != key or compare(values, offsets, firsts[slots[at]], i) != 0):
            at = (at + 1) & (len(slots) - 1)
        if slots[at] < 0:
            slots[at], firsts[size], hashes[size] = size, i, key
            size += 1
        codes[i] = slots[at]
        if 2 * size > len(slots):
            slots = np.full(4 * len(slots), -1, np.int32)
            for code in range(size):
                at = np.int64(hashes[code] & np.uint64(len(slots) - 1))
                while slots[at] >= 0:
                    at = (at + 1) & (len(slots) - 1)
                slots[at] = code
    return size


@kernel
def gather(codes: Array, on: Array, scores: Array, keep: Array, offsets: Array) -> Array:
    """Rows that have a place, group by group in their order; offsets (groups + 1,), zero before, are where groups begin."""
    there = ~(np.isnan(on) | np.isnan(scores))
    for i in range(len(codes)):
        there[i] &= len(keep) == 0 or keep[i]
        offsets[codes[i] + 1] += there[i]
    for group in range(len(offsets) - 1):
        offsets[group + 1] += offsets[group]
    places, rows = offsets[:-1].copy(), np.empty(offsets[-1], np.int32)
    for i in range(len(codes)):
        if there[i]:
            rows[places[codes[i]]] = i
            places[codes[i]] += 1
    return rows


@kernel
def _before(on: Array, scores: Array, sign: int, doc_values: Array, doc_offsets: Array, i: int, j: int) -> bool:
    if on[i] != on[j]:
        return bool(on[i] > on[j])
    if scores[i] != scores[j]:
        return bool((scores[i] > scores[j]) == (sign > 0))
    order = compare(doc_values, doc_offsets, i, j)
    return bool(order < 0 or (order == 0 and i < j))


@kernel
def top_rows(
    rows: Array,
    offsets: Array,
    starts: Array,
    first: int,
    last: int,
    on: Array,
    scores: Array,
    sign: int,
    doc_values: Array,
    doc_offsets: Array,
    out: Array,
) -> None:
    """The best rows of groups first..last, as many as there is room for between starts: sorted by ``on``, then ties by insertion."""
    for group in range(first, last):
        mine = rows[offsets[group] : offsets[group + 1]]
        ranked = mine[np.argsort(-on[mine], kind="mergesort")]
        room, begin = starts[group + 1] - starts[group], 0
        while begin < room:
            end = begin + 1
            while end < len(ranked) and on[ranked[end]] == on[ranked[begin]]:
                end += 1
            if end - begin > 1:
                tied = ranked[begin:end]
                tied[:] = tied[np.argsort(-sign * scores[tied].astype(np.float64), kind="mergesort")]
                for i in range(1, len(tied)):
                    row, hole = tied[i], i
                    while hole > 0 and _before(on, scores, sign, doc_values, doc_offsets, row, tied[hole - 1]):
                        tied[hole] = tied[hole - 1]
                        hole -= 1
                    tied[hole] = row
            begin = end
        out[starts[group] : starts[group + 1]] = ranked[:room]


@kernel
def _ascending(bits: Any) -> Any:
    """Bits of a float32 number as an integer from 0 to 2^32 - 1 that ascends with it, both zeros alike."""
    if bits == -0x80000000:
        return 0x80000000
    return bits + 0x80000000 if bits >= 0 else -1 - bits


@kernel
def sift_rows(
    codes: Array,
    on: Array,
    scores: Array,
    higher_is_better: bool,
    places: Array,
    keep: Array,
    depth: int,
    bars: Array,
    keys: Array,
    sizes: Array,
) -> int:
    """Show rows to the state of their query; returns how many stay."""
    on_bits, score_bits, left = on.view(np.int32), scores.view(np.int32), 0
    for i in range(len(codes)):
        if not keep[i]:
            continue
        keep[i] = not (math.isnan(on[i]) or math.isnan(scores[i]))
        place = places[codes[i]]
        if keep[i] and place >= 0:
            low = _ascending(np.int64(score_bits[i]))
            key = np.uint64(_ascending(np.int64(on_bits[i]))) << np.uint64(32) | np.uint64(low if higher_is_better else 0xFFFFFFFF - low)
            keep[i] = key >= bars[place]
            if key > bars[place]:
                keys[place, sizes[place]] = key
                sizes[place] += 1
                if sizes[place] == keys.shape[1]:
                    keys[place] = np.sort(keys[place])[::-1]
                    bars[place], sizes[place] = keys[place, depth - 1], depth
        left += keep[i]
    return left


@kernel
def _add(digits: Array, mantissa: Any, shift: Any, sign: int) -> None:
    """Digits of 32 bits whose carries wait."""
    at, by = shift // 32, shift % 32
    upper = mantissa >> (32 - by)  # mantissas have at most 48 bits
    digits[at] += sign * ((mantissa << by) & _LOW)
    digits[at + 1] += sign * (upper & _LOW)
    digits[at + 2] += sign * (upper >> 32)


@kernel
def add_up(codes: Array, scores: Array, counts: Array, least: Array, greatest: Array, sums: Array, squares: Array) -> int:
    """Moments of each group, sums as digits; empty arrays are not wanted. Returns the first infinite score, or -1."""
    bits = scores.view(np.int32)
    for i in range(len(codes)):
        if math.isnan(scores[i]):
            continue
        if math.isinf(scores[i]):
            return i
        group, score = codes[i], scores[i] + np.float32(0.0)
        counts[group] += 1
        least[group], greatest[group] = min(least[group], score), max(greatest[group], score)
        bit = np.int64(bits[i])
        exponent, mantissa = (bit >> 23) & 0xFF, bit & 0x7FFFFF
        if exponent > 0:
            exponent, mantissa = exponent - 1, mantissa | 0x800000
        if len(sums):
            _add(sums[group], mantissa, exponent, -1 if bits[i] < 0 else 1)
        if len(squares):
            _add(squares[group], mantissa * mantissa, 2 * exponent, 1)
    return -1


@kernel
def carry(digits: Array, out: Array) -> None:
    """Words of 64 bits of digits of 32, carries done."""
    for group in range(len(digits)):
        rest = 0
        for word in range(out.shape[1]):
            low = digits[group, 2 * word] + rest
            high = digits[group, 2 * word + 1] + (low >> 32)
            out[group, word] = (np.uint64(high) << np.uint64(32)) | np.uint64(low & _LOW)
            rest = high >> 32
