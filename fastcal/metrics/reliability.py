"""The reliability curve: what was claimed against what happened, bin by bin."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import integer, one_of
from fastcal._validate.scores import Pairs, probability_pairs
from fastcal.thresholds.intervals import wilson_interval

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

Strategy = Literal["uniform", "quantile"]


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityCurve:
    """One entry per bin that holds pairs, in order of probability; all arrays have shape (n_filled_bins,).

    Attributes
    ----------
    lower_edge, upper_edge : ndarray of float64
        A bin holds ``lower_edge < p <= upper_edge``; the first one its lower edge too.
    mean_predicted, observed_rate : ndarray of float64
        Mean probability and share of relevant pairs, weighted where weights were given.
    count : ndarray of int64
        Pairs, whatever their weight.
    weight : ndarray of float64
        Share of the total weight; sums to 1.
    interval_low, interval_high : ndarray of float64
        95 % Wilson interval of the observed rate; with weights, of Kish's effective sample size. It takes pairs for
        independent: several pairs of one query make it too narrow.

    Examples
    --------
    >>> import fastcal as fc
    >>> curve = fc.metrics.reliability_curve([0, 1], [0.25, 0.75], n_bins=4)
    >>> curve.lower_edge.tolist(), curve.upper_edge.tolist(), curve.weight.tolist()
    ([0.0, 0.5], [0.25, 0.75], [0.5, 0.5])
    """

    lower_edge: npt.NDArray[np.float64]
    upper_edge: npt.NDArray[np.float64]
    mean_predicted: npt.NDArray[np.float64]
    observed_rate: npt.NDArray[np.float64]
    count: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    interval_low: npt.NDArray[np.float64]
    interval_high: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.count)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists."""
        return {name: values.tolist() for name, values in asdict(self).items()}


def reliability_curve(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    sample_weight: npt.ArrayLike | None = None,
) -> ReliabilityCurve:
    """Group probabilities into bins and compare their mean with the share of relevant pairs.

    Bins, edges and the dropping of empty bins are those of ``sklearn.calibration.calibration_curve``.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `probabilities`
    probabilities : array_like of float, any shape
        In [0, 1]; NaN marks padding, and those pairs are dropped.
    n_bins : int, default 15
        At least 1. Bins without pairs, or without weight, are not reported.
    strategy : {"uniform", "quantile"}, default "uniform"
        Bins of equal width on [0, 1], or with equal numbers of pairs (weights do not move the edges).
    sample_weight : array_like of float, shape of `probabilities`, optional
        Finite and not negative.

    Returns
    -------
    ReliabilityCurve

    Raises
    ------
    ValueError
        If shapes differ, no pair is left, a label is not 0 or 1, a probability is outside [0, 1], a weight unusable,
        or `n_bins` or `strategy` is not one of the values above.
    TypeError
        If an array is not numeric, or `probabilities` is an array of integers, booleans or objects.

    Examples
    --------
    >>> import fastcal as fc
    >>> curve = fc.metrics.reliability_curve([0, 0, 1, 1], [0.125, 0.25, 0.25, 0.875], n_bins=2)
    >>> curve.count.tolist(), curve.mean_predicted[1:].tolist(), curve.observed_rate[1:].tolist()
    ([3, 1], [0.875], [1.0])
    """
    sample = probability_pairs(labels, probabilities, sample_weight)
    edges = _edges(sample.scores, integer(n_bins, "n_bins", least=1), one_of(strategy, "strategy", ("uniform", "quantile")))
    return _curve(sample, edges)


def _edges(probabilities: Array, n_bins: int, strategy: str) -> Array:
    fractions = np.linspace(0.0, 1.0, n_bins + 1)
    return fractions if strategy == "uniform" else np.quantile(probabilities.astype(np.float64), fractions)


def _curve(sample: Pairs, edges: Array) -> ReliabilityCurve:
    n_bins, bins = len(edges) - 1, np.searchsorted(edges[1:-1], sample.scores)
    weights = np.ones(len(bins)) if sample.weights is None else sample.weights / sample.weights.max()
    count = np.bincount(bins, minlength=n_bins)
    total, squares, claimed, relevant = (
        np.bincount(bins, values, n_bins) for values in (weights, weights**2, weights * sample.scores, weights * sample.labels)
    )
    filled = total > 0
    total, mean, rate = total[filled], claimed[filled] / total[filled], relevant[filled] / total[filled]
    trials = total**2 / squares[filled]
    low, high = wilson_interval(rate * trials, trials)
    return ReliabilityCurve(edges[:-1][filled], edges[1:][filled], mean, rate, count[filled], total / total.sum(), low, high)
