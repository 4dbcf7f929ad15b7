"""Judges what a labeler answered."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array
from fastcal.errors import InvalidTypeError, InvalidValueError

_ANSWERS = "expected 0, 1 or -1 (cannot judge)"
_WRONG = -2

Malformed = InvalidValueError | InvalidTypeError


def as_answers(given: Any, n: int) -> npt.NDArray[np.int8]:
    """Return `n` answers, each 0, 1 or -1 (cannot judge)."""
    answers, _, error = judge_answers(given, n)
    if error is not None:
        raise error
    return answers


def judge_answers(given: Any, n: int) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_], Malformed | None]:
    """Return `n` answers, whether each is well formed, and an error about the first that is not.

    Of a batch of another length none is: which answer belongs to which position cannot be told.
    """
    try:
        array = _as_array(given)
    except (InvalidValueError, InvalidTypeError) as error:
        return _none(n, error)
    if array.shape != (n,):
        return _none(n, InvalidValueError(f"labeler returned shape {array.shape}; expected ({n},), one answer per position"))
    if array.dtype.kind in "biuf":
        answers = np.where((array == 0) | (array == 1) | (array == -1), array, _WRONG).astype(np.int8)
    else:  # NumPy makes text of a list in which one answer is text
        answers = np.array([_answer(value) for value in (given if isinstance(given, list | tuple) else array.tolist())], np.int8)
    good = answers != _WRONG
    if good.all():
        return answers, good, None
    if not good.any() and array.dtype.kind not in "biuf":
        return answers, good, InvalidTypeError(f"labeler returned dtype {array.dtype}; {_ANSWERS}")
    first = int(good.argmin())
    value = array[first] if array.dtype.kind in "biuf" else repr((given if isinstance(given, list | tuple) else array)[first])
    return answers, good, InvalidValueError(f"labeler answered {value} at [{first}]; {_ANSWERS}")


def _as_array(given: Any) -> npt.NDArray[Any]:
    try:
        return as_array(given, "labeler(...)")
    except InvalidValueError:
        if not isinstance(given, list | tuple):
            raise
        return np.fromiter(given, object, len(given))  # lists among the answers


def _none(n: int, error: Malformed) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.bool_], Malformed]:
    return np.full(n, _WRONG, np.int8), np.zeros(n, np.bool_), error


def _answer(value: Any) -> int:
    return int(value == 1) - int(value == -1) if isinstance(value, Real | np.bool_) and value in {-1, 0, 1} else _WRONG
