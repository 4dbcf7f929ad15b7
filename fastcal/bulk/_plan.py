"""How the rows are cut: into chunks that depend on the input alone, never on memory, threads or what was done before.

Whole groups are taken together up to the size of a chunk; a larger group is cut into equal pieces, which have to be read one after
another. What has to be read in one go is a stream: one chunk of small groups, or all pieces of a large one.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fastcal._extras import require
from fastcal.bulk._inputs import Columns, Input
from fastcal.bulk._readers import opened

# Rows and bytes of a chunk in memory, whichever is less. A bucket of the top rows should come to BUCKET_BYTES.
CHUNK_ROWS, CHUNK_BYTES = 1 << 20, 32 << 20
BUCKET_BYTES, MOST_BUCKETS = 32 << 20, 4096


@dataclass(frozen=True)
class Stream:
    """Groups that are read in one go into tables of ``piece`` rows, which are the chunks ``first``, ``first + 1``, ... of ``rows``."""

    first: int
    groups: tuple[tuple[int, int], ...]
    piece: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """The input and its chunks. ``row_bytes`` is the widest row's estimate; ``held`` what a reader has to keep of the largest group."""

    inputs: list[Input]
    columns: Columns
    streams: list[Stream]
    rows: int
    row_bytes: float
    held: int

    @property
    def n_chunks(self) -> int:
        """Number of chunks."""
        return sum(len(stream.rows) for stream in self.streams)

    @property
    def n_buckets(self) -> int:
        """Return into how many parts queries are sorted, by their hash, where all rows of a query have to meet."""
        return max(1, min(MOST_BUCKETS, -int(-self.rows * self.row_bytes // BUCKET_BYTES)))

    @property
    def bucket_bytes(self) -> int:
        """Return how many bytes of a bucket are brought together at once."""
        return 4 * BUCKET_BYTES

    @property
    def chunk_bytes(self) -> int:
        """Return the bytes of the largest chunk in memory."""
        return int(max((max(stream.rows) for stream in self.streams if stream.rows), default=0) * self.row_bytes) + self.held

    def where(self, stream: Stream) -> str:
        """Say where the rows of a stream are."""
        (file, group), (last, end) = stream.groups[0], stream.groups[-1]
        if file != last:
            return f"{self.inputs[file].path} to {self.inputs[last].path}"
        return f"{self.inputs[file].path}: {self.inputs[file].noun} {group}" + (f" to {end}" if end > group else "")

    def tables(self, stream: Stream, names: list[str] | None, done: set[int]) -> Iterator[tuple[Stream, int, Any]]:
        """Yield the chunks of a stream that are not done, each with the stream and its number."""
        stored = self.columns.stored(names)
        if len(stream.rows) > 1:
            yield from self._cut(stream, names, stored, done)
        elif stream.first not in done:
            yield stream, stream.first, self._together(stream, names, stored)

    def _cut(self, stream: Stream, names: list[str] | None, stored: list[str], done: set[int]) -> Iterator[tuple[Stream, int, Any]]:
        chunks = range(stream.first, stream.first + len(stream.rows))
        if done.issuperset(chunks):
            return
        ((file, group),) = stream.groups
        with opened(self.inputs[file]) as reader:
            for chunk, table in zip(chunks, reader.pieces([group], stream.piece, stored), strict=True):
                if chunk not in done:
                    yield stream, chunk, self.columns.completed(self.inputs[file], table, names)

    def _together(self, stream: Stream, names: list[str] | None, stored: list[str]) -> Any:
        tables = []
        for file, found in groupby(stream.groups, lambda pair: pair[0]):
            one = self.inputs[file]
            with opened(one) as reader:
                tables += [self.columns.completed(one, t, names) for t in reader.pieces([group for _, group in found], stream.piece, stored)]
        return require("pyarrow", "parquet").concat_tables(tables)


def planned(inputs: list[Input]) -> Plan:
    """Look at every file once."""
    with opened(inputs[0]) as reader:
        columns = Columns(inputs, reader.schema)

    def look(one: Input) -> tuple[list[int], float]:
        with opened(one) as reader:
            columns.check(one.path, reader.schema)
            return reader.groups(), reader.row_bytes()

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(look, inputs))
    extra = 8 * len(inputs[0].partitions)
    row_bytes = max(1.0, extra + max(width for _, width in seen))
    groups = [(file, group, rows) for file, (found, _) in enumerate(seen) for group, rows in enumerate(found) if rows]
    total = sum(rows for _, _, rows in groups)
    at_most = max(1, min(CHUNK_ROWS, int(CHUNK_BYTES / row_bytes)))
    whole = max((rows for file, _, rows in groups if inputs[file].kind != "parquet"), default=0)
    return Plan(inputs, columns, list(_streams(groups, at_most)), total, row_bytes, int(whole * row_bytes) if whole > at_most else 0)


def _streams(groups: list[tuple[int, int, int]], at_most: int) -> Iterator[Stream]:
    first, rows = 0, 0
    together: list[tuple[int, int]] = []
    for file, group, n in [*groups, (-1, -1, at_most + 1)]:
        if together and rows + n > at_most:
            yield Stream(first, tuple(together), at_most, (rows,))
            first, together, rows = first + 1, [], 0
        if n <= at_most:
            together.append((file, group))
            rows += n
        elif file >= 0:
            piece = -(-n // -(-n // at_most))
            cuts = tuple(min(piece, n - begin) for begin in range(0, n, piece))
            yield Stream(first, ((file, group),), piece, cuts)
            first += len(cuts)
