"""Columns of names as numbers and vocabularies, by Arrow; what runs, judgements and Arrow tables are made of."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._extras import require
from fastcal.errors import InvalidValueError

_ROWS = 1 << 20
_LEAST, _GREATEST = -(2**63), 2**63 - 1

Int64 = npt.NDArray[np.int64]


class Lists(NamedTuple):
    """Rows query after query, queries and documents in order of appearance, the rows of a query in their order."""

    query_ids: npt.NDArray[Any]
    doc_ids: npt.NDArray[np.object_] | None
    offsets: Int64
    ids: Int64
    values: npt.NDArray[Any]


def lists(table: Any, query: str, doc: str, value: str, name: str) -> Lists:
    """Group the rows of an Arrow table; rows without a value (null or NaN) are padding and dropped."""
    values = numbers(table.column(value), value, name)
    for label in (query, doc):
        _judge_integers(table.column(label), label, name, least=_LEAST if label == query else -1)
    kept = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(values.size, np.bool_)
    if not kept.all():
        table, values = table.filter(require("pyarrow", "parquet").array(kept)), values[kept]
    rows, query_ids = _numbered(table.column(query), query, name)
    if _is_integer(table.column(doc).type):
        ids, doc_ids = table.column(doc).to_numpy().astype(np.int64), None
    else:
        ids, doc_ids = _numbered(table.column(doc), doc, name)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=query_ids.size), dtype=np.int64)))
    if (rows[1:] < rows[:-1]).any():
        order = np.argsort(rows, kind="stable")
        ids, values = ids[order], values[order]
    return Lists(query_ids, doc_ids, offsets, ids, values)


def numbers(column: Any, label: str, name: str) -> npt.NDArray[Any]:
    """Return a column of numbers; null is NaN."""
    types = require("pyarrow.types", "parquet")
    if not (types.is_floating(column.type) or types.is_integer(column.type) or types.is_boolean(column.type)):
        raise InvalidValueError(f"{name}: column {label!r} is {column.type}, expected numbers")
    found: npt.NDArray[Any] = column.to_numpy()
    return found.astype(np.float64) if found.dtype == np.object_ else found


def named(names: npt.NDArray[Any] | None, numbers: npt.NDArray[np.int64]) -> Any:
    """Return an Arrow column that holds ``names[numbers]``; without names, the numbers."""
    pa = require("pyarrow", "parquet")
    if names is None:
        return pa.array(numbers)
    vocabulary = pa.array(names)
    return pa.chunked_array([vocabulary.take(pa.array(numbers[at : at + _ROWS])) for at in range(0, numbers.size, _ROWS)], vocabulary.type)


def _numbered(column: Any, label: str, name: str) -> tuple[Int64, npt.NDArray[Any]]:
    types = require("pyarrow.types", "parquet")
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (_is_integer(column.type) or types.is_string(column.type) or types.is_large_string(column.type) or types.is_string_view(column.type)):
        raise InvalidValueError(f"{name}: column {label!r} is {column.type}, expected integers or strings")
    chunks = column.dictionary_encode().unify_dictionaries().chunks
    if not chunks:
        return np.empty(0, np.int64), np.empty(0, np.object_)
    vocabulary = chunks[0].dictionary.to_numpy(zero_copy_only=False)
    coded = np.concatenate([chunk.indices.to_numpy(zero_copy_only=False) for chunk in chunks]).astype(np.int64)
    return coded, vocabulary.astype(np.int64) if vocabulary.dtype.kind in "iu" else vocabulary


def _judge_integers(column: Any, label: str, name: str, least: int) -> None:
    """Refuse integers that are no numbers of queries or documents."""
    if not _is_integer(column.type):
        return
    found = column.to_numpy()
    bad = (found < least) | (found > _GREATEST)
    if bad.any():
        row = int(bad.argmax())
        raise InvalidValueError(f"{name}, row {row}: column {label!r} holds {found[row]}, expected {'a not negative' if least == -1 else 'an'} int64")


def _is_integer(kind: Any) -> bool:
    found: bool = require("pyarrow.types", "parquet").is_integer(kind)
    return found


def as_texts(column: Any) -> list[str]:
    """Return a column of integers or strings as strings."""
    pa = require("pyarrow", "parquet")
    listed: list[str] = column.cast(pa.string()).to_pylist()
    return listed
