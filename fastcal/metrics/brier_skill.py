"""The Brier skill: how much better than a constant."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import number
from fastcal._validate.scores import probability_pairs


def brier_skill(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, *, base_rate: float | None = None
) -> float:
    """1 - Brier score / Brier score of a constant (Murphy 1973): 1 is perfect, 0 as good as the constant, negative worse.

    A calibration error cannot tell a good calibrator from one that answers the base rate for every pair; this can.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `probabilities`
    probabilities : array_like of float, any shape
        In [0, 1]; NaN marks padding, and those pairs are dropped.
    sample_weight : array_like of float, shape of `probabilities`, optional
        Finite and not negative.
    base_rate : float in [0, 1], optional
        The constant, known before these labels were: a calibrator's ``base_rate_``. Without it the share of relevant
        pairs among these labels, the best of all constants in hindsight, which no predictor could have known.

    Returns
    -------
    float
        NaN if the constant is perfect: without `base_rate` where all labels agree.

    Raises
    ------
    ValueError, TypeError
        As :func:`brier_score`, and if `base_rate` is outside [0, 1].

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.brier_skill([0, 0, 1, 1], [0.25, 0.25, 0.75, 0.75])
    0.75
    """
    constant = as_base_rate(base_rate)
    sample = probability_pairs(labels, probabilities, sample_weight)
    rate = float(np.average(sample.labels, weights=sample.weights))
    ours = float(np.average((sample.scores.astype(np.float64) - sample.labels) ** 2, weights=sample.weights))
    return float(skill(np.float64(ours), np.float64(rate), constant))


def as_base_rate(base_rate: float | None) -> float | None:
    """Return a number in [0, 1], or None."""
    return None if base_rate is None else number(base_rate, "base_rate", "a number in [0, 1]", lambda x: 0.0 <= x <= 1.0)


def skill(brier: npt.NDArray[np.float64] | np.float64, rate: npt.NDArray[np.float64] | np.float64, constant: float | None) -> npt.NDArray[np.float64]:
    """Return the skill; a constant c scores r (1 - r) + (r - c)^2 where the rate is r."""
    reference = np.asarray(rate * (1.0 - rate) + (0.0 if constant is None else (rate - constant) ** 2))
    ratio = np.divide(brier, reference, out=np.full(reference.shape, np.nan), where=reference > 0)
    return np.asarray(1.0 - ratio)
