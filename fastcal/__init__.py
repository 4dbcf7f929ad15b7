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
        backend as backend,
        cpu_info as cpu_info,
        warmup as warmup,
    )
    from fastcal._threads import set_num_threads as set_num_threads
    from fastcal.calibration import (
        BetaCalibrator as BetaCalibrator,
        GroupCalibrator as GroupCalibrator,
        HistogramCalibrator as HistogramCalibrator,
        IsotonicCalibrator as IsotonicCalibrator,
        PlattCalibrator as PlattCalibrator,
        TemperatureCalibrator as TemperatureCalibrator,
        VennAbersCalibrator as VennAbersCalibrator,
        calibrator_from_dict as calibrator_from_dict,
    )
    from fastcal.certificates import (
        Certificate as Certificate,
        CutTest as CutTest,
        PooledCertificate as PooledCertificate,
        QueryCertificate as QueryCertificate,
        QueryFacts as QueryFacts,
        QueryTest as QueryTest,
        RecallCertificate as RecallCertificate,
        RecallFacts as RecallFacts,
        RecallStep as RecallStep,
        certify_queries as certify_queries,
        certify_queries_async as certify_queries_async,
        certify_recall as certify_recall,
        certify_recall_async as certify_recall_async,
        certify_threshold as certify_threshold,
        certify_threshold_async as certify_threshold_async,
        dynamic_threshold as dynamic_threshold,
        dynamic_threshold_async as dynamic_threshold_async,
        pooled_thresholds as pooled_thresholds,
        pooled_thresholds_async as pooled_thresholds_async,
    )
    from fastcal.display import (
        ReliabilityDisplay as ReliabilityDisplay,
        RiskCoverageDisplay as RiskCoverageDisplay,
        SeparationDisplay as SeparationDisplay,
        ThresholdDisplay as ThresholdDisplay,
        TransferDisplay as TransferDisplay,
    )
    from fastcal.errors import (
        BackendError as BackendError,
        BackendFallbackWarning as BackendFallbackWarning,
        CorpusChangedError as CorpusChangedError,
        EscalationWarning as EscalationWarning,
        FastcalError as FastcalError,
        FastcalWarning as FastcalWarning,
        FloatEnvironmentWarning as FloatEnvironmentWarning,
        IndexCorruptError as IndexCorruptError,
        InvalidElementError as InvalidElementError,
        LabelFileError as LabelFileError,
        LabelingError as LabelingError,
        LabelingStopped as LabelingStopped,
        LabelingWarning as LabelingWarning,
        LabelsWanted as LabelsWanted,
        MissingExtraError as MissingExtraError,
        NotFittedError as NotFittedError,
        ProfileMismatchError as ProfileMismatchError,
        ProfileWarning as ProfileWarning,
        ShardLostError as ShardLostError,
        SmallSampleWarning as SmallSampleWarning,
        WorkerLostError as WorkerLostError,
    )
    from fastcal.evaluation import (
        RunComparison as RunComparison,
        compare_runs as compare_runs,
    )
    from fastcal.fusion import (
        FusionComponents as FusionComponents,
        fuse as fuse,
        rrf as rrf,
    )
    from fastcal.index import Index as Index
    from fastcal.intervals import (
        beta_binomial_sequence as beta_binomial_sequence,
        betting_sequence as betting_sequence,
        clopper_pearson_interval as clopper_pearson_interval,
        hypergeometric_interval as hypergeometric_interval,
        jeffreys_interval as jeffreys_interval,
        wilson_interval as wilson_interval,
        without_replacement_sequence as without_replacement_sequence,
    )
    from fastcal.labelling import (
        BatchLabeler as BatchLabeler,
        CsvLabeler as CsvLabeler,
        QrelsLabeler as QrelsLabeler,
        TerminalLabeler as TerminalLabeler,
    )
    from fastcal.normalization import (
        QueryFeatures as QueryFeatures,
        minmax as minmax,
        normalize as normalize,
        query_features as query_features,
        zscore as zscore,
    )
    from fastcal.policy import (
        AbstainBand as AbstainBand,
        Decision as Decision,
        Escalation as Escalation,
        GapCheck as GapCheck,
        PerClass as PerClass,
        Policy as Policy,
        PolicyResult as PolicyResult,
        Reason as Reason,
        ScoreFloor as ScoreFloor,
        Step as Step,
    )
    from fastcal.probing import (
        AnnularResult as AnnularResult,
        ThresholdEstimate as ThresholdEstimate,
        annular_threshold as annular_threshold,
        annular_threshold_async as annular_threshold_async,
        density_weighted_threshold as density_weighted_threshold,
        density_weighted_threshold_async as density_weighted_threshold_async,
    )
    from fastcal.profile import (
        Drift as Drift,
        Profile as Profile,
        Recalibration as Recalibration,
        RevalidationReport as RevalidationReport,
        Threshold as Threshold,
        ThresholdCheck as ThresholdCheck,
        corpus_fingerprint as corpus_fingerprint,
    )
    from fastcal.results import (
        BandSample as BandSample,
        RangeResult as RangeResult,
        SearchResult as SearchResult,
    )
    from fastcal.run import (
        Labels as Labels,
        Qrels as Qrels,
        Run as Run,
        pairs as pairs,
    )
    from fastcal.scoring import (
        rescore as rescore,
        scores as scores,
        topk as topk,
    )
    from fastcal.selection import (
        HeldOutThreshold as HeldOutThreshold,
        Selection as Selection,
        cross_fit as cross_fit,
        held_out_threshold as held_out_threshold,
        select_calibrator as select_calibrator,
    )
    from fastcal.thresholds import (
        HeuristicCut as HeuristicCut,
        OperatingPoint as OperatingPoint,
        Sweep as Sweep,
        choose_threshold as choose_threshold,
        gap_cut as gap_cut,
        knee_cut as knee_cut,
        tail_cut as tail_cut,
        threshold_sweep as threshold_sweep,
    )
    from fastcal.trained_fusion import (
        LinearFusion as LinearFusion,
        LogisticFusion as LogisticFusion,
        fit_fusion as fit_fusion,
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
    "fastcal.certificates": (
        "Certificate",
        "CutTest",
        "PooledCertificate",
        "QueryCertificate",
        "QueryFacts",
        "QueryTest",
        "RecallCertificate",
        "RecallFacts",
        "RecallStep",
        "certify_queries",
        "certify_queries_async",
        "certify_recall",
        "certify_recall_async",
        "certify_threshold",
        "certify_threshold_async",
        "dynamic_threshold",
        "dynamic_threshold_async",
        "pooled_thresholds",
        "pooled_thresholds_async",
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
        "InvalidElementError",
        "LabelFileError",
        "LabelingError",
        "LabelingStopped",
        "LabelingWarning",
        "LabelsWanted",
        "MissingExtraError",
        "NotFittedError",
        "ProfileMismatchError",
        "ProfileWarning",
        "ShardLostError",
        "SmallSampleWarning",
        "WorkerLostError",
    ),
    "fastcal.evaluation": ("RunComparison", "compare_runs"),
    "fastcal.fusion": ("FusionComponents", "fuse", "rrf"),
    "fastcal.index": ("Index",),
    "fastcal.intervals": (
        "beta_binomial_sequence",
        "betting_sequence",
        "clopper_pearson_interval",
        "hypergeometric_interval",
        "jeffreys_interval",
        "wilson_interval",
        "without_replacement_sequence",
    ),
    "fastcal.labelling": ("BatchLabeler", "CsvLabeler", "QrelsLabeler", "TerminalLabeler"),
    "fastcal.normalization": ("QueryFeatures", "minmax", "normalize", "query_features", "zscore"),
    "fastcal.policy": ("AbstainBand", "Decision", "Escalation", "GapCheck", "PerClass", "Policy", "PolicyResult", "Reason", "ScoreFloor", "Step"),
    "fastcal.probing": (
        "AnnularResult",
        "ThresholdEstimate",
        "annular_threshold",
        "annular_threshold_async",
        "density_weighted_threshold",
        "density_weighted_threshold_async",
    ),
    "fastcal.profile": ("Drift", "Profile", "Recalibration", "RevalidationReport", "Threshold", "ThresholdCheck", "corpus_fingerprint"),
    "fastcal.results": ("BandSample", "RangeResult", "SearchResult"),
    "fastcal.run": ("Labels", "Qrels", "Run", "pairs"),
    "fastcal.scoring": ("rescore", "scores", "topk"),
    "fastcal.selection": ("HeldOutThreshold", "Selection", "cross_fit", "held_out_threshold", "select_calibrator"),
    "fastcal.thresholds": (
        "HeuristicCut",
        "OperatingPoint",
        "Sweep",
        "choose_threshold",
        "gap_cut",
        "knee_cut",
        "tail_cut",
        "threshold_sweep",
    ),
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
