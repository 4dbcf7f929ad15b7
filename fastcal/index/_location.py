"""Rows that lie in a file: where they are, and how to find them again."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastcal._backend.protocol import Array


@dataclass(frozen=True, slots=True)
class Location:
    """Rows of a memory-mapped file; all numbers are bytes but ``shape``."""

    path: Path
    offset: int  # of the first element of row 0
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def to_dict(self, folder: Path) -> dict[str, Any]:
        """Plain values; the file is also named as seen from ``folder``, so that both may move together."""
        return {**asdict(self), "path": str(self.path), "beside": os.path.relpath(self.path, folder)}


def of(rows: Array) -> Location | None:
    """Where rows lie, if they are a view of an ``np.memmap`` of a named file; a private copy-on-write map (mode "c") is none."""
    holders = list(_holders(rows))
    mapped = [holder for holder in holders if isinstance(holder, np.memmap)]
    memory = [holder for holder in holders if isinstance(holder, mmap.mmap)]
    if not mapped or not memory or not isinstance(mapped[-1].filename, str | os.PathLike):
        return None
    if mapped[-1].mode == "c":
        return None
    start = mapped[-1].offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
    offset = start + _address(rows) - _address(np.frombuffer(memory[0], np.uint8))
    return Location(Path(mapped[-1].filename), offset, rows.dtype.name, rows.shape, rows.strides)


def map_again(rows: Array) -> Array | None:
    """Map the same bytes of the same file once more, so that advice about how they are read is ours to give; None if that cannot be had."""
    location = of(rows)
    if location is None or not rows.size:
        return None
    try:
        again = reopen(location.to_dict(location.path.parent), location.path.parent)
    except (OSError, ValueError):
        return None
    file = _mapped_file(rows)
    return again if file is not None and file == _mapped_file(again) else None


def reopen(location: dict[str, Any], folder: Path) -> Array:
    """Map the rows again; OSError or ValueError if the file is gone or too short."""
    candidates = [Path(location["path"]), folder / location["beside"]]
    path = next((candidate for candidate in candidates if candidate.is_file()), candidates[0])
    memory = np.memmap(path, np.uint8, "r")
    shape, strides = tuple(location["shape"]), tuple(location["strides"])
    extent = sum(max(0, (n - 1) * stride) for n, stride in zip(shape, strides, strict=True)) + np.dtype(location["dtype"]).itemsize
    if location["offset"] + extent > memory.size:
        raise ValueError(f"it has {memory.size} bytes, where {location['offset'] + extent} are needed")
    rows: Array = np.ndarray(shape, location["dtype"], memory, location["offset"], strides)
    return rows


def read_here_and_there(rows: Array) -> None:
    """Tell the system that mapped rows are read in no order, so that it does not read ahead."""
    memory = next((holder for holder in _holders(rows) if isinstance(holder, mmap.mmap)), None)
    if memory is None or not rows.size or not hasattr(mmap, "MADV_RANDOM"):
        return
    ends = [_address(rows[i]) - _address(np.frombuffer(memory, np.uint8)) for i in (0, -1)]
    begin = min(ends) // mmap.PAGESIZE * mmap.PAGESIZE
    memory.madvise(mmap.MADV_RANDOM, begin, max(ends) + rows.shape[1] * rows.itemsize - begin)


def _mapped_file(rows: Array) -> tuple[str, str] | None:
    """Device and inode of the file behind the first row, as Linux lists them; a path may name another file by now."""
    address = _address(rows)
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    for line in maps.splitlines():
        span, _, _, device, inode = line.split(maxsplit=5)[:5]
        begin, end = (int(bound, 16) for bound in span.split("-"))
        if begin <= address < end:
            return device, inode
    return None


def _holders(array: Any) -> Iterator[Any]:
    """The array, whoever holds its memory, and so on."""
    while array is not None:
        yield array
        array = getattr(array, "obj", None) if isinstance(array, memoryview) else getattr(array, "base", None)


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
