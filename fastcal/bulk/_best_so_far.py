"""A bar for each query that rises with the rows seen: what is below it need not be kept."""

from __future__ import annotations

import threading

import numpy as np

from fastcal import _backend
from fastcal._backend.protocol import Array
from fastcal.bulk._keys import Groups, Keys, places

_NAMES = ("the rows so far", "the table")
# Bars pay where a table has several rows of a query and all tables many more than stay: 20 M rows of 20,000 queries in random order, best
# 100, take 1.3 s and not 1.95 s; with 100 rows a query they would take longer.
ROWS_OF_A_QUERY, TIMES_K = 4, 6


def most_bytes(k: int, rows: int, rows_of_a_table: int, query_bytes: float) -> int:
    """Return what bars take at most: there are none for more queries than pay."""
    queries = min(rows // (TIMES_K * k), rows_of_a_table // ROWS_OF_A_QUERY)
    return int(queries * (_bytes_of_a_bar(k) + query_bytes))


def _bytes_of_a_bar(k: int) -> int:
    return 8 * _room(k) + 20


def _room(k: int) -> int:
    return k + max(1, k // 2)


class BestSoFar:
    """Takes out rows that cannot be among the best `k` of their query, by those it has been shown before; threads may share one.

    For streams in which the rows of a query lie far apart: of n rows of a query in random order about 1.2 k (1 + ln(n / k)) pass. The first
    table that shows such a stream says which queries have a bar; rows of others pass. A row must be shown once only. What passes depends on
    the order of the rows; the best of what passes are the best of all.

    Parameters
    ----------
    k : int
    rows : int
        How many rows all tables have.
    higher_is_better : bool
        Direction of the scores.
    memory : int
        Bytes for the bars; where they need more there are none.
    """

    def __init__(self, k: int, rows: int, *, higher_is_better: bool, memory: int) -> None:
        self.k, self.rows, self.higher_is_better, self.memory = k, rows, higher_is_better, memory
        self._known: Keys | None = None
        self._state: tuple[Array, ...] = ()
        self._lock = threading.Lock()

    @property
    def begun(self) -> bool:
        """Tell whether there are bars."""
        return self._known is not None

    def sift(self, groups: Groups, on: Array, scores: Array, keep: Array) -> None:
        """Take such rows, and those whose `on` or score is NaN, out of `keep`, a bool array."""
        with self._lock:
            if self._known is None:
                self._begin(groups.distinct, int(np.count_nonzero(keep)), len(keep))
            if self._known is None:
                return
            at = places(self._known, groups.distinct, _NAMES).astype(np.int64, copy=False)
            if 2 * np.count_nonzero(at >= 0) > len(at):
                _backend.active().sift_rows(groups.codes, on, scores, self.higher_is_better, at, keep, self.k, *self._state)

    def _begin(self, queries: Keys, kept: int, seen: int) -> None:
        """Make bars for these queries if that pays and fits."""
        n, room = len(queries), _room(self.k)
        fits = n * _bytes_of_a_bar(self.k) + queries.values.nbytes <= self.memory
        if fits and kept >= ROWS_OF_A_QUERY * n and self.rows * kept >= TIMES_K * self.k * n * seen:
            # Pages are the system's to give when they are first written to.
            self._known, self._state = queries, (np.zeros(n, np.uint64), np.zeros((n, room), np.uint64), np.zeros(n, np.int32))
