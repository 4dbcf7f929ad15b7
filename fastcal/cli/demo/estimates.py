"""A number never travels without its n and its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import fastcal as fc

if TYPE_CHECKING:
    from collections.abc import Callable

N_RESAMPLES = 1000
CONFIDENCE = 0.95
FEW = 30

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A measured value, its 95 % interval and how many ``unit`` it rests on.

    ``value`` is NaN where nothing was there to measure.
    """

    value: float
    low: float
    high: float
    n: int
    unit: str

    def interval(self) -> str:
        """Write the interval."""
        return "" if math.isnan(self.value) else f"[{self.low:.3f}, {self.high:.3f}]"

    def text(self) -> str:
        """Write the value and its interval."""
        return "nothing to measure" if math.isnan(self.value) else f"{self.value:.3f} {self.interval()}"

    def full(self) -> str:
        """Write the value, its interval and n."""
        return f"{self.text()}, n = {self.n:,} {self.unit}"

    def percent(self) -> str:
        """Write the same in percent, as part of a sentence."""
        if math.isnan(self.value):
            return f"none of 0 {self.unit}"
        return f"{self.value:.1%} [{100 * self.low:.1f}, {100 * self.high:.1f}] of {self.n:,} {self.unit}"


def share(successes: int, trials: int, unit: str) -> Estimate:
    """Estimate a rate with its Wilson interval, which takes the trials as independent."""
    if not trials:
        return Estimate(math.nan, math.nan, math.nan, 0, unit)
    low, high = fc.wilson_interval(successes, trials, CONFIDENCE)
    return Estimate(successes / trials, low, high, trials, unit)


class QueryBootstrap:
    """Percentile intervals from resampled queries: all pairs of a query come and go together."""

    def __init__(self, n_queries: int, seed: int, n_resamples: int = N_RESAMPLES) -> None:
        self._draws = np.random.default_rng(seed).integers(0, n_queries, (n_resamples, n_queries))

    def ratio(self, numerator: npt.NDArray[Any], denominator: npt.NDArray[Any], unit: str) -> Estimate:
        """Estimate sum(numerator) / sum(denominator), both given per query; n is the denominator.

        Resampling cannot see beyond 0 or 1: there the interval is Wilson's over the queries that contribute. It sees too little of
        the spread in fewer than 30 pairs: there the interval is widened to contain Wilson's over pairs.
        """
        total, hits = int(denominator.sum()), int(numerator.sum())
        if not total:
            return Estimate(math.nan, math.nan, math.nan, 0, unit)
        if hits in {0, total}:
            contributing = int((denominator > 0).sum())
            return Estimate(hits / total, *fc.wilson_interval(contributing * hits // total, contributing, CONFIDENCE), total, unit)
        below = denominator[self._draws].sum(axis=1)
        resampled = numerator[self._draws].sum(axis=1)[below > 0] / below[below > 0]
        low, high = _middle(resampled)
        if total < FEW:
            wilson = fc.wilson_interval(hits, total, CONFIDENCE)
            low, high = min(low, wilson[0]), max(high, wilson[1])
        return Estimate(hits / total, low, high, total, unit)

    def mean(self, values: npt.NDArray[Any]) -> Estimate:
        """Estimate the mean of one value per query."""
        return Estimate(float(values.mean()), *_middle(values[self._draws].mean(axis=1)), len(values), "queries")

    def reflected(self, statistic: Callable[[Any, Any], float], labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]) -> Estimate:
        """Estimate a statistic of all pairs that resampling inflates: the interval is mirrored at the value and cut at 0."""
        value = statistic(labels.ravel(), probabilities.ravel())
        low, high = _middle(np.array([statistic(labels[rows].ravel(), probabilities[rows].ravel()) for rows in self._draws]))
        return Estimate(value, max(0.0, 2 * value - high), max(0.0, 2 * value - low), labels.size, "pairs")


def _middle(resampled: Floats) -> tuple[float, float]:
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
