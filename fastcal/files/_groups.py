"""Groups of queries."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import Any

from fastcal.errors import InvalidValueError
from fastcal.files._encoded import as_texts
from fastcal.files._names import TABLES
from fastcal.files._places import wheres
from fastcal.files._source import Source, lines, source
from fastcal.files._tables import parsed, read_table

_ID = "_id"  # what BEIR's queries.jsonl calls a query


def read_groups(path: str | PathLike[str], *, query: str = "query_id") -> dict[str, str]:
    """Read the group of each query: ``table.csv:column``, a table with a column of queries and one of groups; values become strings.

    In ``.jsonl`` what is in ``metadata`` counts as columns, and queries may be named by ``_id``, as in BEIR.

    Raises
    ------
    ValueError, OSError
        If the column is missing, or a query has no group or two; the message names file and line (of a table that is no text, row).
    """
    found = source(path, members=(*TABLES, ".jsonl", ".json"))
    if found.member is None:
        raise InvalidValueError(f"{path}: expected TABLE:COLUMN, such as queries.csv:language")
    groups: dict[str, str] = {}
    for where, name, group in _rows(found, query, found.member):
        if groups.setdefault(name, group) != group:
            raise InvalidValueError(f"{where}: query {name!r} has {found.member} {group!r} here and {groups[name]!r} above")
    return groups


def _rows(found: Source, query: str, column: str) -> Iterator[tuple[str, str, str]]:
    """Yield where each row is, its query and its group."""
    if found.form in {"jsonl", "json"}:
        for line, text in lines(found):
            where = f"{found.name}, line {line}"
            yield (where, *_of_record(parsed(text, where), where, query, column))
        return
    table = read_table(found, [query, column], texts=[query, column])
    for where, name, group in zip(wheres(found), as_texts(table.column(0)), as_texts(table.column(1)), strict=False):
        yield f"{found.name}, {where}", name, group


def _of_record(record: Any, where: str, query: str, column: str) -> tuple[str, str]:
    if not isinstance(record, dict):
        raise InvalidValueError(f"{where}: expected a JSON object")
    metadata = record.get("metadata")
    whole = record | (metadata if isinstance(metadata, dict) else {})
    key = query if query in whole or _ID not in whole else _ID
    for name in (key, column):
        if whole.get(name) is None:
            raise InvalidValueError(f"{where}: no value for {name!r}; the row has {', '.join(map(repr, whole))}")
    return str(whole[key]), str(whole[column])
