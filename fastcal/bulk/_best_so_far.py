"""A bar for each query that rises with the rows seen: what is below it need not be kept."""

from __future__ import annotations

import threading

import numpy as np

from fastcal import _backend
from fastcal._backend.protocol import Array
from fastcal._validate.numbers import flag, integer
from fastcal.bulk._keys import Groups, Keys, joined, numbered, places

_NAMES = ("the rows so far", "the table")


class BestSoFar:
    """Takes out rows that cannot be among the best `k` of their query, by those it has been shown before; threads may share one.

    For streams in which the rows of a query lie far apart: of n rows of a query in random order about 1.2 k (1 + ln(n / k)) pass. A row must be
    shown once only. What passes depends on the order of the rows; the best of what passes are the best of all.

    Parameters
    ----------
    k : int
    higher_is_better : bool
        Direction of the scores.
    memory : int
        Bytes: some 12 k + 50 for each query. Rows of queries beyond that always pass.
    """

    def __init__(self, k: int, *, higher_is_better: bool = True, memory: int = 1 << 28) -> None:
        self.k, self.higher_is_better = integer(k, "k", least=1), flag(higher_is_better, "higher_is_better")
        most = integer(memory, "memory", least=0) // (12 * self.k + 50)
        room = self.k + max(1, self.k // 2)
        self._known: Keys | None = None
        self._slots = np.empty(0, np.int64)
        # Pages are the system's to give when they are first written to.
        self._bars, self._keys, self._sizes = np.zeros(most, np.uint64), np.zeros((most, room), np.uint64), np.zeros(most, np.int32)
        self._lock = threading.Lock()

    def sift(self, groups: Groups, on: Array, scores: Array, keep: Array) -> int:
        """Take such rows, and those whose `on` or score is NaN, out of `keep`, a bool array; return how many are left."""
        with self._lock:
            at = self._places(groups.distinct)
            state = (self.k, self._bars, self._keys, self._sizes)
            return _backend.active().sift_rows(groups.codes, on, scores, self.higher_is_better, at, keep, *state)

    def _places(self, queries: Keys) -> Array:
        """Return where the state of each query is, making room for new ones; -1 where there is no room."""
        found = np.full(len(queries), -1) if self._known is None else places(self._known, queries, _NAMES)
        at = np.where(found >= 0, self._slots[found], -1) if len(self._slots) else found
        new = np.flatnonzero(at < 0)[: len(self._bars) - len(self._slots)]
        if len(new):
            at[new] = np.arange(len(self._slots), len(self._slots) + len(new))
            more = queries.take(new)
            known = more if self._known is None else joined(self._known, more, _NAMES)
            _, order = numbered(known)
            self._known, self._slots = known.take(order), np.concatenate([self._slots, at[new]])[order]
        return at
