"""CORP: a score split into miscalibration, discrimination and uncertainty."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import one_of
from fastcal._validate.scores import probability_pairs
from fastcal.metrics._recalibrated import recalibrated
from fastcal.metrics.log_loss import losses

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


@dataclass(frozen=True, slots=True)
class Decomposition:
    """``score = miscalibration - discrimination + uncertainty``, up to rounding.

    Attributes
    ----------
    score : float
        Mean score of the probabilities, lower is better.
    miscalibration : float
        What the best monotone recalibration would save; at least 0.
    discrimination : float
        What telling pairs apart saves over the base rate, after that recalibration; at least 0.
    uncertainty : float
        The score of the base rate.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.corp_decomposition([0, 1], [0.0, 1.0]).to_dict()
    {'score': 0.0, 'miscalibration': 0.0, 'discrimination': 0.25, 'uncertainty': 0.25}
    """

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def corp_decomposition(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, score: Literal["brier", "log"] = "brier", sample_weight: npt.ArrayLike | None = None
) -> Decomposition:
    """Split the Brier score or the log loss by isotonic recalibration (Dimitriadis, Gneiting & Jordan, PNAS 2021).

    There are no bins to choose. Recalibration happens on these very pairs, so miscalibration is above 0 by chance as
    well, and the more so the fewer pairs there are.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `probabilities`
    probabilities : array_like of float, any shape
        In [0, 1]; NaN marks padding, and those pairs are dropped.
    score : {"brier", "log"}, default "brier"
        The log loss is clipped as :func:`log_loss`.
    sample_weight : array_like of float, shape of `probabilities`, optional
        Finite and not negative.

    Returns
    -------
    Decomposition

    Raises
    ------
    ValueError, TypeError
        As :func:`brier_score`, and if `score` is not one of the values above.

    Examples
    --------
    >>> import fastcal as fc
    >>> split = fc.metrics.corp_decomposition([0, 0, 0, 1, 1, 1], [0.4, 0.3, 0.2, 0.1, 0.5, 0.9])
    >>> round(split.miscalibration, 4), round(split.discrimination, 4), split.uncertainty
    (0.1017, 0.125, 0.25)
    """
    rule = losses if one_of(score, "score", ("brier", "log")) == "log" else _squares
    sample = probability_pairs(labels, probabilities, sample_weight)
    rate = np.average(sample.labels, weights=sample.weights)
    fitted = recalibrated(sample.scores, sample.labels, sample.weights)
    ours, best, constant = (
        float(np.average(rule(sample.labels, claimed), weights=sample.weights)) for claimed in (sample.scores, fitted, np.full(len(fitted), rate))
    )
    return Decomposition(ours, max(ours - best, 0.0), max(constant - best, 0.0), constant)


def _squares(labels: Array, probabilities: Array) -> Array:
    squares: Array = (probabilities.astype(np.float64) - labels) ** 2
    return squares
