"""What each field of a profile may hold: the same judge for the constructor, a file and ``check``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from fastcal._validate.numbers import fraction, integer, one_of
from fastcal._version import __version__
from fastcal.calibration import Calibrator, GroupCalibrator, calibrator_from_dict
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.profile._fingerprint import corpus_fingerprint
from fastcal.profile._threshold import Threshold

TEXTS = ("revision", "task", "stage")
# Methods of normalize() that need a list of scores and nothing else.
NORMS = ("minmax", "max", "sum", "l2", "zscore", "dbsf", "robust", "rank", "borda", "atan", "sigmoid", "tail")
_VERSION = re.compile(r"[0-9]+(\.[0-9A-Za-z]+)*([-+.][0-9A-Za-z.+-]+)?")
COUNTS = ("dims", "top_k", "n_pairs", "n_queries")


def text(value: Any, name: str) -> str:
    """Return a text with something in it."""
    if not isinstance(value, str):
        raise InvalidTypeError(f"{name} must be a str, got {type(value).__name__}")
    if not value.strip():
        raise InvalidValueError(f"{name} must not be blank, got {value!r}")
    return _unicode(value, name)


def _unicode(value: str, name: str) -> str:
    """Refuse lone surrogates, which no UTF-8 file can hold."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidValueError(f"{name} must be text that UTF-8 can hold, got {value!r}") from None
    return value


def modality(value: Any) -> tuple[str, str]:
    """Return the kinds of query and document."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidTypeError(f"modality must be a pair such as ('text', 'image'), got {value!r}")
    pair = tuple(text(part, "modality") for part in value)
    if len(pair) != 2:
        raise InvalidValueError(f"modality must be a pair such as ('text', 'image'), got {value!r}")
    return pair[0], pair[1]


def field(name: str, value: Any) -> Any:
    """Judge one of the facts that ``check`` compares; None is "not known" wherever a fact is optional."""
    if name in {"model", "metric"}:
        return text(value, name)
    if name == "modality":
        return modality(value)
    if value is None:
        return None
    if name in TEXTS:
        return text(value, name)
    if name == "norm":
        return one_of(value, "norm", NORMS)
    if name in COUNTS:
        return integer(value, name, least=1)
    return text(value, name) if isinstance(value, str) else corpus_fingerprint(value)


def calibrator(value: Any) -> Calibrator | GroupCalibrator:
    """Return a copy through plain JSON, so that what is kept is what a file would hold, whatever is done to the original."""
    if not isinstance(value, Calibrator | GroupCalibrator):
        raise InvalidTypeError(f"calibrator must be a fitted calibrator of fastcal, got {type(value).__name__}")
    return calibrator_from_dict(value.to_dict())


def thresholds(value: Any) -> tuple[Threshold, ...]:
    """Return the thresholds; a single one may stand alone."""
    found = (value,) if isinstance(value, Threshold) else value
    if isinstance(found, str | Mapping) or not isinstance(found, Iterable):
        raise InvalidTypeError(f"thresholds must be a Threshold or several of them, got {type(value).__name__}")
    found = tuple(found)
    for each in found:
        if not isinstance(each, Threshold):
            raise InvalidTypeError(f"thresholds must hold Threshold, got {type(each).__name__}")
    if len(set(found)) < len(found):
        raise InvalidValueError("thresholds holds the same threshold twice")
    return found


def base_rate(value: Any, fallback: float) -> float:
    """Return a share of relevant pairs; None is that of the calibrator."""
    return fallback if value is None else fraction(value, "base_rate")


def library_version(value: Any) -> str:
    """Return the version that made the profile; this one, if None."""
    if value is not None and not _VERSION.fullmatch(text(value, "library_version")):
        raise InvalidValueError(f"library_version must be a version such as '0.1.0', got {value!r}")
    return __version__ if value is None else str(value)


def created(value: Any) -> str:
    """Return a time in ISO 8601 with its offset; now, if None."""
    if value is None:
        return datetime.now(UTC).isoformat(timespec="seconds")
    try:
        moment = datetime.fromisoformat(text(value, "created"))
    except ValueError as error:
        raise InvalidValueError(f"created must be a time in ISO 8601, such as '2026-01-31T12:00:00+00:00', got {value!r}") from error
    if moment.tzinfo is None:
        raise InvalidValueError(f"created must say its offset from UTC, got {value!r}")
    return str(value)


def plain_json(value: Any, name: str) -> Any:
    """Return a copy of plain JSON data; NaN, infinity, other types and other keys than str are errors that say where."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _unicode(value, name)
    if isinstance(value, int | float) and not isinstance(value, np.generic):
        if not math.isfinite(value):
            raise InvalidValueError(f"{name} is {value}, which JSON cannot hold")
        return value
    if isinstance(value, list | tuple):
        return [plain_json(each, f"{name}[{i}]") for i, each in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InvalidTypeError(f"{name} has the key {key!r}; expected a str")
        return {_unicode(key, f"a key of {name}"): plain_json(each, f"{name}[{key!r}]") for key, each in value.items()}
    raise InvalidTypeError(f"{name} is a {type(value).__name__}; expected plain JSON")
