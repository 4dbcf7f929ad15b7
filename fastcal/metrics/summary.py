"""The block of numbers that a profile stores and a report shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._clusters import numbered
from fastcal._validate.scores import probability_pairs
from fastcal.metrics._auroc import auroc_of
from fastcal.metrics._json import plain
from fastcal.metrics.bootstrap import bootstrap
from fastcal.metrics.brier import brier_score
from fastcal.metrics.brier_skill import as_base_rate, brier_skill
from fastcal.metrics.calibration_error import expected_calibration_error
from fastcal.metrics.debiased import debiased_calibration_error
from fastcal.metrics.log_loss import log_loss
from fastcal.metrics.reliability import Strategy


@dataclass(frozen=True, slots=True)
class CalibrationSummary:
    """How right the probabilities are, beside what a constant would score.

    Attributes
    ----------
    ece : float
        Expected calibration error. It adds up the sizes of gaps, noise of the labels included: probabilities that are right,
        spread evenly over [0, 1], have 0.12 on average with 100 pairs, 0.054 with 500, 0.027 with 2,000 and 0.012 with 10,000
        (15 bins; pairs of one query count for less).
    debiased_calibration_error : float
        Of the same bins, without that noise, which is taken off by query: root mean square gap, 0 where noise explains all
        of it, as it does for most samples of probabilities that are right. An ECE far above it is mostly noise.
    ece_interval : tuple of float
        Mirrored bootstrap interval by query, as in :func:`bootstrap`; (nan, nan) with fewer than two queries.
    brier_interval, log_loss_interval : tuple of float
        BCa bootstrap intervals by query, likewise.
    constant_ece : float
        Calibration error of answering one constant for every pair: |base rate - constant|. It is 0 if the constant was
        read off these very labels, which is why a small ECE alone proves nothing.
    constant : float
        That constant: `base_rate` of the call, or the share of relevant pairs among these labels.
    constant_in_sample : bool
        Whether it was read off these labels.
    brier, brier_skill, log_loss : float
        The skill is over the same constant; NaN if the constant is perfect.
    auroc : float
        NaN if only one class is there.
    n, n_groups : int
    base_rate : float
        Share of relevant pairs.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.calibration_summary([0, 1, 0, 1], [0.25, 0.75, 0.25, 0.75]).to_dict()["brier_skill"]
    0.75
    """

    ece: float
    debiased_calibration_error: float
    ece_interval: tuple[float, float]
    constant_ece: float
    constant: float
    constant_in_sample: bool
    brier: float
    brier_skill: float
    log_loss: float
    auroc: float
    n: int
    n_groups: int
    base_rate: float
    brier_interval: tuple[float, float]
    log_loss_interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; None stands for NaN."""
        return {name: plain(value) for name, value in asdict(self).items()}


def calibration_summary(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    sample_weight: npt.ArrayLike | None = None,
    base_rate: float | None = None,
    n_bins: int = 15,
    strategy: Strategy = "uniform",
    n_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> CalibrationSummary:
    """Measure probabilities and the constant they have to beat.

    Pass the training base rate: then the constant, like the probabilities, was known before these labels were. Without it
    the constant is the best in hindsight: its calibration error is 0 by construction, and the Brier skill is over
    a rival that has seen the answers.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `probabilities`
    probabilities : array_like of float, any shape
        In [0, 1]; NaN marks padding, and those pairs are dropped.
    groups : array_like of int or str, shape of `probabilities` or one per row, optional
        Query ids. Without them every pair is its own group.
    sample_weight : array_like of float, shape of `probabilities`, optional
        Finite and not negative.
    base_rate : float in [0, 1], optional
        A calibrator's ``base_rate_``.
    n_bins, strategy
        As in :func:`expected_calibration_error`.
    n_resamples, confidence, seed
        Of the interval, as in :func:`bootstrap`.

    Returns
    -------
    CalibrationSummary

    Raises
    ------
    ValueError, TypeError
        As :func:`bootstrap` and :func:`reliability_curve`; a single query is no error.

    Examples
    --------
    >>> import fastcal as fc
    >>> found = fc.metrics.calibration_summary([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], base_rate=0.25)
    >>> found.ece, found.constant_ece, found.auroc, found.n
    (0.0, 0.25, 0.5, 4)
    """
    given = as_base_rate(base_rate)
    sample = probability_pairs(labels, probabilities, sample_weight, groups)
    y, p, w = sample.labels, sample.scores, sample.weights
    n_groups = numbered(sample.groups, len(y))[1]
    rate = float(np.average(y, weights=w))
    how: dict[str, Any] = {"groups": sample.groups, "sample_weight": w, "n_resamples": n_resamples, "confidence": confidence, "seed": seed}

    def interval(metric: Callable[..., float], **options: Any) -> tuple[float, float]:
        return bootstrap(metric, y, p, **how, **options).interval if n_groups > 1 else (math.nan, math.nan)

    constant = rate if given is None else given
    return CalibrationSummary(
        ece=expected_calibration_error(y, p, n_bins, strategy, w),
        debiased_calibration_error=debiased_calibration_error(y, p, n_bins, strategy, w, groups=sample.groups),
        ece_interval=interval(expected_calibration_error, n_bins=n_bins, strategy=strategy),
        constant_ece=abs(rate - constant),
        constant=constant,
        constant_in_sample=given is None,
        brier=brier_score(y, p, w),
        brier_skill=brier_skill(y, p, w, base_rate=given),
        log_loss=log_loss(y, p, w),
        auroc=auroc_of(sample),
        n=len(y),
        n_groups=n_groups,
        base_rate=rate,
        brier_interval=interval(brier_score),
        log_loss_interval=interval(log_loss),
    )
