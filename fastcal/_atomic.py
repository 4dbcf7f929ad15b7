"""A file that appears complete or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``path`` when the body ends without an exception.

    The rename is atomic, the content is on the disk before it, and the folder's entry after it. A failed body leaves nothing
    behind; a process killed inside it leaves a file named ``.fastcal-*.tmp`` and the old ``path``. The new file has the
    permissions of the old one. A link stays, and what it leads to is replaced. A pipe or a device is no file to be replaced: it is
    written to as it is. OSErrors name ``path``.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with _as_it_is(path) as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    with appearing(path, target) as file:
        if target.exists():
            os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
        yield file
        file.flush()
        os.fsync(file.fileno())
    with suppress(PermissionError):  # a folder that may be written but not read cannot be flushed
        sync_folder(target.parent)


@contextmanager
def _as_it_is(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("wb") as file:
            yield file
    except BrokenPipeError:  # a reader who has gone is no trouble of the file's
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def appearing(path: Path, target: Path) -> Iterator[BinaryIO]:
    """Open a new file that becomes ``target`` when the body ends without an exception, atomically; OSErrors name ``path``.

    Nothing is put on the disk but by the system in its time.
    """
    temporary = target.parent / f".fastcal-{os.urandom(8).hex()}.tmp"  # another process may be at the same file
    try:
        with temporary.open("xb") as file:
            yield file
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Put the entries of a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
