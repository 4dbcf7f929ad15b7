"""The compiled backend: ``fastcal._core.Engine`` already has the methods of the Protocol, name for name."""

from __future__ import annotations

from fastcal._backend.protocol import Backend
from fastcal.errors import BackendError


def native_backend(isa: str | None) -> Backend:
    """Build the backend on one instruction set, or on ``FASTCAL_ISA``, or on the strongest this CPU can run."""
    from fastcal import _core

    try:
        return _core.Engine(isa)
    except ValueError as error:
        raise BackendError(str(error)) from None
