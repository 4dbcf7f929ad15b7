"""Log loss of each pair, and the difference of two means with its standard error by query."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array

_Float64 = npt.NDArray[np.float64]
_LEAST = float(np.finfo(np.float64).eps)


class Difference(NamedTuple):
    """A weighted mean and its standard error."""

    mean: float
    error: float


def pair_losses(labels: Array, probabilities: Array) -> _Float64:
    """Minus the log of the probability of what was seen, which is taken as 2.2e-16 at least, as in scikit-learn's log_loss."""
    p = np.clip(probabilities.astype(np.float64), _LEAST, 1.0 - _LEAST)
    return -np.where(labels > 0, np.log(p), np.log1p(-p))


def mean_by_query(values: _Float64, weights: Array | None, codes: npt.NDArray[np.int64]) -> Difference:
    """Weighted mean of the pairs' values with the standard error that treats queries, not pairs, as independent.

    With r_q the sum over query q of w (v - mean), the error is sqrt(Q / (Q - 1) sum r_q^2) / sum w: the ratio estimator of
    cluster sampling (Cochran, "Sampling Techniques", 1977, sec. 9A).
    """
    w = np.ones(len(values)) if weights is None else weights
    total = float(w.sum())
    mean = float(w @ values) / total
    residuals = np.bincount(codes, weights=w * (values - mean))
    n = len(residuals)
    return Difference(mean, float(np.sqrt(n / (n - 1) * (residuals @ residuals))) / total)
