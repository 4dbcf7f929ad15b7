"""What select_calibrator compares unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastcal import calibration
from fastcal._backend.protocol import Array
from fastcal._validate.numbers import flag
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.selection._table import BASELINE

_INPUTS = ("prob", "cosine")
# What beta may read scores of a metric as, so that it takes scores which the labelled ones do not reach.
_METRICS: dict[str, tuple[str, ...]] = {"cosine": ("cosine",)} | dict.fromkeys(("dot", "ip", "euclidean", "l2", "bm25", "logit"), ())
_UNIT = ("minmax", "sum", "rank", "borda", "atan", "sigmoid")  # norms that end in [0, 1]; l2 ends in [-1, 1], the others anywhere
_NORMS = {"l2": ("cosine",)}


def named_candidates(candidates: Any, scores: Array, higher_is_better: bool, grouped: bool) -> dict[str, Any]:
    """Return the candidates by name, from simple to complex."""
    rising = flag(higher_is_better, "higher_is_better")
    if candidates is None:
        return _defaults(float(scores.min()), float(scores.max()), rising) | (_by_group(rising) if grouped else {})
    if not rising:
        raise InvalidValueError(
            "higher_is_better=False shapes the default candidates; give candidates that fall by themselves, as Platt and histogram do, "
            "or with increasing=False, as isotonic and Venn-Abers can"
        )
    if not isinstance(candidates, Iterable) or isinstance(candidates, str):
        raise InvalidTypeError(f"candidates must be a mapping of names to calibrators or an iterable of calibrators, got {type(candidates).__name__}")
    given = list(candidates.items() if isinstance(candidates, Mapping) else ((repr(c), c) for c in candidates))
    named = {str(name): candidate for name, candidate in given}
    if not named or len(named) < len(given):
        raise InvalidValueError(f"candidates are {[name for name, _ in given]}; expected at least one, each of its own name")
    if BASELINE in named:
        raise InvalidValueError(f"a candidate is called {BASELINE!r}, the name of the base rate's own row")
    if grouped and not any(isinstance(candidate, calibration.GroupCalibrator) for candidate in named.values()):
        raise InvalidValueError("by= is what a GroupCalibrator tells apart, and there is none among the candidates")
    return named


def candidates_for(metric: str, norm: str | None, scores: Array, higher_is_better: bool, grouped: bool) -> dict[str, Any] | None:
    """Return the default candidates that take every score of a metric, whatever those at hand; None where only they can tell."""
    plain = norm in {None, "identity"}
    if (plain and metric.lower() not in _METRICS) or norm in _UNIT:
        return None
    rising = flag(higher_is_better, "higher_is_better")
    inputs = _METRICS[metric.lower()] if plain else _NORMS.get(str(norm), ())
    low, high = (float(extreme.reduce(scores, axis=None, initial=np.nan)) for extreme in (np.fmin, np.fmax))
    return _defaults(low, high, rising, inputs) | (_by_group(rising) if grouped else {})


def _by_group(rising: bool) -> dict[str, Any]:
    strict = calibration.IsotonicCalibrator(increasing=rising, strict=True, bounds="laplace")
    return {"platt-by-group": calibration.GroupCalibrator(), "isotonic-strict-by-group": calibration.GroupCalibrator(strict)}


def _defaults(low: float, high: float, rising: bool, inputs: tuple[str, ...] = _INPUTS) -> dict[str, Any]:
    """Beta reads a score as a probability or a cosine and cannot fall; it is left out where that makes no sense."""
    beta = {}
    if "prob" in inputs and rising and low >= 0.0 and high <= 1.0:
        beta["beta"] = calibration.BetaCalibrator(input="prob")
    if "cosine" in inputs and rising and low >= -1.0 and high <= 1.0:
        beta["beta-cosine"] = calibration.BetaCalibrator(input="cosine")
    return {
        "platt": calibration.PlattCalibrator(),
        **beta,
        "histogram": calibration.HistogramCalibrator(),
        "venn-abers": calibration.VennAbersCalibrator(increasing=rising),
        "isotonic-strict": calibration.IsotonicCalibrator(increasing=rising, strict=True, bounds="laplace"),
        "isotonic": calibration.IsotonicCalibrator(increasing=rising),
    }
