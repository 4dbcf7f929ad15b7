"""Threads of the Numba backend: fixed chunks, taken in order by the caller and by idle pool threads.

Chunks are a function of the problem alone and each writes its own part of the result (or a part that does not
depend on who computes it), so results do not depend on the number of threads. Chunks take a few milliseconds:
between two of them the caller sees Ctrl-C and everyone sees the stop flag. Numba's own ``parallel=True`` is not used:
its workqueue layer aborts the process when two Python threads enter it.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from fastcal._denormals import denormals_are_lost
from fastcal._threads import usable_cpus
from fastcal.errors import FloatEnvironmentWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Chunk = TypeVar("Chunk")

_lock = threading.Lock()
_executor: ThreadPoolExecutor | None = None


def warn_if_denormals_are_lost() -> None:
    """Warn when the host has switched on DAZ or FTZ in the calling thread, which no Numba kernel can undo."""
    if denormals_are_lost():
        _warn()


def _warn() -> None:
    warnings.warn(
        "this process flushes denormal numbers to zero (DAZ/FTZ is set, often by a library built with -ffast-math): the Numba backend "
        "cannot undo that, and scores made of numbers below 1.2e-38 differ from the documented ones. The native backend is not affected",
        FloatEnvironmentWarning,
        stacklevel=5,
    )


def ranges(total: int, step: int) -> list[tuple[int, int]]:
    """Cut ``range(total)`` into (start, stop) chunks of ``step``."""
    return [(start, min(start + step, total)) for start in range(0, total, step)]


def run(work: Callable[[int, Chunk], None], chunks: Sequence[Chunk], num_threads: int) -> None:
    """Call ``work(slot, chunk)`` for every chunk; no two threads share a slot, and slots are < ``num_threads``.

    An exception in a chunk, Ctrl-C included, stops the others after the chunk they are in and is raised again.
    """
    team = _Team(work, chunks)
    helpers: list[Future[None]] = []
    try:
        if num_threads > 1 and len(chunks) > 1:
            helpers = team.call_helpers(min(num_threads, len(chunks)) - 1)
        team.take_chunks(0)
    finally:
        team.waiting.clear()
        started = [helper for helper in helpers if not helper.cancel()]
        failures = [failure for failure in (helper.exception() for helper in started) if failure is not None]
    if failures:
        raise failures[0]
    if team.lost_denormals:
        _warn()


class _Team:
    """The threads of one call: a queue of chunks, emptied by whoever is free."""

    def __init__(self, work: Callable[[int, Chunk], None], chunks: Iterable[Chunk]) -> None:
        self._work = work
        self.waiting = deque(chunks)
        self.lost_denormals = False

    def call_helpers(self, count: int) -> list[Future[None]]:
        """Ask the pool for help; a pool that shuts down with the interpreter gives none."""
        helpers: list[Future[None]] = []
        with suppress(RuntimeError):
            helpers.extend(_pool().submit(self._help, slot) for slot in range(1, count + 1))
        return helpers

    def _help(self, slot: int) -> None:
        # A thread inherits the float environment of its creator, which may not be the caller.
        self.lost_denormals |= denormals_are_lost()
        try:
            self.take_chunks(slot)
        except BaseException:
            self.waiting.clear()
            raise

    def take_chunks(self, slot: int) -> None:
        """Work until no chunk is waiting."""
        while True:
            try:
                chunk = self.waiting.popleft()
            except IndexError:
                return
            self._work(slot, chunk)


def _pool() -> ThreadPoolExecutor:
    global _executor
    with _lock:
        if _executor is None:
            _executor = ThreadPoolExecutor(max(1, usable_cpus() - 1), thread_name_prefix="fastcal")
        return _executor


def _forget_pool() -> None:
    """In a forked child: the threads were not copied and the lock may have been held."""
    global _executor, _lock
    _lock = threading.Lock()
    _executor = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
