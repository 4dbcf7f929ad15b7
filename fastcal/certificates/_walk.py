"""The walk: labels nested cuts from the strictest to the laxest until one of them cannot be shown to reach the target."""

from __future__ import annotations

import math
from collections.abc import Generator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.certificates._evidence import Evidence, FutureEvidence, Labels
from fastcal.certificates._pool import Float64, Int64, Pool
from fastcal.certificates._trace import CutTest
from fastcal.certificates._weighted import WeightedEvidence
from fastcal.labelling._drive import Procedure
from fastcal.labelling._ledger import Int8, Ledger

Asking = Generator[Int64, Int8, CutTest]

_UNKNOWN = 2
_MOST = 16  # labels to ask for at a time: a cut that is plainly bad shows it in as many


class Rule(NamedTuple):
    """What is promised and how labels are bought.

    A request asks for as many labels as are needed if all of them are positive, which wastes none, but for no more than 16, or
    `batch_size` if that is more; `batch_size` is the fewest. `futility` is the level at which a cut is given up, by the same
    evidence against its reaching the target; it takes no part in the promise. `future` is about pairs yet to come, drawn as those
    of the pool were.
    """

    target: Fraction
    delta: float
    batch_size: int = 1
    future: bool = False
    futility: float = 0.05


class Sample(NamedTuple):
    """Positions, whether they are positive, and what each stands for: one over its chance to be drawn, up to a factor."""

    positions: Int64
    positive: npt.NDArray[np.bool_]
    design: Float64


class Walk(NamedTuple):
    """Where a walk ended.

    `cut` is the last cut that is certified, or None; `stopped` why there was no further one. The labels that stand for the certified
    selection: `head`, all of its rows within the census, and `drawn`, a random sample of the others, with its design weights.
    """

    cut: int | None
    stopped: str
    trace: tuple[CutTest, ...]
    head: Sample
    drawn: Sample


