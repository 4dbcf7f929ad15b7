"""Bands of a reliability curve: around the diagonal, and around the curve."""

from __future__ import annotations

import numpy as np

from fastcal._clusters import Float64, bin_sums, design_effects, numbered, resampled_sums
from fastcal.metrics._binned import Binned

_CELLS = 4096


def consistency_band(binned: Binned, confidence: float, n_resamples: int, seed: int) -> tuple[Float64, Float64]:
    """Return where the observed rate of each bin falls if the probabilities are right.

    Pairs of a bin whose probabilities agree to 1 / 4096 are redrawn together, as a binomial of Kish's number of trials
    (rounded up) with their mean probability: without weights the sum of single draws, to the width of a cell.
    """
    w = np.ones(len(binned.bins)) if binned.weights is None else binned.weights
    keys = binned.bins * (_CELLS + 1) + np.rint(binned.probabilities * _CELLS).astype(np.int64)
    cells, inverse = np.unique(keys[w > 0], return_inverse=True)
    total, squares, claimed = (np.bincount(inverse, v[w > 0], len(cells)) for v in (w, w * w, w * binned.probabilities))
    trials = np.ceil(total**2 / squares - 1e-9).astype(np.int64)
    home = cells // (_CELLS + 1)
    hits = np.random.default_rng(seed).binomial(trials, np.minimum(claimed / total, 1.0), (n_resamples, len(cells)))
    scale = np.where(binned.filled, binned.total, 1.0)
    rates = np.stack([np.bincount(home, row, binned.n_bins) for row in hits * (total / trials)]) / scale
    center = binned.claimed / scale
    effects = design_effects(binned.bins, binned.n_bins, w * (binned.labels - binned.probabilities), binned.codes)
    return _limits(np.clip(center + (rates - center) * np.sqrt(effects), 0.0, 1.0), confidence)


def bootstrap_band(binned: Binned, confidence: float, n_resamples: int, seed: int) -> tuple[Float64, Float64]:
    """Return where the observed rate of each bin falls in resampled queries; resamples that leave a bin empty do not count there."""
    codes, n = numbered(binned.codes, len(binned.bins))
    w = np.ones(len(binned.bins)) if binned.weights is None else binned.weights
    home = codes * binned.n_bins + binned.bins
    sums = np.stack([bin_sums(home, v, n * binned.n_bins).reshape(n, -1) for v in (w, w * binned.labels)], axis=1).reshape(n, -1)
    total, hits = np.split(resampled_sums(sums, n_resamples, seed), 2, axis=1)
    return _limits(np.divide(hits, total, out=np.full(total.shape, np.nan), where=total > 1e-9), confidence)


def _limits(rates: Float64, confidence: float) -> tuple[Float64, Float64]:
    """Return the quantiles of each column, NaN left out; NaN where there is nothing else."""
    tail = (1 - confidence) / 2
    limits = np.full((2, rates.shape[1]), np.nan)
    for column, drawn in enumerate(rates.T):
        known = drawn[~np.isnan(drawn)]
        if known.size:
            limits[:, column] = np.quantile(known, [tail, 1 - tail])
    return limits[0], limits[1]
