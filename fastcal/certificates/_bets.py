"""Evidence from bets: a mixture of fixed fractions of the largest bet that cannot go bankrupt."""

from __future__ import annotations

import bisect
import math

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

# Of the largest bet, and its prior, which is the fraction itself. Against "at most 9 in 10" at level .05 it takes 36 positives in
# a row (29 are the floor of a single look, 43 the uniform mixture), and 63 / 152 in the median at a rate of .97 / .95 (85 / 168).
FRACTIONS: Float64 = np.arange(1, 11, dtype=np.float64)[:, None] / 10
_LOG_PRIOR: Float64 = np.log(FRACTIONS / FRACTIONS.sum())
ENDLESS = 2**62


class Wealth:
    """Test martingales of several nulls, all bet on side by side; the weighted average of the wealth of ten gamblers.

    A round's gain is ``(x - m) / (m - lowest)``, where the null says E[x] <= m given what was seen before, and x >= lowest: at
    least -1, and at most 0 on average under the null. Each gambler's wealth is multiplied by 1 + fraction * gain, which is never
    negative and has mean at most 1: a nonnegative supermartingale that starts at 1, and so is the average. By Ville's inequality
    it ever reaches 1 / delta with probability delta at most.
    """

    def __init__(self, n_nulls: int) -> None:
        self._logs: Float64 = np.repeat(_LOG_PRIOR, n_nulls, axis=1)

    def only(self, null: int) -> Wealth:
        """Return the wealth of one null."""
        single = Wealth(1)
        single._logs = self._logs[:, null : null + 1]
        return single

    def bet(self, gains: Float64) -> Float64:
        """Return the log of the wealth after each round, shape (n_rounds, n_nulls), that of `gains`."""
        paths = self._paths(gains)
        self._logs = paths[-1] if len(gains) else self._logs
        return _mixed(paths)

    def ahead(self, gains: Float64) -> Float64:
        """Return what :meth:`bet` would, without betting."""
        return _mixed(self._paths(gains))

    def rounds_to(self, level: float, gain: float) -> int:
        """Return how many rounds of this positive gain lift the log wealth of one null to a level."""
        return self.rounds_like(level, np.array([gain]))

    def rounds_like(self, level: float, gains: Float64) -> int:
        """Return how many further rounds like these lift the log wealth of one null to a level; `ENDLESS` if none do."""
        growth = _growth(gains)
        return 1 + bisect.bisect_left(range(1, ENDLESS), level, key=lambda n: self._after(n * growth))

    def _after(self, growth: Float64) -> float:
        with np.errstate(under="ignore"):
            return float(np.logaddexp.reduce(self._logs + growth, axis=0)[0])

    def _paths(self, gains: Float64) -> Float64:
        """Log wealth of each gambler, prior included, shape (n_rounds, 10, n_nulls)."""
        with np.errstate(divide="ignore", under="ignore"):
            paths: Float64 = self._logs + np.cumsum(np.log1p(FRACTIONS * gains[:, None, :]), axis=0)
            return paths


def _mixed(paths: Float64) -> Float64:
    with np.errstate(under="ignore"):
        mixed: Float64 = np.logaddexp.reduce(paths, axis=1)
        return mixed


def _growth(gains: Float64) -> Float64:
    """Mean growth of the log wealth of each gambler, shape (10, 1)."""
    with np.errstate(divide="ignore", under="ignore"):
        growth: Float64 = np.log1p(FRACTIONS * np.maximum(gains, -1.0)).mean(axis=1, keepdims=True)
        return growth


def fewest_rounds(delta: float, target: float) -> int:
    """Return how many rounds of the best outcome, x = 1, refute a mean below `target`, where x >= 0: with fewer nothing is certified.

    Examples
    --------
    >>> from fastcal.certificates._bets import fewest_rounds
    >>> [fewest_rounds(0.05, target) for target in (0.5, 0.8, 0.9, 0.95, 0.99)]
    [6, 17, 36, 74, 377]
    """
    return Wealth(1).rounds_to(level_of(delta), best_gain(target))


def best_gain(target: float) -> float:
    """Return the gain of x = 1 against a mean below `target`, where x >= 0; at most 1e300, for the sake of the smallest targets."""
    return min(1.0 / target, 1e300) - 1.0


def level_of(delta: float) -> float:
    """Return the log evidence that certifies."""
    return -math.log(delta)
