"""What select_calibrator compares unless told otherwise."""

from __future__ import annotations

from typing import Any

from fastcal import calibration
from fastcal._backend.protocol import Array


def default_candidates(scores: Array) -> dict[str, Any]:
    """Return calibrators from simple to complex that take these raw scores."""
    return {"platt": calibration.PlattCalibrator(), "isotonic": calibration.IsotonicCalibrator()}
