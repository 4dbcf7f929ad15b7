"""What the labels of one cut say for and against its reaching the target, after each of them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from fastcal.certificates._pool import Float64
from fastcal.intervals.evidence import log_evidence, log_evidence_below, log_evidence_iid

Labels = npt.NDArray[np.uint8]

_AHEAD = 64
_Z = 3.0


def _upper(hits: int, n: int) -> float:
    """Wilson's upper limit at _Z standard errors."""
    if n == 0:
        return 1.0
    half = _Z * math.sqrt(hits * (n - hits) / n + _Z * _Z / 4)
    return min(1.0, (hits + _Z * _Z / 2 + half) / (n + _Z * _Z))


class Evidence:
    """Rows drawn uniformly and without replacement: `others` of them, of which at most `null` are positive if the target is missed."""

    def __init__(self, others: int, null: int, delta: float, futility: float) -> None:
        self.others, self.null, self.most = others, null, others
        self.goal, self.enough = -math.log(delta), -math.log(futility)
        self.seen: Labels = np.empty(0, np.uint8)
        self.path: Float64 = np.empty(0)

    # -- the process ----------------------------------------------------------------------------------------
    def supporting(self, labels: Labels, start: int) -> Float64:
        """Return the log evidence for the target after each of ``labels[start:]``."""
        return log_evidence(labels, self.others, self.null, start=start)

    def refuting(self, labels: Labels, start: int) -> Float64:
        """Return the log evidence against it."""
        return log_evidence_below(labels, self.others, self.null, start=start)

    def known(self) -> str:
        """Return a verdict that needs no evidence: the rows that are left cannot change it."""
        if self.null < 0:
            return "certified"
        if self.null >= self.others:
            return "out of reach"
        return "missed" if int(self.seen.sum()) + self.others - self.seen.size <= self.null else ""

    # -- its use --------------------------------------------------------------------------------------------
    def see(self, seen: Labels, affordable: float) -> str:
        """Take in all labels so far; return a verdict, or nothing. `affordable` is how many more the budget allows."""
        old, before, self.seen = self.seen.size, self.known(), seen
        if before in {"certified", "out of reach"}:
            return before
        self.path = np.concatenate([self.path, self.supporting(seen, old)])
        if self.path[old:].max(initial=-math.inf) >= self.goal:
            return "certified"
        return self.known() or ("futility" if self.futile(old, affordable) else "")

    def futile(self, old: int, affordable: float) -> bool:
        """Whether to give up: the target is refuted, or the budget would not do even at the upper limit of the rate so far.

        This only costs power, never the promise.
        """
        n, hits = self.seen.size, int(self.seen.sum())
        if self.refuting(self.seen, old).max(initial=-math.inf) >= self.enough:
            return True
        end = n + int(min(affordable, self.others - n))
        hoped = min(end, hits + math.ceil(_upper(hits, n) * (end - n)))
        forecast = np.zeros(end, np.uint8)
        forecast[:hoped] = 1
        return end > n > 0 and float(self.supporting(forecast, end - 1)[0]) < self.goal

    def fewest(self) -> int:
        """Return how many further labels certify the cut if all of them are positive; one more than there are if none do."""
        start, length = self.seen.size, _AHEAD
        while True:
            ahead = min(length, self.most - start)
            passed = np.flatnonzero(self.supporting(np.concatenate([self.seen, np.ones(ahead, np.uint8)]), start) >= self.goal)
            if passed.size or ahead < length:
                return int(passed[0]) + 1 if passed.size else ahead + 1
            length *= 4

    def consumed(self) -> tuple[Labels, Float64]:
        """Return the labels that were needed and the log evidence after each of them."""
        passed = np.flatnonzero(self.path >= self.goal)
        n = int(passed[0]) + 1 if passed.size else self.path.size
        return self.seen[:n], self.path[:n]


class FutureEvidence(Evidence):
    """Independent pairs: a rate of positives of at most `target` if it is missed. Rows that are left promise nothing."""

    def __init__(self, others: int, target: Fraction, delta: float, futility: float) -> None:
        super().__init__(others, others, delta, futility)
        self.rate = float(target)

    def supporting(self, labels: Labels, start: int) -> Float64:
        return log_evidence_iid(labels, self.rate, start=start)

    def refuting(self, labels: Labels, start: int) -> Float64:
        return log_evidence_iid(1 - labels, 1.0 - self.rate, start=start)

    def known(self) -> str:
        return "rows" if self.seen.size + self.fewest() > self.others else ""
