"""Venn-Abers tables: the bridge between a prefix's and a suffix's lower hull, for every position of a test object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_lanes import kernel

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


@kernel
def _at_most(sum_x: float, weight_x: float, sum_y: float, weight_y: float) -> bool:
    """Whether the first slope is at most the second."""
    return bool(sum_x / weight_x <= sum_y / weight_y)


@kernel
def _suffix_hulls(w: Array, s: Array) -> Array:
    """The vertex after i on the lower hull of points i, i + 1, ...; 0 where there is none."""
    after = np.zeros(w.size, np.int64)
    for i in range(w.size - 2, -1, -1):
        v = i + 1
        while after[v] != 0 and _at_most(s[after[v]] - s[v], w[after[v]] - w[v], s[v] - s[i], w[v] - w[i]):
            v = after[v]
        after[i] = v
    return after


@kernel
def _bridge_slopes(w: Array, s: Array, after: Array, y: float, out: Array) -> None:
    """``out[2 j]``: value of an object labelled y in the gap before score j; ``out[2 j + 1]``: at score j.

    The bridge goes from point hull[left] to point ``right`` + (1, y); both ends only move right.
    """
    hull = np.empty(w.size, np.int64)
    size = left = right = 0
    value = 0.0
    for j in range(w.size):
        while size > 1:
            top, below = hull[size - 1], hull[size - 2]
            if not _at_most(s[j] - s[top], w[j] - w[top], s[top] - s[below], w[top] - w[below]):
                break
            size -= 1
        hull[size] = j
        size += 1
        left = min(left, size - 1)
        for first in range(j, min(j + 2, w.size)):
            right = max(right, first)
            while True:
                a = hull[left]
                while after[right] != 0:
                    b = after[right]
                    if not _at_most(s[b] - s[a] + y, w[b] - w[a] + 1.0, s[right] - s[a] + y, w[right] - w[a] + 1.0):
                        break
                    right = b
                if left + 1 == size:
                    break
                c = hull[left + 1]
                if not _at_most(s[c] - s[a], w[c] - w[a], s[right] - s[a] + y, w[right] - w[a] + 1.0):
                    break
                left += 1
            value = max(value, min(1.0, (s[right] - s[a] + y) / (w[right] - w[a] + 1.0)))
            out[j + first] = value


@kernel
def fit(scores: Array, labels: Array, weights: Array, out_knots: Array, out_p0: Array, out_p1: Array) -> int:
    """Tables of samples sorted by score, weights > 0; returns the number of knots, the scores at which a value changes."""
    w, s = np.zeros(scores.size + 1), np.zeros(scores.size + 1)
    distinct = np.empty(scores.size)
    count, total_w, total_s = 0, 0.0, 0.0
    for i in range(scores.size):
        total_w += weights[i]
        total_s += weights[i] * labels[i]
        if count == 0 or distinct[count - 1] != scores[i]:
            distinct[count] = scores[i] + 0.0
            count += 1
        w[count], s[count] = total_w, total_s
    w, s = w[: count + 1], s[: count + 1]
    after = _suffix_hulls(w, s)
    _bridge_slopes(w, s, after, 0.0, out_p0)
    _bridge_slopes(w, s, after, 1.0, out_p1)
    kept = 0
    for i in range(count):
        if out_p0[2 * i] == out_p0[2 * i + 2] and out_p1[2 * i] == out_p1[2 * i + 2]:
            continue
        out_knots[kept] = distinct[i]
        out_p0[2 * kept + 1], out_p1[2 * kept + 1] = out_p0[2 * i + 1], out_p1[2 * i + 1]
        kept += 1
        out_p0[2 * kept], out_p1[2 * kept] = out_p0[2 * i + 2], out_p1[2 * i + 2]
    return kept
