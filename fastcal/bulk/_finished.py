"""Whether the files of a finished run are still what its manifest says, and those of an unfinished one what its journal says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastcal._extras import require
from fastcal.errors import InvalidValueError
from fastcal.index._image import digest_of


def check(target: Path, manifest: Mapping[str, Any]) -> None:
    """Raise where a part is not there, has another size or another digest, or a footer that cannot be read or tells of another number of rows."""
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
    if rows != part["kept"]:
        return f"has {rows:,} rows, and {part['kept']:,} in the manifest"
    return "" if unchanged(path, part) else "has changed since it was written"


def unchanged(path: Path, part: Mapping[str, Any]) -> bool:
    """Tell whether a file has the bytes that its part was written with."""
    if path.stat().st_size != part["bytes"]:
        return False
    return digest_of(np.memmap(path, np.uint8, "r")) == part.get("digest")
