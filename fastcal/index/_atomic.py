"""A file that appears complete or not at all."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def replacing(path: str) -> Iterator[io.BufferedWriter]:
    """Open a new file that takes the place of ``path`` when the body ends without an exception.

    The rename is atomic, the content is on the disk before it, and the folder's entry after it. A failed body leaves nothing
    behind; a process killed inside it leaves a file named ``.fastcal-*.tmp`` and the old ``path``.
    """
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".fastcal-{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
