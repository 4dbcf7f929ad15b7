"""AUROC as a rate of rightly ordered pairs, and its interval by query."""

from __future__ import annotations

import numpy as np

from fastcal._validate.scores import Pairs
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
