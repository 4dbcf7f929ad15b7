"""The Brier score: mean squared error of the probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastcal._validate.scores import probability_pairs


def brier_score(labels: npt.ArrayLike, probabilities: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean of (probability - label)^2 (Brier 1950): 0 is perfect; predicting the base rate r gives r (1 - r).

    Unlike the calibration error it also rewards telling relevant from irrelevant pairs.

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
    ValueError
        If shapes differ, no pair is left, a label is not 0 or 1, a probability is outside [0, 1] or a weight unusable.
    TypeError
        If an array is not numeric, or `probabilities` is an array of integers, booleans or objects.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.brier_score([0, 1, 1], [0.5, 0.5, 1.0]) == 0.5 / 3
    True
    """
    sample = probability_pairs(labels, probabilities, sample_weight)
    errors = (sample.scores.astype(np.float64) - sample.labels) ** 2
    return float(np.average(errors, weights=sample.weights))
