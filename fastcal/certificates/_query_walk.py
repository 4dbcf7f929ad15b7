"""Tests one threshold after another on the queries of a sample, in the order drawn, until one fails."""

from __future__ import annotations

import math
from collections.abc import Generator
from copy import copy
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.certificates._bets import ENDLESS, Float64, Wealth, best_gain, level_of
from fastcal.certificates._pool import Float32, Int64
from fastcal.certificates._query_certificate import QueryTest
from fastcal.certificates._query_lists import QueryLists
from fastcal.labelling._drive import Procedure
from fastcal.labelling._ledger import Int8, Ledger

Bools = npt.NDArray[np.bool_]

_UNKNOWN = -2
_FEW = 20  # queries that say too little about the next ones
_AT_ONCE = 64  # queries judged before anybody looks


class QueryRule(NamedTuple):
    """What is promised: the mean precision or recall (`measure`) is at least `target`; with `skip`, over the queries that have one."""

    measure: str
    target: float
    delta: float
    skip: bool

    def gains(self, values: Float64, none: Bools) -> Float64:
        """Return what bets on the precision or recall of some queries gain; `none`: those that have none."""
        with np.errstate(over="ignore"):
            gains = np.minimum(values / self.target - 1.0, best_gain(self.target))
        return np.where(none & self.skip, 0.0, gains)


class View(NamedTuple):
    """Of each query: its precision or recall at a threshold, whether it has none for want of anything, rows that are to be judged.

    The first as if all that nobody judged were relevant; 1 if it has none.
    """

    values: Float64
    none: Bools
    costs: Int64


def walk_queries(sheet: Sheet, cuts: Float32) -> Procedure[tuple[QueryTest, ...]]:
    """Test thresholds in the order given, each at level delta on the first queries of the sheet; the first that fails is the last.

    The order is fixed before any label, so delta is not divided: to certify a bad threshold the walk has to certify the first
    bad one. Thresholds share queries and labels.
    """
    tests: list[QueryTest] = []
    for cut in cuts.tolist():
        tests.append((yield from sheet.test(cut)))
        if tests[-1].verdict != "certified":
            break
    return tuple(tests)


