"""What runs, and on what."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fastcal import _backend, _threads


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """The backend that public functions run on.

    Attributes
    ----------
    name : str
        ``"native"`` or ``"numba"``.
    isa : str
        Kernel table in use (``"base"``, ``"avx2"``, ``"avx512"``, ``"avx512_vnni"``, ``"neon"``, ``"neon_dot"``), or
        ``"numba"``.
    num_threads : int
        Threads a call uses unless it says otherwise.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.backend().name in {"native", "numba"}
    True
    """

    name: str
    isa: str
    num_threads: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dict."""
        return asdict(self)


def backend() -> BackendInfo:
    """Say which backend, instruction set and default thread count are in use.

    Returns
    -------
    BackendInfo

    Raises
    ------
    BackendError
        If ``FASTCAL_BACKEND`` or ``FASTCAL_ISA`` ask for something that cannot run here.

    Examples
    --------
    >>> import fastcal as fc
    >>> sorted(fc.backend().to_dict())
    ['isa', 'name', 'num_threads']
    """
    active = _backend.active()
    return BackendInfo(active.name, active.isa, _threads.resolve(None))


def cpu_info() -> dict[str, Any]:
    """Describe what the installed extension was compiled for and what this machine can run.

    Returns
    -------
    dict
        ``compiled_isas`` and ``supported_isas`` (lists, weakest first; empty without the extension), ``usable_cpus``
        (CPU affinity and cgroup quota taken into account) and ``compiler`` (None without the extension).

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.cpu_info()["usable_cpus"] >= 1
    True
    """
    compiler = None
    if _backend.extension_present():
        from fastcal import _core

        compiler = _core.compiler
    return {
        "compiled_isas": _backend.compiled_isas(),
        "supported_isas": _backend.supported_isas(),
        "usable_cpus": _threads.usable_cpus(),
        "compiler": compiler,
    }


def warmup() -> None:
    """Do now what the first calls would do: choose the backend, compile Numba kernels or start the threads.

    A service calls it once before it takes requests. On the native backend it takes well under a millisecond; on
    Numba it takes seconds the first time and is cached on disk after that.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.warmup()
    """
    from fastcal.calibration import BetaCalibrator, IsotonicCalibrator, PlattCalibrator, VennAbersCalibrator
    from fastcal.fusion import fuse
    from fastcal.index import Index
    from fastcal.normalization import minmax, normalize
    from fastcal.run import Run
    from fastcal.scoring import rescore, scores
    from fastcal.thresholds import threshold_sweep

    rows = np.random.default_rng(0).standard_normal((64, 16))
    labels = np.arange(64) % 2
    for metric in ("cosine", "dot", "euclidean"):
        found = Index(rows, metric).search(rows[:2], 3)
        rescore(rows[:2], rows, found.ids, metric)
        scores(rows[:2], rows, metric)
    for dtype in (np.float32, np.float64):
        column = rows[:, 0].astype(dtype)
        unit = minmax(column)
        normalize(column, "rank")
        threshold_sweep(column, labels)
        for calibrator in (PlattCalibrator(), IsotonicCalibrator(), BetaCalibrator(), VennAbersCalibrator()):
            calibrator.fit(unit, labels).predict(unit)
    run = Run(found.ids, found.scores, higher_is_better=False)
    fuse([run, run], "rrf")
    fuse([run, run], "sum", norm="minmax")
