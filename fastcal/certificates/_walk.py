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
from fastcal.intervals.evidence import log_evidence, log_evidence_below
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
        count, head = int(self.pool.counts[cut]), int(self.census.sum())
        evidence = _Evidence(count - self.census.size, null_hits(self.rule.target, count) - head, delta, self.rule.futility)
        before = self.ledger.n_used
        while True:
            seen = self.labels[rows]
            verdict = evidence.see(seen[: _known(seen)])
            request = rows[:0] if verdict else self._request(rows, evidence)
            if not request.size:
                seen, path = evidence.consumed()
                top = float(path.max()) if path.size else -math.inf
                known, bought = (float(self.pool.thresholds[cut]), count, evidence.null + head), self.ledger.n_used - before
                return CutTest(*known, seen.size, bought, int(seen.sum()), top, verdict or "budget", path)
            self.labels[request] = (yield self.pool.positions[request]) == 1

    def _request(self, rows: Int64, evidence: _Evidence) -> Int64:
        """Return the rows to label next; none if the budget does not reach to where the cut could be certified."""
        need, start = evidence.fewest(), evidence.seen.size
        unlabelled = self.labels[rows] == _UNKNOWN
        if start + need > rows.size or np.count_nonzero(unlabelled[: start + need]) > self.ledger.remaining:
            return rows[:0]
        asked = np.flatnonzero(unlabelled[: start + max(need, self.rule.batch_size)])
        return rows[asked[: int(min(self.ledger.remaining, asked.size))]]

    # -- what is kept ---------------------------------------------------------------------------------------
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


class _Evidence:
    """What the labels of one cut say, for and against, after each of them."""

    def __init__(self, others: int, null: int, delta: float, futility: float) -> None:
        self.others, self.null = others, null
        self.goal, self.enough = -math.log(delta), -math.log(futility)
        self.seen: Labels = np.empty(0, np.uint8)
        self.path: Float64 = np.empty(0)

    def see(self, seen: Labels) -> str:
        """Take in all labels so far; return a verdict, or nothing."""
        if self.null < 0:
            return "certified"
        if self.null >= self.others:
            return "out of reach"
        old, self.seen = self.seen.size, seen
        self.path = np.concatenate([self.path, log_evidence(seen, self.others, self.null, start=old)])
        if self.path[old:].max(initial=-math.inf) >= self.goal:
            return "certified"
        if int(seen.sum()) + self.others - seen.size <= self.null:
            return "missed"
        against = log_evidence_below(seen, self.others, self.null, start=old)
        return "futility" if against.max(initial=-math.inf) >= self.enough else ""

    def fewest(self) -> int:
        """Return how many further labels certify the cut if all of them are positive."""
        start, length = self.seen.size, 64
        while True:
            ahead = np.ones(min(length, self.others - start), np.uint8)
            passed = np.flatnonzero(log_evidence(np.concatenate([self.seen, ahead]), self.others, self.null, start=start) >= self.goal)
            if passed.size:
                return int(passed[0]) + 1
            length *= 4

    def consumed(self) -> tuple[Labels, Float64]:
        """Return the labels that were needed and the log evidence after each of them."""
        passed = np.flatnonzero(self.path >= self.goal)
        n = int(passed[0]) + 1 if passed.size else self.path.size
        return self.seen[:n], self.path[:n]
