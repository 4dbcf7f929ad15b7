"""Choice of the backend: one function decides, and says why when it cannot.

Order: an explicit :func:`use`, then ``FASTCAL_BACKEND=auto|native|numba``, then native if its extension is
there, then Numba. A *missing* extension is a fallback with one warning; an ImportError raised *inside* an
existing extension is an error and is raised again.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from fastcal._backend.protocol import Backend
from fastcal.errors import BackendError, BackendFallbackWarning

_EXTENSION = "fastcal._core"
_active: Backend | None = None


def active() -> Backend:
    """Return the backend every public function runs on, choosing it on first use."""
    global _active
    if _active is None:
        _active = choose(os.environ.get("FASTCAL_BACKEND") or "auto")
    return _active


def choose(wanted: str) -> Backend:
    """Build the backend that ``wanted`` (``auto``, ``native`` or ``numba``) stands for."""
    if wanted == "native":
        return _build_native(None)
    if wanted == "numba":
        return _chosen_numba()
    if wanted != "auto":
        raise BackendError(f"FASTCAL_BACKEND={wanted!r} is not a backend; expected 'auto', 'native' or 'numba'")
    if extension_present():
        return _build_native(None)
    backend = _chosen_numba()
    warnings.warn(
        "fastcal runs on its Numba backend: the compiled extension fastcal._core is not installed. Results are the same, slower. "
        "Set FASTCAL_BACKEND=numba to say that this is intended.",
        BackendFallbackWarning,
        stacklevel=3,
    )
    return backend


def by_id(backend_id: str) -> Backend:
    """Build the backend of a test or bench id: ``numba``, ``native`` or ``native:<isa>``."""
    name, _, isa = backend_id.partition(":")
    if name == "native":
        return _build_native(isa or None)
    if backend_id == "numba":
        return _build_numba()
    raise BackendError(f"{backend_id!r} is not a backend id; expected 'numba', 'native' or 'native:<isa>'")


@contextmanager
def use(backend: Backend) -> Iterator[Backend]:
    """Run the body on ``backend``. For tests and benchmarks: the choice is global, not per thread."""
    global _active
    before, _active = _active, backend
    try:
        yield backend
    finally:
        _active = before


def extension_present() -> bool:
    """Whether the compiled extension is installed (it may still fail to load)."""
    return importlib.util.find_spec(_EXTENSION) is not None


def compiled_isas() -> list[str]:
    """Every instruction set the installed extension was compiled for, weakest first; empty without it."""
    if not extension_present():
        return []
    from fastcal import _core

    return list(_core.compiled_isas())


def supported_isas() -> list[str]:
    """The compiled instruction sets that this CPU can run, weakest first."""
    if not extension_present():
        return []
    from fastcal import _core

    return list(_core.supported_isas())


def _build_native(isa: str | None) -> Backend:
    if not extension_present():
        raise BackendError(
            "the native backend was asked for, but the compiled extension fastcal._core is not installed "
            "(running from the source folder? `pip install -e .` builds it)"
        )
    from fastcal._backend._native import native_backend

    return native_backend(isa)


def _chosen_numba() -> Backend:
    isa = os.environ.get("FASTCAL_ISA")
    if isa:
        raise BackendError(f"FASTCAL_ISA={isa!r} chooses kernels of the native backend, but the Numba backend would run, which has none")
    return _build_numba()


def _build_numba() -> Backend:
    if importlib.util.find_spec("numba") is None:
        raise BackendError(
            "no backend can run: the compiled extension fastcal._core is not installed, and numba is not either. "
            "`pip install fastcal` on a machine with a C++20 compiler builds the extension; `pip install 'fastcal[numba]'` "
            "installs the other backend"
        )
    from fastcal._backend._numba import NumbaBackend

    return NumbaBackend()
