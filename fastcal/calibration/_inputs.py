"""What a score is (`input=`) and how it becomes log-odds: one definition for every calibrator that draws a logistic curve.

A cosine c stands for the chance (1 + c) / 2, so its log-odds are 2 atanh(c); a probability p has ln p - ln(1 - p). Chances are
clipped to [2**-25, 1 - 2**-25], half a float32 step below 1 (log-odds of -17.3 to 17.3), so that a cosine of 1.0 is a number
like its neighbours. Scores up to 1e-6 outside their range are rounding and are clipped as well; anything further is an error.
Maps compute the log-odds inside the pass over the scores; fits make them once, in float64.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from fastcal import _backend
from fastcal._validate.elements import refuse
from fastcal._validate.numbers import one_of

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

LOGIT = "logit"
LEAST_CHANCE = 2.0**-25
_TOLERANCE = 1e-6
_LOWEST = {"cosine": -1.0, "prob": 0.0}
# The chance of a score s is offset + slope * s.
_CHANCE = {"cosine": (0.5, 0.5), "prob": (0.0, 1.0)}


def check_input(kind: str) -> None:
    """Raise unless `kind` is one of the inputs."""
    one_of(kind, "input", (LOGIT, *_LOWEST))


def check_range(scores: Array, kind: str) -> None:
    """Raise if a score, NaN aside, lies outside the range of its kind; names the first one and its place."""
    if kind != LOGIT:
        _within(scores, _LOWEST[kind], 1.0, f"a {kind} in [{_LOWEST[kind]:g}, 1] (input={kind!r}), or NaN for padding")


def check_metric(scores: Array, metric: str, norm: str | None, higher_is_better: bool | None) -> None:
    """Raise if a score, NaN aside, cannot be one of the metric: a cosine, or, where lower is better, one less a cosine."""
    if metric.lower() != "cosine" or norm is not None:
        return
    low, high, kind = (0.0, 2.0, "a cosine distance") if higher_is_better is False else (-1.0, 1.0, "a cosine")
    _within(scores, low, high, f"{kind} in [{low:g}, {high:g}] (metric={metric!r}), or NaN for padding")


def _within(scores: Array, lowest: float, highest: float, expected: str) -> None:
    if scores.size == 0:
        return
    low, high = lowest - _TOLERANCE, highest + _TOLERANCE
    if np.fmin.reduce(scores, axis=None) < low or np.fmax.reduce(scores, axis=None) > high:
        refuse((scores < low) | (scores > high), scores, "scores", expected)


class TakesInput:
    """What calibrators with ``input=`` share: scores are judged by their kind."""

    input: str

    def _check_scores(self, scores: Array) -> None:
        check_range(scores, self.input)

    def _score_range(self) -> tuple[float, float, bool]:
        low, high = (-sys.float_info.max, sys.float_info.max) if self.input == LOGIT else (_LOWEST[self.input], 1.0)
        return low, high, False


def chances(scores: Array, kind: str) -> tuple[Array, Array]:
    """Return the clipped chance of each float64 score and that of the opposite."""
    if kind == LOGIT:
        return _clipped(np.exp(-np.logaddexp(0.0, -scores))), _clipped(np.exp(-np.logaddexp(0.0, scores)))
    offset, slope = _CHANCE[kind]
    return _clipped(offset + slope * scores), _clipped((1.0 - offset) - slope * scores)


def log_odds(scores: Array, kind: str) -> Array:
    """Return the log-odds that float64 scores stand for."""
    if kind == LOGIT:
        return scores
    chance, against = chances(scores, kind)
    log_odds_: Array = np.log(chance) - np.log(against)
    return log_odds_


def predict_linear(scores: Array, kind: str, slope: float, intercept: float, out: Array, num_threads: int) -> None:
    """Write the probability whose log-odds are ``slope * log_odds(scores) + intercept``."""
    if kind == LOGIT:
        _backend.active().platt_predict(scores, -slope, -intercept, out, num_threads=num_threads)
    else:
        predict_beta(scores, kind, (slope, slope, intercept), out, num_threads)


def predict_beta(scores: Array, kind: str, abc: tuple[float, float, float], out: Array, num_threads: int) -> None:
    """Write the probability whose log-odds are ``a ln u - b ln v + c``, u and v the chances of `scores`."""
    if kind == LOGIT:
        probabilities = np.empty(scores.shape)
        _backend.active().platt_predict(scores.astype(np.float64), -1.0, 0.0, probabilities, num_threads=num_threads)
        wide = np.empty(scores.shape)
        _backend.active().beta_predict(probabilities, *_CHANCE["prob"], *abc, wide, num_threads=num_threads)
        out[...] = wide
    else:
        _backend.active().beta_predict(scores, *_CHANCE[kind], *abc, out, num_threads=num_threads)


def _clipped(chance: Array) -> Array:
    clipped: Array = np.clip(chance, LEAST_CHANCE, 1.0 - LEAST_CHANCE)
    return clipped
