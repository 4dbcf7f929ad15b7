"""Threads that read, compute and write: each takes a whole chunk through, so that one reads while another one writes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any


class _Feed:
    """Streams of work; each is read by one thread at a time, and is free again while what was read is worked on."""

    def __init__(self, streams: Iterable[Iterator[Any]]) -> None:
        self._free, self._taken, self._changed = deque(streams), 0, threading.Condition()
        self.stopped = False

    def take(self) -> Iterator[Any] | None:
        with self._changed:
            while True:
                if self.stopped or not (self._free or self._taken):
                    return None
                if self._free:
                    self._taken += 1
                    return self._free.popleft()
                self._changed.wait()

    def give_back(self, stream: Iterator[Any] | None) -> None:
        """A stream that has been begun comes first; None is one that has ended."""
        with self._changed:
            self._taken -= 1
            if stream is not None:
                self._free.appendleft(stream)
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self.stopped = True
            self._changed.notify_all()


def work_through(streams: Iterable[Iterator[Any]], work: Callable[[Any], None], n_workers: int, tick: Callable[[], None] = lambda: None) -> None:
    """Call ``work`` on every item of every stream.

    The first exception stops everything once each thread is done with its item, and is raised. ``tick`` is called by the calling thread
    now and then; what it raises (KeyboardInterrupt, too) stops everything in the same way.
    """
    feed, failed = _Feed(streams), list[BaseException]()

    def run() -> None:
        try:
            while (stream := feed.take()) is not None:
                item = stop = object()
                try:
                    item = next(stream, stop)
                finally:
                    feed.give_back(None if item is stop else stream)
                if item is not stop:
                    work(item)
                del item, stop, stream
        except BaseException as error:  # noqa: BLE001  it is raised again below
            failed.append(error)
            feed.stop()

    threads = [threading.Thread(target=run, name=f"fastcal-rescore-{i}") for i in range(n_workers)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(0.1)
                tick()
    finally:
        feed.stop()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
    tick()
