"""Judges the edges of score bands."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import FLOAT32_MAX
from fastcal._validate.rounding import order_of, to_float32
from fastcal.errors import InvalidValueError

_MOST_RESULTS = np.iinfo(np.intp).max // 8


def edges(values: Any) -> npt.NDArray[np.float32]:
    """Return at least two float32 edges, rounded once to nearest, that still increase strictly; the outer ones may be infinite."""
    given = float_array(values, "edges")
    if given.ndim != 1 or given.size < 2:
        raise InvalidValueError(f"edges must be a list of at least 2 numbers, got shape {given.shape}")
    rounded = to_float32(given)
    _reject(np.isnan(given), given, "a number")
    _reject(np.isinf(rounded) & np.isfinite(given), given, f"within the range of float32, {FLOAT32_MAX:.4g}, or infinite")
    wrong = np.flatnonzero(np.diff(order_of(rounded)) <= 0)
    if wrong.size:
        i = int(wrong[0])
        both = f"edges[{i}] and edges[{i + 1}] are {given[i]!s} and {given[i + 1]!s}"
        collide = ", which are one number in float32" if given[i] < given[i + 1] else ""
        raise InvalidValueError(f"edges must be strictly increasing, but {both}{collide}")
    return rounded


def sample_shape(n_queries: int, n_bins: int, size: int) -> tuple[int, int, int]:
    """The shape of a sample, if it can be addressed."""
    if max(n_queries, 1) * n_bins * size > _MOST_RESULTS:
        raise InvalidValueError(f"size must be small enough for n_queries * n_bins * size rows to be addressable, got {size}")
    return n_queries, n_bins, size


def _reject(bad: npt.NDArray[np.bool_], given: npt.NDArray[Any], expected: str) -> None:
    if bad.any():
        i = int(np.argmax(bad))
        raise InvalidValueError(f"edges[{i}] is {given[i]!s}; expected {expected}")
