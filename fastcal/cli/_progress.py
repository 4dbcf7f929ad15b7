"""Progress on stderr: only on a terminal, and only of what takes more than a second."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0  # seconds
_WIDE = 60  # columns that hold the bar, how much is done and how fast


class Advance:
    """What an engine calls: ``advance(done, total)``; a total of None is not known."""

    def __init__(self, title: str, unit: str | None = None) -> None:
        self._title, self._unit, self._lock = title, unit, threading.Lock()
        self._done: float = 0
        self._total: float | None = None
        self._first: tuple[float, float] | None = None  # when, and how much was done then
        self._now = 0.0
        self._shown: Progress | None = None
        self._closed = False

    def __call__(self, done: float, total: float | None = None) -> None:
        """Say how far the work is; may be called from any thread."""
        with self._lock:
            self._done, self._total = done, total
            self._now = time.monotonic()
            self._first = self._first or (self._now, done)
            if self._shown is not None:
                self._draw()

    def _draw(self) -> None:
        assert self._shown is not None
        task = self._shown.tasks[0]
        speed, counts, left = self._speed(), "", ""
        if self._total is not None:
            counts = f"{_short(self._done)}/{_short(self._total)}"
            left = str(timedelta(seconds=ceil((self._total - self._done) / speed))) if speed else "-:--:--"
        fast = f"{_short(speed)} {self._unit}/s" if speed else ""
        self._shown.update(task.id, completed=self._done, total=self._total, counts=counts, speed=fast, left=left)

    def _speed(self) -> float:
        """Return how much was done a second since the first call, which may tell what others have done; 0 is not known."""
        if self._first is None or self._now == self._first[0]:
            return 0.0
        return (self._done - self._first[1]) / (self._now - self._first[0])

    def show(self) -> None:
        """Begin to draw, unless the work has ended."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        with self._lock:
            if self._closed:
                return
            text = TextColumn("{task.description}", markup=False)
            console = Console(stderr=True)
            names = ["counts", "left"] if self._unit is None else ["counts", "speed", "left"] if console.width >= _WIDE else ["speed", "left"]
            facts = [TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in names]
            self._shown = Progress(SpinnerColumn(), text, BarColumn(), *facts, console=console, transient=True)
            self._shown.add_task(self._title)
            self._draw()
            self._shown.start()

    def close(self) -> None:
        """Wipe what was drawn."""
        with self._lock:
            self._closed = True
            if self._shown is not None:
                self._shown.stop()


def _short(n: float) -> str:
    """Return a number in three digits.

    >>> _short(48), _short(11_500_000), _short(999_999)
    ('48', '11.5M', '1M')
    """
    for unit in ("", "k", "M"):
        if n < 999.5:
            return f"{n:.3g}{unit}"
        n /= 1000
    return f"{n:.3g}G"


@contextmanager
def progress(title: str, unit: str | None = None) -> Iterator[Advance]:
    """Show a bar while the body runs; it gets what to call with (done, total), which it need not do.

    Nothing is drawn in the first second, nor where stderr is no terminal, or a dumb one. The bar is gone when the body ends. With
    a unit it shows how many of them are done a second.

    >>> with progress("counting") as advance:
    ...     for at in range(3):
    ...         advance(at + 1, 3)
    """
    advance = Advance(title, unit)
    timer = threading.Timer(_PATIENCE, advance.show)
    timer.daemon = True
    if sys.stderr.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}:
        timer.start()
    try:
        yield advance
    finally:
        timer.cancel()
        advance.close()
