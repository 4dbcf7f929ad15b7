"""Reading curves back from JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcal.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


def float_list(values: Any, name: str) -> Array:
    """Return a list of finite numbers as float64."""
    numbers = isinstance(values, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if not numbers:
        raise InvalidTypeError(f"{name} must be a list of numbers")
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise InvalidValueError(f"{name} must be finite")
    return array


def rising_list(values: Any, name: str) -> Array:
    """Return a list of strictly increasing numbers as float64."""
    array = float_list(values, name)
    if not (np.diff(array) > 0).all():
        raise InvalidValueError(f"{name} must be strictly increasing")
    return array


def probability_list(values: Any, name: str, length: int) -> Array:
    """Return a list of `length` probabilities as float64."""
    array = float_list(values, name)
    if len(array) != length:
        raise InvalidValueError(f"{name} has {len(array)} numbers; expected {length}")
    if not ((array >= 0.0) & (array <= 1.0)).all():
        raise InvalidValueError(f"{name} must lie in [0, 1]")
    return array
