"""The output directory: checked before the work starts, written atomically."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fastcal.errors import InvalidValueError


def prepare(folder: Path) -> None:
    """Create the directory and make sure that files can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InvalidValueError(f"--out {folder}: cannot be written ({error.strerror})") from error


def write(path: Path, content: bytes) -> None:
    """Write a file completely or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
