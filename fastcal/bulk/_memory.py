"""How much memory a run may take, and how many workers that feeds."""

from __future__ import annotations

import ctypes
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastcal._extras import require
from fastcal.errors import InvalidTypeError, InvalidValueError

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
# A worker takes up to 5.5 times its chunk and, with many of them, up to 8 MiB that Arrow keeps for its thread; all together take 50 MiB that
# do not depend on it (pyarrow 26, 4 to 30 M rows of numbers or texts, scattered or not, with and without norm and top_k, one to 32 workers).
CHUNKS_A_WORKER, WORKER_BYTES, SHARED_BYTES = 6, 10 << 20, 54 << 20
MOST_OF_A_COMMAND = 256 << 20
LEEWAY = 8 << 20  # of what a process holds, from one look to the next


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


class OfCommand(int):
    """Bytes for a call: what a command was `given`, which messages tell, without what it had `taken` by then."""

    given: Any
    taken: int


@dataclass(frozen=True)
class Budget:
    """What a call may take beyond the bytes that the process held when it began; `given` is what somebody typed."""

    memory: int
    held: int
    given: Any
    taken: int = 0

    @classmethod
    def of(cls, memory: Any) -> Budget:
        """Return the budget of a call that begins now."""
        told = (memory.given, memory.taken) if isinstance(memory, OfCommand) else (memory,)
        return cls(bytes_of(memory), resident(), *told)

    def _left(self) -> int:
        """Return the bytes for pieces of rows. What other passes have left unused is given back to the system before."""
        require("pyarrow", "parquet").default_memory_pool().release_unused()
        with suppress(OSError, AttributeError):  # other C libraries than glibc have no such call
            ctypes.CDLL(None).malloc_trim(0)
        return self.memory - max(0, resident() - self.held) - SHARED_BYTES

    def workers(self, piece: int, n_threads: int, what: str, beside: int = 0) -> int:
        """Return how many workers fit `beside` other bytes that each hold `piece` bytes of rows; none is an error that says what is needed."""
        left, each = self._left() - beside, _of_worker(piece)
        if left < each:
            least = -(-(self.taken + self.memory - left + each + LEEWAY) // LEEWAY) * LEEWAY
            given = self.given.strip() if isinstance(self.given, str) else shown(self.given)
            raise InvalidValueError(f"memory={given} is too small: {what} need {shown(least)}")
        return int(min(left // each, n_threads))

    def relieve(self) -> None:
        """Give the system back what Arrow keeps for later, once half of the memory is taken: it would keep two thirds of what a task took."""
        if 2 * (resident() - self.held) > self.memory:
            require("pyarrow", "parquet").default_memory_pool().release_unused()

    def spare(self, piece: int, n_threads: int) -> int:
        """Return the bytes that so many workers leave over, or as many as fit."""
        left, each = self._left(), _of_worker(piece)
        return max(0, left - each * max(1, min(n_threads, left // each)) - LEEWAY)

    def piece(self) -> int:
        """Return the bytes of rows that one worker can hold, with some room for what the process itself takes meanwhile."""
        return max(0, (self._left() - WORKER_BYTES) // (CHUNKS_A_WORKER + 1))


def _of_worker(piece: int) -> int:
    """Return what a worker takes that holds so many bytes of rows."""
    return CHUNKS_A_WORKER * max(1, piece) + WORKER_BYTES


def of_command(memory: Any) -> int:
    """Return what is left for the call of a command that may take so much in all; a host that holds more than a command does is not its own."""
    taken = min(resident(), MOST_OF_A_COMMAND)
    found = OfCommand(max(1, bytes_of(memory) - taken))
    found.given, found.taken = memory, taken
    return found


def shown(n: int) -> str:
    return f"{-(-n >> 20)}MiB" if n < 10 << 30 else f"{n / 2**30:.1f}GiB"
