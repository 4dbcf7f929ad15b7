"""Rows of a file, group by group: row groups of Parquet, record batches of Arrow IPC."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from fastcal._extras import require
from fastcal.bulk._inputs import Input
from fastcal.errors import InvalidValueError

# Parquet pages are read through a buffer of this size, so that a column of a huge row group never is in memory as a whole.
BUFFER = 1 << 20
PROBED = 1024


@contextmanager
def naming(one: Input, group: int | None = None) -> Iterator[None]:
    """Turn what pyarrow says of a file into one line that names it; files that cannot be opened keep their OSError."""
    arrow = require("pyarrow", "parquet").ArrowException
    where = str(one.path) if group is None else f"{one.path}: {one.noun} {group}"
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        raise OSError(error.errno, f"{error.strerror or error} (it was there when the run began)", str(one.path)) from error
    except (arrow, OSError, EOFError) as error:
        raise InvalidValueError(f"{where} cannot be read, the file is damaged or cut short: {' '.join(str(error).split())}") from error


class ParquetRows:
    """A Parquet file."""

    def __init__(self, one: Input) -> None:
        self.one = one
        with naming(one):
            self._file = require("pyarrow.parquet", "parquet").ParquetFile(
                one.path, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True
            )
            self.schema = self._file.schema_arrow

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def groups(self) -> list[int]:
        """Return the rows of each group."""
        told = self._file.metadata
        return [told.row_group(i).num_rows for i in range(told.num_row_groups)]

    def row_bytes(self) -> float:
        """Return bytes a row takes in memory: as stored, and, where a column can hide it, as the first rows of the file have it."""
        told = self._file.metadata
        rows = max(1, told.num_rows)
        stored = sum(told.row_group(i).total_byte_size for i in range(told.num_row_groups)) / rows
        if not told.num_rows:
            return float(stored)
        with naming(self.one, 0):
            first = next(self._file.iter_batches(batch_size=PROBED, use_threads=False))
        return float(max(stored, first.nbytes / first.num_rows))

    def pieces(self, groups: list[int], rows: int, columns: list[str]) -> Iterator[Any]:
        """Yield the rows of some groups as tables of that many rows, the last one shorter."""
        pa = require("pyarrow", "parquet")
        batches = self._file.iter_batches(batch_size=rows, row_groups=groups, columns=columns, use_threads=False)
        with naming(self.one, groups[0] if len(groups) == 1 else None):
            for batch in batches:
                yield pa.Table.from_batches([batch])


class ArrowRows:
    """An Arrow IPC file or stream, mapped; pages that were read are given back to the system piece by piece."""

    def __init__(self, one: Input) -> None:
        pa = self._pa = require("pyarrow", "parquet")
        self.one = one
        with naming(one), one.path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._buffer = pa.py_buffer(self._map)
            self.schema = self._open().schema

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()

    def _open(self, columns: list[str] | None = None) -> Any:
        chosen = None if columns is None else sorted(self.schema.get_field_index(name) for name in columns)
        options = self._pa.ipc.IpcReadOptions(included_fields=chosen, use_threads=False)
        opened = self._pa.ipc.open_file if self.one.kind == "arrow" else self._pa.ipc.open_stream
        return opened(self._pa.BufferReader(self._buffer), options=options)

    def _batches(self, groups: list[int], columns: list[str] | None) -> Iterator[Any]:
        with naming(self.one):
            reader = self._open(columns)
        if self.one.kind == "arrow":
            for group in groups:
                with naming(self.one, group):
                    yield reader.get_batch(group)
            return
        wanted = set(groups)
        for group in range(max(groups) + 1):
            with naming(self.one, group):
                batch = reader.read_next_batch()
            if group in wanted:
                yield batch

    def groups(self) -> list[int]:
        """Return the rows of each group; of a stream, by walking it."""
        narrow = min(self.schema.names, key=lambda name: _width(self.schema.field(name).type), default=None)
        columns = None if narrow is None else [narrow]
        with naming(self.one):
            reader = self._open(columns)
        if self.one.kind == "arrow":
            return [batch.num_rows for batch in self._batches(list(range(reader.num_record_batches)), columns)]
        rows: list[int] = []
        with suppress(StopIteration):
            while True:
                with naming(self.one, len(rows)):
                    rows.append(reader.read_next_batch().num_rows)
        return rows

    def row_bytes(self) -> float:
        """Return bytes a row takes in memory, by the first batch that holds any."""
        groups = self.groups()
        first = next((i for i, rows in enumerate(groups) if rows), None)
        if first is None:
            return 0.0
        batch = next(self._batches([first], None))
        return float(batch.nbytes / batch.num_rows)

    def pieces(self, groups: list[int], rows: int, columns: list[str]) -> Iterator[Any]:
        """Yield the rows of some groups as tables of at most that many rows."""
        for batch in self._batches(groups, columns):
            for begin in range(0, batch.num_rows, rows):
                yield self._pa.Table.from_batches([batch.slice(begin, rows)]).select(columns)
                self._forget()

    def _forget(self) -> None:
        """Pages of the mapping leave this process; what still refers to them reads them again."""
        self._map.madvise(mmap.MADV_DONTNEED)


def _width(kind: Any) -> int:
    try:
        return int(kind.bit_width)
    except ValueError:
        return 1 << 20


def opened(one: Input) -> Any:
    """Return a reader of the file, to be used in a ``with`` statement."""
    return ParquetRows(one) if one.kind == "parquet" else ArrowRows(one)
