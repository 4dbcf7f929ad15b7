"""Tables on the disk for a while, cut by the hash of the query, so that all rows of a query can be brought together."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._extras import require
from fastcal.bulk._columns import keys_of_arrow
from fastcal.bulk._keys import Keys


def buckets_of(queries: Any, n: int) -> npt.NDArray[np.uint16]:
    """Return the bucket of each query of a ChunkedArray: a function of its value, whatever its type is wide."""
    return buckets_of_keys(keys_of_arrow(queries, "query"), n)


def buckets_of_keys(keys: Keys, n: int) -> npt.NDArray[np.uint16]:
    """Return the bucket of each key, as of the ids it stands for."""
    return _bucket(keys.ids().astype(np.uint64) if keys.offsets is None else _text_hashes(keys.values, keys.offsets), n)


def by_bucket(keys: Keys, n: int) -> tuple[Array, Array, Array]:
    """Return keys in the order of their buckets, the bucket of each key, and where in that order the buckets begin and the last one ends."""
    buckets = buckets_of_keys(keys, n)
    return np.argsort(buckets, kind="stable"), buckets, np.concatenate([[0], np.cumsum(np.bincount(buckets, minlength=n))])


def _bucket(keys: npt.NDArray[np.uint64], n: int) -> npt.NDArray[np.uint16]:
    """Mix as SplitMix64 does, then take the upper 32 bits times n over 2**32."""
    mixed = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (((mixed >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32)).astype(np.uint16)


def _text_hashes(data: Array, offsets: Array) -> npt.NDArray[np.uint64]:
    """Take in every byte of each text, and its length: all texts eight bytes further at a time, as xor, multiplication and shift."""
    first, end = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    padded = np.concatenate([data[first:end], np.zeros(8, np.uint8)])
    words = np.ndarray(len(padded) - 7, "<u8", padded.data, strides=(1,))  # the one that begins at each byte
    at, left = offsets[:-1].astype(np.int64) - first, np.diff(offsets).astype(np.int64)
    hashes = left.astype(np.uint64) ^ np.uint64(0xCBF29CE484222325)
    longer = np.flatnonzero(left)
    while len(longer):
        begin = at[longer]
        unused = (8 * np.maximum(8 - left[longer], 0)).astype(np.uint64)
        mixed = (hashes[longer] ^ (words[begin] << unused)) * np.uint64(0x9E3779B97F4A7C15)
        hashes[longer] = mixed ^ (mixed >> np.uint64(29))
        at[longer], left[longer] = begin + 8, left[longer] - 8
        longer = longer[left[longer] > 0]
    return hashes


def cut(table: Any, query: str, n: int) -> list[Any]:
    """Return the content of a spill file: an Arrow stream for each bucket, then where each of them begins and the last one ends."""
    order, edges = None, np.array([0, table.num_rows])
    if n > 1:
        buckets = buckets_of(table.column(query), n)
        order, edges = np.argsort(buckets, kind="stable"), np.searchsorted(np.sort(buckets), np.arange(n + 1))
    pieces = [_streamed(table if order is None else table.take(order[begin:end])) for begin, end in pairwise(edges)]
    offsets = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64)
    return [*pieces, offsets.tobytes()]


def _streamed(table: Any) -> Any:
    """An Arrow stream of a table; nothing for no rows."""
    if not table.num_rows:
        return b""
    pa = require("pyarrow", "parquet")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())


class Spilled:
    """Spill files of one pass; ``bytes`` is what each bucket takes in all of them."""

    def __init__(self, paths: list[Path], n: int) -> None:
        self._paths, self._n = paths, n
        self.bytes = np.zeros(n, np.int64)
        for path in paths:
            with path.open("rb") as file:
                self.bytes += np.diff(self._offsets(file.fileno()))

    def _offsets(self, file: int) -> npt.NDArray[np.int64]:
        size = 8 * (self._n + 1)
        return np.frombuffer(os.pread(file, size, os.fstat(file).st_size - size), np.int64)

    def tables(self, bucket: int) -> Any:
        """Yield the rows of a bucket, file by file."""
        pa = require("pyarrow", "parquet")
        for path in self._paths:
            with path.open("rb") as file:
                begin, end = (int(edge) for edge in self._offsets(file.fileno())[bucket : bucket + 2])
                if end > begin:
                    yield pa.ipc.open_stream(pa.py_buffer(os.pread(file.fileno(), end - begin, begin))).read_all()
