"""Results of several segments put together, in the order one segment would have given."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._validate.rounding import order_of

# Offsets, scores and ids of a range search.
Range = tuple[Array, Array, Array]
_LAST = np.iinfo(np.int64).max


class BestSoFar:
    """The best k of the segments searched so far; their k-th best score is a floor for the segments to come."""

    def __init__(self, out_scores: Array, out_ids: Array, floor: npt.NDArray[np.float32] | None, *, lower_is_better: bool) -> None:
        self._out_scores, self._out_ids = out_scores, out_ids
        self._lower_is_better = lower_is_better
        self._scores: Array = np.empty((len(out_ids), 0), np.float32)
        self._ids: Array = np.empty((len(out_ids), 0), np.int64)
        self.floor = floor

    def blank(self) -> tuple[Array, Array]:
        """Arrays for the results of one segment."""
        return np.empty(self._out_scores.shape, np.float32), np.empty(self._out_ids.shape, np.int64)

    def take(self, scores: Array, ids: Array, first_row: int) -> None:
        """Merge the results of one segment, whose ids start at ``first_row``."""
        k = self._out_ids.shape[1]
        scores = np.concatenate([self._scores, scores], axis=1)
        ids = np.concatenate([self._ids, np.where(ids < 0, ids, ids + first_row)], axis=1)
        order = np.lexsort((ids, sort_keys(scores, lower_is_better=self._lower_is_better)), axis=-1)[:, :k]
        self._scores, self._ids = np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)
        if len(self._scores):
            self._raise_floor(self._scores[:, -1])

    def _raise_floor(self, kth: Array) -> None:
        worst = np.float32(np.inf if self._lower_is_better else -np.inf)
        kth = np.where(np.isnan(kth), worst, kth)
        if self.floor is not None:
            better = order_of(kth) < order_of(self.floor)
            kth = np.where(better if self._lower_is_better else ~better, kth, self.floor)
        self.floor = kth

    def write(self) -> None:
        """Fill the outputs."""
        self._out_scores[...], self._out_ids[...] = self._scores, self._ids


def sort_keys(scores: Array, *, lower_is_better: bool) -> npt.NDArray[np.int64]:
    """Integers that sort best first, padding (NaN) last."""
    order = order_of(scores)
    return np.where(np.isnan(scores), _LAST, order if lower_is_better else -order)


def merge_ranges(parts: list[Range], *, lower_is_better: bool) -> Range:
    """(offsets, scores, ids) of all parts, best first in every list, ties by lower id."""
    if len(parts) == 1:
        return parts[0]
    lists = np.concatenate([np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)) for offsets, _, _ in parts])
    scores = np.concatenate([part_scores for _, part_scores, _ in parts])
    ids = np.concatenate([part_ids for _, _, part_ids in parts])
    order = np.lexsort((ids, sort_keys(scores, lower_is_better=lower_is_better), lists))
    offsets: Array = sum(part_offsets for part_offsets, _, _ in parts)  # type: ignore[assignment]
    return offsets, scores[order], ids[order]
