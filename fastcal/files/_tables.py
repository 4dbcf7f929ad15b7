"""Tables as columns: Parquet, Arrow, CSV and TSV with a header, JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fastcal._extras import require
from fastcal.errors import InvalidValueError
from fastcal.files._places import DELIMITERS, fields, where
from fastcal.files._source import Source, lines, opened

# Other names that a column goes by, tried where the usual one is asked for and not there: BEIR's, ranx's, PyTerrier's.
ALIASES = {
    "query_id": ("query-id", "qid", "q_id"),
    "doc_id": ("corpus-id", "docno", "docid"),
    "relevance": ("score", "label", "rel", "grade"),
}

_MOST = 2**63  # integers beyond it are a mistake


def read_table(found: Source, columns: Sequence[str], *, texts: Sequence[str]) -> Any:
    """Return an Arrow table with these columns, under these names; in forms of text those of `texts` are strings, others numbers."""
    readers: dict[str, Callable[..., Any]] = {"parquet": _parquet, "arrow": _arrow, "jsonl": _json_lines, "csv": _delimited, "tsv": _delimited}
    if found.form not in readers:
        raise InvalidValueError(f"{found.name} is no table; expected one of .parquet, .arrow, .feather, .csv, .tsv, .jsonl")
    with _arrow_errors(found.name):
        table = readers[found.form](found, columns, texts)
    if not table.num_rows:
        raise InvalidValueError(f"{found.name} has no rows")
    for name in columns:
        if name in texts and (rows := _empty(table.column(name))):
            raise InvalidValueError(f"{found.name}, {where(found, rows[0])}: column {name!r} is empty ({len(rows)} such rows)")
    return table


def _empty(column: Any) -> list[int]:
    """Return the rows of a column of names that have none."""
    pa, pc = require("pyarrow", "parquet"), require("pyarrow.compute", "parquet")
    types = require("pyarrow.types", "parquet")
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    bad = column.is_null()
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        bad = pc.or_(bad, pc.equal(column.cast(pa.string()).fill_null(""), ""))
    return pc.indices_nonzero(bad).to_pylist() if pc.any(bad).as_py() else []


def resolved(have: Sequence[str], wanted: Sequence[str], name: str) -> list[str]:
    """Return where each wanted column stands: under its name, or another that it usually goes by."""
    places = []
    for column in wanted:
        place = next((each for each in (column, *ALIASES.get(column, ())) if each in have and each not in places), None)
        if place is None:
            raise InvalidValueError(f"{name} has no column {column!r}, only {', '.join(map(repr, have)) or 'none'}")
        if list(have).count(place) > 1:
            raise InvalidValueError(f"{name} has {list(have).count(place)} columns named {place!r}, expected one")
        places.append(place)
    return places


def _parquet(found: Source, columns: Sequence[str], _: Sequence[str]) -> Any:
    parquet = require("pyarrow.parquet", "parquet")
    with opened(found) as file, parquet.ParquetFile(file if found.stream else found.path, memory_map=found.stream is None) as stored:
        schema = stored.schema_arrow
        places = resolved(schema.names, columns, found.name)
        table = stored.read(columns=places)
    return table.select(places).rename_columns(list(columns)).replace_schema_metadata(schema.metadata)


def _arrow(found: Source, columns: Sequence[str], _: Sequence[str]) -> Any:
    pa = require("pyarrow", "parquet")
    ipc = require("pyarrow.ipc", "parquet")
    mapped = pa.memory_map(str(found.path)) if found.stream is None else found.stream
    try:
        table = ipc.open_file(mapped).read_all()
    except pa.ArrowInvalid:
        mapped.seek(0)
        table = ipc.open_stream(mapped).read_all()
    places = resolved(table.column_names, columns, found.name)
    return table.select(places).rename_columns(list(columns)).replace_schema_metadata(table.schema.metadata)


def _delimited(found: Source, columns: Sequence[str], texts: Sequence[str]) -> Any:
    pa = require("pyarrow", "parquet")
    csv = require("pyarrow.csv", "parquet")
    delimiter = DELIMITERS[found.form]
    places = resolved(_header(found, delimiter), columns, found.name)
    types = {place: pa.string() if column in texts else pa.float64() for place, column in zip(places, columns, strict=True)}
    how = {
        "parse_options": csv.ParseOptions(delimiter=delimiter),
        "convert_options": csv.ConvertOptions(column_types=types, include_columns=places, strings_can_be_null=True, null_values=["", "NaN", "nan"]),
    }
    try:
        with opened(found) as file:
            table = csv.read_csv(file, **how)
    except pa.ArrowInvalid:
        _blame(found, [place for place, column in zip(places, columns, strict=True) if column not in texts])
        raise
    return table.rename_columns(list(columns))


def _blame(found: Source, numeric: Sequence[str]) -> None:
    """Raise about the first row of a table of text that has another number of fields than the header, or no number where one belongs."""
    rows = fields(found)
    header = [name.strip() for name in next(rows)[1]]
    for line, row in rows:
        place = f"{found.name}, line {line}"
        if len(row) != len(header):
            raise InvalidValueError(f"{place}: {len(row)} fields, but the header has {len(header)}")
        for name in numeric:
            if not _is_number(text := row[header.index(name)]):
                raise InvalidValueError(f"{place}, column {name!r}: {text[:60]!r} is not a number")


def _is_number(text: str) -> bool:
    try:
        return not text or float(text) is not None
    except ValueError:
        return False


def _header(found: Source, delimiter: str) -> list[str]:
    first = next(lines(found), None)
    return [] if first is None else [name.strip().strip('"') for name in first[1].split(delimiter)]


def _json_lines(found: Source, columns: Sequence[str], texts: Sequence[str]) -> Any:
    pa = require("pyarrow", "parquet")
    taken: list[list[Any]] = [[] for _ in columns]
    places: list[str] | None = None
    for number, text in lines(found):
        record = parsed(text, f"{found.name}, line {number}")
        if not isinstance(record, Mapping):
            raise InvalidValueError(f"{found.name}, line {number}: expected a JSON object, got {text[:60]!r}")
        places = places or resolved(list(record), columns, f"{found.name}, line {number}")
        for values, place, column in zip(taken, places, columns, strict=True):
            if place not in record:
                raise InvalidValueError(f"{found.name}, line {number}: no {place!r}, which is there above; the record has {_keys(record)}")
            value = record[place]
            good = isinstance(value, str | int) if column in texts else isinstance(value, int | float | None)
            if not good or isinstance(value, bool) or (isinstance(value, int) and column not in texts and abs(value) > _MOST):
                kind = "text" if column in texts else "a number"
                raise InvalidValueError(f"{found.name}, line {number}: expected {kind} in {place!r}, got {json.dumps(value)[:60]}")
            values.append(str(value) if column in texts else value)
    types = [pa.string() if column in texts else pa.float64() for column in columns]
    return pa.table([pa.array(values, kind) for values, kind in zip(taken, types, strict=True)], names=list(columns))


def _keys(record: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, record)) or "nothing"


def parsed(text: str, where: str) -> Any:
    """Return what JSON text says."""
    try:
        found = json.loads(text)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        at = f", column {error.colno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else f": {error}"
        raise InvalidValueError(f"{where}{at}; expected JSON") from error
    return found


@contextmanager
def _arrow_errors(name: str) -> Iterator[None]:
    """Let what pyarrow says name the file."""
    pa = require("pyarrow", "parquet")
    try:
        yield
    except (pa.ArrowException, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise InvalidValueError(f"{name}: {error}") from error
