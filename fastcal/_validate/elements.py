"""The error about one element of an array, and where the element stands in what the caller gave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.errors import FastcalError, InvalidElementError


def bad_element(found: str, reason: str, argument: str, at: Any, value: Any) -> InvalidElementError:
    """Return the error whose message is `found` and then `reason`; the attributes make its pickle whole."""
    error = InvalidElementError(found + reason)
    error.argument, error.at, error.value, error.reason = argument, int(at), value, reason
    return error


def refuse(bad: npt.NDArray[np.bool_] | np.bool_, values: Any, name: str, expected: str) -> None:
    """Raise for the first element that is bad."""
    if not bad.any():
        return
    at = int(np.argmax(bad))
    first = np.unravel_index(at, bad.shape)
    place = f"[{', '.join(map(str, first))}]" if first else ""
    raise bad_element(f"{name}{place} is {values[first]}; ", f"expected {expected}", name, at, values[first])


@contextmanager
def within(places: npt.NDArray[np.int64], whose: str = "", shape: tuple[int, ...] | None = None) -> Iterator[None]:
    """Let an error about an element of a part say where that stands in the whole: the part is ``whole[places]``, and `whose` the argument.

    The whole is flat, or has this shape.
    """
    try:
        yield
    except InvalidElementError as error:
        before, error.at = error.at, int(places[error.at])
        _retell(error, before, (error.at,) if shape is None else np.unravel_index(error.at, shape))
        if whose:
            error.args, error.argument = (f"{whose}: {error}",), whose
        raise


def _retell(error: InvalidElementError, before: int, now: tuple[Any, ...]) -> None:
    """Put another place into the text; one that is told in another way stays."""
    text = str(error).replace(f"{error.argument}[{before}] is ", f"{error.argument}[{', '.join(map(str, now))}] is ", 1)
    error.args = (text.replace(f"at flat position {before} is ", f"at flat position {error.at} is ", 1),)


def told_from(where: str, error: FastcalError) -> FastcalError:
    """Return the error with the place it comes from before its message; what it knows of an element it keeps, as the message does."""
    told = type(error)(f"{where}: {error}")
    vars(told).update(vars(error))
    return told
