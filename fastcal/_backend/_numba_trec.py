"""TREC files line by line, in Python: csrc/core/trec*.cpp once more."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcal._backend._protocol_runs import TrecKind
    from fastcal._backend.protocol import Array

_FLOAT = re.compile(rb"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?)", re.IGNORECASE)
_INTEGER = re.compile(rb"[+-]?\d+")
_OVERFLOW = 2.0**128 - 2.0**103  # the least float64 that rounds to an infinite float32


class TrecReader:
    """See :class:`fastcal._backend._protocol_runs.TrecReader`."""

    def __init__(self, kind: TrecKind) -> None:
        self._fields, self._value_at = (6, 4) if kind == "run" else (4, 3)
        self._read: Callable[[bytes], float | None] = _float32 if kind == "run" else _int32
        self._names: dict[bytes, int] = {}
        self._query_names: dict[bytes, int] = {}
        self._ids, self._values = array("q"), array("d")
        self._stretch_query, self._stretch_start = array("q"), array("q")
        self._dtype = np.float32 if kind == "run" else np.int32
        self._rest = b""
        self.malformed = b""

    @property
    def lines(self) -> int:
        return len(self._ids)

    @property
    def stretches(self) -> int:
        return len(self._stretch_query)

    @property
    def queries(self) -> int:
        return len(self._query_names)

    @property
    def documents(self) -> int:
        return len(self._names)

    def feed(self, text: Array, *, num_threads: int) -> bool:
        del num_threads
        lines = (self._rest + text.tobytes()).split(b"\n")
        self._rest = lines.pop()
        return all(map(self._take, lines))

    def finish(self, *, num_threads: int) -> bool:
        del num_threads
        return not self._rest or self._take(self._rest)

    def write(
        self,
        out_ids: Array,
        out_values: Array,
        out_stretch_query: Array,
        out_stretch_start: Array,
        out_queries: Array,
        out_documents: Array,
        *,
        num_threads: int,
    ) -> None:
        del num_threads
        out_ids[:], out_values.view(self._dtype)[:] = self._ids, self._values
        out_stretch_query[:], out_stretch_start[:] = self._stretch_query, self._stretch_start
        out_queries[:], out_documents[:] = [name.decode() for name in self._query_names], [name.decode() for name in self._names]

    def _take(self, line: bytes) -> bool:
        fields = line.split()
        value = self._read(fields[self._value_at]) if len(fields) == self._fields else None
        if value is None or not _is_utf8(line):
            self.malformed = line
            return False
        query = self._query_names.setdefault(fields[0], len(self._query_names))
        if not self._stretch_query or self._stretch_query[-1] != query:
            self._stretch_query.append(query)
            self._stretch_start.append(self.lines)
        self._ids.append(self._names.setdefault(fields[2], len(self._names)))
        self._values.append(value)
        return True


class TrecWriter:
    """See :class:`fastcal._backend._protocol_runs.TrecWriter`."""

    def __init__(self, queries: bytes, documents: bytes | None, tag: bytes) -> None:
        self._queries = queries.decode().split("\n")
        self._documents = None if documents is None else documents.decode().split("\n")
        self._tag = tag.decode()

    def lines(self, ids: Array, scores: Array, offsets: Array, begin: int, end: int, *, num_threads: int) -> bytes:
        del num_threads
        at = np.arange(begin, end)
        rows = np.searchsorted(offsets, at, side="right") - 1
        names, documents, tag = self._queries, self._documents, self._tag
        entries = zip(rows.tolist(), ids[begin:end].tolist(), (at - offsets[rows] + 1).tolist(), scores[begin:end], strict=True)
        return "".join(
            [f"{names[row]} Q0 {doc if documents is None else documents[doc]} {rank} {_score(score)} {tag}\n" for row, doc, rank, score in entries]
        ).encode()


def _score(score: np.float32) -> str:
    size = abs(score)
    if size == 0 or 1e-4 <= size < 1e16:
        return np.format_float_positional(score, trim="0")
    return np.format_float_scientific(score, trim="-", exp_digits=2) if size < np.inf else str(score)


def _float32(field: bytes) -> float | None:
    if not _FLOAT.fullmatch(field):
        return None
    value = float(field)
    infinite = b"i" in field.lower()
    return value if infinite or abs(value) < _OVERFLOW else None


def _int32(field: bytes) -> int | None:
    if not _INTEGER.fullmatch(field):
        return None
    value = int(field.lstrip(b"+-").lstrip(b"0")[:11] or b"0") * (-1 if field[:1] == b"-" else 1)
    return value if -(2**31) <= value < 2**31 else None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
