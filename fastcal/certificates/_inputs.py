"""What may be certified: arrays of scores, and the lists of many queries."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._denormals import warn_if_denormals_are_lost
from fastcal._validate.arrays import float_array
from fastcal._validate.elements import bad_element
from fastcal._validate.groups import as_groups
from fastcal._validate.numbers import flag
from fastcal._validate.scores import directed_scores, probability_array
from fastcal.certificates._pool import Float64, Floats, Int64
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.labelling._fingerprint import fingerprint
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Run


class Rows(NamedTuple):
    """Scored rows without padding.

    `scores` and `positions` (what labelers call them) are those of the rows that are real; `groups` is the query of each, of
    `n_groups`, or None; `last` the last score of every list that has one, or None where there are no lists; `size` the number of
    positions, padding included; `fingerprint` of what positions refer to.
    """

    scores: Floats
    positions: Int64
    groups: Int64 | None
    n_groups: int
    last: Floats | None
    size: int
    fingerprint: str

    def beside(self, probabilities: npt.ArrayLike) -> Float64:
        """Return the probabilities of the real rows, given in any shape with one for each position."""
        given = probability_array(probabilities).reshape(-1)
        if given.size != self.size:
            raise InvalidValueError(f"probabilities has {given.size} entries; expected {self.size}, one per position")
        kept = given[self.positions].astype(np.float64)
        if np.isnan(kept).any():
            raise InvalidValueError(f"probabilities is NaN at position {self.positions[np.isnan(kept).argmax()]}, whose score is not")
        return kept


def as_rows(scores: Any, higher_is_better: bool, groups: npt.ArrayLike | None) -> Rows:
    """Judge what may be certified."""
    flag(higher_is_better, "higher_is_better")
    if isinstance(scores, Run | RangeResult | SearchResult):
        if groups is not None:
            raise InvalidValueError(f"groups go with an array of scores; the queries of a {type(scores).__name__} are its lists")
        return _lists(scores, higher_is_better)
    values = float_array(directed_scores(scores, higher_is_better), "scores")
    flat = values.reshape(-1)
    positions = _real(flat)
    codes = None if groups is None else as_groups(groups, values.shape)
    kept, digest = flat[positions], fingerprint(flat)
    if codes is None:
        return Rows(kept, positions, None, 0, None, flat.size, digest)
    of, n_groups = np.ascontiguousarray(codes.codes).reshape(-1), codes.labels.size
    last = np.full(n_groups, np.inf if higher_is_better else -np.inf, flat.dtype)
    (np.minimum if higher_is_better else np.maximum).at(last, of[positions], kept)
    ended = np.bincount(of, np.isnan(flat), n_groups) > 0  # a list with padding holds all there is
    return Rows(kept, positions, of[positions], n_groups, last[~ended], flat.size, digest)


def _lists(lists: Run | RangeResult | SearchResult, higher_is_better: bool) -> Rows:
    values = directed_scores(lists, higher_is_better)
    if values is None:
        raise InvalidTypeError("scores is a Run without scores; expected one with scores")
    flat = np.asarray(values).reshape(-1)
    offsets = np.arange(len(lists) + 1) * np.asarray(values).shape[1] if isinstance(lists, SearchResult) else lists.offsets
    positions = _real(flat)
    of = np.repeat(np.arange(len(lists)), np.diff(offsets))
    ends = offsets[1:][np.diff(offsets) > 0] - 1
    last = flat[ends]
    digest = fingerprint(flat, offsets, np.asarray(lists.ids).reshape(-1))
    return Rows(flat[positions], positions, of[positions], len(lists), last[~np.isnan(last)], flat.size, digest)


def _real(flat: Floats) -> Int64:
    """Return the positions of what is not padding; infinite scores are refused."""
    warn_if_denormals_are_lost(flat)
    positions = np.flatnonzero(~np.isnan(flat))
    if not positions.size:
        raise InvalidValueError("scores is empty" if not flat.size else "scores holds nothing but NaN (padding); expected at least one row")
    infinite = np.isinf(flat)
    if infinite.any():
        at = int(infinite.argmax())
        raise bad_element(f"scores is {flat[at]} at position {at}; ", "expected a finite number, or NaN for padding", "scores", at, flat[at])
    return positions
