"""The lists of many queries, each best first, and the thresholds at which they are cut."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array, float_array
from fastcal._validate.scores import float32_floor
from fastcal.certificates._inputs import as_rows
from fastcal.certificates._pool import Float32, Int64, array_pool
from fastcal.errors import InvalidValueError
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Run


class QueryLists(NamedTuple):
    """Query i owns ``[offsets[i], offsets[i + 1])``: its rows, best first, as float32 of which higher is better, and their positions."""

    values: Float32
    positions: Int64
    offsets: Int64
    size: int  # positions lie below it
    fingerprint: str

    @property
    def n_queries(self) -> int:
        """Empty lists included."""
        return self.offsets.size - 1

    def taken(self, queries: Int64) -> QueryLists:
        """Return the lists of some queries, in the order given."""
        lengths = np.diff(self.offsets)[queries]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[queries] - offsets[:-1], lengths)
        return self._replace(values=self.values[rows], positions=self.positions[rows], offsets=offsets)

    def n_beyond(self, threshold: float) -> int:
        """Queries whose list ends at or beyond a threshold."""
        ends = self.offsets[1:][np.diff(self.offsets) > 0] - 1
        return int(np.count_nonzero(self.values[ends] >= np.float32(threshold)))


def query_lists(run: Any, higher_is_better: bool) -> QueryLists:
    """Read a Run, a search result or an array of one row per query; NaN is padding."""
    groups = None
    if not isinstance(run, Run | RangeResult | SearchResult):
        shape = as_array(run, "run").shape
        if len(shape) != 2:
            raise InvalidValueError(f"run must be a Run, a search result or scores of shape (n_queries, m), got shape {shape}")
        groups = np.arange(shape[0])
    rows = as_rows(run, higher_is_better, groups)
    assert rows.groups is not None
    values = float32_floor(rows.scores if higher_is_better else -rows.scores)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows.groups, minlength=rows.n_groups))]).astype(np.int64)
    lists = QueryLists(values, rows.positions, offsets, rows.size, rows.fingerprint)
    if ((values[1:] <= values[:-1]) | (rows.groups[1:] != rows.groups[:-1])).all():
        return lists
    order = np.lexsort((-values, rows.groups))  # stable: ties stay in the order of positions
    return lists._replace(values=values[order], positions=rows.positions[order])


def cuts_of(lists: QueryLists, queries: Int64, ratio: float, answered: float) -> Float32:
    """Return thresholds, strictest first, that the lists of some queries place: those are not to be judged.

    From one at which so large a share of the queries select something, to one that selects all of their rows, each selecting at most
    `ratio` times as many as the one before.
    """
    own = lists.taken(queries)
    if not own.values.size:
        return np.empty(0, np.float32)
    tops = np.sort(own.values[own.offsets[:-1][np.diff(own.offsets) > 0]])[::-1]
    wanted = min(tops.size, max(1, math.ceil(answered * queries.size)))
    first = int((own.values >= tops[wanted - 1]).sum())
    return array_pool(own.values, own.positions, np.zeros(own.values.size), ratio=ratio, first=first).thresholds


def given_cuts(thresholds: npt.ArrayLike, higher_is_better: bool) -> Float32:
    """Return thresholds as float32 of which higher is better, strictest first."""
    given = float_array(thresholds, "thresholds")
    if given.ndim != 1 or not given.size or not np.isfinite(given).all():
        raise InvalidValueError(f"thresholds must be finite numbers of shape (n,), at least one; got {given!r}")
    exact = given.astype(np.float32)
    return np.unique(exact if higher_is_better else np.float32(0.0) - exact)[::-1]
