"""Diagnostics: are the probabilities right, and can these scores be cut at all. Arguments in scikit-learn's order."""

from fastcal.metrics.brier import brier_score
from fastcal.metrics.calibration_error import expected_calibration_error
from fastcal.metrics.reliability import ReliabilityCurve, reliability_curve
from fastcal.metrics.separation import Separation, separation

__all__ = ["ReliabilityCurve", "Separation", "brier_score", "expected_calibration_error", "reliability_curve", "separation"]
