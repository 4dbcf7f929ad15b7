"""Is the recall of a cut at least r? Evidence from labels drawn uniformly without replacement from the whole pool."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from fastcal.certificates._bets import ENDLESS, Float64, Wealth, level_of

Int64 = npt.NDArray[np.int64]

_DIGITS = 10**9
_BLOCK = 32
_AHEAD = 64


class RecallTest:
    r"""Evidence for each cut, laxest first, that it has the target recall; all cuts share one stream of labels.

    Let a row be worth ``z = (d - p) y`` above the cut and ``-p y`` below it, where y is its label and p / d the target. The sum Z
    over the pool is ``d A - p (A + B)``, an integer, of A positives above and B below: recall A / (A + B) is below p / d exactly
    if Z <= -1. When rows worth S have been drawn and R are left, the next one, uniform among those, is worth (Z - S) / R on
    average, so under the null ``x = R z`` has mean at most ``m = -1 - S``, and ``x >= -p R``: a bet of :class:`Wealth`. What is
    drawn leaves the null mean through S; rows that turn out not relevant tell too, for they shrink R.

    If ``S >= p U``, with U rows below the cut not drawn, the null is impossible whatever their labels.

    Recall never rises with a stricter cut, and cuts are certified from the laxest on, so to certify a bad one, that of the laxest
    bad one has to be: one martingale that reaches 1 / delta. Delta is not divided among the cuts, however many there are.

    Parameters
    ----------
    target : Fraction
        Rounded up to nine decimals.
    counts : ndarray of int64, shape (n_cuts,)
        Rows above each cut, decreasing.
    n_rows : int
        Rows in the pool.
    """

    def __init__(self, target: Fraction, delta: float, counts: Int64, n_rows: int) -> None:
        exact = Fraction(-(-target.numerator * _DIGITS // target.denominator), _DIGITS)
        self._p, self._d, self._level = exact.numerator, exact.denominator, level_of(delta)
        self._wealth, self._left, self._n_rows = Wealth(counts.size), n_rows, n_rows
        self._below: Int64 = n_rows - counts  # not drawn
        self._worth: Int64 = np.zeros(counts.size, np.int64)
        self.found: Int64 = np.zeros(counts.size, np.int64)  # positives above each cut
        self.positives = 0
        self.evidence: Float64 = np.full(counts.size, -np.inf)  # the highest so far, as log
        self.n_certified = 0

    def take(self, depths: Int64, labels: npt.NDArray[np.uint8]) -> None:
        """Take labels in the order drawn; a row is above the first `depths` of the cuts."""
        for start in range(0, depths.size, _BLOCK):
            self._take(depths[start : start + _BLOCK], labels[start : start + _BLOCK])
        passed = self.evidence >= self._level
        self.n_certified = passed.size if passed.all() else int(passed.argmin())

    def _take(self, depths: Int64, labels: npt.NDArray[np.uint8]) -> None:
        above = depths[:, None] > np.arange(self.found.size)
        hits = labels[:, None].astype(np.int64)
        z = np.where(above, self._d - self._p, -self._p) * hits
        worth = self._worth + np.cumsum(z, axis=0)
        left = self._left - np.arange(depths.size)[:, None]
        mean = -1 - (worth - z)  # before each draw
        gains = (left * z - mean) / np.maximum(self._p * left + mean, 0.5)
        log_wealth = self._wealth.bet(np.maximum(gains, -1.0))
        below = self._below - np.cumsum(~above, axis=0)
        found = self.found + np.cumsum(above * hits, axis=0)
        log_wealth[(worth >= self._p * below) & (found > 0)] = np.inf
        self.evidence = np.maximum(self.evidence, log_wealth.max(axis=0))
        self._worth, self._below, self.found = worth[-1], below[-1], found[-1]
        self._left, self.positives = self._left - depths.size, self.positives + int(hits.sum())

    def is_missed(self, cut: int) -> bool:
        """Whether a cut is known to miss the target even if all rows above it that were not drawn are relevant."""
        undrawn = self._left - int(self._below[cut])
        return int(self._worth[cut]) + (self._d - self._p) * undrawn < 0

    def fewest(self, most: int) -> int:
        """Return the fewest further labels, of at most `most`, that certify the laxest cut if all are relevant and above it; 0 if none do."""
        worth, below, each = int(self._worth[0]), int(self._below[0]), self._d - self._p
        most = min(most, self._left - below)
        wealth, size = self._wealth.only(0), min(most, _AHEAD)
        while size > 0:
            left, before = self._left - np.arange(size), worth + each * np.arange(size)
            gains = (left * each + 1 + before) / np.maximum(self._p * left - 1 - before, 0.5)
            enough = (wealth.ahead(gains[:, None])[:, 0] >= self._level) | (before + each >= self._p * below)
            if enough.any():
                return int(enough.argmax()) + 1
            size = min(most, 2 * size) if size < most else 0
        return 0

    def is_beyond(self, labels: int) -> bool:
        """Whether no answers to so many further labels can certify the laxest cut."""
        below = int(self._below[0])
        lost = min(below, labels)  # of rows below it, which turn out not to be relevant
        sure = int(self._worth[0]) + (self._d - self._p) * (labels - lost) >= self._p * (below - lost)
        return labels < self._left and not sure and not self.fewest(labels)

    def labels_like(self) -> int | None:
        """Return how many further labels like those taken certify the laxest cut; None if it looks as though it misses the target.

        Of rows drawn with replacement, for which a relevant row gains (d - p) / p above the cut and -1 below it; without, it takes
        no more.
        """
        above, n = int(self.found[0]), self._n_rows - self._left
        gains = np.repeat([self._d / self._p - 1.0, -1.0, 0.0], [above, self.positives - above, n - self.positives])
        rounds = self._wealth.only(0).rounds_like(self._level, gains)
        return rounds if rounds < ENDLESS else None
