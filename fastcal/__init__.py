"""fastcal: from a raw similarity score to a decision, natively accelerated.

Exact top-k search, per-query normalisation, fusion, calibrated probabilities, thresholds and decisions on
NumPy arrays. Names are loaded on first use, so that ``import fastcal`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fastcal._version import __version__

if TYPE_CHECKING:
    from fastcal import metrics as metrics
    from fastcal._info import (
        BackendInfo as BackendInfo,
    )
    from fastcal._info import (
        backend as backend,
    )
    from fastcal._info import (
        cpu_info as cpu_info,
    )
    from fastcal._info import (
        warmup as warmup,
    )
    from fastcal._threads import set_num_threads as set_num_threads
    from fastcal.calibration import (
        BetaCalibrator as BetaCalibrator,
    )
    from fastcal.calibration import (
        GroupCalibrator as GroupCalibrator,
    )
    from fastcal.calibration import (
        HistogramCalibrator as HistogramCalibrator,
    )
    from fastcal.calibration import (
        IsotonicCalibrator as IsotonicCalibrator,
    )
    from fastcal.calibration import (
        PlattCalibrator as PlattCalibrator,
    )
    from fastcal.calibration import (
        TemperatureCalibrator as TemperatureCalibrator,
    )
    from fastcal.calibration import (
        VennAbersCalibrator as VennAbersCalibrator,
    )
    from fastcal.calibration import (
        calibrator_from_dict as calibrator_from_dict,
    )
    from fastcal.display import (
        ReliabilityDisplay as ReliabilityDisplay,
    )
    from fastcal.display import (
        RiskCoverageDisplay as RiskCoverageDisplay,
    )
    from fastcal.display import (
        SeparationDisplay as SeparationDisplay,
    )
    from fastcal.display import (
        ThresholdDisplay as ThresholdDisplay,
    )
    from fastcal.display import (
        TransferDisplay as TransferDisplay,
    )
    from fastcal.errors import (
        BackendError as BackendError,
    )
    from fastcal.errors import (
        BackendFallbackWarning as BackendFallbackWarning,
    )
    from fastcal.errors import (
        CorpusChangedError as CorpusChangedError,
    )
    from fastcal.errors import (
        EscalationWarning as EscalationWarning,
    )
    from fastcal.errors import (
        FastcalError as FastcalError,
    )
    from fastcal.errors import (
        FastcalWarning as FastcalWarning,
    )
    from fastcal.errors import (
        FloatEnvironmentWarning as FloatEnvironmentWarning,
    )
    from fastcal.errors import (
        IndexCorruptError as IndexCorruptError,
    )
    from fastcal.errors import (
        MissingExtraError as MissingExtraError,
    )
    from fastcal.errors import (
        NotFittedError as NotFittedError,
    )
    from fastcal.errors import (
        ProfileMismatchError as ProfileMismatchError,
    )
    from fastcal.errors import (
        ProfileWarning as ProfileWarning,
    )
    from fastcal.errors import (
        SmallSampleWarning as SmallSampleWarning,
    )
    from fastcal.evaluation import (
        RunComparison as RunComparison,
    )
    from fastcal.evaluation import (
        compare_runs as compare_runs,
    )
    from fastcal.fusion import (
        FusionComponents as FusionComponents,
    )
    from fastcal.fusion import (
        fuse as fuse,
    )
    from fastcal.fusion import (
        rrf as rrf,
    )
    from fastcal.index import Index as Index
    from fastcal.normalization import (
        minmax as minmax,
    )
    from fastcal.normalization import (
        normalize as normalize,
    )
    from fastcal.normalization import (
        zscore as zscore,
    )
    from fastcal.policy import (
        AbstainBand as AbstainBand,
    )
    from fastcal.policy import (
        Decision as Decision,
    )
    from fastcal.policy import (
        Escalation as Escalation,
    )
    from fastcal.policy import (
        GapCheck as GapCheck,
    )
    from fastcal.policy import (
        PerClass as PerClass,
    )
    from fastcal.policy import (
        Policy as Policy,
    )
    from fastcal.policy import (
        PolicyResult as PolicyResult,
    )
    from fastcal.policy import (
        Reason as Reason,
    )
    from fastcal.policy import (
        ScoreFloor as ScoreFloor,
    )
    from fastcal.policy import (
        Step as Step,
    )
    from fastcal.profile import (
        Drift as Drift,
    )
    from fastcal.profile import (
        Profile as Profile,
    )
    from fastcal.profile import (
        Recalibration as Recalibration,
    )
    from fastcal.profile import (
        RevalidationReport as RevalidationReport,
    )
    from fastcal.profile import (
        Threshold as Threshold,
    )
    from fastcal.profile import (
        ThresholdCheck as ThresholdCheck,
    )
    from fastcal.profile import (
        corpus_fingerprint as corpus_fingerprint,
    )
    from fastcal.results import (
        BandSample as BandSample,
    )
    from fastcal.results import (
        RangeResult as RangeResult,
    )
    from fastcal.results import (
        SearchResult as SearchResult,
    )
    from fastcal.run import (
        Labels as Labels,
    )
    from fastcal.run import (
        Qrels as Qrels,
    )
    from fastcal.run import (
        Run as Run,
    )
    from fastcal.run import (
        pairs as pairs,
    )
    from fastcal.scoring import (
        rescore as rescore,
    )
    from fastcal.scoring import (
        scores as scores,
    )
    from fastcal.scoring import (
        topk as topk,
    )
    from fastcal.selection import (
        Selection as Selection,
    )
    from fastcal.selection import (
        cross_fit as cross_fit,
    )
    from fastcal.selection import (
        select_calibrator as select_calibrator,
    )
    from fastcal.thresholds import (
        OperatingPoint as OperatingPoint,
    )
    from fastcal.thresholds import (
        Sweep as Sweep,
    )
    from fastcal.thresholds import (
        choose_threshold as choose_threshold,
    )
    from fastcal.thresholds import (
        clopper_pearson_interval as clopper_pearson_interval,
    )
    from fastcal.thresholds import (
        threshold_sweep as threshold_sweep,
    )
    from fastcal.thresholds import (
        wilson_interval as wilson_interval,
    )
    from fastcal.trained_fusion import (
        LinearFusion as LinearFusion,
    )
    from fastcal.trained_fusion import (
        LogisticFusion as LogisticFusion,
    )
    from fastcal.trained_fusion import (
        fit_fusion as fit_fusion,
    )
    from fastcal.trained_fusion import (
        fusion_from_dict as fusion_from_dict,
    )

_HOME = {
    "fastcal._info": ("BackendInfo", "backend", "cpu_info", "warmup"),
    "fastcal._threads": ("set_num_threads",),
    "fastcal.calibration": (
        "BetaCalibrator",
        "GroupCalibrator",
        "HistogramCalibrator",
        "IsotonicCalibrator",
        "PlattCalibrator",
        "TemperatureCalibrator",
        "VennAbersCalibrator",
        "calibrator_from_dict",
    ),
    "fastcal.display": ("ReliabilityDisplay", "RiskCoverageDisplay", "SeparationDisplay", "ThresholdDisplay", "TransferDisplay"),
    "fastcal.errors": (
        "BackendError",
        "BackendFallbackWarning",
        "CorpusChangedError",
        "EscalationWarning",
        "FastcalError",
        "FastcalWarning",
        "FloatEnvironmentWarning",
        "IndexCorruptError",
        "MissingExtraError",
        "NotFittedError",
        "ProfileMismatchError",
        "ProfileWarning",
        "SmallSampleWarning",
    ),
    "fastcal.evaluation": ("RunComparison", "compare_runs"),
    "fastcal.fusion": ("FusionComponents", "fuse", "rrf"),
    "fastcal.index": ("Index",),
    "fastcal.normalization": ("minmax", "normalize", "zscore"),
    "fastcal.policy": ("AbstainBand", "Decision", "Escalation", "GapCheck", "PerClass", "Policy", "PolicyResult", "Reason", "ScoreFloor", "Step"),
    "fastcal.profile": ("Drift", "Profile", "Recalibration", "RevalidationReport", "Threshold", "ThresholdCheck", "corpus_fingerprint"),
    "fastcal.results": ("BandSample", "RangeResult", "SearchResult"),
    "fastcal.run": ("Labels", "Qrels", "Run", "pairs"),
    "fastcal.scoring": ("rescore", "scores", "topk"),
    "fastcal.selection": ("Selection", "cross_fit", "select_calibrator"),
    "fastcal.thresholds": ("OperatingPoint", "Sweep", "choose_threshold", "clopper_pearson_interval", "threshold_sweep", "wilson_interval"),
    "fastcal.trained_fusion": ("LinearFusion", "LogisticFusion", "fit_fusion", "fusion_from_dict"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = ["__version__", "metrics", *_MODULE_OF]  # noqa: PLE0604  (every entry is a str; tests/test_architecture.py checks it)


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return importlib.import_module("fastcal.metrics")
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'fastcal' has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
