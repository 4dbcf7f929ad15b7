"""Bootstrap of a mean: resample the queries, not the pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._clusters import BLOCK, bca_quantiles, share_below

_Float64 = npt.NDArray[np.float64]

_BLOCK = BLOCK


class Interval(NamedTuple):
    """Limits of the mean, and the share of resampled means below zero; those at zero count half."""

    low: float
    high: float
    share_below_zero: float


def mean_interval(values: _Float64, n_resamples: int, confidence: float, seed: int) -> Interval:
    """Return the BCa interval of the mean (Efron, "Better bootstrap confidence intervals", JASA 82, 1987).

    Bias z0 is the normal quantile of the share of resampled means below the observed one, ties counted half; the
    acceleration of a mean is its skewness over 6 sqrt(n), which the jackknife gives exactly. Values that are all the
    same have no spread to resample: both limits are that value.
    """
    means = _resampled_means(values, n_resamples, seed)
    share = share_below(means, 0.0)
    deviations = values - values.mean()
    spread = float(deviations @ deviations)
    if values.min() == values.max() or spread == 0.0:
        return Interval(float(values[0]), float(values[0]), share)
    acceleration = float((deviations**3).sum()) / (6 * spread**1.5)
    low, high = bca_quantiles(means, float(values.mean()), acceleration, confidence)
    return Interval(low, high, share)


def _resampled_means(values: _Float64, n_resamples: int, seed: int) -> _Float64:
    """Return the means of resamples drawn with replacement, in blocks of bounded memory."""
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // values.size)
    means = np.empty(n_resamples)
    for start in range(0, n_resamples, rows):
        part = means[start : start + rows]
        part[:] = values[rng.integers(0, values.size, (part.size, values.size))].mean(axis=1)
    return means
