"""The blocks of an isotonic curve, and what can be done to them: a guard at the ends, one knot each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastcal import _backend

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class Blocks(NamedTuple):
    """Runs of scores with one value, from left to right; values rise strictly."""

    first: Array
    last: Array
    value: Array

    @classmethod
    def of_knots(cls, x: Array, y: Array) -> Blocks:
        """Read them from the curve's knots, the ends of the blocks."""
        change = np.flatnonzero(y[1:] != y[:-1])
        starts, ends = np.append(0, change + 1), np.append(change, len(y) - 1)
        return cls(x[starts], x[ends], y[starts])

    def knots(self) -> tuple[Array, Array]:
        """Return the ends of the blocks, once where a block has a single score."""
        x, y = np.stack([self.first, self.last], axis=1).ravel(), np.repeat(self.value, 2)
        kept = np.append(True, x[1:] != x[:-1])
        return x[kept], y[kept]


def pool_adjacent_violators(scores: Array, values: Array, weights: Array) -> tuple[Array, Array]:
    """Return the knots of the increasing curve closest to the values."""
    x, y = np.empty_like(scores), np.empty_like(scores)
    count = _backend.active().isotonic_fit(scores, values, weights, x, y)
    return x[:count].copy(), y[:count].copy()


def with_pairs_at_both_ends(blocks: Blocks, scores: Array, weights: Array) -> Blocks:
    """Add a relevant and an irrelevant pair of weight 1 to the first and to the last block, and pool what falls."""
    weight = np.bincount(np.searchsorted(blocks.last, scores), weights, len(blocks.last))
    total = weight * blocks.value
    for end in (0, -1):
        weight[end] += 2.0
        total[end] += 1.0
    place = np.arange(len(weight), dtype=np.float64)
    pooled = np.interp(place, *pool_adjacent_violators(place, total / weight, weight))
    return Blocks.of_knots(*Blocks(blocks.first, blocks.last, pooled).knots())


def centred(blocks: Blocks, scores: Array, weights: Array) -> tuple[Array, Array]:
    """Return one knot a block, at the weighted mean of its scores."""
    block = np.searchsorted(blocks.last, scores)
    share = weights / np.bincount(block, weights)[block]
    mean = np.bincount(block, share * scores)
    return np.clip(mean, blocks.first, blocks.last) + 0.0, blocks.value
