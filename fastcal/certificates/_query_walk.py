"""Tests one threshold after another on the queries of a sample, in the order drawn, until one fails."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.certificates._bets import Float64, Wealth, level_of
from fastcal.certificates._pool import Float32, Int64
from fastcal.certificates._query_certificate import QueryTest
from fastcal.certificates._query_lists import QueryLists
from fastcal.labelling._drive import Procedure
from fastcal.labelling._ledger import Int8, Ledger

Bools = npt.NDArray[np.bool_]

_UNKNOWN = -2
_FEW = 20  # queries that say too little about the next ones


class QueryRule(NamedTuple):
    """What is promised: the mean loss is at most `most`; with `skip`, over the queries that have one."""

    loss: str
    most: float
    delta: float
    skip: bool


def walk_queries(lists: QueryLists, queries: Int64, cuts: Float32, ledger: Ledger, rule: QueryRule) -> Procedure[tuple[QueryTest, ...]]:
    """Test thresholds in the order given, each at level delta on the first of `queries` it takes; the first that fails is the last.

    The order is fixed before any label, so delta is not divided: to certify a bad threshold the walk has to certify the first
    bad one. Thresholds share queries and labels.
    """
    sheet, tests = _Sheet(lists, queries, ledger, rule), []
    for cut in cuts.tolist():
        tests.append((yield from sheet.test(cut)))
        if tests[-1].verdict != "certified":
            break
    return tuple(tests)


class _Sheet:
    """The labels in hand."""

    def __init__(self, lists: QueryLists, queries: Int64, ledger: Ledger, rule: QueryRule) -> None:
        self.lists, self.queries, self.ledger, self.rule = lists, queries, ledger, rule
        self.labels: Int8 = np.full(lists.values.size, _UNKNOWN, np.int8)

    def test(self, cut: float) -> Generator[Int64, Int8, QueryTest]:
        """Judge queries until the mean loss at a threshold is known to be small enough, or likely not to be.

        Queries are independent draws, so is each loss in [0, 1] of the null that its mean exceeds a: ``x = a - loss`` has mean
        below 0 and is at least a - 1, a bet of :class:`Wealth`. Where queries without a loss are left out, their x is 0: then
        E[x] < 0 says that the mean over the others exceeds a.
        """
        level, most, before = level_of(self.rule.delta), self.rule.most, self.ledger.n_used
        wealth = Wealth(1)
        path: list[float] = []
        x, empty = np.empty(0), np.empty(0, np.bool_)
        while not (verdict := self._verdict(path, len(x), level)):
            n = wealth.rounds_to(level, most / (1 - most))  # if none of them has a loss: nothing is bought in vain
            taken = self._affordable(cut, self.queries[len(x) : len(x) + n])
            if not taken.size:
                verdict = "budget"
                break
            yield from self._buy(cut, taken)
            losses, none = self._losses(cut, taken)
            gains = np.where(none & self.rule.skip, 0.0, most - losses)
            path += wealth.bet(gains[:, None] / (1 - most))[:, 0].tolist()
            x, empty = np.concatenate([x, losses]), np.concatenate([empty, none])
            if max(path) < level:
                cost = (self.ledger.n_used - before) / x.size
                verdict = self._is_hopeless(wealth, x, empty, cost)
                if verdict:
                    break
        counted = x[~empty] if self.rule.skip else x
        return QueryTest(
            threshold=cut,
            n_queries=x.size,
            n_empty=int(empty.sum()),
            mean_loss=float(counted.mean()) if counted.size else float("nan"),
            labels=self.ledger.n_used - before,
            log_evidence=max(path, default=0.0),
            verdict=verdict,
            path=np.array(path),
        )

    def _verdict(self, path: list[float], n_judged: int, level: float) -> str:
        if max(path, default=0.0) >= level:
            return "certified"
        return "queries" if n_judged == self.queries.size else ""

    def _is_hopeless(self, wealth: Wealth, losses: Float64, empty: Bools, cost: float) -> str:
        """Why further queries would not do, were each better than those judged by two standard errors; it takes no part in the promise."""
        counted = losses[~(empty & self.rule.skip)]
        if counted.size < _FEW:
            return ""
        better = losses - 2 * counted.std() / np.sqrt(counted.size)
        gains = np.where(empty & self.rule.skip, 0.0, (self.rule.most - better) / (1 - self.rule.most))
        level, left = level_of(self.rule.delta), self.queries.size - losses.size
        if gains.mean() <= 0:
            return "futility"
        if wealth.projected(gains, left) < level:
            return "queries"
        return "budget" if cost and wealth.projected(gains, min(left, self.ledger.remaining / cost)) < level else ""

    def _rows(self, cut: float, query: int) -> slice:
        """The rows of a query that have to be judged."""
        rows = self.lists.rows_of(query)
        return rows if self.rule.loss == "recall" else slice(rows.start, rows.start + self._n_selected(cut, rows))

    def _n_selected(self, cut: float, rows: slice) -> int:
        return int(np.searchsorted(-self.lists.values[rows], -np.float32(cut), "right"))

    def _affordable(self, cut: float, queries: Int64) -> Int64:
        """Return the first of the queries, as many as can be judged whole."""
        costs = [np.count_nonzero(self.labels[self._rows(cut, query)] == _UNKNOWN) for query in queries.tolist()]
        return queries[: int(np.searchsorted(np.cumsum(costs), self.ledger.remaining, "right"))]

    def _buy(self, cut: float, queries: Int64) -> Generator[Int64, Int8, None]:
        """Ask for the rows of these queries that nobody judged yet."""
        rows = np.concatenate([np.arange(self.labels.size)[self._rows(cut, query)] for query in queries.tolist()])
        rows = rows[self.labels[rows] == _UNKNOWN]
        if rows.size:
            self.labels[rows] = yield self.lists.positions[rows]

    def _losses(self, cut: float, queries: Int64) -> tuple[Float64, Bools]:
        """Return the loss of each query, and whether it has none for want of anything."""
        losses, none = np.zeros(queries.size), np.zeros(queries.size, np.bool_)
        for at, query in enumerate(queries.tolist()):
            rows = self.lists.rows_of(query)
            n = self._n_selected(cut, rows)
            hits = int((self.labels[rows][:n] == 1).sum())
            whole = n if self.rule.loss == "precision" else int((self.labels[rows] == 1).sum())
            none[at] = not whole
            losses[at] = (whole - hits) / whole if whole else 0.0
        return losses, none
