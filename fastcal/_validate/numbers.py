"""Judges single values: numbers, integers, flags and names."""

from __future__ import annotations

import operator
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from fastcal._validate.rounding import to_float32
from fastcal.errors import InvalidTypeError, InvalidValueError

_INT64_MAX = 2**63 - 1
FLOAT32_MAX = float(np.finfo(np.float32).max)


def number(value: Any, name: str, expected: str, accept: Callable[[float], bool]) -> float:
    """Return ``value`` as a float that ``accept`` takes; ``expected`` says in words what that is."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InvalidTypeError(f"{name} must be {expected}, got {value!r}")
    try:
        result = float(value)
    except OverflowError:
        raise InvalidValueError(f"{name} must be {expected}, got an integer beyond float64") from None
    if not accept(result):
        raise InvalidValueError(f"{name} must be {expected}, got {value!r}")
    return result


def fraction(value: Any, name: str) -> float:
    """Return a number strictly between 0 and 1."""
    return number(value, name, "a number strictly between 0 and 1", lambda x: 0.0 < x < 1.0)


def float32_number(value: Any, name: str) -> np.float32:
    """Return a finite number rounded once to float32, to nearest."""
    finite = number(value, name, "a finite number within the range of float32", lambda x: abs(x) <= FLOAT32_MAX)
    rounded: np.float32 = to_float32(np.array([finite]))[0]
    return rounded


def integer(value: Any, name: str, least: int) -> int:
    """Return a Python or NumPy integer of at least ``least``; bool and float are type errors."""
    if type(value) is int and least <= value <= _INT64_MAX:
        return value
    if isinstance(value, bool | np.bool_) or not hasattr(value, "__index__"):
        raise InvalidTypeError(f"{name} must be an integer of at least {least}, got {value!r} of type {type(value).__name__}")
    try:
        result = operator.index(value)
    except TypeError:  # an array of several elements
        raise InvalidTypeError(f"{name} must be an integer of at least {least}, got {value!r}") from None
    if result < least:
        raise InvalidValueError(f"{name} must be an integer of at least {least}, got {result}")
    if result > _INT64_MAX:
        raise InvalidValueError(f"{name} must be an integer below 2**63, got {result}")
    return result


def flag(value: Any, name: str) -> bool:
    """Return a bool; numbers are not truth values."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidTypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def one_of(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return one of the strings in ``choices``."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}")
    return value


def instance(value: Any, name: str, kind: type) -> None:
    """Raise unless ``value`` is a ``kind``."""
    if not isinstance(value, kind):
        raise InvalidTypeError(f"{name} must be a {kind.__name__}, got {type(value).__name__}")
