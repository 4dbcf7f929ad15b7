"""Draws rows with probabilities that are known exactly: Gaussian weights in the score, systematic sampling in random order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def gaussian_weights(scores: npt.NDArray[np.float32], anchor: float, sigma: float, floor: float = 0.0) -> Float64:
    """Return ``exp(-(s - anchor)^2 / (2 sigma^2))`` over its largest, for rows at or above the anchor at least `floor`.

    Only ratios of weights matter; divided by the largest they do not all underflow, however far off the anchor is.
    """
    exponents = -(((scores.astype(np.float64) - anchor) / sigma) ** 2) / 2
    with np.errstate(under="ignore"):
        weights = np.exp(exponents - exponents.max())
    return np.asarray(np.where(scores >= anchor, np.maximum(weights, floor), weights))


def kish(weights: Float64) -> float:
    """Return ``(sum w)^2 / sum w^2``: how many equal weights tell as much; 0 without weight."""
    largest = weights.max(initial=0.0)
    if not largest > 0:
        return 0.0
    with np.errstate(under="ignore"):
        scaled = weights / largest
        return float(scaled.sum() ** 2 / (scaled * scaled).sum())


def inclusion_probabilities(weights: Float64, size: int) -> Float64:
    """Return ``min(1, c w)`` with c such that they sum to `size`; 1 for every row of positive weight where there are no more."""
    live = weights > 0
    if np.count_nonzero(live) <= size:
        return live.astype(np.float64)
    probabilities, sure = np.zeros(weights.size), np.zeros(weights.size, np.bool_)
    while True:
        open_ = live & ~sure
        share = weights[open_] / weights[open_].max()
        probabilities[open_], probabilities[sure] = (size - np.count_nonzero(sure)) * (share / share.sum()), 1.0
        over = open_ & (probabilities >= 1.0)
        sure |= over
        if not over.any() or np.count_nonzero(sure) >= size:  # the others share what rounding leaves: little, but not nothing
            return np.minimum(probabilities, 1.0)


def systematic_sample(probabilities: Float64, rng: np.random.Generator) -> Int64:
    """Draw distinct rows, each with exactly its probability, in random order (Madow 1949).

    Rows are laid end to end in random order, each as long as its probability, and marked at u, u + 1, u + 2, ... with one u uniform
    on (0, 1). The number of rows drawn is the sum of the probabilities, rounded up or down.
    """
    order = rng.permutation(probabilities.size)
    lengths = probabilities[order]
    unsure = order[(lengths > 0) & (lengths < 1)]
    ends = np.cumsum(probabilities[unsure])
    marks = rng.random() + np.arange(np.ceil(ends[-1] - 1e-9) if unsure.size else 0)
    drawn = np.unique(np.searchsorted(ends, marks, side="right"))
    return rng.permutation(np.concatenate([order[lengths >= 1], unsure[drawn[drawn < unsure.size]]]))
