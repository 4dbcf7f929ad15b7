"""Reading a fitted fusion back from plain JSON, strictly: a file that does not fit is an error, never a guess."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import float_array
from fastcal._validate.keys import require_keys
from fastcal._validate.numbers import fraction, integer, number
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.fusion import norm_of_each
from fastcal.trained_fusion._linear import LinearFusion
from fastcal.trained_fusion._logistic import LogisticFusion

_TYPES: dict[str, type[LinearFusion | LogisticFusion]] = {cls.json_type: cls for cls in (LogisticFusion, LinearFusion)}


def fusion_from_dict(d: Mapping[str, Any]) -> LogisticFusion | LinearFusion:
    """Rebuild a fitted fusion from what its ``to_dict`` returned.

    Parameters
    ----------
    d : mapping
        As ``json.loads`` gives it.

    Returns
    -------
    LogisticFusion or LinearFusion
        Fuses to the same bits as the one that was saved.

    Raises
    ------
    TypeError
        If `d` is not a mapping, or a value has the wrong type.
    ValueError
        If a key is missing or unknown, the type or version is not known, or a value is out of range.

    Examples
    --------
    >>> import fastcal as fc
    >>> runs = [fc.Run([[1, 2, 3]], [[0.9, 0.5, 0.4]]), fc.Run([[1, 3]], [[9.0, 4.0]])]
    >>> fitted = fc.fit_fusion(runs, {0: {1: 1}})
    >>> again = fc.fusion_from_dict(fitted.to_dict())
    >>> again.fuse(runs).to_dict() == fitted.fuse(runs).to_dict()
    True
    """
    if not isinstance(d, Mapping):
        raise InvalidTypeError(f"fusion must be a mapping, got {type(d).__name__}")
    cls = _TYPES.get(d["type"]) if isinstance(d.get("type"), str) else None
    if cls is None:
        raise InvalidValueError(f"fusion type {d.get('type')!r} is not known; expected one of {', '.join(map(repr, _TYPES))}")
    require_keys(d, {"type", "version", *cls.__slots__}, "fusion")
    if type(d["version"]) is not int or d["version"] != 1:
        raise InvalidValueError(f"fusion version {d['version']!r} cannot be read; expected 1")
    if not isinstance(d["norm"], (list, tuple)):
        raise InvalidTypeError(f"norm must be a list with one entry per run, got {d['norm']!r}")
    return _linear(d) if cls is LinearFusion else _logistic(d)


def _linear(d: Mapping[str, Any]) -> LinearFusion:
    weights = _array(d, "weights", (-1,))
    if not ((weights >= 0).all() and (weights > 0).any()):
        raise InvalidValueError(f"weights must be at least 0, and one positive; got {weights.tolist()}")
    if not isinstance(d["metric"], str):
        raise InvalidTypeError(f"metric must be a string, got {d['metric']!r}")
    return LinearFusion(tuple(norm_of_each(d["norm"], weights.size)), weights, d["metric"], _finite(d, "value"))


def _logistic(d: Mapping[str, Any]) -> LogisticFusion:
    weights, means = _array(d, "weights", (-1,)), _array(d, "feature_means", (-1,))
    return LogisticFusion(
        tuple(norm_of_each(d["norm"], weights.size)),
        _finite(d, "bias"),
        weights,
        _array(d, "missing", weights.shape),
        means,
        _array(d, "interactions", (means.size, 1 + 2 * weights.size)),
        fraction(d["base_rate"], "base_rate"),
        integer(d["n_pairs"], "n_pairs", least=2),
    )


def _finite(d: Mapping[str, Any], name: str) -> float:
    return number(d[name], name, "a finite number", math.isfinite)


def _array(d: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return finite float64 of a shape; -1 stands for any length, and an empty list for an array without entries."""
    array = float_array(d[name], name).astype(np.float64)
    if 0 in shape and array.size == 0:
        return array.reshape(shape)
    if array.ndim != len(shape) or any(want not in {-1, got} for want, got in zip(shape, array.shape, strict=True)):
        raise InvalidValueError(f"{name} must have shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise InvalidValueError(f"{name} must be finite")
    return array
