"""Where the rows of a file stand, for errors: a file at fault is read once more, which one that cannot be read again is spared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from io import TextIOWrapper
from itertools import count, islice
from typing import IO, Any, NamedTuple, cast

from fastcal.errors import InvalidValueError
from fastcal.files._encoded import as_texts
from fastcal.files._source import Source, again, lines, opened

DELIMITERS = {"csv": ",", "tsv": "\t"}


class Row(NamedTuple):
    """A row with where it stands, such as "line 3"."""

    where: str
    query: str
    doc: str
    value: float | None


def fields(found: Source) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of every row of a table of text with the line it begins in, first the header; blank lines are none."""
    from csv import reader

    with opened(found) as file:
        text = TextIOWrapper(cast("IO[bytes]", file), encoding="utf-8-sig", errors="replace", newline="")
        rows = reader(text, delimiter=DELIMITERS[found.form])
        end = 0
        for row in rows:
            begin, end = end + 1, rows.line_num
            if row:
                yield begin, row


def wheres(found: Source) -> Iterator[str]:
    """Yield where the rows of a table stand: lines of text, else rows from 0."""
    if not again(found) or found.form not in {*DELIMITERS, "jsonl"}:
        yield from (f"row {row}" for row in count())
    elif found.form == "jsonl":
        yield from (f"line {line}" for line, _ in lines(found))
    else:
        yield from (f"line {line}" for line, _ in islice(fields(found), 1, None))


def where(found: Source, row: int) -> str:
    """Return where a row of a table stands."""
    with closing(wheres(found)) as every:  # type: ignore[type-var]
        return next(islice(every, row, None))


def table_rows(found: Source, table: Any, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of an Arrow table of query, document and number."""
    names = (as_texts(table.column(name)) for name in columns[:2])
    yield from map(Row, wheres(found), *names, table.column(columns[2]).to_pylist())


def trec_rows(found: Source, doc: int, value: int) -> Iterator[Row]:
    """Yield the rows of a TREC file, whose document and number are these fields; none of standard input, which is gone."""
    for line, text in lines(found) if again(found) else ():
        row = text.encode().split()
        yield Row(f"line {line}", row[0].decode(), row[doc].decode(), float(row[value]))


def listed_twice(found: Source, rows: Iterator[Row], query: str, doc: str) -> InvalidValueError:
    """Return the error about a document that a list of a run holds twice."""
    places = [row.where for row in rows if row.query == query and row.doc == doc and row.value is not None and row.value == row.value]
    here, first = (f", {places[1]}", f", first in {places[0]}") if len(places) > 1 else ("", "")
    return InvalidValueError(f"{found.name}{here}: query {query!r} lists document {doc!r} twice{first}")


def refuse_two_grades(found: Source, rows: Iterator[Row]) -> None:
    """Raise for the first pair that has two grades, if the rows hold one."""
    known: dict[tuple[str, str], Row] = {}
    for row in rows:
        first = known.setdefault((row.query, row.doc), row)
        if first.value != row.value:
            told = f"query {row.query!r}, document {row.doc!r} is judged twice: {first.value:g} in {first.where}, {row.value:g} here"
            raise InvalidValueError(f"{found.name}, {row.where}: {told}")
