"""Optional parts of fastcal, imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from fastcal.errors import MissingExtraError


def require(module: str, extra: str) -> Any:
    """Import an optional module, or raise :class:`fastcal.MissingExtraError` naming the extra that brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise
        raise MissingExtraError(f"{top} is not installed: pip install 'fastcal[{extra}]'", name=top) from error
