"""The error about one element of an array, and where the element stands in what the caller gave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidElementError


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
def within(places: npt.NDArray[np.int64], whose: str = "") -> Iterator[None]:
    """Let an error about an element of a part say where that stands in the whole: the part is ``whole[places]``, and `whose` the argument."""
    try:
        yield
    except InvalidElementError as error:
        error.at = int(places[error.at])
        if whose:
            error.args, error.argument = (f"{whose}: {error}",), whose
        raise
