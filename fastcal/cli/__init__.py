"""The command ``fastcal``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fastcal._extras import require
from fastcal.errors import FastcalError

if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_INPUT, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Every failure of the input is one line on stderr and exit code 2; Ctrl-C is one line and exit code 130. Where the reader of
    stdout has gone, typer and rich leave quietly with exit code 1.
    """
    try:
        for module in ("typer", "rich"):
            require(module, "cli")
        from fastcal.cli.app import run

        code = run(arguments)
    except (FastcalError, OSError) as error:
        print("fastcal:", *str(error).split(), file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:  # some releases of typer turn Ctrl-C into this code themselves
        print("fastcal: interrupted", file=sys.stderr)
    return code
