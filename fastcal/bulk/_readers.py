"""Rows of a file, group by group: row groups of Parquet, record batches of Arrow IPC."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from fastcal._extras import require
from fastcal.bulk._inputs import Input
from fastcal.bulk._sizes import ParquetSizes, Size
from fastcal.errors import InvalidValueError

# Parquet pages are read through a buffer of this size, so that a column of a huge row group never is in memory as a whole.
BUFFER = 1 << 20
MEASURED = 1024
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"  # without it the end of a file is an end for a reader, too


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

    def sizes(self, at_most: float) -> list[Size]:
        """Return rows and bytes of each group, of those that have more bytes than that as they lie."""
        sizes, found = ParquetSizes(self._file, self._coded, at_most), list[Size]()
        for group in range(self._file.metadata.num_row_groups):
            with naming(self.one, group):
                found.append(sizes.of(group))
        return found

    def _coded(self, names: list[str], told: Any) -> Any:
        """Return the same file, read so that texts stay in their dictionaries."""
        parquet = require("pyarrow.parquet", "parquet")
        return parquet.ParquetFile(self.one.path, metadata=told, read_dictionary=names, buffer_size=BUFFER, pre_buffer=False)

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

    def _open(self, columns: list[str] | None = None, source: Any = None) -> Any:
        chosen = None if columns is None else sorted(self.schema.get_field_index(name) for name in columns)
        options = self._pa.ipc.IpcReadOptions(included_fields=chosen, use_threads=False)
        opened = self._pa.ipc.open_file if self.one.kind == "arrow" else self._pa.ipc.open_stream
        return opened(source or self._pa.BufferReader(self._buffer), options=options)

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

    def sizes(self, at_most: float) -> list[Size]:
        """Return rows and bytes of each group, of those that have more bytes than that as they lie."""
        source = self._pa.BufferReader(self._buffer)
        with naming(self.one):
            reader = self._open(source=source)
        if self.one.kind == "arrow":
            return [self._size(batch, at_most) for batch in self._batches(list(range(reader.num_record_batches)), None)]
        found, end = list[Size](), source.tell()
        with suppress(StopIteration):
            while True:
                with naming(self.one, len(found)):
                    found.append(self._size(reader.read_next_batch(), at_most))
                    end = source.tell()
        if self._map[end : end + len(END_OF_STREAM)] != END_OF_STREAM:
            raise InvalidValueError(f"{self.one.path} is cut short: the mark of its end is missing behind {len(found)} record batches")
        return found

    def _size(self, batch: Any, at_most: float) -> Size:
        parts = [] if batch.nbytes <= at_most else [batch.slice(begin, MEASURED).nbytes for begin in range(0, batch.num_rows, MEASURED)]
        size = Size(batch.num_rows, batch.nbytes, MEASURED * bool(parts), parts)
        self._forget()
        return size

    def pieces(self, groups: list[int], rows: int, columns: list[str]) -> Iterator[Any]:
        """Yield the rows of some groups as tables of at most that many rows."""
        for batch in self._batches(groups, columns):
            for begin in range(0, batch.num_rows, rows):
                yield self._pa.Table.from_batches([batch.slice(begin, rows)]).select(columns)
                self._forget()

    def _forget(self) -> None:
        """Pages of the mapping leave this process; what still refers to them reads them again."""
        self._map.madvise(mmap.MADV_DONTNEED)


def opened(one: Input) -> Any:
    """Return a reader of the file, to be used in a ``with`` statement."""
    return ParquetRows(one) if one.kind == "parquet" else ArrowRows(one)
