"""Digests of rows of bytes: csrc/kernels/digest.inl.h once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_lanes import kernel
from fastcal._backend._numba_pool import ranges, run

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_KEY, _C1, _C2 = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D)
_S1, _S2, _HIGH = np.uint32(15), np.uint32(13), np.uint64(32)
_CHUNK_BYTES = 1 << 20


@kernel
def _digest_words(words: Array, out: Array) -> None:
    for row in range(words.shape[0]):
        first, second, key = np.uint32(0), np.uint32(0), np.uint32(0)
        for i in range(words.shape[1]):
            key = np.uint32(key + _KEY)
            v = np.uint32(np.uint32(words[row, i] + key) * _C1)
            v = np.uint32(v ^ np.uint32(v >> _S1))
            first = np.uint32(first + v)
            v = np.uint32(v * _C2)
            v = np.uint32(v ^ np.uint32(v >> _S2))
            second = np.uint32(second + v)
        out[row] = np.uint64(first) | (np.uint64(second) << _HIGH)


def digests(rows: Array, out: Array, num_threads: int) -> None:
    """See :meth:`fastcal._backend.protocol.Backend.digests`."""
    width = rows.shape[1] * rows.itemsize

    def work(_slot: int, chunk: tuple[int, int]) -> None:
        start, stop = chunk
        words = np.zeros((stop - start, -(-width // 4)), dtype=np.uint32)
        words.view(np.uint8)[:, :width] = np.ascontiguousarray(rows[start:stop]).view(np.uint8)
        found = np.empty(stop - start, dtype=np.uint64)
        _digest_words(words, found)
        out[start:stop] = found

    if width:
        run(work, ranges(len(rows), max(1, _CHUNK_BYTES // width)), num_threads)
    else:
        out[:] = 0
