"""The bytes of an index file: header, data in chunks that each have a digest, and the table of those digests.

Every byte is covered by a digest: length field and header by one that stands in the header (which is digested with zeros in
its place), the table by one in the header, the rest by the table.
"""

from __future__ import annotations

import mmap as memory_map
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal.errors import IndexCorruptError, InvalidValueError, damaged_bytes
from fastcal.index import _safetensors as safetensors

CHUNK = 1 << 16
TABLE = "chunk_digests"
FORMAT = "fastcal.index"
VERSION = 2
_MARK = b'"header_digest":"'
_BLANK = "0" * 16
_BUFFER = 64 * CHUNK

Bytes = npt.NDArray[np.uint8]


def digest_of(data: bytes | bytearray | Bytes) -> str:
    """Digest of one run of bytes, as 16 hexadecimal digits."""
    found = np.empty(1, np.uint64)
    _backend.active().digests(np.frombuffer(data, np.uint8)[np.newaxis], found, num_threads=1)
    return f"{int(found[0]):016x}"


def chunk_digests(data: Bytes, num_threads: int) -> npt.NDArray[np.uint64]:
    """One digest a chunk; the last chunk may be shorter."""
    whole, rest = divmod(len(data), CHUNK)
    found = np.empty(whole + (rest > 0), np.uint64)
    _backend.active().digests(data[: whole * CHUNK].reshape(whole, CHUNK), found[:whole], num_threads=num_threads)
    if rest:
        _backend.active().digests(data[np.newaxis, whole * CHUNK :], found[whole:], num_threads=1)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An index file in memory, or mapped."""

    path: Path
    origin: int  # where the data starts in the file
    data: Bytes  # what the table covers
    table: npt.NDArray[np.uint64]
    tensors: safetensors.Tensors
    metadata: dict[str, str]

    def check(self, begin: int, end: int, num_threads: int) -> None:
        """Raise IndexCorruptError unless every chunk that bytes ``begin`` to ``end`` of the data touch is intact."""
        first, last = begin // CHUNK, -(-end // CHUNK)
        found = chunk_digests(self.data[first * CHUNK : last * CHUNK], num_threads)
        bad = np.flatnonzero(found != self.table[first:last])
        if bad.size:
            at = (first + int(bad[0])) * CHUNK
            raise damaged_bytes(self.path, self.origin + at, self.origin + min(at + CHUNK, len(self.data)))

    def check_all(self, num_threads: int) -> None:
        """Raise IndexCorruptError unless all of the data is intact."""
        self.check(0, len(self.data), num_threads)

    def view(self, name: str) -> npt.NDArray[Any]:
        """One tensor."""
        return self.tensors[name].of(self.data)


def open_image(path: Path, *, mapped: bool) -> Image:
    """Open a file that :func:`write_image` wrote; its header and table are checked, its data is not."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = _read_head(file, size, path)
        tensors, metadata = _understand(head, size, path)
        whole = np.asarray(np.memmap(file, np.uint8, "r")) if mapped else _read_all(file, size, path)
    origin, covered = len(head), tensors[TABLE].begin
    table = tensors[TABLE].of(whole[origin:])
    if digest_of(table.view(np.uint8)) != metadata["table_digest"] or len(table) != -(-covered // CHUNK):
        raise damaged_bytes(path, origin + covered, size)
    return Image(path, origin, whole[origin : origin + covered], table, tensors, metadata)


def _read_head(file: BinaryIO, size: int, path: Path) -> bytes:
    start = file.read(safetensors.LENGTH_BYTES)
    try:
        head = start + file.read(safetensors.header_size(start, size) - len(start))
    except ValueError as error:
        raise IndexCorruptError(f"{path} is not an index saved by fastcal, or it was cut short: {error}") from None
    at = head.find(_MARK) + len(_MARK)
    if at < len(_MARK):
        raise IndexCorruptError(f"{path} is not an index saved by fastcal (or the start of its header is damaged)")
    blank = head[:at] + _BLANK.encode() + head[at + len(_BLANK) :]
    if digest_of(blank).encode() != head[at : at + len(_BLANK)]:
        raise damaged_bytes(path, 0, len(head))
    return head


def _understand(head: bytes, size: int, path: Path) -> tuple[safetensors.Tensors, dict[str, str]]:
    """The header is what was written; the file behind it may be longer or shorter, or of another version."""
    try:
        tensors, metadata = safetensors.parse(head, size)
    except ValueError as error:
        raise IndexCorruptError(f"{path} is damaged or was cut short: {error}") from None
    if metadata.get("format") != FORMAT:
        raise IndexCorruptError(f"{path} is not an index saved by fastcal")
    if metadata.get("version") != str(VERSION):
        raise InvalidValueError(
            f"{path} has format version {metadata.get('version')}, this fastcal reads version {VERSION}; load it with the fastcal that saved it"
        )
    return tensors, metadata


def _read_all(file: BinaryIO, size: int, path: Path) -> Bytes:
    """Page-aligned memory, in huge pages where the system has them."""
    memory = memory_map.mmap(-1, size)
    if hasattr(memory_map, "MADV_HUGEPAGE"):
        memory.madvise(memory_map.MADV_HUGEPAGE)
    whole = np.frombuffer(memory, np.uint8)
    file.seek(0)
    done = 0
    while done < size:
        got = file.readinto(whole.data[done:])  # type: ignore[attr-defined]
        if not got:
            raise IndexCorruptError(f"{path} was cut short while it was read")
        done += got
    whole.flags.writeable = False
    return whole


class _Writer:
    """Digests chunks on their way into a file."""

    def __init__(self, file: BinaryIO, num_threads: int) -> None:
        self._file, self._num_threads = file, num_threads
        self._buffer, self._filled = np.empty(_BUFFER, np.uint8), 0
        self._digests: list[npt.NDArray[np.uint64]] = []

    def write(self, data: Bytes) -> None:
        while data.size:
            part = data[: _BUFFER - self._filled]
            self._buffer[self._filled : self._filled + part.size] = part
            self._filled += part.size
            data = data[part.size :]
            if self._filled == _BUFFER:
                self.flush()

    def flush(self) -> None:
        ready = self._buffer[: self._filled]
        self._digests.append(chunk_digests(ready, self._num_threads))
        self._file.write(ready.data)
        self._filled = 0

    def table(self) -> npt.NDArray[np.uint64]:
        self.flush()
        return np.concatenate(self._digests)


def write_image(file: BinaryIO, arrays: dict[str, npt.NDArray[Any]], metadata: dict[str, str], num_threads: int) -> None:
    """Write named arrays of one or two dimensions, whose rows may be strided, as an index file."""
    shapes = [(name, array.dtype, array.shape) for name, array in arrays.items()]
    covered = max((tensor.end for tensor in safetensors.plan(shapes).values()), default=0)
    covered = -(-covered // safetensors.ALIGNMENT) * safetensors.ALIGNMENT
    tensors = safetensors.plan([*shapes, (TABLE, np.dtype(np.uint64), (-(-covered // CHUNK),))])
    metadata = {"format": FORMAT, "version": str(VERSION), "header_digest": _BLANK, "table_digest": _BLANK, **metadata}
    file.write(safetensors.header(tensors, metadata))
    writer = _Writer(file, num_threads)
    for name, tensor in tensors.items():
        if name in arrays:
            _each_piece(arrays[name], writer.write)
        elif name != TABLE:
            writer.write(np.zeros(tensor.end - tensor.begin, np.uint8))
    table = writer.table()
    file.write(table.tobytes())
    metadata["table_digest"] = digest_of(table.view(np.uint8))
    head = safetensors.header(tensors, metadata)
    metadata["header_digest"] = digest_of(head)
    file.seek(0)
    file.write(safetensors.header(tensors, metadata))


def _each_piece(array: npt.NDArray[Any], write: Callable[[Bytes], None]) -> None:
    """Call ``write`` with the bytes of the array in C order; strided rows are gathered a few at a time."""
    if array.flags.c_contiguous:
        write(array.reshape(-1).view(np.uint8))
        return
    step = max(1, _BUFFER // (array.shape[1] * array.itemsize))
    for start in range(0, len(array), step):
        write(np.ascontiguousarray(array[start : start + step]).reshape(-1).view(np.uint8))
