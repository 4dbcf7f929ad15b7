"""The command ``fastcal``."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fastcal._extras import require
from fastcal.cli._words import spoken
from fastcal.errors import FastcalError, FastcalWarning

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
OK, GATE_FAILED, BAD_INPUT = 0, 1, 2
INTERRUPTED, READER_GONE = 128 + 2, 128 + 13  # what a shell reports of a process that SIGINT or SIGPIPE ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Every failure of the input is one line on stderr and exit code 2; a gate that failed is 1. Ctrl-C is one line and 130, a reader
    of stdout that has gone is silence and 141. Warnings of the library are one line each on stderr.
    """
    if sys.stderr is None:  # print(file=None) prints on stdout
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    if sys.stdout is None:  # as of fastcal ... >&-
        _say("standard output is closed")
        return BAD_INPUT
    try:
        with _warnings_as_lines():
            for module in ("typer", "rich"):
                require(module, "cli")
            from fastcal.cli.app import run

            code = run(sys.argv[1:] if arguments is None else arguments)
            sys.stdout.flush()
            return code
    except BrokenPipeError:
        _leave_stdout()
        return READER_GONE
    except (FastcalError, OSError, MemoryError) as error:
        _say(_told(error))
        if isinstance(error, OSError):
            _leave_stdout_if_full()
        return BAD_INPUT
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED


def _told(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    if isinstance(error, OSError) and error.errno in _FULL:  # writers of files name them
        return f"standard output: {error.strerror}"
    return spoken(str(error)) or type(error).__name__


def _say(text: str) -> None:
    """Print one line on stderr."""
    with suppress(BrokenPipeError):
        print("fastcal:", *text.split(), file=sys.stderr, flush=True)


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    told: set[str] = set()

    def show(message: Any, *_: Any, **__: Any) -> None:
        if (text := str(message)) not in told:
            told.add(text)
            _say(f"warning: {spoken(text)}")

    with warnings.catch_warnings():
        if not sys.warnoptions:  # python -W says what to do with them
            warnings.simplefilter("always", FastcalWarning)
        warnings.showwarning = show
        yield


def _leave_stdout_if_full() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _leave_stdout()


def _leave_stdout() -> None:
    """Let the interpreter flush what is left of stdout into nothing when it ends."""
    with suppress(OSError, ValueError):  # a stdout that is no file has nothing to leave
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
