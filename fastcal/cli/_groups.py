"""``--by TABLE:COLUMN``: the group of each query, from a table with a row per query."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._extras import require
from fastcal.errors import InvalidValueError
from fastcal.run import Run

_ID = "_id"  # what BEIR's queries.jsonl calls a query


def groups_of(by: str | None, run: Run, query_column: str) -> npt.NDArray[Any] | None:
    """Return the group of each query of a run, as text; None without `by`."""
    if by is None:
        return None
    path, colon, column = by.rpartition(":")
    if not colon or not path or not column:
        raise InvalidValueError(f"--by must be TABLE:COLUMN, such as queries.csv:language, got {by!r}")
    found = dict[str, str]()
    for line, query, group in _rows(Path(path), query_column, column):
        if found.setdefault(query, group) != group:
            raise InvalidValueError(f"{path}, line {line}: query {query!r} has {column} {group!r} here and {found[query]!r} above")
    names = list(map(str, range(run.n_queries) if run.query_ids is None else run.query_ids.tolist()))
    lacking = [name for name in names if name not in found]
    if lacking:
        raise InvalidValueError(f"{path} has no {column} for {len(lacking)} of {len(names)} queries, first {lacking[0]!r}")
    return np.array([found[name] for name in names], dtype=object)


def _rows(path: Path, query: str, column: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, query and group of each row; one without a group is an error."""
    records = _parquet(path) if path.suffix.lower() == ".parquet" else _lines(path)
    for line, record in records:
        key = query if query in record or _ID not in record else _ID
        for name in (key, column):
            if record.get(name) is None:
                raise InvalidValueError(f"{path}, line {line}: no value for {name!r}; the row has {', '.join(map(repr, record))}")
        yield line, str(record[key]), str(record[column])


def _parquet(path: Path) -> Iterable[tuple[int, dict[str, Any]]]:
    return enumerate(require("pyarrow.parquet", "parquet").read_table(path).to_pylist(), start=1)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line and record of a JSONL, TSV or CSV file; what BEIR keeps as metadata of a query counts as columns."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix.lower() in {".jsonl", ".json"}:
            for line, text in enumerate(file, start=1):
                yield line, _record(path, line, text)
        else:
            reader = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            for record in reader:
                yield reader.line_num, {name: value for name, value in record.items() if isinstance(name, str)}


def _record(path: Path, line: int, text: str) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(text)
        metadata = record.get("metadata")
        return record | (metadata if isinstance(metadata, dict) else {})
    except (ValueError, AttributeError) as error:
        raise InvalidValueError(f"{path}, line {line}: expected a JSON object") from error
