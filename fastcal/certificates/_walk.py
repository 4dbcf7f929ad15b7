"""The walk: labels nested cuts from the strictest to the laxest until one of them cannot be shown to reach the target."""

from __future__ import annotations

import math
from collections.abc import Generator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.certificates._pool import Float64, Int64, Pool
from fastcal.certificates._trace import CutTest
from fastcal.intervals.evidence import log_evidence
from fastcal.labelling._drive import Procedure
from fastcal.labelling._ledger import Int8, Ledger

Labels = npt.NDArray[np.uint8]
Asking = Generator[Int64, Int8, CutTest]

_UNKNOWN = 2


class Rule(NamedTuple):
    """What is promised and how labels are bought.

    `batch_size` is the fewest labels of a request: one asks for as many as are needed if all of them are positive, which wastes
    none. `futility` is the level at which a cut is given up, by the same evidence against its reaching the target; it takes
    no part in the promise.
    """

    target: Fraction
    delta: float
    batch_size: int = 1
    futility: float = 0.05


class Walk(NamedTuple):
    """Where a walk ended.

    `cut` is the last cut that is certified, or None; `stopped` why there was no further one; `sampled` and `positive` are the
    labels that stand for the certified selection: all of its rows within the census, and a uniform sample of the others.
    """

    cut: int | None
    stopped: str
    trace: tuple[CutTest, ...]
    sampled: Int64
    positive: npt.NDArray[np.bool_]


