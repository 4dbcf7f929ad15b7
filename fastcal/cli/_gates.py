"""What a command says on stderr when a gate fails."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from fastcal.cli import GATE_FAILED, OK


def verdict(failures: Iterable[str]) -> int:
    """Say each failure in one line on stderr, and return the exit code."""
    code = OK
    for failure in failures:
        print("fastcal:", *failure.split(), file=sys.stderr, flush=True)
        code = GATE_FAILED
    return code
