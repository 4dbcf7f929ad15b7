"""Intervals of precision and recall at every cut, by query, in one pass over the sorted pairs.

With h_g and n_g the weights of relevant and of all selected pairs of query g, and p = sum h_g / sum n_g, the residuals
summed by query are sum (h_g - p n_g)^2 = sum h_g^2 - 2 p sum h_g n_g + p^2 sum n_g^2. Each of the three sums grows by
what one more pair adds to its query, so that cumulative sums hold them for every cut at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastcal._validate.scores import Pairs, float32_floor
from fastcal.thresholds.intervals import wilson_interval

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


def rate_bands(sample: Pairs, thresholds: Array, higher_is_better: bool) -> Bands:
    """Wilson intervals of the effective trials of :func:`fastcal.metrics.precision_recall_at`, at each threshold."""
    sign = 1.0 if higher_is_better else -1.0
    scores = float32_floor(sign * sample.scores)
    order = np.argsort(-scores, kind="stable")
    ends = np.searchsorted(-scores[order], -sign * thresholds, side="right") - 1
    y = sample.labels[order].astype(np.float64)
    w = np.ones(len(y)) if sample.weights is None else sample.weights[order] / sample.weights.max()
    codes = np.arange(len(y)) if sample.groups is None else sample.groups[order]
    by_query = sample.groups is not None
    return Bands(*_interval(_precision(w, y, codes, ends), by_query), *_interval(_recall(w, y, codes, ends), by_query))


def _precision(w: Array, y: Array, codes: Array, ends: Array) -> _Sums:
    """Among the pairs up to each end; `before` is what the query of a pair had selected before it."""
    hit, h, n = w * y, _before(codes, w * y), _before(codes, w)
    first = (w > 0) & (_before(codes, (w > 0).astype(np.float64)) == 0)
    steps = (hit, w, w * hit, w * w, hit * (2 * h + hit), h * w + hit * (n + w), w * (2 * n + w), w > 0, first)
    return _Sums(*(np.cumsum(step, dtype=np.float64)[ends] for step in steps))


def _recall(w: Array, y: Array, codes: Array, ends: Array) -> _Sums:
    """Among the relevant pairs, all of them at every end: a hit is one that is selected."""
    hit = w * y
    h, of_query = _before(codes, hit), np.bincount(codes, hit)
    upto = [np.cumsum(step)[ends] for step in (hit, w * hit, hit * (2 * h + hit), hit * of_query[codes])]
    all_of_them = (hit.sum(), (w * hit).sum(), of_query @ of_query, np.count_nonzero(hit), np.count_nonzero(of_query))
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


def _before(codes: Array, values: Array) -> Array:
    """Sum of the values of earlier entries with the same code."""
    order = np.argsort(codes, kind="stable")
    total = np.cumsum(values[order]) - values[order]
    first = np.concatenate(([True], codes[order][1:] != codes[order][:-1]))
    before = np.empty(len(values))
    before[order] = total - np.maximum.accumulate(np.where(first, total, -np.inf))
    return before
