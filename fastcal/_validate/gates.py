"""Thresholds and masks of a search: which rows it may return."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._validate.arrays import as_array, float_array, int64_array
from fastcal._validate.numbers import FLOAT32_MAX, float32_number
from fastcal._validate.rounding import to_float32
from fastcal.errors import InvalidTypeError, InvalidValueError


def thresholds(value: Any, n_queries: int) -> npt.NDArray[np.float32]:
    """Return float32 (n_queries,): a number for all, or one a query; finite, rounded once to nearest."""
    if isinstance(value, Real):
        return np.full(n_queries, float32_number(value, "threshold"))
    if value is None:
        raise InvalidTypeError("threshold must be a number, or one a query, got None")
    array = float_array(value, "threshold")
    if array.ndim == 0:
        return np.full(n_queries, float32_number(array.item(), "threshold"))
    if array.shape != (n_queries,):
        raise InvalidValueError(f"threshold must be a number or have shape (n_queries,) = ({n_queries},), got shape {array.shape}")
    bad = np.flatnonzero(~(np.abs(array) <= FLOAT32_MAX))
    if bad.size:
        raise InvalidValueError(f"threshold must be finite and within the range of float32, got {array[bad[0]]!r} for query {bad[0]}")
    return to_float32(array)


def allowed(value: Any, n_queries: int, n_rows: int, rows_of: Callable[[Array], Array]) -> npt.NDArray[np.bool_]:
    """Return a C-contiguous bool mask (1, n_rows) or (n_queries, n_rows); ``rows_of`` turns listed ids into row numbers."""
    array = as_array(value, "allow")
    if array.size == 0 and isinstance(value, list | tuple):
        array = array.astype(np.int64)
    if array.dtype.kind in "iu":
        return _listed(array, n_rows, rows_of)
    if array.dtype != np.bool_:
        got = type(value).__name__ if array.dtype == np.object_ else f"dtype {array.dtype}"
        raise InvalidTypeError(f"allow must be a bool mask or an array of integer ids, got {got}")
    if array.shape == (n_rows,):
        return np.ascontiguousarray(array[np.newaxis])
    if array.shape != (n_queries, n_rows):
        expected = f"({n_rows},) or (n_queries, n_rows) = ({n_queries}, {n_rows})"
        raise InvalidValueError(f"allow must have shape {expected}, got shape {array.shape}")
    return np.ascontiguousarray(array)


def _listed(array: Array, n_rows: int, rows_of: Callable[[Array], Array]) -> npt.NDArray[np.bool_]:
    ids = int64_array(array, "allow")
    if ids.ndim != 1:
        raise InvalidValueError(f"allow as ids must be one list for all queries, got shape {ids.shape}; a mask per query must be bool")
    if n_rows > 2 and len(ids) == n_rows and ((ids == 0) | (ids == 1)).all():
        raise InvalidTypeError(f"allow holds only zeros and ones for all {n_rows} rows: integers are ids, a mask must be bool")
    mask = np.zeros((1, n_rows), np.bool_)
    mask[0, rows_of(ids)] = True
    return mask


def rows_in_range(ids: Array, n_rows: int) -> Array:
    """Return ids that are row numbers; raises for one that is not."""
    outside = (ids < 0) | (ids >= n_rows)
    if outside.any():
        position = int(np.argmax(outside))
        raise InvalidValueError(f"allow[{position}] is {ids[position]}; expected a row in [0, {n_rows})")
    return ids
