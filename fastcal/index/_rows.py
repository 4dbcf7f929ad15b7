"""Rows against the digests that were taken of them when the index was built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcal._backend.protocol import Array, Backend
from fastcal._validate import vectors as validate
from fastcal._validate.arrays import as_array
from fastcal.errors import InvalidValueError
from fastcal.index import _location
from fastcal.index._segment import Segment
from fastcal.index._state import raise_changed

# A mapped corpus is known by at least this many rows, if nobody wants to read all of it.
SAMPLE = 512


def first_change(rows: Array, digests: Array, backend: Backend, num_threads: int, *, sample: bool = False) -> int:
    """Return the first row that does not have its digest, or -1; of a sample, if asked."""
    step = max(1, len(rows) // SAMPLE) if sample else 1
    found = np.empty(len(rows[::step]), np.uint64)
    backend.digests(rows[::step], found, num_threads=num_threads)
    changed = np.flatnonzero(found != digests[::step])
    return int(changed[0]) * step if changed.size else -1


def check_rows(segment: Segment, backend: Backend, num_threads: int) -> None:
    """Raise CorpusChangedError for the first row that is not what it was."""
    bad = first_change(segment.rows, segment.digests, backend, num_threads)
    if bad >= 0:
        raise_changed(segment, bad)


@dataclass(frozen=True, slots=True)
class Given:
    """The corpus that a caller of ``load`` handed in, as the kernels take it."""

    rows: Array
    mapped: bool
    owned: bool
    mixed: bool  # segments came in different dtypes: what is given in one of them is converted, and must then have the digests

    @classmethod
    def judge(cls, corpus: Any, description: dict[str, Any], backend: Backend, num_threads: int) -> Given:
        """Accept a corpus of the shape that the index has, in full width or cut to its dims."""
        source = as_array(corpus, "corpus")
        n, width, dim = sum(segment["n_rows"] for segment in description["segments"]), description["width"], description["dim"]
        if source.shape not in {(n, width), (n, dim)}:
            cut = f" or {(n, dim)}" if dim != width else ""
            raise InvalidValueError(f"corpus must be the one the index was built from, of shape {(n, width)}{cut}; got shape {source.shape}")
        rows = validate.corpus(source, dim, backend, num_threads)
        owned = isinstance(corpus, list | tuple) or not np.may_share_memory(rows, source)
        mixed = len({segment["dtype"] for segment in description["segments"]}) > 1
        again = None if owned else _location.map_again(rows)
        if again is not None:
            _location.read_here_and_there(again)
        return cls(rows if again is None else again, _location.of(rows) is not None, owned or mixed, mixed)

    def part(self, first: int, stored: dict[str, Any], digests: Array, verify: str | bool, backend: Backend, num_threads: int) -> Array:
        """Return the rows of one segment; ValueError if they are not those it was built from."""
        rows = self.rows[first : first + stored["n_rows"]]
        if rows.dtype.name != stored["dtype"] and self.mixed:
            rows, verify = _as(rows, stored["dtype"]), "eager"
        if rows.dtype.name != stored["dtype"]:
            names = {"uint16": "bfloat16"}
            got, expected = (names.get(name, name) for name in (rows.dtype.name, stored["dtype"]))
            raise InvalidValueError(f"corpus must be the one the index was built from: rows {first} onwards were {expected}, got {got}")
        bad = first_change(rows, digests, backend, num_threads, sample=self.mapped and verify == "lazy") if verify else -1
        if bad >= 0:
            raise InvalidValueError(f"corpus must be the one the index was built from, but row {first + bad} is another")
        return rows


def _as(rows: Array, dtype: str) -> Array:
    """Float32, float16 or bfloat16 bits (uint16) as another of them."""
    wide = (rows.astype(np.uint32) << 16).view(np.float32) if rows.dtype == np.uint16 else rows.astype(np.float32)
    if dtype == "uint16":
        return (np.ascontiguousarray(wide).view(np.uint32) >> 16).astype(np.uint16)
    with np.errstate(over="ignore", under="ignore"):
        return wide.astype(dtype)
