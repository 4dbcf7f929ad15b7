"""Segments made again of a file: views of it, checked as far as the caller wants."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcal._backend.protocol import Array, Backend
from fastcal._validate.files import Verification
from fastcal.errors import InvalidValueError
from fastcal.index import _location
from fastcal.index._image import CHUNK, Image
from fastcal.index._rows import Given, first_change
from fastcal.index._segment import Segment, raise_changed_row
from fastcal.index._stored import FACTS


@dataclass(frozen=True, slots=True)
class Restorer:
    """One call of ``load``."""

    image: Image
    description: dict[str, Any]
    given: Given | None
    verify: Verification
    backend: Backend
    num_threads: int
    in_memory: bool

    def segments(self) -> tuple[Segment, ...]:
        """All segments; what the guard will not check later is checked now."""
        guard = None
        if self.verify == "lazy":
            guard = self.backend.guard(self.image.data, CHUNK, self.image.table, os.fsencode(self.image.path), self.image.origin)
        if guard is not None:
            facts = [tensor.end for name, tensor in self.image.tensors.items() if name.partition(".")[2] in FACTS]
            self.image.check(0, max(facts), self.num_threads)
        elif self.verify:
            self.image.check_all(self.num_threads)
        found: list[Segment] = []
        for number, stored in enumerate(self.description["segments"]):
            if type(stored["n_rows"]) is not int or stored["n_rows"] < 0:
                raise ValueError(f"a segment of {stored['n_rows']!r} rows")
            found.append(self._segment(number, stored, sum(map(len, found)), guard))
        return tuple(found)

    def _segment(self, number: int, stored: dict[str, Any], first: int, guard: Any) -> Segment:
        parts = {name: self.image.view(f"{number}.{name}") for name in (*FACTS, "sketch4", "sketch7") if f"{number}.{name}" in self.image.tensors}
        sketch = None
        if "sketch4" in parts:
            keys = ("sketch4", "sketch7", "centre", "direction")
            sketch = self.backend.open_sketch(stored["n_rows"], self.description["metric"], **{key: parts[key] for key in keys}, guard=guard)
        if guard is not None and sketch is None and f"{number}.rows" in self.image.tensors:
            whole = self.image.tensors[f"{number}.rows"]
            self.image.check(whole.begin, whole.end, self.num_threads)
        rows, owned = self._rows(number, stored, first, parts["digests"])
        self._expect_sizes(stored["n_rows"], rows, parts)
        if rows.dtype.name != stored["dtype"]:
            raise ValueError(f"{rows.dtype} rows described as {stored['dtype']}")
        return Segment(
            first, rows, parts.get("norms"), parts.get("ids"), sketch, self.backend.name, owned, digests=parts["digests"], image=self.image
        )

    def _expect_sizes(self, n_rows: int, rows: Array, parts: dict[str, Array]) -> None:
        """One fact a row, and the facts that this kind of index has."""
        expected = {"digests", *(["norms"] if self.description["metric"] == "cosine" else []), *(["ids"] if self.description["has_ids"] else [])}
        found = {name: len(parts[name]) for name in ("digests", "norms", "ids") if name in parts}
        if found != dict.fromkeys(expected, n_rows) or rows.shape != (n_rows, self.description["dim"]):
            raise ValueError(f"{n_rows} rows of {self.description['dim']} dimensions, with {found} and rows of shape {rows.shape}")

    def _rows(self, number: int, stored: dict[str, Any], first: int, digests: Array) -> tuple[Array, bool]:
        """The rows of a segment, and whether they are held in memory of ours."""
        if self.given is not None:
            return self.given.part(first, stored, digests, self.verify, self.backend, self.num_threads), self.given.owned
        if f"{number}.rows" in self.image.tensors:
            rows = self.image.view(f"{number}.rows")
            _location.read_here_and_there(rows)
            return rows, self.in_memory
        if stored["n_rows"] == 0:
            return np.empty((0, self.description["dim"]), stored["dtype"]), False
        return self._recorded(stored["corpus"], first, digests), False

    def _recorded(self, location: dict[str, Any] | None, first: int, digests: Array) -> Array:
        hint = "pass the rows as corpus=, or save with include_corpus=True"
        if location is None:
            raise InvalidValueError(f"{self.image.path} holds no rows and names no memory-mapped file with rows; {hint}")
        try:
            rows = _location.reopen(location, self.image.path.resolve().parent)
        except (OSError, ValueError) as error:
            raise InvalidValueError(f"{self.image.path} names {location['path']} as its corpus, which cannot be mapped ({error}); {hint}") from None
        _location.read_here_and_there(rows)
        bad = first_change(rows, digests, self.backend, self.num_threads, sample=self.verify == "lazy") if self.verify else -1
        if bad >= 0:
            raise_changed_row(first + bad)
        return rows
