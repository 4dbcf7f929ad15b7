"""AUROC as the rate of rightly ordered pairs, and its interval by query."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastcal._clusters import Float64, bin_sums, numbered
from fastcal._validate.scores import Pairs, float32_floor
from fastcal.intervals.wilson import wilson_interval
from fastcal.thresholds.sweep import CumulativeCounts, cumulative_counts


def auroc_of(sample: Pairs) -> float:
    """AUROC of higher-is-better scores; NaN if only one class has weight."""
    counts = cumulative_counts(sample, higher_is_better=True)
    if not 0.0 < counts.positive[-1] < counts.weight[-1]:
        return float("nan")
    return auroc(counts)


def auroc(counts: CumulativeCounts) -> float:
    """Area under the ROC curve by trapezoids, which is what makes ties count half."""
    hits = np.concatenate(([0.0], counts.positive / counts.positive[-1]))
    negative = counts.weight - counts.positive
    alarms = np.concatenate(([0.0], negative / negative[-1]))
    return float(np.diff(alarms) @ (hits[1:] + hits[:-1]) / 2.0)


def auroc_interval(sample: Pairs, value: float, confidence: float, higher_is_better: bool) -> tuple[float, float]:
    """Wilson interval of a (1 - a) / v effective trials, v being the variance of AUROC a by query.

    v sums the squared influence of each query, the deviations of its pairs' placements (DeLong, DeLong & Clarke-Pearson 1988;
    by cluster, Obuchowski 1997). A perfect order has none; it counts the queries of the class that has fewer.
    """
    counted = np.ones(len(sample.labels), np.bool_) if sample.weights is None else sample.weights > 0
    w = np.ones(len(sample.labels)) if sample.weights is None else sample.weights / sample.weights.max()
    codes, n = numbered(sample.groups, len(w))
    influence = bin_sums(codes, _influence(sample.scores if higher_is_better else -sample.scores, sample.labels == 1, w, value), n)
    clusters = len(np.unique(codes[counted]))
    least = min(len(np.unique(codes[counted & (sample.labels == label)])) for label in (0, 1))
    variance = float(influence @ influence) * clusters / max(clusters - 1, 1)
    known = clusters > 1 and variance > 1e-18 and 0.0 < value < 1.0
    trials = max(value * (1 - value) / variance, 1.0) if known else float(least)
    return wilson_interval(value * trials, trials, confidence)


def _influence(scores: Float64, relevant: npt.NDArray[np.bool_], weights: Float64, value: float) -> Float64:
    """How far each pair moves AUROC: the share of the other class it beats, less AUROC, by its share of its own class."""
    values, at = np.unique(float32_floor(scores), return_inverse=True)
    positive, negative = (bin_sums(at, weights * chosen, len(values)) for chosen in (relevant, ~relevant))
    beaten = (np.cumsum(negative) - negative / 2) / negative.sum()
    beaten_by = 1 - (np.cumsum(positive) - positive / 2) / positive.sum()
    placed = np.where(relevant, beaten[at], beaten_by[at]) - value
    return np.asarray(weights * placed / np.where(relevant, positive.sum(), negative.sum()))
