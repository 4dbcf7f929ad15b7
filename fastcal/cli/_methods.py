"""``--method``: the calibrator that a word stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import calibration
from fastcal.errors import InvalidValueError

AUTO = "auto"
METHODS = (AUTO, "platt", "isotonic", "isotonic-strict", "beta", "temperature", "histogram", "venn-abers")
INPUTS = ("logit", "cosine", "prob")
_READS = {"platt": calibration.PlattCalibrator, "beta": calibration.BetaCalibrator, "temperature": calibration.TemperatureCalibrator}
_RISING = ("beta", "temperature")


def calibrator_of(method: str, scores: npt.NDArray[Any], read_as: str | None, rising: bool, metric: str | None = None) -> Any:
    """Return an unfitted calibrator, None for "auto"; an `input` that nothing reads is an error.

    Beta reads scores as cosines if that is the `metric` or one is below 0 or above 1, else as probabilities.
    """
    if read_as is not None and method not in _READS:
        raise InvalidValueError(f"--input is for {', '.join(_READS)}; {method} takes any score as it is")
    if not rising and method in _RISING:
        raise InvalidValueError(f"--method {method} rises with the score and cannot take distances; platt, histogram, isotonic and venn-abers can")
    if method == AUTO:
        return None
    if method in _READS:
        if read_as is None and method == "beta":
            read_as = "prob" if metric != "cosine" and np.nanmin(scores) >= 0.0 and np.nanmax(scores) <= 1.0 else "cosine"
        made: Any = _READS[method]
        return made() if read_as is None else made(input=read_as)
    if method == "histogram":
        return calibration.HistogramCalibrator()
    if method == "venn-abers":
        return calibration.VennAbersCalibrator(increasing=rising)
    if method == "isotonic-strict":
        return calibration.IsotonicCalibrator(increasing=rising, strict=True, bounds="laplace")
    return calibration.IsotonicCalibrator(increasing=rising)
