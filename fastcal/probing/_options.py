"""Options that both recipes share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastcal._validate.numbers import integer
from fastcal.errors import InvalidTypeError, InvalidValueError


def with_defaults(function: Callable[..., Any], *positional: Any, **options: Any) -> dict[str, Any]:
    """Return all arguments of a call but the labeler, defaults included."""
    try:
        bound = inspect.signature(function).bind(*positional, **options)
    except TypeError as error:
        raise InvalidTypeError(f"{function.__name__}_async: {error}") from None
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name != "labeler"}


def as_budget(budget: int | None, default: int, floor: int, aim: str) -> int:
    """Return the labels that may be used; refuses fewer than the floor."""
    if budget is None:
        return max(default, floor)
    if integer(budget, "budget", least=-(2**62)) < floor:
        raise InvalidValueError(f"budget must be at least {floor}, the fewest labels that can give {aim}; got {budget}")
    return int(budget)
