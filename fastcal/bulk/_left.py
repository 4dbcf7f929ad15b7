"""What a chunk leaves of its queries: their ids, and their moments or, where that is less, their scores, by buckets of the ids' hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastcal._backend.protocol import Array
from fastcal._extras import require
from fastcal.bulk._columns import judge_ids
from fastcal.bulk._keys import Groups, Keys
from fastcal.bulk._moments import NEEDS, SQUARE_WORDS, SUM_WORDS, Moments
from fastcal.bulk._packed import unpacked
from fastcal.bulk._spill import by_bucket

_MOMENTS = (np.int64, np.float32, np.float32, np.uint64, np.uint64)
_ROWS = (np.int32, np.float32)


@dataclass(frozen=True)
class Layout:
    """The arrays that are left. Of texts (`integers` is None) these are lengths and bytes, instead of ids of that dtype."""

    norm: str
    integers: Any

    @classmethod
    def of(cls, norm: str, kind: Any, name: str) -> Layout:
        """Return the layout for a column of queries of this Arrow type."""
        pa = require("pyarrow", "parquet")
        plain = judge_ids(kind, name)
        return cls(norm, np.dtype(np.uint64 if plain == pa.uint64() else np.int64) if pa.types.is_integer(plain) else None)

    @property
    def ids(self) -> list[Any]:
        """Return the dtypes of the arrays of ids."""
        return [np.int32, np.uint8] if self.integers is None else [self.integers]

    @property
    def moments(self) -> list[Any]:
        """Return the dtypes of the arrays of moments."""
        wanted = (True, True, True, *NEEDS[self.norm])
        return [kind for kind, needed in zip(_MOMENTS, wanted, strict=True) if needed]

    def columns(self, groups: Groups, scores: Array, n: int) -> tuple[bool, list[tuple[Array, Array]]]:
        """Return whether moments are less than scores, and the arrays that are left, each with the rows at which its buckets begin."""
        order, buckets, cuts = by_bucket(groups.distinct, n)
        keys = groups.distinct.take(order)
        if keys.offsets is None:
            columns = [(keys.ids().astype(self.integers), cuts)]
        else:
            columns = [(np.diff(keys.offsets).astype(np.int32), cuts), (keys.values, keys.offsets[cuts])]
        with_sums, with_squares = NEEDS[self.norm]
        if groups.n * (16 + 8 * SUM_WORDS * with_sums + 8 * SQUARE_WORDS * with_squares) <= 8 * len(scores):
            found = Moments.of(self.norm, groups, scores, "")
            return True, columns + [(part[order], cuts) for part in found.numbers() if part is not None]
        place = np.empty(groups.n, np.int32)
        place[order] = np.arange(groups.n, dtype=np.int32)
        of_rows = buckets[groups.codes]
        rows, row_cuts = np.argsort(of_rows, kind="stable"), np.concatenate([[0], np.cumsum(np.bincount(of_rows, minlength=n))])
        return False, [*columns, (place[groups.codes][rows], row_cuts), (scores[rows], row_cuts)]

    def keys(self, ids: Sequence[list[Array]]) -> Keys:
        """Return the keys of ids that were read, one after the other."""
        arrays = [np.concatenate(parts) for parts in zip(*ids, strict=True)]
        if self.integers is not None:
            return Keys.of_integers(arrays[0])
        return Keys("text", arrays[1], np.concatenate([[0], np.cumsum(arrays[0], dtype=np.int64)]))


@dataclass(frozen=True)
class Left:
    """What a chunk has left in a file, from one of `n` buckets to another."""

    layout: Layout
    path: Path
    summed: bool
    n: int
    buckets: Sequence[int]

    def _read(self, *, payload: bool) -> list[Array]:
        kinds = [*self.layout.ids, *(self.layout.moments if self.summed else _ROWS)]
        at = len(self.layout.ids)
        return unpacked(self.path, self.n, self.buckets, kinds, slice(at, None) if payload else slice(at))

    def ids(self) -> list[Array]:
        """Return the ids of the queries: integers, or lengths and bytes."""
        return self._read(payload=False)

    def moments(self) -> Moments:
        """Return the moments of the queries, in their order."""
        parts = self._read(payload=True)
        words, needs = iter(parts[3:]), zip(NEEDS[self.layout.norm], (SUM_WORDS, SQUARE_WORDS), strict=True)
        sums, squares = (next(words).reshape(-1, width) if needed else None for needed, width in needs)
        counts, least, greatest = parts[:3]
        return Moments(Keys("int64", np.empty(0, np.int64)), counts, least, greatest, sums, squares)

    def rows(self, codes: Array) -> tuple[Array, Array]:
        """Return the code of the query of each row, of those of the queries in their order, and its score."""
        at, scores = self._read(payload=True)
        return codes[at - at.min(initial=2**31 - 1)], scores  # every query has a row, the first one too
