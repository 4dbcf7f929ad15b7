"""Bytes that groups of rows take in memory, which Parquet does not tell: a dictionary holds a text once however many rows have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastcal._extras import require

# Rows that are measured at a time: so many that they come to GRANULE_BYTES, but not fewer or more than these.
GRANULE_BYTES, FEWEST_ROWS, MOST_ROWS = 1 << 20, 64, 1024


@dataclass(frozen=True)
class Size:
    """Rows and bytes of a group; ``parts`` are the bytes of every ``granule`` rows where they were measured one by one."""

    rows: int
    bytes: float
    granule: int = 0
    parts: Sequence[float] = ()


@dataclass(frozen=True)
class _Column:
    """A column of the file and its leaves; ``width`` is None where rows differ."""

    name: str
    kind: Any
    leaves: range
    width: float | None


@dataclass(frozen=True)
class _Bound:
    """What texts take at most, up to twice that where lengths in a column differ; ``loose`` where they may take far less, or lie unevenly."""

    bytes: float
    longest: float
    loose: bool


class ParquetSizes:
    """Sizes of the row groups of a file, read closely only where they can hide something.

    The rows of a column take at most the longest entry of its dictionary each; what is not in the dictionary is stored in full. Columns for
    which that says too little, for lengths differ (one entry may be that of nearly all rows) or few rows are of the dictionary, are read as
    a whole, a few rows at a time.
    """

    def __init__(self, file: Any, again: Any, at_most: float) -> None:
        self._file, self._told, self._again, self._at_most = file, file.metadata, again, at_most
        self._columns = list(_columns(file.schema_arrow, [self._told.schema.column(i).path for i in range(self._told.num_columns)]))
        self._coded: Any = None

    def of(self, group: int) -> Size:
        """Return the size of a row group."""
        told = self._told.row_group(group)
        rows = int(told.num_rows)
        if not rows:
            return Size(0, 0.0)
        fixed = sum((column.width or 0.0) * rows for column in self._columns)
        fixed += sum(_stored(told, c) for c in self._columns if c.width is not None and _is_dictionary(c.kind))
        bounds = self._bounds(group, told)
        loose = {name: bound for name, bound in bounds.items() if bound.loose}
        fixed += sum(bound.bytes for name, bound in bounds.items() if name not in loose)
        if not loose:
            return Size(rows, fixed)
        granule = int(min(MOST_ROWS, max(FEWEST_ROWS, GRANULE_BYTES / max(1.0, *(bound.longest for bound in loose.values())))))
        batches = self._file.iter_batches(batch_size=granule, row_groups=[group], columns=list(loose), use_threads=False)
        parts = [batch.nbytes + fixed * batch.num_rows / rows for batch in batches]
        return Size(rows, sum(parts), granule, parts)

    def _bounds(self, group: int, told: Any) -> dict[str, _Bound]:
        varying = [column for column in self._columns if column.width is None]
        coded = [c.name for c in varying if len(c.leaves) == 1 and _is_flat(c.kind) and told.column(c.leaves[0]).has_dictionary_page]
        entries = self._entries(group, coded) if coded else {}
        return {column.name: self._bound(told, column, entries.get(column.name)) for column in varying}

    def _entries(self, group: int, names: list[str]) -> dict[str, Any]:
        """Return the dictionaries of columns, which come with their first row."""
        if self._coded is None:
            flat = [column.name for column in self._columns if column.width is None and _is_flat(column.kind)]
            self._coded = self._again(flat, self._told)
        first = next(self._coded.iter_batches(batch_size=1, row_groups=[group], columns=names, use_threads=False))
        return {name: first.column(name).dictionary for name in names if _is_dictionary(first.column(name).type)}

    def _bound(self, told: Any, column: _Column, entries: Any) -> _Bound:
        compute, rows, stored = require("pyarrow.compute", "parquet"), told.num_rows, _stored(told, column)
        leaves = [told.column(leaf) for leaf in column.leaves]
        ends = sum(8.5 * leaf.num_values for leaf in leaves)
        if any("DELTA_BYTE_ARRAY" in leaf.encodings for leaf in leaves) or (entries is None and any(leaf.has_dictionary_page for leaf in leaves)):
            return _Bound(stored + ends, stored, loose=True)
        if entries is None or not len(entries):
            return _Bound(stored + ends, 4 * stored / rows, loose=stored > self._at_most / 2)
        lengths = compute.binary_length(entries)
        longest, shortest, kept = (of(lengths).as_py() for of in (compute.max, compute.min, compute.sum))
        plain = max(0, stored - kept - 8 * len(entries))
        found = max(rows * longest, plain) + ends
        few_coded = plain > rows * (len(entries).bit_length() / 8 + 0.5) and found > 2 * plain + ends
        uneven = longest > 2 * shortest + 16 or few_coded or plain > max(self._at_most, rows * (longest + 8)) / 2
        return _Bound(found, longest, loose=uneven and found > self._at_most / 4)


def _columns(schema: Any, paths: list[str]) -> Iterator[_Column]:
    begin = 0
    for field in schema:
        flat = not require("pyarrow", "parquet").types.is_nested(field.type)
        within = [path.startswith(f"{field.name}.") for path in paths[begin:]]
        n = 1 if flat else max(1, [*within, False].index(False))
        yield _Column(field.name, field.type, range(begin, begin + n), _width(field.type) if flat else None)
        begin += n


def _width(kind: Any) -> float | None:
    types = require("pyarrow", "parquet").types
    if _is_dictionary(kind):
        return 4.0
    if types.is_null(kind):
        return 0.0
    try:
        return int(kind.bit_width) / 8
    except ValueError:
        return None


def _stored(told: Any, column: _Column) -> float:
    return float(sum(told.column(leaf).total_uncompressed_size for leaf in column.leaves))


def _is_dictionary(kind: Any) -> bool:
    return bool(require("pyarrow", "parquet").types.is_dictionary(kind))


def _is_flat(kind: Any) -> bool:
    return not require("pyarrow", "parquet").types.is_nested(kind)
