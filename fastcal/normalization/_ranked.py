"""Score lists of any form, best first, in the float32 values that thresholds are compared with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal import _threads
from fastcal._backend.protocol import Array
from fastcal._validate import lists as judge
from fastcal._validate.scores import directed_scores, float32_floor
from fastcal.errors import InvalidValueError
from fastcal.normalization._ranks import best_first

Int64 = npt.NDArray[np.int64]


class Ranked(NamedTuple):
    """Lists without padding, best first; higher is better, for distances are negated.

    A float32 threshold selects from the scores as they were given what its counterpart selects here.
    """

    scores: npt.NDArray[np.float32]
    offsets: Int64
    positions: Int64  # of the entries in the flat scores as they were given
    shape: tuple[int, ...]  # of what has one value per list; () for a single list
    sign: float

    @property
    def counts(self) -> Int64:
        """Length of each list."""
        return np.diff(self.offsets)

    def owners(self) -> Int64:
        """The list of every entry."""
        return np.repeat(np.arange(self.offsets.size - 1), self.counts)

    def ranks(self) -> Int64:
        """The rank of every entry in its list, from 0."""
        return np.arange(self.scores.size) - np.repeat(self.offsets[:-1], self.counts)

    def thresholds(self, n_selected: Int64) -> npt.NDArray[np.float32]:
        """Score of the last selected entry of each list as it was given, NaN where none is selected."""
        found = np.full(n_selected.size, np.nan, np.float32)
        some = n_selected > 0
        found[some] = self.sign * self.scores[self.offsets[:-1][some] + n_selected[some] - 1] + 0.0
        return found


def ranked(scores: Any, offsets: Any, higher_is_better: bool) -> Ranked:
    """Judge scores (array, flat array with offsets, search result, range result or run) and rank each list."""
    given = directed_scores(scores, higher_is_better)
    bounds, single = _offsets_of(scores, offsets), False
    if given is None:
        raise InvalidValueError("the run has no scores; expected one that has")
    values = judge.as_scores(given)
    if bounds is None:
        single = values.ndim == 1
    shape = values.shape[:-1]
    bounds = judge.as_offsets(bounds, values.shape)
    flat: Array = values.reshape(-1)
    judge.refuse_infinity(flat, bounds)
    sign = 1.0 if higher_is_better else -1.0
    floors = float32_floor(flat if higher_is_better else -flat)
    order = best_first(floors, bounds, _threads.resolve(None))
    sorted_ = floors[order]
    real = ~np.isnan(sorted_)
    kept = np.concatenate(([0], np.cumsum(real)))[bounds].astype(np.int64)
    return Ranked(sorted_[real], kept, order[real], () if single else (shape or (bounds.size - 1,)), sign)


def _offsets_of(scores: Any, offsets: Any) -> Any:
    """Offsets that a run or a range result carries, or those of the caller."""
    carried = getattr(scores, "offsets", None) if hasattr(scores, "higher_is_better") else None
    if carried is not None and offsets is not None:
        raise InvalidValueError("offsets are given beside scores that carry their own; expected one of them")
    return offsets if carried is None else carried