def null_hits(target: Fraction, count: int) -> int:
    """Return ceil(target * count) - 1, the most positives of `count` rows that miss the target."""
    return -(-target.numerator * count // target.denominator) - 1


def walk(pool: Pool, ledger: Ledger, rule: Rule, start: int | None = None) -> Procedure[Walk]:
    """Label a pool's census, then its cuts; a generator for :func:`fastcal.labelling._drive.drive`.

    The cuts are tested in order, each at level delta, and the first that is not certified ends the walk: to certify a bad cut the
    walk has to certify the first bad one, so delta is not divided. With `start`, a cut, two walks share it: one begins there,
    with half the budget for its first cut, and one, after the census, at the head if that certifies nothing. Labels of the census
    are no random sample, and no test counts them as one: given them, the other rows come in random order.
    """
    sheet = _Sheet(pool, ledger, rule)
    head = int(np.searchsorted(pool.counts, pool.census.size, "right"))
    far = start if start is not None and start > head else None
    if far is not None:
        if pool.ranks is None and not (yield from sheet.label_census()):
            return sheet.outcome()
        if (yield from sheet.go(far, rule.delta / 2, share=0.5)):
            return sheet.outcome()
    if sheet.census.size or (yield from sheet.label_census()):
        yield from sheet.go(head, rule.delta if far is None else rule.delta / 2)
    return sheet.outcome()


class _Sheet:
    """The labels in hand and the tests made of them."""

    def __init__(self, pool: Pool, ledger: Ledger, rule: Rule) -> None:
        self.pool, self.ledger, self.rule = pool, ledger, rule
        self.positions = np.concatenate([pool.positions, pool.census])
        self.labels: Labels = np.full(self.positions.size, _UNKNOWN, np.uint8)
        self.census: Labels = np.empty(0, np.uint8)
        self.cut: int | None = None
        self.reserve = 0.0
        self.rows: Int64 = np.empty(0, np.int64)
        self.stopped = ""
        self.trace: list[CutTest] = []

    # -- the head -------------------------------------------------------------------------------------------
    def label_census(self) -> Generator[Int64, Int8, bool]:
        """Label the head; the laxest cut within it that reaches the target is certified without error. False if labels run out."""
        size, before, census = self.pool.census.size, self.ledger.n_used, self.labels[self.pool.positions.size :]
        if np.count_nonzero(census == _UNKNOWN) > self.ledger.remaining:
            self.stopped = "budget"
            return False
        if not size:
            return True
        census[:] = (yield self.pool.census) == 1
        self.census, self.stopped = census, "census"
        hits, counts = np.cumsum(self.census), self.pool.counts[self.pool.counts <= size].tolist()
        good = [cut for cut, count in enumerate(counts) if hits[count - 1] > null_hits(self.rule.target, count)]
        self.cut, whole = good[-1] if good else None, len(counts) - 1
        for cut in dict.fromkeys([*good[-1:], whole]):
            evidence, verdict = (math.inf, "certified") if cut in good else (-math.inf, "missed")
            bought = self.ledger.n_used - before if cut == whole else 0
            self.trace.append(CutTest(*self._cut(cut), counts[cut], bought, int(hits[counts[cut] - 1]), evidence, verdict, 0.0, np.empty(0)))
        return True

    # -- the others -----------------------------------------------------------------------------------------
    def go(self, start: int, delta: float, share: float = 1.0) -> Generator[Int64, Int8, bool]:
        """Test cuts from `start` on until one fails; cuts that the census alone decides neither certify nor stop.

        The first cut that is certified may take no more than `share` of the labels that remain. Return whether there is one.
        """
        self.reserve = (1.0 - share) * self.ledger.remaining if share < 1.0 else 0.0
        passed = False
        for cut in range(start, self.pool.counts.size):
            test = yield from self._test(cut, delta)
            self.trace.append(test)
            self.stopped = test.verdict
            if test.verdict == "certified":
                self.cut, self.rows = cut, self._rows(cut)[: test.labels]
                self.stopped, self.reserve, passed = "whole pool", 0.0, True
            elif test.verdict != "out of reach":
                break
        return passed

    def _test(self, cut: int, delta: float) -> Asking:
        """Label rows of a cut by priority until it is certified or given up."""
        rows = self._rows(cut)
        evidence = self._evidence(cut, rows, delta)
        before = self.ledger.n_used
        while True:
            seen = self.labels[rows]
            verdict = evidence.see(seen[: _known(seen)], self._affordable(seen))
            request = rows[:0] if verdict else self._request(rows, evidence)
            if not request.size:
                seen, path = evidence.consumed()
                top = float(path.max()) if path.size else -math.inf
                bought, hits = self.ledger.n_used - before, int(seen.sum())
                return CutTest(*self._cut(cut), seen.size, bought, hits, top, verdict or "budget", delta, path)
            self.labels[request] = (yield self.positions[request]) == 1

    def _rows(self, cut: int) -> Int64:
        """Return the rows of a cut in the order of priority, those of the census among them unless it is labelled."""
        rows = np.flatnonzero(self.pool.cut_of <= cut)
        if self.census.size or self.pool.ranks is None:
            return rows
        rows = np.concatenate([rows, np.arange(self.pool.positions.size, self.positions.size)])
        return rows[np.argsort(self.pool.ranks[rows])]

    def _evidence(self, cut: int, rows: Int64, delta: float) -> Evidence:
        rule, pool, count = self.rule, self.pool, int(self.pool.counts[cut])
        if rule.future:
            return FutureEvidence(count, rule.target, delta, rule.futility)
        known = count - self.census.size, null_hits(rule.target, count) - int(self.census.sum()), delta, rule.futility
        if pool.weights is None or pool.totals is None or pool.lightest is None:
            return Evidence(*known)
        return WeightedEvidence(*known, pool.weights[rows], float(pool.totals[cut]), float(pool.lightest[cut]))

    @property
    def _remaining(self) -> float:
        return self.ledger.remaining - self.reserve if self.reserve else self.ledger.remaining

    def _affordable(self, labels: Labels) -> float:
        """Return how many labels of a cut may be consumed beyond the first gap: the budget, and those in hand behind it."""
        return self._remaining + np.count_nonzero(labels != _UNKNOWN) - _known(labels)

    def _request(self, rows: Int64, evidence: Evidence) -> Int64:
        """Return the rows to label next; none if the budget does not reach to where the cut could be certified."""
        need, start = evidence.fewest(), evidence.seen.size
        unlabelled = self.labels[rows] == _UNKNOWN
        if start + need > rows.size or np.count_nonzero(unlabelled[: start + need]) > self._remaining:
            return rows[:0]
        asked = np.flatnonzero(unlabelled)
        n = max(int(np.searchsorted(asked, start + min(need, _MOST))), self.rule.batch_size)
        return rows[asked[: int(min(n, self._remaining, asked.size))]]

    # -- what is kept ---------------------------------------------------------------------------------------
    def _cut(self, cut: int) -> tuple[float, int, int]:
        """Return threshold, rows and the most positives that miss the target."""
        count = int(self.pool.counts[cut])
        return float(self.pool.thresholds[cut]), count, null_hits(self.rule.target, count)

    def outcome(self) -> Walk:
        """Return where this walk ended."""
        pool, rows = self.pool, self.rows
        within = 0 if self.cut is None else min(self.census.size, int(pool.counts[self.cut]))
        head = Sample(pool.census[:within], self.census[:within] == 1, np.ones(within))
        design = np.ones(rows.size) if pool.weights is None else 1.0 / pool.weights[rows]
        return Walk(self.cut, self.stopped or "rows", tuple(self.trace), head, Sample(self.positions[rows], self.labels[rows] == 1, design))


def _known(labels: Labels) -> int:
    """Return how many labels there are before the first gap: later ones do not count, for they are not a random sample."""
    gaps = np.flatnonzero(labels == _UNKNOWN)
    return int(gaps[0]) if gaps.size else labels.size
