"""What every threshold of a grid would do: rates with intervals by query, and how many results queries get.

Pairs enter the selection best first and the totals of each query are carried along, so a grid costs one sort and, per threshold,
a pass over the queries. The intervals are those of :func:`fastcal.metrics.precision_recall_at` (Rao & Scott 1992, Wilson): with n_q
trials and h_q hits of query q and p the rate, the residuals of a query sum to h_q - p n_q, whose squares add up to
sum h_q^2 - 2 p sum h_q n_q + p^2 sum n_q^2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.intervals import wilson_interval

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

UNIFORM, RANKED = 101, 80
# A query belongs to the last class whose lower limit its number of results reaches.
RESULTS_FROM = (0, 1, 2, 6, 21, 100, 1000)
THOUSANDS = 1000


def grid_of(values: npt.NDArray[np.float32], edges: list[float], domain: tuple[float, float], higher_is_better: bool) -> npt.NDArray[np.float32]:
    """Return ascending thresholds: evenly spaced ones, those at which 1, 2, ... and then ever more pairs are selected, and the given ones."""
    ranked = np.sort(values)[:: -1 if higher_is_better else 1]
    places = np.unique(np.geomspace(1, len(ranked), RANKED).astype(np.int64)) - 1
    even = np.linspace(*domain, UNIFORM).astype(np.float32)
    return np.unique(np.concatenate([even, ranked[places], np.array(edges, np.float32)])) + np.float32(0.0)


class Trials(NamedTuple):
    """Totals over queries behind a rate, one entry per threshold."""

    n: Float64
    hits: Float64
    clusters: Float64
    hh: Float64
    hn: Float64
    nn: Float64

    @classmethod
    def of(cls, rows: list[tuple[float, ...]]) -> Trials:
        """Take the totals of each threshold."""
        return cls(*np.array(rows, dtype=np.float64).T)

    def rate(self) -> Float64:
        """Return hits / n, 0 where there is nothing to count."""
        return self.hits / np.where(self.n > 0, self.n, 1.0)

    def interval(self) -> tuple[Float64, Float64]:
        """Return 95 % Wilson intervals of effective trials."""
        n, rate = self.n, self.rate()
        single = n * rate * (1 - rate)
        summed = np.maximum(self.hh - 2 * rate * self.hn + rate**2 * self.nn, 0.0)
        effects = np.ones(len(n))
        many = (self.clusters > 1) & (single > 1e-12)
        k, m = self.clusters[many], n[many]
        effects[many] = (k / (k - 1) * summed[many]) / (m / (m - 1) * single[many])
        effects[(self.clusters == 1) & (n > 1)] = np.inf
        spread = np.maximum(n / np.maximum(effects, 1.0), np.minimum(n, 1.0))
        agree = (self.hits <= 0) | (self.hits >= n)
        trials = np.where(agree, np.minimum(n, self.clusters), spread)
        hits = np.where(self.hits >= n, trials, self.hits * (trials / np.where(n > 0, n, 1.0)))
        low, high = wilson_interval(hits, trials)
        return low, high


def totals(n: Float64, hits: Float64) -> tuple[float, ...]:
    """Return the sums that :class:`Trials` needs from each query's trials and hits."""
    return float(n.sum()), float(hits.sum()), float(np.count_nonzero(n)), float(hits @ hits), float(hits @ n), float(n @ n)


def operating(
    values: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
    judged: npt.NDArray[np.bool_],
    codes: Int64,
    n_queries: int,
    grid: npt.NDArray[np.float32],
    higher_is_better: bool,
) -> dict[str, Any]:
    """Return the columns of the sweep, one entry per threshold, plain JSON."""
    sign = 1.0 if higher_is_better else -1.0
    order = np.argsort(-sign * values, kind="stable")
    strictest = grid[::-1] if higher_is_better else grid
    ends = np.searchsorted(-sign * values[order], -sign * strictest, side="right")
    per_query = _Counted(labels, judged, codes, n_queries)
    start = 0
    for end in ends.tolist():
        per_query.add(order[start:end])
        start = end
    columns = per_query.columns()
    return {"threshold": grid.tolist()} | {name: (found[::-1] if higher_is_better else found) for name, found in columns.items()}


