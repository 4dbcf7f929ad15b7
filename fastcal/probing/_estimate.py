"""Precision at a cut from labels drawn with known probabilities, over one round or several."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._clusters import effective_trials
from fastcal.intervals.wilson import wilson_interval
from fastcal.probing._sampling import Float64, Int64


class AtCut(NamedTuple):
    """Estimated precision of the best `rows` rows; precision is NaN where none of them was drawn."""

    rows: int
    precision: float
    effective_n: float
    interval: tuple[float, float]

    @property
    def width(self) -> float:
        """Full width of the interval."""
        return self.interval[1] - self.interval[0]


@dataclass(frozen=True, eq=False)
class Draw:
    """The rows of one round, best row of the pool = 0, their answers, and the probability of every row of the pool."""

    rows: Int64
    labels: npt.NDArray[np.uint8]
    probabilities: Float64

    def design_sizes(self, cuts: Int64) -> Float64:
        """Return for the best k rows ``k^2 / sum 1 / pi``: Kish's effective size in expectation, known before a label is.

        0 where a row cannot be drawn at all.
        """
        return np.asarray(cuts**2 / self._spread[cuts - 1])

    @cached_property
    def _spread(self) -> Float64:
        with np.errstate(divide="ignore", over="ignore"):
            return np.cumsum(1.0 / self.probabilities)


def corrected(draws: list[Draw], cuts: Int64) -> list[AtCut]:
    """Horvitz-Thompson: the ratio of the weighted positives to the weighted rows (Hajek 1971).

    A row drawn in round r weighs ``alpha_r / pi_r``. A round's share alpha_r is its design size at the cut, which its labels
    cannot move; so each round's sums are unbiased given the rounds before. A row drawn twice counts once, with the sum of its weights.
    """
    sizes = np.array([draw.design_sizes(cuts) for draw in draws])
    rows, at = np.unique(np.concatenate([draw.rows for draw in draws]), return_inverse=True)
    labels = np.zeros(rows.size, np.uint8)
    labels[at] = np.concatenate([draw.labels for draw in draws])
    inverse = np.concatenate([1.0 / draw.probabilities[draw.rows] for draw in draws])
    source = np.repeat(np.arange(len(draws)), [draw.rows.size for draw in draws])
    found = []
    for cut, shares in zip(cuts.tolist(), sizes.T, strict=True):
        weights = np.bincount(at, shares[source] * inverse, rows.size)
        within = (rows < cut) & (weights > 0)
        found.append(_at_cut(cut, labels[within], weights[within]))
    return found


def pooled(draws: list[Draw], cuts: Int64) -> list[AtCut]:
    """The naive recipe: every distinct label counts once, however likely it was drawn. Biased."""
    rows, first = np.unique(np.concatenate([draw.rows for draw in draws]), return_index=True)
    labels = np.concatenate([draw.labels for draw in draws])[first]
    return [_at_cut(cut, labels[rows < cut], np.ones(np.count_nonzero(rows < cut))) for cut in cuts.tolist()]


def _at_cut(cut: int, labels: npt.NDArray[np.uint8], weights: Float64) -> AtCut:
    hits, trials = effective_trials(labels, weights, None)
    precision = hits / trials if trials > 0 else np.nan
    return AtCut(cut, precision, trials, wilson_interval(min(hits, trials), trials))
