"""Binned calibration errors: the reliability curve in one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import integer, one_of
from fastcal._validate.scores import probability_pairs
from fastcal.metrics._binned import Binned
from fastcal.metrics.reliability import Strategy

if TYPE_CHECKING:
    from fastcal._clusters import Float64

Norm = Literal["l1", "l2", "max"]


def expected_calibration_error(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    sample_weight: npt.ArrayLike | None = None,
    *,
    norm: Norm = "l1",
) -> float:
    """Mean over bins, by weight, of |observed rate - mean probability| (Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017).

    It says nothing about usefulness: predicting the base rate for every pair gives 0. It is biased upwards when bins
    hold few pairs, and depends on the binning. Read it beside the Brier skill.

    Names differ between libraries. ``norm="max"`` is the MCE, ``norm="l2"`` the root mean square calibration error;
    ``strategy="quantile"`` is the adaptive ECE of Nguyen & O'Connor (2015), called ACE where classes are averaged (Nixon et al.
    2019). netcal's "ACE" is none of these: it is the mean over bins of equal width that ignores how many pairs they hold.

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
    norm : {"l1", "l2", "max"}, default "l1"
        How the gaps of the bins are put together: mean, root mean square (both by weight), or the largest.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError, TypeError
        As :func:`reliability_curve`, and if `norm` is not one of the values above.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.expected_calibration_error([0, 1, 1, 1], [0.5, 0.5, 0.75, 0.75])
    0.125
    >>> fc.metrics.expected_calibration_error([0, 1, 1, 1], [0.5, 0.5, 0.75, 0.75], norm="max")
    0.25
    """
    kind = one_of(norm, "norm", ("l1", "l2", "max"))
    bins, how = integer(n_bins, "n_bins", least=1), one_of(strategy, "strategy", ("uniform", "quantile"))
    binned = Binned.of(probability_pairs(labels, probabilities, sample_weight), bins, how)
    return float(error_of(binned.total, binned.relevant - binned.claimed, kind))


def error_of(total: Float64, gap: Float64, norm: str) -> Float64:
    """Return the error of bins (..., n_bins) from their weights and the weighted sums of label - probability."""
    mean = np.divide(gap, total, out=np.zeros(gap.shape), where=total > 0)
    if norm == "max":
        return np.asarray(np.abs(mean).max(axis=-1))
    if norm == "l1":
        return np.asarray(np.abs(gap).sum(axis=-1) / total.sum(axis=-1))
    return np.asarray(np.sqrt((total * mean**2).sum(axis=-1) / total.sum(axis=-1)))
