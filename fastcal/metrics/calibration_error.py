"""Expected calibration error: the reliability curve in one number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastcal.metrics.reliability import Strategy, reliability_curve


def expected_calibration_error(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    sample_weight: npt.ArrayLike | None = None,
) -> float:
    """Mean over bins, by weight, of |observed rate - mean probability| (Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017).

    It says nothing about usefulness: predicting the base rate for every pair gives 0. It is biased upwards when bins
    hold few pairs, and depends on the binning. Read it beside the Brier score.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `probabilities`
    probabilities : array_like of float, any shape
        In [0, 1]; NaN marks padding, and those pairs are dropped.
    n_bins : int, default 15
    strategy : {"uniform", "quantile"}, default "uniform"
        As in :func:`reliability_curve`.
    sample_weight : array_like of float, shape of `probabilities`, optional
        Finite and not negative.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError, TypeError
        As :func:`reliability_curve`.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.expected_calibration_error([0, 1, 1, 1], [0.5, 0.5, 0.75, 0.75])
    0.125
    """
    curve = reliability_curve(labels, probabilities, n_bins, strategy, sample_weight)
    return float(curve.weight @ np.abs(curve.observed_rate - curve.mean_predicted))
