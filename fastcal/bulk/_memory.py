"""How much memory a run may take, and how many workers that feeds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastcal._extras import require
from fastcal.errors import InvalidTypeError, InvalidValueError

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
# A worker takes up to 4.1 times its chunk, and all together 50 MiB that do not depend on it (pyarrow 26, 6 M rows of numbers or texts,
# scattered or not, with and without norm and top_k, one to three workers).
CHUNKS_A_WORKER, SHARED_BYTES = 5, 64 << 20


def bytes_of(memory: Any) -> int:
    """Read a number of bytes, or text such as "1GiB", "512 MiB", "2e9"."""
    if isinstance(memory, bool) or not isinstance(memory, int | float | str):
        raise InvalidTypeError(f"memory must be a number of bytes or text such as '1GiB', got {type(memory).__name__}")
    number, unit = (str(memory), "") if not isinstance(memory, str) else _split(memory)
    try:
        found = float(number) * UNITS[unit]
    except (ValueError, KeyError):
        raise InvalidValueError(f"memory must be a number of bytes or text such as '1GiB', got {memory!r}") from None
    if not 1 <= found < 2**63:
        raise InvalidValueError(f"memory must be at least one byte, got {memory!r}")
    return int(found)


def _split(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"\s*([0-9.]+(?:e[0-9]+)?)\s*([kmgt]i?)?b?\s*", text, re.IGNORECASE)
    return (found[1], (found[2] or "").upper()) if found else (text, "?")


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise InvalidValueError("/proc/self/status does not tell how much memory is used")


def workers(memory: int, piece: int, n_threads: int, what: str) -> int:
    """Return how many workers fit that each hold `piece` bytes of rows; none is an error that says what is needed."""
    require("pyarrow", "parquet").default_memory_pool().release_unused()
    base, each = resident() + SHARED_BYTES, CHUNKS_A_WORKER * max(1, piece)
    fit = (memory - base) // each
    if fit < 1:
        raise InvalidValueError(f"memory={_shown(memory)} is too small: {what} need {_shown(base + each)}")
    return int(min(fit, n_threads))


def _shown(n: int) -> str:
    return f"{-(-n >> 20)}MiB" if n < 10 << 30 else f"{n / 2**30:.1f}GiB"
