"""Progress on stderr: only on a terminal, and only of what takes more than a second."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0  # seconds


class Advance:
    """What an engine calls: ``advance(done, total)``; a total of None is not known."""

    def __init__(self, title: str, unit: str | None = None) -> None:
        self._title, self._unit, self._lock = title, unit, threading.Lock()
        self._done: float = 0
        self._total: float | None = None
        self._shown: Progress | None = None
        self._closed = False

    def __call__(self, done: float, total: float | None = None) -> None:
        """Say how far the work is; may be called from any thread."""
        with self._lock:
            self._done, self._total = done, total
            if self._shown is not None:
                self._shown.update(self._shown.task_ids[0], completed=done, total=total, speed=self._speed())

    def _speed(self) -> str:
        speed = None if self._shown is None else self._shown.tasks[0].speed
        return "" if speed is None else f"{speed:,.0f} {self._unit}/s"

    def show(self) -> None:
        """Begin to draw, unless the work has ended."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

        with self._lock:
            if self._closed:
                return
            text = TextColumn("{task.description}", markup=False)
            speed = [] if self._unit is None else [TextColumn("{task.fields[speed]}")]
            columns = (SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), *speed, TimeRemainingColumn())
            self._shown = Progress(*columns, console=Console(stderr=True), transient=True)
            self._shown.update(self._shown.add_task(self._title, total=self._total, speed=""), completed=self._done)
            self._shown.start()

    def close(self) -> None:
        """Wipe what was drawn."""
        with self._lock:
            self._closed = True
            if self._shown is not None:
                self._shown.stop()


@contextmanager
def progress(title: str, unit: str | None = None) -> Iterator[Advance]:
    """Show a bar while the body runs; it gets what to call with (done, total), which it need not do.

    Nothing is drawn in the first second, nor where stderr is no terminal. The bar is gone when the body ends. With
    a unit it shows how many of them are done a second.

    >>> with progress("counting") as advance:
    ...     for at in range(3):
    ...         advance(at + 1, 3)
    """
    advance = Advance(title, unit)
    timer = threading.Timer(_PATIENCE, advance.show)
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield advance
    finally:
        timer.cancel()
        advance.close()
