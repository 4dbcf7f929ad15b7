"""Pictures of the diagnostics, with matplotlib (extra ``report``), by scikit-learn's display convention."""

from fastcal.display.reliability import ReliabilityDisplay
from fastcal.display.risk_coverage import RiskCoverageDisplay
from fastcal.display.separation import SeparationDisplay
from fastcal.display.threshold import ThresholdDisplay
from fastcal.display.transfer import TransferDisplay

__all__ = ["ReliabilityDisplay", "RiskCoverageDisplay", "SeparationDisplay", "ThresholdDisplay", "TransferDisplay"]
