"""How the rows are cut: into chunks that depend on the input alone, never on memory, threads or what was done before.

Whole groups are taken together up to the size of a chunk; a larger group is cut into pieces, equal in rows or, where rows differ in
width, not above the bytes of a chunk, which have to be read one after another. What has to be read in one go is a stream: one chunk of
small groups, or all pieces of a large one.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice, pairwise
from math import gcd
from typing import Any

import numpy as np

from fastcal._extras import require
from fastcal.bulk._inputs import Columns, Input
from fastcal.bulk._readers import opened
from fastcal.bulk._sizes import Size

# Rows and bytes of a chunk in memory, whichever is less. A bucket of the top rows should come to BUCKET_BYTES.
CHUNK_ROWS, CHUNK_BYTES = 1 << 20, 10 << 20
BUCKET_BYTES, MOST_BUCKETS = 32 << 20, 4096
# Writers look at the size of a Parquet page after so many rows; a reader holds a page as it is stored and as it was.
PAGE_ROWS, PAGES_HELD = 1024, 2
ADDED_BYTES = 5  # of a row: its probability and decision


@dataclass(frozen=True)
class Stream:
    """Groups that are read in one go, as the chunks ``first``, ``first + 1``, ... of ``rows``; the largest of them takes ``bytes``."""

    first: int
    groups: tuple[tuple[int, int], ...]
    rows: tuple[int, ...]
    bytes: float


@dataclass(frozen=True)
class Plan:
    """The input and its chunks. ``row_bytes`` is the mean of the widest group; ``held`` what a reader has to keep of the largest group."""

    inputs: list[Input]
    columns: Columns
    streams: list[Stream]
    rows: int
    bytes: float
    row_bytes: float
    held: int

    @property
    def n_chunks(self) -> int:
        """Number of chunks."""
        return sum(len(stream.rows) for stream in self.streams)

    @property
    def n_buckets(self) -> int:
        """Return into how many parts queries are sorted, by their hash, where all rows of a query have to meet."""
        return max(1, min(MOST_BUCKETS, -int(-(self.bytes + ADDED_BYTES * self.rows) // BUCKET_BYTES)))

    @property
    def bucket_bytes(self) -> int:
        """Return how many bytes of a bucket are brought together at once, where memory allows."""
        return 4 * BUCKET_BYTES

    @property
    def chunk_rows(self) -> int:
        """Return the rows of the largest chunk."""
        return max((rows for stream in self.streams for rows in stream.rows), default=0)

    @property
    def chunk_bytes(self) -> int:
        """Return the bytes of the largest chunk in memory."""
        return int(max((stream.bytes for stream in self.streams), default=0)) + self.held

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
            for chunk, table in zip(chunks, _recut(reader, group, stream.rows, stored), strict=True):
                if chunk not in done:
                    yield stream, chunk, self.columns.completed(self.inputs[file], table, names)

    def _together(self, stream: Stream, names: list[str] | None, stored: list[str]) -> Any:
        tables = []
        for file, found in groupby(stream.groups, lambda pair: pair[0]):
            one = self.inputs[file]
            with opened(one) as reader:
                tables += [self.columns.completed(one, t, names) for t in reader.pieces([group for _, group in found], stream.rows[0], stored)]
        return require("pyarrow", "parquet").concat_tables(tables)


def _recut(reader: Any, group: int, cuts: tuple[int, ...], stored: list[str]) -> Iterator[Any]:
    """Yield the rows of a group as tables of so many rows."""
    step = gcd(*cuts[:-1])
    pieces = reader.pieces([group], step, stored)
    for rows in cuts:
        taken = list(islice(pieces, -(-rows // step)))
        yield taken[0] if len(taken) == 1 else require("pyarrow", "parquet").concat_tables(taken)


def planned(inputs: list[Input]) -> Plan:
    """Look at every file once."""
    with opened(inputs[0]) as reader:
        columns = Columns(inputs, reader.schema)

    def look(one: Input) -> list[Size]:
        with opened(one) as reader:
            columns.check(one.path, reader.schema)
            return list(reader.sizes(CHUNK_BYTES))

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(look, inputs))
    extra = [sum(max(8, len(value.encode()) + 4) for value in one.partitions.values()) for one in inputs]
    groups = [(file, group, _widened(size, extra[file])) for file, found in enumerate(seen) for group, size in enumerate(found) if size.rows]
    rows, size = sum(size.rows for _, _, size in groups), sum(size.bytes for _, _, size in groups)
    row_bytes = max((size.bytes / size.rows for _, _, size in groups), default=1.0)
    whole = max((size.bytes for file, _, size in groups if inputs[file].kind != "parquet" and size.bytes > CHUNK_BYTES), default=0)
    pages = max((min(size.bytes, PAGES_HELD * _page(size)) for _, _, size in groups), default=0)
    return Plan(inputs, columns, list(_streams(groups)), rows, size, row_bytes, int(max(whole, pages)))


def _page(size: Size) -> float:
    """Return the bytes of the widest rows that may be in one page."""
    if not size.parts:
        return PAGE_ROWS * size.bytes / size.rows
    together = -(-PAGE_ROWS // size.granule)
    ends = np.cumsum([*size.parts, *[0.0] * together])
    return float((ends[together:] - ends[:-together]).max())


def _widened(size: Size, extra: int) -> Size:
    """Every row takes that much more."""
    parts = [part + extra * size.granule for part in size.parts]
    return Size(size.rows, size.bytes + extra * size.rows, size.granule, parts)


def _streams(groups: list[tuple[int, int, Size]]) -> Iterator[Stream]:
    first, rows, taken = 0, 0, 0.0
    together: list[tuple[int, int]] = []
    for file, group, size in [*groups, (-1, -1, Size(CHUNK_ROWS + 1, 0.0))]:
        if together and (rows + size.rows > CHUNK_ROWS or taken + size.bytes > CHUNK_BYTES):
            yield Stream(first, tuple(together), (rows,), taken)
            first, together, rows, taken = first + 1, [], 0, 0.0
        if size.rows <= CHUNK_ROWS and size.bytes <= CHUNK_BYTES:
            together.append((file, group))
            rows, taken = rows + size.rows, taken + size.bytes
        elif file >= 0:
            cuts, largest = _cuts(size)
            yield Stream(first, ((file, group),), cuts, largest)
            first += len(cuts)


def _cuts(size: Size) -> tuple[tuple[int, ...], float]:
    """Return the rows of each piece of a group, and the bytes of the largest one."""
    if not size.parts:
        piece = -(-size.rows // max(-(-size.rows // CHUNK_ROWS), -int(-size.bytes // CHUNK_BYTES)))
        return tuple(min(piece, size.rows - begin) for begin in range(0, size.rows, piece)), size.bytes * piece / size.rows
    cuts, taken, largest, most = [0], 0.0, 0.0, max(1, CHUNK_ROWS // size.granule)
    for at, part in enumerate(size.parts):
        if at > cuts[-1] and (taken + part > CHUNK_BYTES or at - cuts[-1] >= most):
            cuts.append(at)
            taken = 0.0
        taken += part
        largest = max(largest, taken)
    edges = [*(cut * size.granule for cut in cuts), size.rows]
    return tuple(end - begin for begin, end in pairwise(edges)), largest
