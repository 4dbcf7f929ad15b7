"""Diagnostics: are the probabilities right, and can these scores be cut at all. Arguments in scikit-learn's order."""

from fastcal.metrics.bootstrap import Estimate, bootstrap
from fastcal.metrics.brier import brier_score
from fastcal.metrics.brier_skill import brier_skill
from fastcal.metrics.calibration_error import expected_calibration_error
from fastcal.metrics.cllr import cllr, cllr_min
from fastcal.metrics.corp import Decomposition, corp_decomposition
from fastcal.metrics.debiased import debiased_calibration_error
from fastcal.metrics.judged import JudgedAtK, judged_at_k
from fastcal.metrics.log_loss import log_loss
from fastcal.metrics.operating import PrecisionRecall, precision_recall_at
from fastcal.metrics.reliability import ReliabilityCurve, reliability_curve
from fastcal.metrics.risk_coverage import RiskCoverage, risk_coverage
from fastcal.metrics.separation import Separation, separation
from fastcal.metrics.smooth_ece import smooth_ece
from fastcal.metrics.summary import CalibrationSummary, calibration_summary
from fastcal.metrics.threshold_stability import ClassThreshold, ThresholdStability, threshold_stability
from fastcal.metrics.transfer import TransferMatrix, transfer_matrix

__all__ = [
    "CalibrationSummary",
    "ClassThreshold",
    "Decomposition",
    "Estimate",
    "JudgedAtK",
    "PrecisionRecall",
    "ReliabilityCurve",
    "RiskCoverage",
    "Separation",
    "ThresholdStability",
    "TransferMatrix",
    "bootstrap",
    "brier_score",
    "brier_skill",
    "calibration_summary",
    "cllr",
    "cllr_min",
    "corp_decomposition",
    "debiased_calibration_error",
    "expected_calibration_error",
    "judged_at_k",
    "log_loss",
    "precision_recall_at",
    "reliability_curve",
    "risk_coverage",
    "separation",
    "smooth_ece",
    "threshold_stability",
    "transfer_matrix",
]
