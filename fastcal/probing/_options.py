"""Options that both recipes share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastcal._validate.numbers import integer
from fastcal.errors import InvalidTypeError

FLOOR = 1  # an estimate promises nothing that would take more labels


def with_defaults(function: Callable[..., Any], *positional: Any, **options: Any) -> dict[str, Any]:
    """Return all arguments of a call but the labeler, defaults included."""
    try:
        bound = inspect.signature(function).bind(*positional, **options)
    except TypeError as error:
        raise InvalidTypeError(f"{function.__name__}_async: {error}") from None
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name != "labeler"}


def as_budget(budget: int | None) -> int | None:
    """Return the labels that may be used, None for no limit."""
    return None if budget is None else integer(budget, "budget", least=FLOOR)
