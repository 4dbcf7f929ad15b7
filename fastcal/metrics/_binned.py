"""Pairs sorted into bins of probability: the totals that curves and errors are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastcal._backend.protocol import Array
from fastcal._clusters import Float64, Int64, bin_sums
from fastcal._validate.scores import Pairs


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """Pairs and their bins; totals have one entry per bin, empty ones included, in weights whose largest is 1."""

    edges: Array
    bins: Int64
    probabilities: Float64
    labels: Array
    weights: Float64 | None
    codes: Int64 | None
    count: Int64
    total: Float64
    squares: Float64
    claimed: Float64
    relevant: Float64

    @classmethod
    def of(cls, sample: Pairs, n_bins: int, strategy: str) -> Binned:
        """Sort pairs into bins ``(lower, upper]`` of equal width on [0, 1], or with equal numbers of pairs."""
        fractions = np.linspace(0.0, 1.0, n_bins + 1)
        probabilities = sample.scores.astype(np.float64)
        edges = fractions if strategy == "uniform" else np.quantile(probabilities, fractions)
        bins = np.searchsorted(edges[1:-1], sample.scores)
        weights = None if sample.weights is None else sample.weights / sample.weights.max()
        w = np.ones(len(bins)) if weights is None else weights
        sums = [bin_sums(bins, values, n_bins) for values in (w, w * w, w * probabilities, w * sample.labels)]
        return cls(edges, bins, probabilities, sample.labels, weights, sample.groups, np.bincount(bins, minlength=n_bins), *sums)

    @property
    def n_bins(self) -> int:
        """Bins, empty ones included."""
        return len(self.edges) - 1

    @property
    def filled(self) -> Array:
        """Whether a bin has weight."""
        return self.total > 0