def null_hits(target: Fraction, count: int) -> int:
    """Return ceil(target * count) - 1, the most positives of `count` rows that miss the target."""
    return -(-target.numerator * count // target.denominator) - 1


def walk(pool: Pool, ledger: Ledger, rule: Rule, start: int | None = None) -> Procedure[Walk]:
    """Label a pool's census, then its cuts; a generator for :func:`fastcal.labelling._drive.drive`.

    The cuts are tested in order, each at level delta, and the first that is not certified ends the walk: to certify a bad cut the
    walk has to certify the first bad one, so delta is not divided. With `start`, a cut, two walks share it: one begins there, and
    one at the head if that certifies nothing.
    """
    sheet = _Sheet(pool, ledger, rule)
    yield from sheet.label_census()
    if start is not None:
        yield from sheet.go(start, rule.delta / 2)
    if start is None or sheet.cut is None or sheet.cut < start:
        yield from sheet.go(0, rule.delta if start is None else rule.delta / 2)
    return sheet.outcome()


class _Sheet:
    """The labels in hand and the tests made of them."""

    def __init__(self, pool: Pool, ledger: Ledger, rule: Rule) -> None:
        self.pool, self.ledger, self.rule = pool, ledger, rule
        self.labels: Labels = np.full(pool.positions.size, _UNKNOWN, np.uint8)
        self.census: Labels = np.empty(0, np.uint8)
        self.cut: int | None = None
        self.rows: Int64 = np.empty(0, np.int64)
        self.stopped = ""
        self.trace: list[CutTest] = []

    # -- the head -------------------------------------------------------------------------------------------
    def label_census(self) -> Generator[Int64, Int8, None]:
        """Label the head; the laxest cut within it that reaches the target is certified without error."""
        if not self.pool.census.size:
            return
        self.census = ((yield self.pool.census) == 1).astype(np.uint8)
        self.stopped = "census"
        within = self.pool.counts[self.pool.counts <= self.census.size]
        hits = np.cumsum(self.census)[within - 1].tolist()
        reached = [hit > null_hits(self.rule.target, count) for hit, count in zip(hits, within.tolist(), strict=True)]
        for cut, (hit, good) in enumerate(zip(hits, reached, strict=True)):
            if good and not any(reached[cut + 1 :]):
                self.cut = cut
            if cut in {self.cut, within.size - 1}:
                self._note(cut, int(within[cut]), hit, "certified" if good else "missed", bought=int(within[cut]))

    # -- the others -----------------------------------------------------------------------------------------
    def go(self, start: int, delta: float) -> Generator[Int64, Int8, None]:
        """Test cuts from `start` on until one fails; cuts that the census alone decides neither certify nor stop."""
        for cut in range(max(start, int(np.searchsorted(self.pool.counts, self.census.size, "right"))), self.pool.counts.size):
            test = yield from self._test(cut, delta)
            self.trace.append(test)
            self.stopped = test.verdict
            if test.verdict == "certified":
                self.cut, self.rows = cut, np.flatnonzero(self.pool.cut_of <= cut)[: test.labels]
                self.stopped = "whole pool"
            elif test.verdict != "out of reach":
                return

    def _test(self, cut: int, delta: float) -> Asking:
        """Label rows of a cut by priority until it is certified or given up."""
        rows = np.flatnonzero(self.pool.cut_of <= cut)
        others = int(self.pool.counts[cut]) - self.census.size
        null = null_hits(self.rule.target, int(self.pool.counts[cut])) - int(self.census.sum())
        goal, before = -math.log(delta), self.ledger.n_used
        while True:
            seen = self.labels[rows]
            seen = seen[: _known(seen)]
            path = log_evidence(seen, others, null) if 0 <= null < others else np.empty(0)
            verdict = self._verdict(seen, path, others, null, goal)
            request = rows[:0] if verdict else self._request(rows, seen, others, null, goal)
            if not request.size:
                passed = int(np.argmax(path >= goal)) + 1 if verdict == "certified" and path.size else seen.size
                return self._entry(cut, null, seen[:passed], path[:passed], verdict or "budget", self.ledger.n_used - before)
            self.labels[request] = (yield self.pool.positions[request]) == 1

    def _verdict(self, seen: Labels, path: Float64, others: int, null: int, goal: float) -> str:
        if null < 0 or (path.size and path.max() >= goal):
            return "certified"
        if null >= others:
            return "out of reach"
        if int(seen.sum()) + others - seen.size <= null:
            return "missed"
        against = log_evidence(1 - seen, others, others - null - 1)
        return "futility" if against.size and against.max() >= -math.log(self.rule.futility) else ""

    def _request(self, rows: Int64, seen: Labels, others: int, null: int, goal: float) -> Int64:
        """Return the rows to label next; none if the budget does not reach to where the cut could be certified."""
        need = _fewest(seen, others, null, goal)
        upto = seen.size + need
        unlabelled = self.labels[rows] == _UNKNOWN
        if upto > rows.size or np.count_nonzero(unlabelled[:upto]) > self.ledger.remaining:
            return rows[:0]
        asked = np.flatnonzero(unlabelled[: seen.size + max(need, self.rule.batch_size)])
        return rows[asked[: int(min(self.ledger.remaining, asked.size))]]

    # -- what is kept ---------------------------------------------------------------------------------------
    def _entry(self, cut: int, null: int, seen: Labels, path: Float64, verdict: str, bought: int) -> CutTest:
        top = float(path.max()) if path.size else -math.inf
        count = int(self.pool.counts[cut])
        return CutTest(float(self.pool.thresholds[cut]), count, null + int(self.census.sum()), seen.size, bought, int(seen.sum()), top, verdict, path)

    def _note(self, cut: int, count: int, hits: int, verdict: str, bought: int) -> None:
        threshold, null = float(self.pool.thresholds[cut]), null_hits(self.rule.target, count)
        self.trace.append(CutTest(threshold, count, null, count, bought, hits, math.inf if hits > null else -math.inf, verdict, np.empty(0)))

    def outcome(self) -> Walk:
        within = 0 if self.cut is None else min(self.census.size, int(self.pool.counts[self.cut]))
        sampled = np.concatenate([self.pool.census[:within], self.pool.positions[self.rows]])
        positive = np.concatenate([self.census[:within], self.labels[self.rows]]) == 1
        return Walk(self.cut, self.stopped, tuple(self.trace), sampled, positive)


def _known(labels: Labels) -> int:
    """Return how many labels there are before the first gap: later ones do not count, for they are not a random sample."""
    gaps = np.flatnonzero(labels == _UNKNOWN)
    return int(gaps[0]) if gaps.size else labels.size


def _fewest(seen: Labels, others: int, null: int, goal: float) -> int:
    """Return how many further labels certify a cut if all of them are positive."""
    length = 64
    while True:
        ahead = min(length, others - seen.size)
        path = log_evidence(np.concatenate([seen, np.ones(ahead, np.uint8)]), others, null)
        passed = np.flatnonzero(path[seen.size :] >= goal)
        if passed.size:
            return int(passed[0]) + 1
        length *= 4
