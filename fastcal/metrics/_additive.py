"""Metrics that are functions of sums over pairs: a resample of queries is then a product of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcal._clusters import Float64, Int64, bin_sums
from fastcal._validate.scores import Pairs
from fastcal.metrics.brier import brier_score
from fastcal.metrics.brier_skill import as_base_rate, brier_skill, skill
from fastcal.metrics.calibration_error import error_of, expected_calibration_error
from fastcal.metrics.log_loss import log_loss, losses

Value = Callable[[Float64], Float64]


def sums_of(metric: Any, sample: Pairs, codes: Int64, n_groups: int, options: dict[str, Any]) -> tuple[Float64, Value] | None:
    """Return sums by query, (n_groups, n_columns), and the metric as a function of their totals; None if it is none.

    Options have been used once, so they are good.
    """
    known: dict[Any, Callable[..., Any]] = {
        brier_score: _brier,
        log_loss: _log_loss,
        brier_skill: _skill,
        expected_calibration_error: _error,
    }
    build = known.get(metric) if isinstance(metric, type(brier_score)) else None
    weights = np.ones(len(codes)) if sample.weights is None else sample.weights / sample.weights.max()
    return None if build is None else build(sample, weights, codes, n_groups, **options)


def _brier(sample: Pairs, weights: Float64, codes: Int64, n: int) -> tuple[Float64, Value]:
    return _by_group(codes, n, weights, weights * _squares(sample)), _mean


def _log_loss(sample: Pairs, weights: Float64, codes: Int64, n: int) -> tuple[Float64, Value]:
    return _by_group(codes, n, weights, weights * losses(sample.labels, sample.scores)), _mean


def _skill(sample: Pairs, weights: Float64, codes: Int64, n: int, base_rate: float | None = None) -> tuple[Float64, Value]:
    constant = as_base_rate(base_rate)
    sums = _by_group(codes, n, weights, weights * _squares(sample), weights * sample.labels)
    return sums, lambda t: skill(t[..., 1] / t[..., 0], t[..., 2] / t[..., 0], constant)


def _error(
    sample: Pairs, weights: Float64, codes: Int64, n: int, n_bins: int = 15, strategy: str = "uniform", norm: str = "l1"
) -> tuple[Float64, Value] | None:
    if strategy != "uniform":  # edges move with the resample
        return None
    home = codes * n_bins + np.searchsorted(np.linspace(0.0, 1.0, n_bins + 1)[1:-1], sample.scores)
    parts = [bin_sums(home, v, n * n_bins).reshape(n, n_bins) for v in (weights, weights * (sample.labels - sample.scores.astype(np.float64)))]
    return np.concatenate(parts, axis=1), lambda t: error_of(t[..., :n_bins], t[..., n_bins:], norm)


def _squares(sample: Pairs) -> Float64:
    return (sample.scores.astype(np.float64) - sample.labels) ** 2


def _by_group(codes: Int64, n: int, *columns: Float64) -> Float64:
    return np.stack([bin_sums(codes, column, n) for column in columns], axis=1)


def _mean(totals: Float64) -> Float64:
    return np.asarray(totals[..., 1] / totals[..., 0])
