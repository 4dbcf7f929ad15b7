"""What a model of other queries expects of this one: where to begin, what to ask most. Wrong, it costs labels, never the promise."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastcal._validate.arrays import as_array
from fastcal.certificates._pool import Float32, Float64
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.normalization import query_features

FEATURE_DEPTH = 100
Probability = Callable[[Float32], Float64]


class Profile(NamedTuple):
    """The distribution of a query's scores, best first, higher is better, and how many rows each stands for.

    It has no part in the order of labelling: an order chosen by what comes first in it would not be random.
    """

    scores: Float32
    sizes: Float64

    @property
    def mean(self) -> float:
        """Mean score of all rows."""
        return float(self.sizes @ self.scores / self.sizes.sum())


def probability_of(calibrator: Any, profile: Profile, sign: np.float32) -> Probability:
    """Return a function of scores of which higher is better; the calibrator is handed them as the index scores."""
    if callable(getattr(calibrator, "predict", None)):
        _takes(calibrator.predict, 1)
        return lambda scores: _judged(calibrator.predict(sign * scores), scores.size)
    if not callable(calibrator):
        raise InvalidTypeError(f"calibrator must have predict(scores) or be callable(scores, features), got {type(calibrator).__name__}")
    _takes(calibrator, 2)
    found = query_features(profile.scores[:FEATURE_DEPTH], corpus_mean=profile.mean)
    features = dict(zip(found.names, found.to_array()[0].tolist(), strict=True))
    return lambda scores: _judged(calibrator(sign * scores, features), scores.size)


def start_at(profile: Profile, probability: Probability, target: float, nearest: int) -> float | None:
    """Return the lowest score down to which rows are expected half-way from the target to 1; None if that is `nearest` rows or fewer.

    A cut expected at the target itself is as likely to miss it, and to show which costs the most labels of all.
    """
    expected = np.cumsum(profile.sizes * probability(profile.scores)) / np.cumsum(profile.sizes)
    ends = np.append(profile.scores[1:] < profile.scores[:-1], True)
    good = np.flatnonzero((expected >= (1 + target) / 2) & ends)
    return float(profile.scores[good[-1]]) if good.size and profile.sizes[: good[-1] + 1].sum() > nearest else None


def _takes(function: Callable[..., Any], n: int) -> None:
    """Raise unless a function can be called with so many arguments; one that does not tell is called as it is."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*range(n))
    except TypeError as error:
        raise InvalidTypeError(f"calibrator must have predict(scores) or be callable(scores, features): {error}") from None


def _judged(given: Any, n: int) -> Float64:
    values = as_array(given, "probabilities of the calibrator")
    if values.shape != (n,) or values.dtype.kind != "f":
        raise InvalidValueError(f"the calibrator returned shape {values.shape} and dtype {values.dtype}; expected ({n},) floats")
    if not ((values >= 0) & (values <= 1)).all():
        raise InvalidValueError("the calibrator returned a probability outside [0, 1] or NaN")
    return values.astype(np.float64)
