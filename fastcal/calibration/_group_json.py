"""Reading a GroupCalibrator back from plain JSON, strictly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from fastcal._validate.keys import require_keys
from fastcal._validate.numbers import fraction, number
from fastcal.calibration._base import Calibrator
from fastcal.calibration._group_fits import GroupFit
from fastcal.calibration.group import GroupCalibrator
from fastcal.errors import InvalidTypeError, InvalidValueError


def from_dict(d: Mapping[str, Any], read: Callable[[Any], Any]) -> GroupCalibrator:
    """Rebuild what ``to_dict`` returned; `read` rebuilds a member. An infinite shrinkage, which JSON lacks, is the string "inf"."""
    require_keys(d["params"], {"shrinkage", "unknown"}, "params")
    require_keys(d["fitted"], {"pooled_", "groups_", "base_rate_"}, "fitted")
    fitted, params = d["fitted"], dict(d["params"])
    pooled = _member(fitted["pooled_"], read)
    params["shrinkage"] = math.inf if params["shrinkage"] == "inf" else params["shrinkage"]
    result = GroupCalibrator(type(pooled)(**pooled.get_params()), **params)
    result._check_params()  # noqa: SLF001  (this module is the other half of GroupCalibrator)
    rows = fitted["groups_"]
    if not isinstance(rows, list) or not rows:
        raise InvalidTypeError("groups_ must be a list of at least one group")
    members = {_row(row): _member(row["calibrator"], read) for row in rows}
    if any(repr(member) != repr(pooled) for member in members.values()):
        raise InvalidValueError(f"groups_ holds {[repr(member) for member in members.values()]}; expected {pooled!r} for each, as pooled_ is")
    result.groups_, result.pooled_ = tuple(members), pooled
    result.calibrators_ = {row.label: member for row, member in members.items()}
    if len(result.calibrators_) != len(rows) or len({isinstance(row.label, str) for row in members}) > 1:
        raise InvalidValueError(f"groups_ has the labels {[row.label for row in members]}; expected distinct ones of one kind")
    result.base_rate_ = fraction(fitted["base_rate_"], "base_rate_")
    return result


def _member(d: Any, read: Callable[[Any], Any]) -> Calibrator:
    if isinstance(d, Mapping) and d.get("type") == GroupCalibrator.json_type:
        raise InvalidValueError("a group cannot hold groups")
    member: Calibrator = read(d)
    return member


def _row(d: Any) -> GroupFit:
    require_keys(d, {"label", "n", "positives", "own_weight", "calibrator"}, "group")
    if not isinstance(d["label"], str | int):
        raise InvalidTypeError(f"label must be a string or an integer, got {d['label']!r}")
    n, positives = (number(d[name], name, "a finite number of at least 0", lambda x: 0.0 <= x < math.inf) for name in ("n", "positives"))
    return GroupFit(d["label"], n, positives, number(d["own_weight"], "own_weight", "a number in [0, 1]", lambda x: 0.0 <= x <= 1.0))
