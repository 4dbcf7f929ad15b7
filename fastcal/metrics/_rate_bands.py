"""Intervals of precision and recall at every cut, by query, in one pass over the sorted pairs.

With h_g and n_g the weights of relevant and of all selected pairs of query g, and p = sum h_g / sum n_g, the residuals
summed by query are sum (h_g - p n_g)^2 = sum h_g^2 - 2 p sum h_g n_g + p^2 sum n_g^2. Each of the three sums grows by
what one more pair adds to its query, so that cumulative sums hold them for every cut at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastcal._validate.scores import Pairs, float32_floor
from fastcal.intervals.wilson import wilson_interval

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class Bands(NamedTuple):
    """95 % intervals at each cut: arrays (n_cuts,)."""

    precision_low: Array
    precision_high: Array
    recall_low: Array
    recall_high: Array


class _Sums(NamedTuple):
    """Of a rate at each cut: hits, total, squared weights of both, sums by query, number of pairs and of queries."""

    hits: Array
    total: Array
    hit_squares: Array
    squares: Array
    hh: Array
    hn: Array
    nn: Array
    n: Array
    clusters: Array


class _Sorted(NamedTuple):
    """Pairs from the best on: weights, labels, the last place of each cut, query codes (None: every pair is one) and their order."""

    w: Array
    y: Array
    ends: Array
    codes: Array | None
    order: Array | None

    def before(self, values: Array) -> Array:
        """Sum of the values of earlier pairs of the same query; exactly 0 for the first."""
        if self.codes is None or self.order is None:
            return np.zeros(len(values))
        codes, values = self.codes[self.order], values[self.order]
        total = np.cumsum(values) - values
        first = np.concatenate(([True], codes[1:] != codes[:-1]))
        earlier = np.empty(len(values))
        earlier[self.order] = total - np.maximum.accumulate(np.where(first, total, -np.inf))
        return earlier

    def of_query(self, values: Array) -> Array:
        """Sum of the values of all pairs of the query, beside each pair."""
        return values if self.codes is None else np.bincount(self.codes, values)[self.codes]


def precision_bands(sample: Pairs, thresholds: Array, higher_is_better: bool) -> tuple[Array, Array]:
    """Wilson intervals of the effective trials of :func:`fastcal.metrics.precision_recall_at`, at each threshold."""
    return _interval(_precision(_sorted(sample, thresholds, higher_is_better)), sample.groups is not None)


def rate_bands(sample: Pairs, thresholds: Array, higher_is_better: bool) -> Bands:
    """Those of the precision and of the recall."""
    ordered, by_query = _sorted(sample, thresholds, higher_is_better), sample.groups is not None
    return Bands(*_interval(_precision(ordered), by_query), *_interval(_recall(ordered), by_query))


def _sorted(sample: Pairs, thresholds: Array, higher_is_better: bool) -> _Sorted:
    sign = 1.0 if higher_is_better else -1.0
    scores = -float32_floor(sign * sample.scores)
    order = np.argsort(scores, kind="stable")
    ends = np.searchsorted(scores[order], -sign * thresholds, side="right") - 1
    w = np.ones(len(order)) if sample.weights is None else sample.weights[order] / sample.weights.max()
    codes = None if sample.groups is None else sample.groups[order]
    return _Sorted(w, sample.labels[order].astype(np.float64), ends, codes, None if codes is None else np.argsort(codes, kind="stable"))


def _precision(pairs: _Sorted) -> _Sums:
    """Among the pairs up to each end; h and n are what the query of a pair had selected before it."""
    w, hit = pairs.w, pairs.w * pairs.y
    h, n = pairs.before(hit), pairs.before(w)
    first = (w > 0) & (pairs.before((w > 0).astype(np.float64)) == 0)
    steps = (hit, w, w * hit, w * w, hit * (2 * h + hit), h * w + hit * (n + w), w * (2 * n + w), w > 0, first)
    return _Sums(*(np.cumsum(step, dtype=np.float64)[pairs.ends] for step in steps))


def _recall(pairs: _Sorted) -> _Sums:
    """Among the relevant pairs, all of them at every end: a hit is one that is selected."""
    w, hit, ends = pairs.w, pairs.w * pairs.y, pairs.ends
    h, of_query = pairs.before(hit), pairs.of_query(hit)
    upto = [np.cumsum(step)[ends] for step in (hit, w * hit, hit * (2 * h + hit), hit * of_query)]
    queries = np.count_nonzero((hit > 0) & (pairs.before((hit > 0).astype(np.float64)) == 0))
    all_of_them = (hit.sum(), (w * hit).sum(), hit @ of_query, np.count_nonzero(hit), queries)
    total, squares, nn, n, clusters = (np.full(len(ends), value, np.float64) for value in all_of_them)
    total = np.where(upto[0] >= np.cumsum(hit)[-1], upto[0], total)
    return _Sums(upto[0], total, upto[1], squares, upto[2], upto[3], nn, n, clusters)


def _interval(s: _Sums, by_query: bool) -> tuple[Array, Array]:
    trials = s.total**2 / np.where(s.squares > 0, s.squares, 1.0)
    rate = s.hits / np.where(s.total > 0, s.total, 1.0)
    if by_query:
        single = (1 - 2 * rate) * s.hit_squares + rate**2 * s.squares
        summed = s.hh - 2 * rate * s.hn + rate**2 * s.nn
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = (s.clusters / (s.clusters - 1) * summed) / (s.n / (s.n - 1) * single)
        effect = np.where(s.clusters > 1, np.maximum(np.nan_to_num(effect, nan=1.0), 1.0), np.inf)
        certain = (s.hits <= 0) | (s.hits >= s.total)
        trials = np.where(certain, np.minimum(trials, s.clusters), np.maximum(trials / effect, np.minimum(trials, 1.0)))
    return wilson_interval(np.clip(rate * trials, 0, trials), trials)
