"""Are these probabilities still right: a score test by query, what recalibration would gain, and what a new base rate explains."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._clusters import cluster_sums, effective_trials, mean_by_query, numbered
from fastcal.calibration._odds import logit, shifted
from fastcal.intervals import wilson_interval
from fastcal.metrics import corp_decomposition

Float64 = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
_CLOSEST = 1e-6  # probabilities nearer to 0 or 1 have the log-odds of this


class Labelled(NamedTuple):
    """Labelled pairs with their claimed probabilities, flat."""

    scores: Float64
    labels: npt.NDArray[np.uint8]
    probabilities: Float64
    weights: Float64 | None
    codes: Codes


class BaseRate(NamedTuple):
    """Share of relevant pairs now, and its 95 % interval by query."""

    rate: float
    low: float
    high: float


def base_rate_of(sample: Labelled) -> BaseRate:
    """Measure the base rate with Wilson's interval of the effective number of trials."""
    hits, trials = effective_trials(sample.labels, sample.weights, sample.codes)
    return BaseRate(float(np.average(sample.labels, weights=sample.weights)), *wilson_interval(min(hits, trials), trials))


class Test(NamedTuple):
    """A chi-squared statistic and its p-value."""

    statistic: float
    p_value: float


def calibration_test(sample: Labelled, n_training: int | None) -> Test:
    """Rao's score test that the log-odds need neither a shift nor a factor (Cox 1958), with queries as units.

    With z the claimed log-odds, u_q = sum over the pairs of query q of w (y - p) (1, z) has mean 0 if the probabilities are
    right; the statistic is U' V^-1 U with U and V the sums over queries of u_q and u_q u_q', chi-squared with as many
    degrees as V has rank. Nothing is fitted, so it exists for constant probabilities too.

    With few pairs of a class V is too small by far; the claimed variance, that of independent pairs, is not. The test is the one of
    the two with the larger p-value.

    Labels of one class vary too little for V to tell, and are as far from the claim as labels can be: their chance is at most the
    product over queries of the least claimed chance of a label there, whatever the dependence within queries. It is the tail
    of the statistic -2 log(chance) at two degrees of freedom.

    Probabilities fitted on m queries have errors of their own: on n new queries the variance of U is V (1 + n / m), by which the
    statistic is divided (to first order, for a fit of as many parameters).
    """
    errors_of_fit = 1.0 if n_training is None else 1.0 + len(np.unique(sample.codes)) / n_training
    if sample.labels.min() == sample.labels.max():
        statistic = -2.0 * _log_chance(sample) / errors_of_fit
        return Test(statistic, math.exp(-statistic / 2))
    p = np.clip(sample.probabilities, _CLOSEST, 1 - _CLOSEST)
    z = np.log(p) - np.log1p(-p)
    residuals = (sample.labels - sample.probabilities) * (1.0 if sample.weights is None else sample.weights)
    codes, n = numbered(sample.codes, len(residuals))
    directions = np.stack([np.ones(len(z)), (z - z.mean()) / (z.std() or 1.0)], axis=1)
    by_query = cluster_sums(codes, n, residuals[:, np.newaxis] * directions)
    scaled = directions * (np.sqrt(p * (1 - p)) * (1.0 if sample.weights is None else sample.weights))[:, np.newaxis]
    total = by_query.sum(axis=0)
    found = [_score_test(total, rows.T @ rows, errors_of_fit) for rows in (by_query, scaled)]
    return max(found, key=lambda test: test.p_value)


def _score_test(total: Float64, spread: Float64, errors_of_fit: float) -> Test:
    values, vectors = np.linalg.eigh(spread)
    real = values > values.max() * 1e-12
    statistic = float((((vectors.T @ total)[real]) ** 2 / values[real]).sum()) if values.max() > 0 else 0.0
    statistic /= errors_of_fit
    degrees = int(real.sum())
    tail = math.exp(-statistic / 2) if degrees == 2 else math.erfc(math.sqrt(statistic / 2)) if degrees == 1 else 1.0
    return Test(statistic, tail)


def _log_chance(sample: Labelled) -> float:
    """Logarithm of the bound on the chance of these labels."""
    counted = slice(None) if sample.weights is None else sample.weights > 0
    chance = np.where(sample.labels > 0, sample.probabilities, 1.0 - sample.probabilities)[counted]
    least = np.ones(int(sample.codes.max()) + 1)
    np.minimum.at(least, sample.codes[counted], np.maximum(chance, _CLOSEST))
    return float(np.log(least).sum())


class Gain(NamedTuple):
    """How much of the base-rate guess's Brier score a recalibration would remove, and the loss beside that guess's."""

    removable: float  # what decides: equal to miscalibration but for labels of one class
    miscalibration: float
    brier_skill: float
    worse_than_constant: bool


def gain_of(sample: Labelled, rate: float, claimed: float) -> Gain:
    """Return CORP miscalibration and Brier skill, both as shares of the uncertainty, and whether the skill is surely negative.

    Labels of one class have no uncertainty, and recalibration would remove the whole Brier score: it is then held against the
    uncertainty r (1 - r) of the claimed base rate r.

    The excess over the guess, (p - y)^2 - (r - y)^2, is a mean over pairs whose error is estimated by query.
    """
    corp = corp_decomposition(sample.labels, sample.probabilities, sample_weight=sample.weights)
    if corp.uncertainty == 0:
        return Gain(corp.score / (claimed * (1.0 - claimed)), math.nan, math.nan, worse_than_constant=False)
    excess = (sample.probabilities - sample.labels) ** 2 - (rate - sample.labels) ** 2
    codes, n = numbered(sample.codes, len(excess))
    mean, error = mean_by_query(excess, sample.weights, codes)
    skill = 1.0 - corp.score / corp.uncertainty
    gain = corp.miscalibration / corp.uncertainty
    return Gain(gain, gain, skill, n > 1 and mean > 1.96 * error)


class Moved(NamedTuple):
    """What moving the log-odds from the claimed base rate to the one seen would do."""

    explained: float  # share of the test statistic that goes
    worse_than_constant: bool  # still


def moved_to(sample: Labelled, claimed: float, rate: float) -> Moved:
    """Measure the probabilities after Bayes' rule for a new base rate."""
    if not 0.0 < rate < 1.0:
        return Moved(0.0, worse_than_constant=False)
    moved = sample._replace(probabilities=shifted(sample.probabilities, logit(rate) - logit(claimed)))
    before, after = (calibration_test(each, None).statistic for each in (sample, moved))
    return Moved(1.0 - after / before if before > 0 else 0.0, gain_of(moved, rate, rate).worse_than_constant)
