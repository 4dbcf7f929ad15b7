"""Calibrators: from a raw score to the probability that the pair is relevant, one method per file."""

from fastcal.calibration._base import Calibrator
from fastcal.calibration._json import calibrator_from_dict
from fastcal.calibration.isotonic import IsotonicCalibrator
from fastcal.calibration.platt import PlattCalibrator

__all__ = ["Calibrator", "IsotonicCalibrator", "PlattCalibrator", "calibrator_from_dict"]
