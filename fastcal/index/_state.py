"""What every part of an index stands on: its segments, and queries judged against them."""

from __future__ import annotations

import threading
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array, Backend, Metric
from fastcal._validate import vectors as validate
from fastcal._validate.arrays import as_array
from fastcal.errors import InvalidValueError
from fastcal.index._segment import Segment, raise_changed_row


class State:
    """The attributes of an index. ``_segments`` is replaced, never changed: whoever has read it has a snapshot."""

    _metric: Metric
    _width: int  # of the vectors users hand in
    _dim: int  # of what is compared
    _has_ids: bool
    _segments: tuple[Segment, ...]
    _adding: threading.RLock
    _is_adding: bool
    _copies: bool  # whether rows that come in are copied

    def _judge_queries(self, queries: Any, backend: Backend) -> npt.NDArray[np.float32]:
        """Queries in full width, or already cut to the dims of the index."""
        vectors = as_array(queries, "queries")
        if self._dim < self._width and vectors.ndim > 0:
            if vectors.shape[-1] not in {self._width, self._dim}:
                raise InvalidValueError(f"queries must have dim {self._width}, or {self._dim} if they are cut already; got {vectors.shape[-1]}")
            vectors = vectors[..., : self._dim]
        return validate.queries(vectors, self._dim, None, backend)

    @property
    def _higher_is_better(self) -> bool:
        return self._metric != "euclidean"


def n_rows(segments: tuple[Segment, ...]) -> int:
    """Rows of a snapshot."""
    return segments[-1].first + len(segments[-1])


def memory(segments: tuple[Segment, ...]) -> tuple[Array, ...]:
    """The arrays that outputs must not overlap."""
    return tuple(segment.rows for segment in segments)


def raise_changed(segment: Segment, row: int) -> NoReturn:
    """Raise for a row of a segment that is not what it was."""
    raise_changed_row(segment.first + row)
