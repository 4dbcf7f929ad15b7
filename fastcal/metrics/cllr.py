"""Cllr: the cost of log-likelihood-ratios, whatever the base rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction
from fastcal._validate.scores import Pairs, directed_scores, pairs, probability_pairs, require_both_classes
from fastcal.errors import InvalidValueError
from fastcal.metrics._recalibrated import recalibrated
from fastcal.metrics.log_loss import LEAST

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


def cllr(
    labels: npt.ArrayLike,
    *,
    log_likelihood_ratios: npt.ArrayLike | None = None,
    probabilities: npt.ArrayLike | None = None,
    prior: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> float:
    """Log-likelihood-ratio cost (Brümmer & du Preez 2006), in bits: 0 is perfect, 1 says nothing, above 1 misleads.

    Half the mean of log2(1 + 1 / LR) over relevant pairs plus half that of log2(1 + LR) over irrelevant ones. Both classes count
    the same however many pairs they have, so it compares collections of different base rates.

    Ratios are natural logarithms, ln(P(score | relevant) / P(score | irrelevant)): not ratios, not log10, and not log-odds, which
    contain the base rate. Probabilities need the base rate they were made for, a calibrator's ``base_rate_``;
    ln LR = logit(p) - logit(prior), with p clipped as in :func:`log_loss`. Both go by name, so that neither passes for the other;
    for :func:`bootstrap` name them in a function of your own: ``lambda y, p: cllr(y, probabilities=p, prior=0.1)``.

    Parameters
    ----------
    labels : array_like of 0/1
        Both classes.
    log_likelihood_ratios : array_like of float, shape of `labels`
        Finite; NaN marks padding. Give either these or `probabilities`.
    probabilities : array_like of float, shape of `labels`
        In [0, 1]; NaN marks padding.
    prior : float, with `probabilities`
        Strictly between 0 and 1.
    sample_weight : array_like of float, shape of `labels`, optional
        Finite and not negative.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If only one class is there, ratios and probabilities are both given or both missing, `prior` is missing or comes with
        ratios, shapes differ, or a value is out of range.
    TypeError
        If an array is not numeric, or one of integers, booleans or objects where floats are expected.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> round(fc.metrics.cllr([0, 1], log_likelihood_ratios=np.log([1 / 3, 3])), 4)
    0.415
    >>> round(fc.metrics.cllr([0, 1], probabilities=[0.25, 0.75], prior=0.5), 4)
    0.415
    """
    if (log_likelihood_ratios is None) == (probabilities is None):
        raise InvalidValueError("expected either log_likelihood_ratios or probabilities, got " + ("neither" if probabilities is None else "both"))
    if (prior is None) != (probabilities is None):
        raise InvalidValueError(
            "probabilities and prior (the base rate they are right for) go together; expected both, or log_likelihood_ratios alone"
        )
    if probabilities is not None:
        sample = probability_pairs(labels, probabilities, sample_weight)
        ratios = _log_ratios(sample.scores, fraction(prior, "prior"))
    else:
        sample = pairs(log_likelihood_ratios, labels, sample_weight)  # type: ignore[arg-type]
        ratios = sample.scores.astype(np.float64)
    weights = _balanced(sample)
    return float(weights @ np.logaddexp(0.0, np.where(sample.labels == 1, -ratios, ratios)) / math.log(2))


def cllr_min(labels: npt.ArrayLike, scores: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None, higher_is_better: bool = True) -> float:
    """Cllr after the best monotone recalibration of these very pairs: what is lost by discrimination alone.

    ``cllr - cllr_min`` is what is lost by calibration. Any scores will do, for only their order counts.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `scores`
        Both classes.
    scores : array_like of float, any shape, or a search result
        Scores, probabilities or ratios; NaN marks padding, and those pairs are dropped.
    sample_weight : array_like of float, shape of `scores`, optional
        Finite and not negative.
    higher_is_better : bool, default True
        False for distances; must agree with the result if one is given.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError, TypeError
        As :func:`separation`.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.cllr_min([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9]), fc.metrics.cllr_min([0, 1], [0.5, 0.5])
    (0.0, 1.0)
    """
    sample = pairs(directed_scores(scores, higher_is_better), labels, sample_weight)
    weights = _balanced(sample)
    fitted = recalibrated(sample.scores if higher_is_better else -sample.scores, sample.labels, weights)
    right = np.where(sample.labels == 1, fitted, 1.0 - fitted)[weights > 0]
    return max(float(-weights[weights > 0] @ np.log2(right)), 0.0)


def _balanced(sample: Pairs) -> Array:
    """Weights of which each class has one half."""
    require_both_classes(sample.labels, sample.weights)
    weights = np.ones(len(sample.labels)) if sample.weights is None else sample.weights / sample.weights.max()
    relevant = sample.labels == 1
    balanced: Array = weights / (2 * np.where(relevant, weights[relevant].sum(), weights[~relevant].sum()))
    return balanced


def _log_ratios(probabilities: Array, prior: float) -> Array:
    claimed = np.clip(probabilities.astype(np.float64), LEAST, 1.0 - LEAST)
    ratios: Array = np.log(claimed) - np.log1p(-claimed) - (math.log(prior) - math.log1p(-prior))
    return ratios
