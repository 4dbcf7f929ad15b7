"""TREC files, plain or gzipped: runs, ``query Q0 document rank score tag``, and judgements, ``query iteration document grade``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fastcal import _backend, _csr, _threads
from fastcal._backend.protocol import TrecKind, TrecReader
from fastcal._validate import files
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.run._files import blocks, name_of, write
from fastcal.run._text import content

_EXPECTED: dict[TrecKind, str] = {
    "run": "'query Q0 document rank score tag' in UTF-8, the score a number that fits float32",
    "qrels": "'query iteration document grade' in UTF-8, the grade an integer that fits int32",
}
_DTYPE: dict[TrecKind, Any] = {"run": np.float32, "qrels": np.int32}
_NOTHING = np.empty(0, np.uint8)
_LINES = 1 << 16


class Lists(NamedTuple):
    """What a file holds: queries in order of appearance, their entries in the order of the file."""

    query_ids: npt.NDArray[np.object_]
    doc_ids: npt.NDArray[np.object_]
    offsets: _csr.Int64
    ids: _csr.Int64
    values: npt.NDArray[Any]


Place: TypeAlias = str | PathLike[str] | BinaryIO


def read(path: Place, kind: TrecKind, num_threads: int | None) -> Lists:
    """Read a run (values float32) or judgements (values int32); a malformed line is an error that names it."""
    source, threads = _judged(path, "readinto"), _threads.resolve(num_threads)
    reader = _backend.active().trec_reader(kind)
    try:
        good = all(reader.feed(block, num_threads=threads) for block in content(blocks(source))) and reader.finish(num_threads=threads)
    except InvalidValueError:  # the file is damaged; a malformed line before the damage is named first
        if not reader.feed(_NOTHING, num_threads=threads):
            raise _malformed(source, reader, kind) from None
        raise
    if not good:
        raise _malformed(source, reader, kind)
    return _regrouped(*_arrays(reader, _DTYPE[kind], threads))


def write_run(path: Place, query_ids: Iterable[Any], doc_ids: Any, scores: _csr.Float32, ids: _csr.Int64, offsets: _csr.Int64, tag: Any) -> None:
    """Write one line per entry; ranks count from 1 in each list."""
    if not isinstance(tag, str):
        raise InvalidTypeError(f"tag must be a str, got {type(tag).__name__}")
    if doc_ids is not None and ids.size < doc_ids.size:
        ids, doc_ids = np.arange(ids.size), doc_ids[ids]
    queries, documents, mark = joined(query_ids), None if doc_ids is None else joined(doc_ids), joined([tag])[:-1]
    writer, threads = _backend.active().trec_writer(queries, documents, mark), _threads.resolve(None)

    def texts() -> Iterator[bytes]:
        for begin in range(0, ids.size, _LINES):
            yield writer.lines(ids, scores, offsets, begin, min(begin + _LINES, ids.size), num_threads=threads)

    write(_judged(path, "writelines"), texts())


def write_qrels(path: Place, query_ids: Iterable[Any], documents: Iterable[Any], grades: _csr.Int64, offsets: _csr.Int64) -> None:
    """Write one line per judgement, one document name for each."""
    queries, names = (joined(names).decode().split("\n") for names in (query_ids, documents))
    rows = np.repeat(np.arange(offsets.size - 1), np.diff(offsets)).tolist()
    lines = (f"{queries[row]} 0 {name} {grade}\n".encode() for row, name, grade in zip(rows, names, grades.tolist(), strict=False))
    write(_judged(path, "writelines"), lines)


def _judged(path: Place, method: str) -> Path | BinaryIO:
    """Return a path, or an open binary file as it is."""
    if not hasattr(path, method):
        return files.path(path, "path")
    if hasattr(path, "encoding"):
        raise InvalidTypeError("an open file must be binary, got one of text")
    return path  # type: ignore[return-value]


def joined(names: Iterable[Any]) -> bytes:
    """Return names, each followed by a line end; a name that is empty or holds ASCII white space is an error."""
    listed = [str(name) for name in names] if not isinstance(names, np.ndarray) or names.dtype != np.object_ else names.tolist()
    try:
        text = "\n".join([*listed, ""]).encode()
    except UnicodeEncodeError as error:
        raise InvalidValueError(f"a TREC file cannot hold a name that is not Unicode text: {error}") from None
    spaces = len(text) - len(text.translate(None, b" \t\n\v\f\r"))
    if spaces != len(listed) or text.startswith(b"\n") or b"\n\n" in text:
        bad = next(name for name in listed if name.encode().split() != [name.encode()])
        raise InvalidValueError(f"a TREC file cannot hold the name {bad!r}: names have at least one character and no white space")
    return text


def _malformed(path: Path | BinaryIO, reader: TrecReader, kind: TrecKind) -> InvalidValueError:
    got = reader.malformed.decode(errors="replace").rstrip()
    return InvalidValueError(f"{name_of(path)}, line {reader.lines + 1}: expected {_EXPECTED[kind]}, got {got!r}")


def _arrays(reader: TrecReader, dtype: Any, num_threads: int) -> tuple[Any, ...]:
    """Return query names, document names, of each stretch of lines its query and its first line, and of each line its document and value."""
    ids, values = np.empty(reader.lines, np.int64), np.empty(reader.lines, np.uint32)
    query, start = np.empty(reader.stretches, np.int64), np.empty(reader.stretches, np.int64)
    queries, documents = np.empty(reader.queries, np.object_), np.empty(reader.documents, np.object_)
    reader.write(ids, values, query, start, queries, documents, num_threads=num_threads)
    return queries, documents, query, start, ids, values.view(dtype)


def _regrouped(queries: Any, documents: Any, query: _csr.Int64, start: _csr.Int64, ids: _csr.Int64, values: Any) -> Lists:
    """Bring the stretches of each query together, in their order; mostly there is one stretch a query."""
    ends = np.append(start[1:], ids.size).astype(np.int64)
    if query.size == queries.size:
        return Lists(queries, documents, np.append(start, ids.size).astype(np.int64), ids, values)
    order = np.argsort(query, kind="stable")
    at, offsets = _csr.segments(start[order], (ends - start)[order])
    firsts = np.searchsorted(query[order], np.arange(queries.size + 1))
    return Lists(queries, documents, offsets[firsts], ids[at], values[at])
