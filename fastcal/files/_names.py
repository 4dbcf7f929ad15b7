"""Names of rows."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike

from fastcal.errors import InvalidValueError
from fastcal.files._encoded import as_texts
from fastcal.files._source import Source, lines, source
from fastcal.files._tables import parsed, read_table

TABLES = (".parquet", ".pq", ".arrow", ".feather", ".ipc", ".csv", ".tsv")


def read_names(path: str | PathLike[str]) -> list[str]:
    """Read the distinct names of rows, in their order.

    ``.jsonl``: the ``_id`` (or ``id``) of each line, as in BEIR; ``table.parquet:column``: a column of a table; anything else: a line each.

    Raises
    ------
    ValueError, OSError
        If a name is missing or appears twice; the message names file and line.
    """
    found = source(path, members=TABLES)
    places: dict[str, int] = {}
    for line, name in _names(found):
        if name in places:
            raise InvalidValueError(f"{found.name}, line {line}: {_word(found)} {name!r} appears twice, first in line {places[name]}")
        places[name] = line
    if not places:
        raise InvalidValueError(f"{found.name}: empty")
    return list(places)


def _names(found: Source) -> Iterator[tuple[int, str]]:
    if found.member is not None:
        yield from enumerate(as_texts(read_table(found, [found.member], texts=[found.member]).column(0)), start=1)
    elif found.form == "jsonl":
        for line, text in lines(found):
            try:
                record = parsed(text, f"{found.name}, line {line}")
                yield line, str(record["_id"] if "_id" in record else record["id"])
            except (KeyError, TypeError) as error:
                raise InvalidValueError(f"{found.name}, line {line}: expected a JSON object with an _id") from error
    elif found.form == "text":
        yield from ((line, text.strip()) for line, text in lines(found))
    else:
        raise InvalidValueError(f"{found.name}: say which column holds the names, as {found.name}:COLUMN")


def _word(found: Source) -> str:
    return "_id" if found.form == "jsonl" else "name"
