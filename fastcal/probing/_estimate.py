"""Precision at a cut from labels drawn with known probabilities, over one round or several."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.intervals.wilson import wilson_interval
from fastcal.probing._sampling import Float64, Int64

Int8 = npt.NDArray[np.int8]


class AtCut(NamedTuple):
    """Estimated precision of the best `rows` rows, NaN where nothing tells; trials are infinite where all of them are labelled."""

    rows: int
    precision: float
    effective_n: float
    interval: tuple[float, float]

    @property
    def width(self) -> float:
        """Full width of the interval."""
        return self.interval[1] - self.interval[0]


class Draw(NamedTuple):
    """The rows of one round, best row of the pool = 0, and the probability of every row of the pool: 1 if it was labelled before."""

    rows: Int64
    probabilities: Float64

    def variances(self, cuts: Int64) -> Float64:
        """Return ``sum (1 / pi - 1) / k^2`` over the best k rows: 1 / trials of the round in expectation, known before a label is.

        0 where every row is certain, infinite where a row cannot be drawn at all.
        """
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(np.cumsum(1.0 / self.probabilities - 1.0)[cuts - 1] / cuts.astype(np.float64) ** 2)


def corrected(draws: list[Draw], labels: Int8, cuts: Int64) -> list[AtCut]:
    """Horvitz-Thompson: the ratio of the weighted positives to the weighted rows (Hajek 1971); `labels` are -1 where there is none.

    A round has its drawn rows, and for certain those labelled before. Each weighs ``alpha / pi``; a round's share alpha is
    inversely proportional to its variance at the cut, which its labels cannot move, so that each round's sums are unbiased given the
    rounds before. Trials are Kish's with each row's chance to be left out as its share of the variance,
    ``(sum w)^2 / sum w^2 (1 - pi)``, but no more than the probabilities promise: drawn blindly, n of k rows are n k / (k - n).
    """
    rows = np.flatnonzero(labels >= 0)
    upto = np.searchsorted(rows, cuts)
    inverse = np.array([_in_hand(draw, rows) for draw in draws])
    design = np.array([draw.variances(cuts) for draw in draws])
    shares = _shares(design)
    totals, hits, spread = (_sums(each)[:, upto] for each in (inverse, inverse * labels[rows], inverse * np.maximum(inverse - 1.0, 0.0)))
    total = (shares * totals).sum(axis=0)
    some = np.where(total > 0, total, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        promised = np.where(shares > 0, shares**2 * design, 0.0).sum(axis=0)
        trials = 1.0 / np.maximum(promised, (shares**2 * spread).sum(axis=0) / some**2)
    return _at_cuts(labels, cuts, (shares * hits).sum(axis=0) / some, np.where(total > 0, trials, 0.0))


def pooled(draws: list[Draw], labels: Int8, cuts: Int64) -> list[AtCut]:
    """The naive recipe: every label counts once, however likely it was drawn. Biased."""
    rows = np.sort(np.concatenate([draw.rows for draw in draws]))
    trials = np.searchsorted(rows, cuts).astype(np.float64)
    hits = _sums(labels[rows][np.newaxis])[0, trials.astype(np.int64)]
    return _at_cuts(labels, cuts, hits / np.maximum(trials, 1.0), trials)


def _in_hand(draw: Draw, rows: Int64) -> Float64:
    """Return 1 / probability of the rows that the round has, 0 for others."""
    drawn = np.zeros(draw.probabilities.size, np.bool_)
    drawn[draw.rows] = True
    there, given = drawn[rows] | (draw.probabilities[rows] >= 1), draw.probabilities[rows]
    return np.where(there, 1.0 / np.where(there, given, 1.0), 0.0)


def _shares(variances: Float64) -> Float64:
    """Return shares of the rounds, inversely proportional to variances (n_rounds, n_cuts); 0 for infinite ones, all to the last that are 0."""
    with np.errstate(divide="ignore"):
        precise = np.where(variances > 0, 1.0 / variances, 0.0)
    certain = (variances <= 0).any(axis=0)
    precise[:, certain] = variances[:, certain] <= 0
    whole = precise.sum(axis=0)
    return np.asarray(precise / np.where(whole > 0, whole, 1.0))


def _sums(values: npt.NDArray[np.generic]) -> Float64:
    """Return the sums of the first 0, 1, 2, ... columns."""
    return np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))


def _at_cuts(labels: Int8, cuts: Int64, precision: Float64, trials: Float64) -> list[AtCut]:
    """Put estimates together, within what the labels in hand leave possible: exact where no label is missing."""
    hits, missing = (_sums((labels == value)[np.newaxis])[0, cuts] for value in (1, -1))
    least, most = hits / cuts, (hits + missing) / cuts
    trials = np.where(missing > 0, trials, np.inf)
    finite = np.where(np.isfinite(trials), trials, 0.0)
    kept = np.clip(precision, least, most)
    limits = np.clip(wilson_interval(np.minimum(kept * finite, finite), finite), least, most)
    kept[trials == 0] = math.nan
    columns = (cuts.tolist(), kept.tolist(), trials.tolist(), *limits.tolist())
    return [AtCut(cut, value, size, (low, high)) for cut, value, size, low, high in zip(*columns, strict=True)]
