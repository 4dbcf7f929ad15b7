"""Text files as blocks of bytes, gzipped if their name ends in ``.gz``: read ahead by one thread, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fastcal._atomic import replacing
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from concurrent.futures import Executor

_BLOCK = 1 << 22  # bytes
_BUFFERS = 3  # one is read into while two are looked at


def blocks(path: Path | BinaryIO) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the bytes of a file, or of an open one from where it is; a block stays as it is until the second one after it is asked for."""
    from concurrent.futures import ThreadPoolExecutor
    from gzip import BadGzipFile
    from zlib import error as ZlibError  # noqa: N812

    buffers = [np.empty(_BLOCK, np.uint8) for _ in range(_BUFFERS)]
    try:
        with _open(path) as file:
            if isinstance(path, Path) and path.is_file() and path.stat().st_size > _BLOCK // 8:
                with ThreadPoolExecutor(1) as ahead:
                    yield from _read_ahead(file, buffers, ahead)
                return
            turn = 0
            while n := file.readinto(buffers[turn]):  # in this thread: whoever waits for a pipe can be interrupted
                yield buffers[turn][:n]
                turn = (turn + 1) % _BUFFERS
    except (EOFError, BadGzipFile, ZlibError) as error:
        raise InvalidValueError(f"{name_of(path)} is not a sound gzip file: {error}") from error


def name_of(path: Path | BinaryIO) -> str:
    """Return what messages call a file."""
    return str(path if isinstance(path, Path) else getattr(path, "name", "the file"))


def write(path: Path | BinaryIO, texts: Iterable[bytes]) -> None:
    """Write a file that appears complete or not at all; an open file, a pipe and a terminal are written to as they are."""
    if not isinstance(path, Path):
        path.writelines(texts)
        return
    with replacing(path) as file:
        _write(path, file, texts)


def _read_ahead(file: Any, buffers: list[npt.NDArray[np.uint8]], ahead: Executor) -> Iterator[npt.NDArray[np.uint8]]:
    turn, coming = 0, ahead.submit(file.readinto, buffers[0])
    while n := coming.result():
        read, turn = buffers[turn][:n], (turn + 1) % len(buffers)
        coming = ahead.submit(file.readinto, buffers[turn])
        yield read


def _open(path: Path | BinaryIO) -> Any:
    if not isinstance(path, Path):
        return nullcontext(path)
    if path.suffix.lower() != ".gz":
        return path.open("rb", buffering=0)
    import gzip

    return gzip.open(path, "rb")


def _write(path: Path, file: Any, texts: Iterable[bytes]) -> None:
    if path.suffix.lower() != ".gz":
        file.writelines(texts)
        return
    import gzip

    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=6) as packed:
        for text in texts:
            packed.write(text)
