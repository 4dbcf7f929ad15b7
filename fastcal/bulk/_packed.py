"""Arrays on the disk for a while, cut into the same number of segments, so that any run of segments is read back by itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastcal._backend.protocol import Array


def packed(columns: Sequence[tuple[Array, Array]]) -> list[Any]:
    """Return the content of a file: the arrays one after the other, then the bytes at which their segments begin and the last one ends.

    Each comes with the rows at which its segments begin and the last one ends.
    """
    pieces, edges, size = list[Any](), list[Array](), 0
    for array, cuts in columns:
        whole = np.ascontiguousarray(array)
        row = whole.dtype.itemsize * int(np.prod(whole.shape[1:], dtype=np.int64))
        edges.append(size + row * np.asarray(cuts, np.int64))
        pieces.append(whole.view(np.uint8).reshape(-1).data)
        size += whole.nbytes
    return [*pieces, np.stack(edges, axis=1).tobytes()]


def unpacked(path: Path, n: int, cuts: Sequence[int], kinds: Sequence[Any], only: slice = slice(None)) -> list[Array]:
    """Return the arrays, or some of them, from segment ``cuts[0]`` to ``cuts[1]`` of `n`, flat; `kinds` are the dtypes of all."""
    with path.open("rb") as file:
        row, start = 8 * len(kinds), os.fstat(file.fileno()).st_size - 8 * len(kinds) * (n + 1)
        begins, ends = (np.frombuffer(os.pread(file.fileno(), row, start + row * at), np.int64).tolist() for at in cuts)
        wanted = list(zip(begins, ends, kinds, strict=True))[only]
        return [np.frombuffer(_read(file.fileno(), begin, end), kind) for begin, end, kind in wanted]


def _read(file: int, begin: int, end: int) -> bytes:
    """Read that much, also where the system gives less than 2 GiB at a time."""
    parts = list[bytes]()
    while begin < end:
        parts.append(os.pread(file, end - begin, begin))
        if not parts[-1]:
            raise EOFError(f"a file ends before byte {end}")
        begin += len(parts[-1])
    return parts[0] if len(parts) == 1 else b"".join(parts)
