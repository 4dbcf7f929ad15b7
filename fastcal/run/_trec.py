"""TREC run files: lines of ``query Q0 document rank score tag``, plain or gzipped."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidValueError

_Path = str | os.PathLike[str]
_OVERFLOW = 2.0**128 - 2.0**103  # the least float64 that rounds to an infinite float32


def read_run(path: _Path) -> tuple[list[str], npt.NDArray[np.int64], list[str], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return query names, offsets, document names, ids and scores; lists in order of appearance, entries in file order."""
    from array import array

    queries: dict[str, int] = {}
    documents: dict[str, int] = {}
    rows, ids, scores = array("q"), array("q"), array("d")
    for query, document, score in _entries(path):
        rows.append(queries.setdefault(query, len(queries)))
        ids.append(documents.setdefault(document, len(documents)))
        scores.append(score)
    row_of = np.array(rows, dtype=np.int64)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(row_of, minlength=len(queries)))))
    order = np.argsort(row_of, kind="stable")  # a query's lines need not be adjacent
    return list(queries), offsets, list(documents), np.array(ids, dtype=np.int64)[order], np.array(scores, dtype=np.float64)[order]


def write_run(
    path: _Path, queries: list[Any], documents: list[Any], scores: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], tag: str
) -> None:
    """Write one line per entry; ranks count from 1 in each list."""
    for name in {tag, *queries, *documents}:
        if str(name).split() != [str(name)]:
            raise InvalidValueError(f"a TREC run cannot hold the name {name!r}: names have at least one character and no white space")
    with _open(path, "wb") as file:
        for query, start, stop in zip(queries, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            entries = zip(documents[start:stop], scores[start:stop], strict=True)
            lines = [f"{query} Q0 {document} {rank} {score!s} {tag}\n" for rank, (document, score) in enumerate(entries, 1)]
            file.write("".join(lines).encode())


def _entries(path: _Path) -> Iterator[tuple[str, str, float]]:
    """Yield query, document and score of each line; a malformed line is an error that names it."""
    for number, line in enumerate(_lines(path), 1):
        try:
            query, _, document, _, score, _ = line.decode().split()
            entry = query, document, _score(score)
        except ValueError as error:
            got = line.decode(errors="replace").rstrip()
            raise InvalidValueError(
                f"{os.fspath(path)}, line {number}: expected 'query Q0 document rank score tag', got {got!r} ({error})"
            ) from error
        yield entry


def _score(text: str) -> float:
    score = float(text)
    if math.isnan(score) or _OVERFLOW <= abs(score) < math.inf:
        raise ValueError(f"the score {text} does not fit float32")
    return score


def _lines(path: _Path) -> Iterator[bytes]:
    import gzip
    import zlib

    with _open(path, "rb") as file:
        try:
            yield from file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InvalidValueError(f"{os.fspath(path)} is not a sound gzip file: {error}") from error


def _open(path: _Path, mode: Literal["rb", "wb"]) -> Any:
    if os.fspath(path).endswith(".gz"):
        import gzip

        return gzip.open(path, mode)
    from pathlib import Path

    return Path(path).open(mode)
