"""The reliability curve: what was claimed against what happened, bin by bin."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal._clusters import effective_trials_by_bin
from fastcal._validate.numbers import fraction, integer, one_of
from fastcal._validate.scores import probability_pairs
from fastcal.intervals.wilson import wilson_interval
from fastcal.metrics._bands import bootstrap_band, consistency_band
from fastcal.metrics._binned import Binned

Strategy = Literal["uniform", "quantile"]
Band = Literal["consistency", "bootstrap"]


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
        95 % Wilson interval of the observed rate, of effective trials: by query with groups (Rao & Scott 1992), Kish's with
        weights. Without groups it takes pairs for independent: several pairs of one query make it too narrow.
    band_low, band_high : ndarray of float64, or None
        The band that was asked for.

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
    band_low: npt.NDArray[np.float64] | None = None
    band_high: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.count)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists; a band that was not asked for is None."""
        return {name: None if values is None else values.tolist() for name, values in asdict(self).items()}


def reliability_curve(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    sample_weight: npt.ArrayLike | None = None,
    *,
    groups: npt.ArrayLike | None = None,
    band: Band | None = None,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
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
    groups : array_like of int or str, shape of `probabilities` or one per row, optional
        Query ids. Without them every pair is its own group.
    band : {"consistency", "bootstrap"}, optional
        "consistency" is the band around the diagonal where the observed rates of right probabilities fall (Bröcker & Smith
        2007): labels are redrawn from the probabilities, one by one; with groups each bin's deviations are then stretched by the
        root of the design effect of ``label - probability``, at least 1, for labels of one query rise and fall together.
        "bootstrap" is the band around the curve of resampled queries; it has no width where all labels of a bin agree, unlike
        the intervals. Both hold for each bin alone, at `confidence`.
    confidence : float, default 0.95
        Of intervals and bands; strictly between 0 and 1.
    n_resamples : int, default 1000
        Of a band; at least 100.
    seed : int, default 0
        Of a band.

    Returns
    -------
    ReliabilityCurve

    Raises
    ------
    ValueError
        If shapes differ, no pair is left, a label is not 0 or 1, a probability is outside [0, 1], a weight unusable,
        or another argument is not one of the values above.
    TypeError
        If an array is not numeric, or `probabilities` is an array of integers, booleans or objects.

    Examples
    --------
    >>> import fastcal as fc
    >>> curve = fc.metrics.reliability_curve([0, 0, 1, 1], [0.125, 0.25, 0.25, 0.875], n_bins=2)
    >>> curve.count.tolist(), curve.mean_predicted[1:].tolist(), curve.observed_rate[1:].tolist()
    ([3, 1], [0.875], [1.0])
    """
    binning = integer(n_bins, "n_bins", least=1), one_of(strategy, "strategy", ("uniform", "quantile"))
    level, resamples, start = fraction(confidence, "confidence"), integer(n_resamples, "n_resamples", least=100), integer(seed, "seed", least=0)
    kind = None if band is None else one_of(band, "band", ("consistency", "bootstrap"))
    binned = Binned.of(probability_pairs(labels, probabilities, sample_weight, groups), *binning)
    hits, trials = effective_trials_by_bin(binned.bins, binned.n_bins, binned.labels, binned.weights, binned.codes)
    filled, total, claimed = binned.filled, binned.total[binned.filled], binned.claimed[binned.filled]
    low, high = wilson_interval(hits[filled], trials[filled], level)
    limits = () if kind is None else (consistency_band if kind == "consistency" else bootstrap_band)(binned, level, resamples, start)
    shown = binned.edges[:-1][filled], binned.edges[1:][filled], claimed / total, binned.relevant[filled] / total, binned.count[filled]
    return ReliabilityCurve(*shown, total / total.sum(), low, high, *(limit[filled] for limit in limits))
