"""Reading a calibrator back from plain JSON, strictly: a file that does not fit is an error, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastcal._validate.keys import require_keys
from fastcal._validate.numbers import fraction
from fastcal.calibration._group_json import from_dict as group_from_dict
from fastcal.calibration.beta import BetaCalibrator
from fastcal.calibration.group import GroupCalibrator
from fastcal.calibration.histogram import HistogramCalibrator
from fastcal.calibration.isotonic import IsotonicCalibrator
from fastcal.calibration.platt import PlattCalibrator
from fastcal.calibration.temperature import TemperatureCalibrator
from fastcal.calibration.venn_abers import VennAbersCalibrator
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from fastcal.calibration._base import Calibrator

_TYPES: dict[str, type[Calibrator]] = {
    cls.json_type: cls
    for cls in (PlattCalibrator, IsotonicCalibrator, TemperatureCalibrator, BetaCalibrator, HistogramCalibrator, VennAbersCalibrator)
}


def calibrator_from_dict(d: Mapping[str, Any]) -> Calibrator | GroupCalibrator:
    """Rebuild a fitted calibrator from what its ``to_dict`` returned.

    Parameters
    ----------
    d : mapping
        Keys ``"type"``, ``"version"``, ``"params"``, ``"fitted"``, as ``json.loads`` gives them.

    Returns
    -------
    Calibrator or GroupCalibrator
        Predicts the same bits as the one that was saved.

    Raises
    ------
    TypeError
        If `d` is not a mapping, or a value has the wrong type.
    ValueError
        If a key is missing or unknown, the type or version is not known, or a value is out of range.

    Examples
    --------
    >>> import fastcal as fc
    >>> cal = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    >>> again = fc.calibrator_from_dict(cal.to_dict())
    >>> bool(again.predict(0.5) == cal.predict(0.5))
    True
    """
    require_keys(d, {"type", "version", "params", "fitted"}, "calibrator")
    grouped = d["type"] == GroupCalibrator.json_type
    cls = _TYPES.get(d["type"]) if isinstance(d["type"], str) else None
    if cls is None and not grouped:
        raise InvalidValueError(
            f"calibrator type {d['type']!r} is not known; expected one of {', '.join(map(repr, [*_TYPES, GroupCalibrator.json_type]))}"
        )
    if type(d["version"]) is not int or d["version"] != (cls or GroupCalibrator).json_version:
        raise InvalidValueError(f"calibrator version {d['version']!r} cannot be read; expected {(cls or GroupCalibrator).json_version}")
    if cls is None:
        return group_from_dict(d, calibrator_from_dict)
    require_keys(d["params"], set(cls().get_params()), "params")
    require_keys(d["fitted"], set(cls.fitted_names), "fitted")
    return _rebuild(cls(**d["params"]), dict(d["fitted"]))


def _rebuild(calibrator: Calibrator, fitted: dict[str, Any]) -> Calibrator:
    base_rate = fraction(fitted.pop("base_rate_"), "base_rate_")
    calibrator._check_params()  # noqa: SLF001  (this module is the other half of Calibrator)
    calibrator._restore(fitted)  # noqa: SLF001
    calibrator.base_rate_ = base_rate
    return calibrator
