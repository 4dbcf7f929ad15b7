"""Whether the files of a finished run are still what its manifest says, and those of an unfinished one what its journal says."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastcal._extras import require
from fastcal.errors import InvalidValueError

BLOCK, ODD = 128 << 10, np.uint64(0x9E3779B97F4A7C15)


def check(target: Path, manifest: Mapping[str, Any]) -> None:
    """Raise where a part is not there, has another size or another checksum, or a footer that cannot be read or tells of another number of rows."""
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


def checksum(data: Any) -> int:
    """Return a number that changes with any byte of a buffer.

    Blocks b add up to s = s ODD + b, word by word, modulo 2**64; then s and the shorter block behind them go through CRC-32. 10 GB/s, where
    CRC-32 of everything has 2 and took 7 % of a run that keeps all rows.
    """
    return _of_blocks(data[begin : begin + BLOCK] for begin in range(0, len(data), BLOCK))


def _of_blocks(blocks: Iterable[Any]) -> int:
    state, end = np.zeros(BLOCK // 8, "<u8"), b""
    for block in blocks:
        if len(block) < BLOCK:
            end = block
        else:
            state *= ODD
            state += np.frombuffer(block, "<u8")
    return zlib.crc32(end, zlib.crc32(state.data))


def unchanged(path: Path, part: Mapping[str, Any]) -> bool:
    """Tell whether a file has the bytes that its part was written with."""
    if path.stat().st_size != part["bytes"]:
        return False
    with path.open("rb") as file:
        return _of_blocks(iter(lambda: file.read(BLOCK), b"")) == part.get("checksum")
