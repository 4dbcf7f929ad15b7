"""Judges the keys of plain-JSON state: what is missing or unknown is an error, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastcal.errors import InvalidTypeError, InvalidValueError


def require_keys(d: Any, expected: set[str], name: str) -> None:
    """Raise unless `d` is a mapping with exactly the expected keys."""
    if not isinstance(d, Mapping):
        raise InvalidTypeError(f"{name} must be a mapping, got {type(d).__name__}")
    if set(d) != expected:
        missing, unknown = sorted(expected - set(d)), sorted(map(str, set(d) - expected))
        raise InvalidValueError(f"{name} has the wrong keys: missing {missing}, unknown {unknown}")
