"""Which rows a search may return: those that are allowed, and good enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array, Metric


class Gate:
    """Masks and thresholds of all queries of a call."""

    def __init__(self, thresholds: Array | None, allow: Array | None, metric: Metric, n_queries: int, n_rows: int) -> None:
        self._thresholds = thresholds
        self._allow = None if allow is None else np.broadcast_to(allow, (n_queries, n_rows))
        self._lower_is_better = metric == "euclidean"

    def close(self, tile: Array, first: int, last: int, start: int, stop: int) -> None:
        """Turn the scores of queries first..last against rows start..stop that do not pass into NaN."""
        if self._allow is not None:
            tile[~self._allow[first:last, start:stop]] = np.nan
        if self._thresholds is not None:
            floor = self._thresholds[first:last, np.newaxis]
            with np.errstate(invalid="ignore"):
                tile[(tile > floor) if self._lower_is_better else (tile < floor)] = np.nan
