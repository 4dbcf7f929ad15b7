"""Whether the files of a finished run are still what its manifest says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcal._extras import require
from fastcal.errors import InvalidValueError


def check(target: Path, manifest: Mapping[str, Any]) -> None:
    """Raise where a part is not there, has another size, or has a footer that cannot be read or tells of another number of rows."""
    for part in manifest["files"]:
        if wrong := _wrong(target / part["name"], part):
            raise InvalidValueError(f"{target / part['name']} {wrong}: the result is damaged; remove {target} and run again")


def _wrong(path: Path, part: Mapping[str, Any]) -> str:
    if not path.is_file():
        return "is not there"
    if (size := path.stat().st_size) != part["bytes"]:
        return f"has {size:,} bytes, and {part['bytes']:,} in the manifest"
    try:
        with path.open("rb") as file:
            rows = require("pyarrow.parquet", "parquet").read_metadata(file).num_rows
    except (require("pyarrow", "parquet").ArrowException, OSError) as error:
        return f"cannot be read ({' '.join(str(error).split())})"
    return "" if rows == part["kept"] else f"has {rows:,} rows, and {part['kept']:,} in the manifest"
