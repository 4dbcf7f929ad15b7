"""Pairs of one query are not independent: resampling and effective trials by query. NumPy only."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

BLOCK = 1 << 18  # draws held at once: 2 MiB of positions
JACKKNIFE_BLOCKS = 200


# -- clusters -------------------------------------------------------------------------------------------
def numbered(codes: Int64 | None, n: int) -> tuple[Int64, int]:
    """Return codes 0..K-1 without gaps, and K; without codes every pair is a cluster of its own."""
    if codes is None:
        return np.arange(n), n
    present = np.bincount(codes) > 0
    return (np.cumsum(present) - 1)[codes], int(np.count_nonzero(present))


def cluster_sums(codes: Int64, n_clusters: int, columns: npt.NDArray[Any]) -> Float64:
    """Return the sum of each column over each cluster, float64 (n_clusters, n_columns)."""
    return np.stack([np.bincount(codes, column, n_clusters) for column in columns.T], axis=1)


def bin_sums(bins: Int64, values: npt.NDArray[Any], n_bins: int) -> Float64:
    """Return the sum of the values in each bin."""
    return np.bincount(bins, values, n_bins).astype(np.float64, copy=False)


# -- resampling -----------------------------------------------------------------------------------------
def multiplicities(n_clusters: int, n_resamples: int, seed: int, width: int = 1) -> Any:
    """Yield blocks of draws with replacement: how often each cluster was drawn, float64 (rows, n_clusters).

    Blocks hold at most about `BLOCK` numbers, also after each cluster was repeated `width` times. The draws depend
    on the seed alone.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, BLOCK // max(n_clusters, width))
    for start in range(0, n_resamples, rows):
        size = min(rows, n_resamples - start)
        drawn = rng.integers(0, n_clusters, (size, n_clusters)) + np.arange(size)[:, None] * n_clusters
        yield np.bincount(drawn.reshape(-1), minlength=size * n_clusters).reshape(size, n_clusters).astype(np.float64)


def resampled_sums(sums: Float64, n_resamples: int, seed: int) -> Float64:
    """Return the column totals of resampled clusters, float64 (n_resamples, n_columns)."""
    return np.concatenate([counts @ sums for counts in multiplicities(len(sums), n_resamples, seed, sums.shape[1])])


def jackknife_sums(sums: Float64) -> Float64:
    """Return what to leave out at a time: clusters, or at most 200 sets of them.

    The acceleration of a sum of independent parts is the same for any partition of them, up to noise.
    """
    blocks = min(len(sums), JACKKNIFE_BLOCKS)
    return cluster_sums(np.arange(len(sums)) % blocks, blocks, sums)


