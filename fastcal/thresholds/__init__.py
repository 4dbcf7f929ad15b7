"""Thresholds: where to cut a list of scores all of whose labels are known."""

from fastcal.thresholds.choose import OperatingPoint, choose_threshold
from fastcal.thresholds.sweep import Sweep, threshold_sweep

__all__ = ["OperatingPoint", "Sweep", "choose_threshold", "threshold_sweep"]
