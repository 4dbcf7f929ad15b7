"""Thresholds: where to cut a list of scores, and how sure one can be of what the cut promises."""

from fastcal.thresholds.choose import OperatingPoint, choose_threshold
from fastcal.thresholds.clopper_pearson import clopper_pearson_interval
from fastcal.thresholds.intervals import wilson_interval
from fastcal.thresholds.sweep import Sweep, threshold_sweep

__all__ = ["OperatingPoint", "Sweep", "choose_threshold", "clopper_pearson_interval", "threshold_sweep", "wilson_interval"]
