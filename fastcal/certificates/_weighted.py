"""Evidence from rows that were drawn with unequal chances, without replacement."""

from __future__ import annotations

import math

import numpy as np

from fastcal.certificates._evidence import Evidence, Labels
from fastcal.certificates._pool import Float64

# Of the largest bet. A mixture of constant shares does nearly as well as the best of them, and is predictable.
_SHARES = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])[:, None]
_NEAR = 1e-6


class WeightedEvidence(Evidence):
    """Rows drawn one by one with chances in proportion to `weights` among those not drawn yet.

    With W_t the weight not drawn yet, q_t = w_t / W_t and z_t = (1 - y_t) / (k q_t), the mean of z_t is the share of misses among the
    k rows that are not drawn yet, at least m_t = (k - K0 - misses so far) / k if the target is missed. Bets on less multiply to
    a test martingale: ``prod 1 + lam_t (m_t - z_t)`` with 0 <= lam_t <= 1 / (zmax_t - m_t), zmax_t = W_t / (k min w). The bets are
    constant shares of the largest one, averaged. To bet on less than a constant instead of m_t would not be valid: once the rows
    of a heavy band are drawn, their misses cannot come again.
    """

    def __init__(self, others: int, null: int, delta: float, futility: float, weights: Float64, total: float, lightest: float) -> None:
        super().__init__(others, null, delta, futility)
        self.weights, self.most, self.lightest = weights, weights.size, lightest
        self.left = np.maximum(total - np.concatenate([[0.0], np.cumsum(weights)[:-1]]), weights)

    def supporting(self, labels: Labels, start: int) -> Float64:
        z, before = self._misses(labels)
        mean = (self.others - self.null - before) / self.others
        largest = self.left[: labels.size] / (self.others * self.lightest)
        gap = largest - mean
        safe = gap > _NEAR * largest  # rounding must not make a sure bet
        path = _mixture(np.where(safe, _SHARES / np.where(safe, gap, 1.0), 0.0), mean - z)
        path[np.cumsum(labels) > self.null] = math.inf
        path[mean <= 0] = -math.inf
        return path[start:]

    def refuting(self, labels: Labels, start: int) -> Float64:
        z, before = self._misses(labels)
        mean = (self.others - self.null - 1 - before) / self.others
        return _mixture(_SHARES / np.maximum(mean, 1e-9), z - mean)[start:]

    def futile(self, old: int, affordable: float) -> bool:  # noqa: ARG002  (a forecast would need labels by weight)
        return bool(self.refuting(self.seen, old).max(initial=-math.inf) >= self.enough)

    def _misses(self, labels: Labels) -> tuple[Float64, Float64]:
        """Return z and the misses before each label."""
        missed = 1.0 - labels
        z = missed * self.left[: labels.size] / (self.others * self.weights[: labels.size])
        return z, np.cumsum(missed) - missed


def _mixture(bets: Float64, gains: Float64) -> Float64:
    """Return the log of the average over bets of prod (1 + bet * gain)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        paths = np.cumsum(np.log(np.maximum(1.0 + bets * gains, 0.0)), axis=1)
    top = np.max(paths, axis=0, initial=-1e308)
    return np.asarray(top + np.log(np.mean(np.exp(paths - top), axis=0)))
