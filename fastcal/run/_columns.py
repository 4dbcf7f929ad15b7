"""Tables with one row per entry: columns by name, or an iterable of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal._validate import lists
from fastcal._validate.arrays import as_array, int64_array
from fastcal.errors import InvalidTypeError, InvalidValueError

_FIELDS = 3


class Grouped(NamedTuple):
    """Rows of a table, query after query in order of appearance."""

    query_ids: npt.NDArray[Any]
    doc_ids: npt.NDArray[np.object_] | None
    offsets: _csr.Int64
    ids: _csr.Int64
    order: _csr.Int64 | slice  # what brings another column into this order


def column(table: Any, name: str) -> Any:
    """Return one column, as it is, of a mapping, a DataFrame or an Arrow table."""
    if not isinstance(name, str):
        raise InvalidTypeError(f"a column is named by a str, got {name!r}")
    known = table.keys() if isinstance(table, Mapping) else getattr(table, "column_names", getattr(table, "columns", None))
    if known is None or not hasattr(table, "__getitem__"):
        raise InvalidTypeError(f"expected a mapping of columns, a DataFrame or an Arrow table, got {type(table).__name__}")
    if name not in list(known):
        raise InvalidValueError(f"the table has no column {name!r}, only {', '.join(map(repr, known))}")
    return table[name]


def records(rows: Iterable[Any], value: str) -> dict[str, list[Any]]:
    """Return the columns of records whose first fields are query, document and `value`."""
    if isinstance(rows, (str, Mapping)) or not isinstance(rows, Iterable):
        raise InvalidTypeError(f"expected an iterable of (query, document, {value}), got {type(rows).__name__}")
    columns: list[list[Any]] = [[], [], []]
    for row in rows:  # what an iterable raises by itself is its own business
        try:
            for entries, entry in zip(columns, islice(row, _FIELDS), strict=True):
                entries.append(entry)
        except (TypeError, ValueError) as error:
            raise InvalidTypeError(f"expected records (query, document, {value}), got {row!r}") from error
    return dict(zip(("query", "doc", value), columns, strict=True))


def grouped(table: Any, query: str, doc: str) -> Grouped:
    """Number queries and documents, named in these columns, and bring the rows of each query together, in their order."""
    queries, documents = as_array(column(table, query), query), as_array(column(table, doc), doc)
    if queries.ndim != 1:
        raise InvalidValueError(f"column {query!r} must have shape (n,), got {queries.shape}")
    if queries.shape != documents.shape:
        raise InvalidValueError(f"columns must have the same length, got {queries.size} queries and {documents.size} documents")
    if queries.size == 0:  # whatever dtype an empty column has
        return Grouped(np.empty(0, np.int64), None, np.zeros(1, np.int64), np.empty(0, np.int64), slice(None))
    rows, query_ids = _numbered(queries, "query names")
    counts = np.bincount(rows, minlength=query_ids.size)
    together = not (rows[1:] < rows[:-1]).any()
    order: _csr.Int64 | slice = slice(None) if together else np.argsort(rows, kind="stable")
    if not _named(documents):
        ids = int64_array(documents, "document ids")
        if ids.size and ids.min() < 0:
            raise InvalidValueError(f"document ids must be at least 0, got {ids.min()}")
        return Grouped(query_ids, None, _csr.offsets_of(counts), ids[order], order)
    numbers, doc_ids = _numbered(documents, "document names")
    return Grouped(query_ids, doc_ids, _csr.offsets_of(counts), numbers[order], order)


def as_labels(names: list[Any]) -> npt.NDArray[Any]:
    """Return the labels of distinct queries or documents as an array of object (str) or int64."""
    if any(isinstance(name, str) for name in names):
        return lists.as_strings(names, "names")
    return int64_array(names, "names")


def _named(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind in "OUT"


def _numbered(values: npt.NDArray[Any], what: str) -> tuple[_csr.Int64, npt.NDArray[Any]]:
    """Number names in order of appearance."""
    if not _named(values):
        distinct, first, inverse = np.unique(int64_array(values, what), return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(order.size)
        return rank[inverse.reshape(-1)], distinct[order]
    listed = values.tolist()
    number_of = {name: number for number, name in enumerate(dict.fromkeys(listed))}
    strangers = [name for name in number_of if not isinstance(name, str)]
    if strangers:
        raise InvalidTypeError(f"{what} must all be strings or all integers, got {strangers[0]!r}")
    names = np.empty(len(number_of), dtype=np.object_)
    names[:] = list(number_of)
    return np.fromiter(map(number_of.__getitem__, listed), np.int64, len(listed)), names
