"""Parameters and curves as JSON values, and back."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcal.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


def plain(value: Any) -> Any:
    """Return a parameter, or a dict or sequence of them, as plain JSON types: NumPy's scalars and tuples are none."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    return int(value) if isinstance(value, Integral) else float(value) if isinstance(value, Real) else value


def float_list(values: Any, name: str) -> Array:
    """Return a list of finite numbers as float64."""
    numbers = isinstance(values, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if not numbers:
        raise InvalidTypeError(f"{name} must be a list of numbers")
    try:
        array = np.asarray(values, dtype=np.float64)
    except OverflowError:
        raise InvalidValueError(f"{name} holds an integer beyond float64") from None
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
