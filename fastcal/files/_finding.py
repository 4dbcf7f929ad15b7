"""The line of a file that a pair stands in, for errors that are found after it was read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np

from fastcal.errors import InvalidValueError
from fastcal.files._places import DELIMITERS, Row, fields, trec_rows
from fastcal.files._runs import is_trec
from fastcal.files._source import STANDARD, Source, again, lines, source
from fastcal.files._tables import parsed, resolved


def line_of(path: str, pair: tuple[str, str], score: float, columns: tuple[str, str, str]) -> str | None:
    """Return where a run lists a query and a document, as in "line 3"; of several the last with this score: the others are no trouble.

    None of what has no lines (Parquet, Arrow, JSON) or cannot be read again, such as standard input. The file is read once more.
    """
    if path == STANDARD:
        return None
    known: dict[bool, str] = {}
    try:
        found = source(path)
        with closing(_rows(found, columns) if again(found) else iter(())) as rows:  # type: ignore[type-var]
            for row in rows:
                if (row.query, row.doc) == pair:
                    known[row.value is not None and np.float32(row.value) == np.float32(score)] = row.where
    except (InvalidValueError, OSError, ValueError, IndexError):  # it has changed since it was read
        return None
    return known.get(True, known.get(False))


def _rows(found: Source, columns: tuple[str, str, str]) -> Iterator[Row]:
    if found.form == "text" or (found.form == "tsv" and is_trec(found)):
        yield from trec_rows(found, 2, 4)
    elif found.form in DELIMITERS:
        every = fields(found)
        header = [name.strip() for name in next(every)[1]]
        at = [header.index(name) for name in resolved(header, columns, found.name)]
        for line, row in every:
            yield _row(line, *(row[place] for place in at))
    elif found.form == "jsonl":
        names: list[str] | None = None
        for line, text in lines(found):
            record = parsed(text, found.name)
            names = names or resolved(list(record), columns, found.name)
            yield _row(line, *(record[name] for name in names))


def _row(line: int, query: Any, doc: Any, value: Any) -> Row:
    return Row(f"line {line}", str(query), str(doc), None if value is None or value == "" else float(value))
