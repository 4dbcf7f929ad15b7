"""Log loss: the price of each probability in nats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastcal._validate.scores import probability_pairs

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

LEAST = float(np.finfo(np.float64).eps)


def log_loss(labels: npt.ArrayLike, probabilities: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean of -ln(probability of what happened) (Good 1952): 0 is perfect; predicting the base rate gives its entropy.

    Probabilities are clipped to [2^-52, 1 - 2^-52], in float64 whatever their dtype: a claim of exactly 0 or 1 that is wrong
    costs 36.04 instead of infinity.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `probabilities`
    probabilities : array_like of float, any shape
        In [0, 1]; NaN marks padding, and those pairs are dropped.
    sample_weight : array_like of float, shape of `probabilities`, optional
        Finite and not negative.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As :func:`brier_score`.

    Examples
    --------
    >>> import fastcal as fc
    >>> round(fc.metrics.log_loss([0, 1], [0.5, 0.5]), 4)
    0.6931
    """
    sample = probability_pairs(labels, probabilities, sample_weight)
    return float(np.average(losses(sample.labels, sample.scores), weights=sample.weights))


def losses(labels: Array, probabilities: Array) -> Array:
    """Return the loss of each pair, clipped."""
    claimed = np.clip(probabilities.astype(np.float64), LEAST, 1.0 - LEAST)
    priced: Array = -np.where(labels == 1, np.log(claimed), np.log1p(-claimed))
    return priced