class _Counted:
    """Selected pairs of each query, and what was seen of them at each threshold so far."""

    def __init__(self, labels: npt.NDArray[np.uint8], judged: npt.NDArray[np.bool_], codes: Int64, n_queries: int) -> None:
        self.labels, self.judged, self.codes, self.size = labels, judged, codes, n_queries
        self.relevant: Float64 = np.bincount(codes, labels, n_queries).astype(np.float64)
        self.selected, self.hits, self.known = (np.zeros(n_queries, np.float64) for _ in range(3))
        self.rows: dict[str, list[tuple[float, ...]]] = {"precision": [], "recall": [], "f1": [], "precision_judged": []}
        self.most = np.bincount(codes, minlength=n_queries).max()
        self.full: list[int] = []
        self.spread: list[list[float]] = []
        self.classes: list[list[int]] = []

    def add(self, at: Int64) -> None:
        """Select some more pairs and write down what a threshold behind them does."""
        codes = self.codes[at]
        self.selected += np.bincount(codes, minlength=self.size)
        self.hits += np.bincount(codes, self.labels[at], self.size)
        self.known += np.bincount(codes, self.judged[at], self.size)
        behind = {
            "precision": (self.selected, self.hits),
            "recall": (self.relevant, self.hits),
            "f1": (self.selected + self.relevant, 2 * self.hits),
            "precision_judged": (self.known, self.hits),
        }
        for name, (n, hits) in behind.items():
            self.rows[name].append(totals(n, hits))
        self.spread.append([float(x) for x in (*np.quantile(self.selected, [0.5, 0.9]), self.selected.max(), self.selected.mean())])
        self.full.append(int(np.count_nonzero(self.selected == self.most)))
        places = np.searchsorted(RESULTS_FROM, self.selected, side="right") - 1
        self.classes.append(np.bincount(places, minlength=len(RESULTS_FROM)).tolist())

    def columns(self) -> dict[str, list[Any]]:
        """Return every column, strictest threshold first."""
        found: dict[str, list[Any]] = {}
        for name, rows in self.rows.items():
            trials = Trials.of(rows)
            low, high = trials.interval()
            rates = [rate if n else None for rate, n in zip(trials.rate().tolist(), trials.n, strict=True)]
            found |= {name: rates, f"{name}_low": low.tolist(), f"{name}_high": high.tolist()}
        selected = Trials.of(self.rows["precision"])
        known = Trials.of(self.rows["precision_judged"])
        found["n_selected"] = selected.n.astype(np.int64).tolist()
        found["n_relevant_selected"] = selected.hits.astype(np.int64).tolist()
        found["n_judged_selected"] = known.n.astype(np.int64).tolist()
        classes = np.array(self.classes)
        found["queries_with_any"] = (self.size - classes[:, 0]).tolist()
        found["queries_with_thousands"] = classes[:, -1].tolist()
        found["queries_with_most"] = self.full
        found["queries_by_results"] = classes.tolist()
        for name, column in zip(("median", "p90", "most", "mean"), zip(*self.spread, strict=True), strict=True):
            found[f"results_{name}"] = list(column)
        return found


def score_edges(
    scores: npt.NDArray[np.float32], values: npt.NDArray[np.float32], grid: npt.NDArray[np.float32], *, better: bool, higher_is_better: bool
) -> list[float]:
    """Return the worst score that each threshold selects, the best score of all where it selects none: for values that rise with the scores."""
    sign = np.float32(1.0 if better else -1.0)
    order = np.argsort(-sign * values, kind="stable")
    ends = np.searchsorted(-sign * values[order], -sign * grid, side="right")
    worst = np.minimum if higher_is_better else np.maximum
    found: list[float] = worst.accumulate(scores[order])[np.maximum(ends - 1, 0)].tolist()
    return found


def shares_of(columns: dict[str, Any], n_queries: int) -> dict[str, Any]:
    """Return 95 % Wilson intervals of every number of queries that two edges of the grid can bring about, out of all."""
    some = np.unique(columns["queries_with_any"])
    between = np.abs(np.subtract.outer(some, some)).ravel()
    counts = np.unique(np.concatenate([between, some, n_queries - some, columns["queries_with_thousands"], columns["queries_with_most"]]))
    low, high = wilson_interval(counts, np.full(len(counts), n_queries))
    return {"n_queries": n_queries, "count": counts.tolist(), "low": low.tolist(), "high": high.tolist()}
