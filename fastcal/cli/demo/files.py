"""The output directory: checked before the work starts, written atomically."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fastcal._atomic import replacing
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
    with replacing(path) as file:
        file.write(content)