def bca_limits(draws: Float64, observed: float, without: Float64, confidence: float) -> tuple[float, float]:
    """Return the BCa interval (Efron, "Better bootstrap confidence intervals", JASA 82, 1987).

    Bias z0 is the normal quantile of the share of draws below the observed value, ties counted half; acceleration
    is the skewness of the leave-one-out values. NaN draws and leave-one-out values are left out.
    """
    draws, without = draws[~np.isnan(draws)], without[~np.isnan(without)]
    if not draws.size:
        return np.nan, np.nan
    influence = without.mean() - without if without.size else np.zeros(1)
    spread = float(influence @ influence)
    acceleration = float((influence**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    return bca_quantiles(draws, observed, acceleration, confidence)


def mirrored_limits(draws: Float64, observed: float, confidence: float) -> tuple[float, float]:
    """Return the interval of a size of gaps in [0, 1]: the basic one (Davison & Hinkley 1997, sec. 2.4) of its square.

    Noise adds its variance to the square of a gap: v^2 is about t^2 + b^2 with t the truth, and a draw's t^2 + 2 b^2, for it has
    the noise of the sample and its own. With q the quantiles of the draws the squares of the limits are 2 v^2 - q_high^2 and
    2 v^2 - q_low^2, cut to [0, 1], and moved outwards to v where all draws lie on one side of it. NaN draws are left out.
    """
    draws = draws[~np.isnan(draws)]
    if not draws.size:
        return np.nan, np.nan
    squares = 2 * observed**2 - np.quantile(draws, [0.5 + confidence / 2, 0.5 - confidence / 2]) ** 2
    low, high = np.sqrt(np.clip(squares, 0.0, 1.0)).tolist()
    return min(low, observed), max(high, observed)


def bca_quantiles(draws: Float64, observed: float, acceleration: float, confidence: float) -> tuple[float, float]:
    """Return the quantiles of the draws at the corrected levels."""
    from statistics import NormalDist  # costs 4 ms to import

    normal, least = NormalDist(), 0.5 / draws.size
    bias = normal.inv_cdf(min(max(share_below(draws, observed), least), 1 - least))
    z = normal.inv_cdf(0.5 + confidence / 2)
    levels = [normal.cdf(bias + (bias + side) / (1 - acceleration * (bias + side))) for side in (-z, z)]
    low, high = np.quantile(draws, levels).tolist()
    return low, high


def share_below(draws: Float64, limit: float) -> float:
    """Return the share of draws below the limit; equal up to rounding counts half."""
    near = np.abs(draws - limit) <= 1e-12 * max(abs(limit), float(np.abs(draws).max()))
    below = np.count_nonzero((draws < limit) & ~near) + 0.5 * np.count_nonzero(near)
    return float(below) / draws.size


# -- means ---------------------------------------------------------------------------------------------
class Mean(NamedTuple):
    """A weighted mean and its standard error."""

    mean: float
    error: float


def mean_by_query(values: Float64, weights: Float64 | None, codes: Int64) -> Mean:
    """Weighted mean of the pairs' values with the standard error that treats queries, not pairs, as independent.

    With r_q the sum over query q of w (v - mean), the error is sqrt(Q / (Q - 1) sum r_q^2) / sum w: the ratio estimator of
    cluster sampling (Cochran, "Sampling Techniques", 1977, sec. 9A).
    """
    w = np.ones(len(values)) if weights is None else weights
    total = float(w.sum())
    mean = float(w @ values) / total
    residuals = np.bincount(codes, weights=w * (values - mean))
    n = len(residuals)
    return Mean(mean, float(np.sqrt(n / max(n - 1, 1) * (residuals @ residuals))) / total)


# -- rates ----------------------------------------------------------------------------------------------
def effective_trials(labels: npt.NDArray[Any], weights: Float64 | None, codes: Int64 | None) -> tuple[float, float]:
    """Return hits and trials, independent ones that know the rate of 1s as well as the pairs do; (0, 0) without weight."""
    hits, trials = effective_trials_by_bin(np.zeros(len(labels), np.int64), 1, labels, weights, codes)
    return float(hits[0]), float(trials[0])


def effective_trials_by_bin(
    bins: Int64, n_bins: int, labels: npt.NDArray[Any], weights: Float64 | None, codes: Int64 | None
) -> tuple[Float64, Float64]:
    """Return effective hits and trials of each bin (Rao & Scott, "A simple method for the analysis of clustered binary data", 1992).

    Weights w count as Kish's (sum w)^2 / sum w^2 trials. Clusters divide that by the design effect. Where all or no pairs
    are 1 there are no residuals to see dependence in, and the trials are at most the number of clusters, which
    dependence cannot undercut. Without weights and clusters these are the plain counts.
    """
    w = np.ones(len(labels)) if weights is None else weights / (weights.max(initial=0.0) or 1.0)
    total, squares, hits = (bin_sums(bins, v, n_bins) for v in (w, w * w, w * labels))
    some = np.where(total > 0, total, 1.0)
    trials = total**2 / np.where(squares > 0, squares, 1.0)
    counted = w > 0
    if codes is not None and counted.any():
        effects = design_effects(bins[counted], n_bins, (w * (labels - (hits / some)[bins]))[counted], codes[counted])
        clusters = clusters_by_bin(bins[counted], n_bins, codes[counted])
        spread = np.maximum(trials / effects, np.minimum(trials, 1.0))
        trials = np.where((hits <= 0) | (hits >= total), np.minimum(trials, clusters), spread)
    return np.where(hits >= total, trials, hits * (trials / some)), trials


def clusters_by_bin(bins: Int64, n_bins: int, codes: Int64) -> Int64:
    """Return how many clusters each bin has pairs of."""
    width = int(codes.max()) + 1 if codes.size else 1
    return np.bincount(np.unique(bins * width + codes) // width, minlength=n_bins)


def design_effects(bins: Int64, n_bins: int, residuals: Float64, codes: Int64 | None) -> Float64:
    """Return for each bin the variance of a mean from residuals summed by cluster over that from single ones.

    At least 1; infinite in a bin of one cluster with several pairs, whose spread nobody has seen.
    """
    if codes is None:
        return np.ones(n_bins)
    width = int(codes.max()) + 1
    keys, inverse = np.unique(bins * width + codes, return_inverse=True)
    home = keys // width
    n, clusters = np.bincount(bins, minlength=n_bins), np.bincount(home, minlength=n_bins)
    single = np.bincount(bins, residuals**2, n_bins)
    summed = np.bincount(home, np.bincount(inverse, residuals, len(keys)) ** 2, n_bins)
    effects = np.ones(n_bins)
    many = (clusters > 1) & (single > 0)
    k, m = clusters[many], n[many]
    effects[many] = (k / (k - 1) * summed[many]) / (m / (m - 1) * single[many])
    effects[(clusters == 1) & (n > 1)] = np.inf
    return np.maximum(effects, 1.0)
