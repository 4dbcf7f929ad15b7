"""Debiased calibration error: what remains of the gaps after the noise of the labels is taken off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastcal._clusters import effective_trials_by_bin
from fastcal._validate.numbers import flag, integer, one_of
from fastcal._validate.scores import probability_pairs
from fastcal.metrics._binned import Binned
from fastcal.metrics.reliability import Strategy


def debiased_calibration_error(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    sample_weight: npt.ArrayLike | None = None,
    *,
    groups: npt.ArrayLike | None = None,
    squared: bool = False,
) -> float:
    """Root mean square gap of the bins without its bias (Bröcker 2012; Kumar, Liang & Ma, "Verified uncertainty calibration", 2019).

    The squared gap of a bin of n pairs with observed rate r is too large by the variance of r; r (1 - r) / (n - 1), an unbiased
    estimate of it, is taken off. The sum may fall below 0: the root is then 0. A bin of one pair shows no variance: it is
    given c (1 - c), c being its probability, so that it contributes 0 on average if c is right. With weights n is Kish's
    number, with groups the effective trials by query.

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
    groups : array_like of int or str, shape of `probabilities` or one per row, optional
        Query ids. Labels of one query rise and fall together, and without groups that noise stays in.
    squared : bool, default False
        Return the mean square, which has no bias and may be negative.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As :func:`reliability_curve`.

    Examples
    --------
    >>> import fastcal as fc
    >>> labels, p = [0, 1, 0, 1, 0, 1, 1, 1, 0], [0.5, 0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.6, 0.6]
    >>> round(fc.metrics.expected_calibration_error(labels, p, norm="l2"), 4), round(fc.metrics.debiased_calibration_error(labels, p), 4)
    (0.2236, 0.0)
    """
    bins, how = integer(n_bins, "n_bins", least=1), one_of(strategy, "strategy", ("uniform", "quantile"))
    signed = flag(squared, "squared")
    binned = Binned.of(probability_pairs(labels, probabilities, sample_weight, groups), bins, how)
    _, trials = effective_trials_by_bin(binned.bins, binned.n_bins, binned.labels, binned.weights, binned.codes)
    some = np.where(binned.filled, binned.total, 1.0)
    rates, claimed = binned.relevant / some, binned.claimed / some
    several = trials > 1 + 1e-9
    noise = np.where(several, rates * (1 - rates) / np.where(several, trials - 1, 1.0), claimed * (1 - claimed))
    square = float(binned.total @ ((rates - claimed) ** 2 - noise) / binned.total.sum())
    return square if signed else max(square, 0.0) ** 0.5