class Sheet:
    """The labels in hand of lists that stand in the order drawn."""

    def __init__(self, lists: QueryLists, ledger: Ledger, rule: QueryRule) -> None:
        self.lists, self.ledger, self.rule = lists, ledger, rule
        self.labels: Int8 = np.full(lists.values.size, _UNKNOWN, np.int8)

    def test(self, cut: float) -> Generator[Int64, Int8, QueryTest]:
        """Judge queries until the mean at a threshold is known to be good enough, or likely not to be.

        Queries are independent draws, so is the precision or recall x in [0, 1] of each, of the null that its mean is below t:
        a bet of :class:`Wealth` with the gain x / t - 1. Where queries that have none are left out, they gain 0: then a gain of
        mean below 0 says that the mean over the others is below t.

        Nothing is bought if even perfect answers would not do, and no query that perfect answers would do without.
        """
        level, before, wealth = level_of(self.rule.delta), self.ledger.n_used, Wealth(1)
        values, none, path = np.empty(0), np.empty(0, np.bool_), np.empty(0)
        while path.max(initial=-math.inf) < level:
            n, cost = self.ahead(cut, values.size, wealth)
            verdict, needed = self._is_hopeless(wealth, values, none, before)
            if not verdict:
                verdict, needed = self._is_impossible(cut, n, cost, values.size, wealth)
            if verdict:
                break
            judged = slice(values.size, values.size + min(n, _AT_ONCE))
            yield from self._buy(cut, judged)
            seen = self.view(cut, judged.start, judged.stop)
            path = np.concatenate([path, wealth.bet(self.rule.gains(seen.values, seen.none)[:, None])[:, 0]])
            values, none = np.concatenate([values, seen.values]), np.concatenate([none, seen.none])
        else:
            verdict, needed = "certified", None
        counted = values[~(none & self.rule.skip)]
        return QueryTest(
            threshold=cut,
            n_queries=values.size,
            n_empty=int(none.sum()),
            mean_loss=float((1.0 - counted).mean()) if counted.size else float("nan"),
            labels=self.ledger.n_used - before,
            log_evidence=float(path.max()) if path.size else 0.0,
            verdict=verdict,
            labels_needed=needed if verdict == "budget" else None,
            queries_needed=needed if verdict == "queries" else None,
            path=path,
        )

    def ahead(self, cut: float, first: int, wealth: Wealth) -> tuple[int, int]:
        """Return how many queries from `first` on certify if all that nobody judged is relevant, and their labels; 0 if all are too few."""
        n, level = self.lists.n_queries - first, level_of(self.rule.delta)
        size = min(n, _AT_ONCE)
        while size:
            values, none, costs = self.view(cut, first, first + size)
            enough = wealth.ahead(self.rule.gains(values, none)[:, None])[:, 0] >= level
            if enough.any():
                needed = int(enough.argmax()) + 1
                return needed, int(costs[:needed].sum())
            size = min(n, 2 * size) if size < n else 0
        return 0, 0

    def view(self, cut: float, first: int, last: int) -> View:
        """Return what is known of some queries at a threshold."""
        rows = slice(int(self.lists.offsets[first]), int(self.lists.offsets[last]))
        ends = self.lists.offsets[first : last + 1] - rows.start
        labels, inside = self.labels[rows], self.lists.values[rows] >= np.float32(cut)
        unknown = labels == _UNKNOWN
        hits = _sums(inside & (unknown | (labels == 1)), ends)
        if self.rule.measure == "precision":
            whole, costs = _sums(inside, ends), _sums(inside & unknown, ends)
        else:
            whole, costs = hits + _sums(~inside & (labels == 1), ends), _sums(unknown, ends)
        return View(np.where(whole > 0, hits / np.maximum(whole, 1), 1.0), whole == 0, costs)

    def _is_impossible(self, cut: float, n: int, cost: int, first: int, wealth: Wealth) -> tuple[str, int | None]:
        """Why even perfect answers would not do, and how many labels or queries would, if they were perfect."""
        if n:
            return ("budget", self.ledger.n_used + cost) if cost > self.ledger.remaining else ("", None)
        every, rest, further = self.view(cut, 0, self.lists.n_queries), self.view(cut, first, self.lists.n_queries), copy(wealth)
        further.bet(self.rule.gains(rest.values, rest.none)[:, None])
        rounds = further.rounds_to(level_of(self.rule.delta), best_gain(self.rule.target))
        n, counted = self.lists.n_queries, int(np.count_nonzero(~(every.none & self.rule.skip)))
        return "queries", n - (-rounds * n // counted) if counted else None

    def _is_hopeless(self, wealth: Wealth, values: Float64, none: Bools, before: int) -> tuple[str, int | None]:
        """Why further queries would not do, were each better than those judged by two standard errors, and how many would.

        It takes no part in the promise.
        """
        counted = values[~(none & self.rule.skip)]
        if counted.size < _FEW:
            return "", None
        gains = (values + 2 * counted.std() / np.sqrt(counted.size)) / self.rule.target - 1.0
        gains[none & self.rule.skip] = 0.0
        if gains.mean() <= 0:
            return "futility", None
        rounds, cost = wealth.rounds_like(level_of(self.rule.delta), gains), (self.ledger.n_used - before) / values.size
        if rounds > self.lists.n_queries - values.size:
            return "queries", values.size + rounds if rounds < ENDLESS else None
        return ("budget", self.ledger.n_used + math.ceil(rounds * cost)) if rounds * cost > self.ledger.remaining else ("", None)

    def _buy(self, cut: float, queries: slice) -> Generator[Int64, Int8, None]:
        """Ask for the rows of these queries that nobody judged yet."""
        rows = np.arange(self.lists.offsets[queries.start], self.lists.offsets[queries.stop])
        wanted = self.labels[rows] == _UNKNOWN
        if self.rule.measure == "precision":
            wanted &= self.lists.values[rows] >= np.float32(cut)
        rows = rows[wanted]
        if rows.size:
            self.labels[rows] = yield self.lists.positions[rows]


def _sums(mask: Bools, ends: Int64) -> Int64:
    """Sum over each list."""
    return np.diff(np.concatenate([[0], np.cumsum(mask)])[ends])
