"""Calibrators: from a raw score to the probability that the pair is relevant, one method per file."""

from fastcal.calibration._base import Calibrator
from fastcal.calibration._group_fits import GroupFit
from fastcal.calibration._json import calibrator_from_dict
from fastcal.calibration.beta import BetaCalibrator
from fastcal.calibration.group import GroupCalibrator
from fastcal.calibration.histogram import HistogramCalibrator
from fastcal.calibration.isotonic import IsotonicCalibrator
from fastcal.calibration.platt import PlattCalibrator
from fastcal.calibration.temperature import TemperatureCalibrator
from fastcal.calibration.venn_abers import VennAbersCalibrator

__all__ = [
    "BetaCalibrator",
    "Calibrator",
    "GroupCalibrator",
    "GroupFit",
    "HistogramCalibrator",
    "IsotonicCalibrator",
    "PlattCalibrator",
    "TemperatureCalibrator",
    "VennAbersCalibrator",
    "calibrator_from_dict",
]
