"""Judges paths and how far a file is to be checked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from fastcal.errors import InvalidTypeError, InvalidValueError

Verification = Literal["lazy", "eager", False]


def path(value: Any, name: str) -> Path:
    """Return a path, of text or bytes."""
    try:
        text = os.fsdecode(value)
    except TypeError:
        raise InvalidTypeError(f"{name} must be a str or path-like, got {type(value).__name__}") from None
    if not text:
        raise InvalidValueError(f"{name} must not be empty")
    if "\0" in text:
        raise InvalidValueError(f"{name} must not hold a NUL character, got {text!r}")
    return Path(text)


def verification(value: Any) -> Verification:
    """Accept "lazy", "eager" or False."""
    if value is False:
        return False
    if isinstance(value, str) and value in {"lazy", "eager"}:
        return "lazy" if value == "lazy" else "eager"
    raise InvalidValueError(f"verify must be 'lazy', 'eager' or False, got {value!r}")
