"""The pool of one query over all rows of an index: memory for a few rows per band of scores, whatever the number of rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fastcal.certificates._pool import Float32, Float64, Int64, Pool, grid
from fastcal.certificates._prior import spread_weights
from fastcal.certificates._start import Probability, Profile
from fastcal.errors import InvalidValueError
from fastcal.index import Index
from fastcal.labelling._ledger import Ledger

SAMPLE = 4096


class Outline(NamedTuple):
    """What two scans tell of a query's scores, higher is better: the best rows, and a uniform sample of all. It depends on no seed."""

    near_ids: Int64
    near: Float32
    sample: Float32
    sample_ids: Int64
    n_rows: int
    sign: np.float32
    lowest: np.float32

    def profile(self) -> Profile:
        """The head as it is, and the sample for the rows beyond."""
        beyond = self.sample[self.sample < self.near[-1]]
        size = (self.n_rows - self.near.size) / max(beyond.size, 1)
        return Profile(np.concatenate([self.near, beyond]), np.concatenate([np.ones(self.near.size), np.full(beyond.size, size)]))


def outline(index: Index, query: Float32, depth: int) -> Outline:
    """Scan for the best `depth` rows and for a uniform sample, whose seed is fixed: it chooses cuts and nothing else."""
    sign, n = np.float32(-1.0 if index.metric == "euclidean" else 1.0), len(index)
    head = index.search(query, min(depth, n))
    drawn = index.sample_bands(query, [-np.inf, np.inf], min(SAMPLE, n), seed=0)
    sample = np.sort(sign * drawn.scores[0, 0])[::-1]
    return Outline(head.ids[0], sign * head.scores[0], sample, drawn.ids[0, 0], n, sign, _lowest(index.metric))


def smallest_clocks(n: int, size: int, rng: np.random.Generator) -> Float64:
    """Return the `size` smallest of `n` independent standard exponentials, ascending, without drawing the others.

    Rényi: the k-th smallest is ``sum(E_i / (n - i + 1) for i <= k)``.
    """
    return np.asarray(np.cumsum(rng.exponential(size=size) / (n - np.arange(size))))


def band_pool(
    index: Index,
    query: Float32,
    known: Outline,
    ledger: Ledger,
    *,
    census: int,
    first: int,
    ratio: float,
    keep: int,
    start: float | None = None,
    probability: Probability | None = None,
) -> Pool:
    """Arrange all rows of an index for one query, in one more scan: of each band of scores between two cuts, uniformly drawn rows.

    Each band shows its first `keep` rows in a uniformly random order. They get the smallest of n_band independent exponential
    clocks, ascending. Rows with a clock each would be in a uniformly random order as well, which is independent of the sorted
    clocks: both ways have one law, jointly over the bands. So the shown rows are those of smallest priority of each band, and
    the first `keep` of any union of bands are among them. With weights, constant on a band, its clocks run by its weight.
    """
    cuts = _cuts(known, max(first, math.ceil(census * ratio)), census, ratio, start)
    drawn = index.sample_bands(query, _edges(cuts, known.sign), keep, seed=int(ledger.rng("bands").integers(2**63 - 1)))
    # Bands by strictness; the last is beyond the worst score there is.
    strict = slice(None, None, -1 if known.sign > 0 else 1)
    counts, ids = drawn.counts[0][strict], drawn.ids[0][strict]
    _refuse_change(counts, census, known.n_rows)
    bands = np.flatnonzero(counts[:-1])[int(census > 0) :]
    sizes = np.minimum(counts[bands], keep)
    weights = None if probability is None else _weights(cuts, known, probability)[bands]
    clocks = [smallest_clocks(int(counts[band]), int(size), ledger.rng(f"band {band}")) for band, size in zip(bands, sizes, strict=True)]
    rates = np.ones(bands.size) if weights is None else weights
    merged = np.concatenate([clock / rate for clock, rate in zip(clocks, rates, strict=True)])
    order = np.argsort(merged, kind="stable")
    of = np.repeat(np.arange(bands.size), sizes)[order]
    within = np.unique(known.near[:census])[::-1]
    inner = np.searchsorted(-known.near[:census], -within, "right")
    thresholds = known.sign * np.concatenate([within, cuts[bands]]) + np.float32(0.0)
    totals = np.concatenate([inner, np.cumsum(counts)[bands]]).astype(np.int64)
    positions = np.concatenate([ids[band, :size] for band, size in zip(bands, sizes, strict=True)])[order]
    pool = Pool(thresholds, totals, positions, within.size + of, known.near_ids[:census], bool(known.sign > 0))
    if weights is None:
        joint = np.concatenate([merged[order], ledger.rng("census").exponential(size=census)])
        return replace(pool, ranks=np.argsort(np.argsort(joint)))
    sums, lightest = _sums(weights, counts[bands], within.size)
    return replace(pool, weights=weights[of], totals=sums, lightest=lightest)


def _cuts(known: Outline, first: int, census: int, ratio: float, start: float | None) -> Float32:
    """Thresholds, strictest first, higher is better: the end of the census, a grid of ranks, the start, and one that every score reaches."""
    ranks = grid(known.n_rows, first, ratio)
    exact = known.near[ranks[ranks <= known.near.size] - 1]
    # Of ranks beyond the head, the sample's quantiles.
    far = ranks[(ranks > known.near.size) & (ranks < known.n_rows)] * known.sample.size // known.n_rows
    starts = np.array([] if start is None else [start], np.float32)
    bounds = np.unique(np.concatenate([exact, known.sample[far], starts]))[::-1]
    end = known.near[census - 1 : census] if census else np.empty(0, np.float32)
    bounds = bounds[(bounds < (end[0] if census else np.inf)) & (bounds > known.lowest)]
    return np.concatenate([end, bounds, [known.lowest]]).astype(np.float32)


def _lowest(metric: str) -> np.float32:
    """A number that no score of a row is below unless it has overflowed; of distances one with a number beyond it."""
    last = np.float32(-np.finfo(np.float32).max)
    return {"cosine": np.float32(-1.0), "dot": last, "euclidean": np.float32(np.nextafter(last, np.float32(0.0)))}[metric]


def _edges(cuts: Float32, sign: np.float32) -> Float32:
    """Edges of the bands whose strict ends are the cuts; half open, ascending as the index scores."""
    ends = np.array([-np.inf, np.inf], np.float32)
    # d <= t is d < the number after t.
    inner = cuts[::-1] if sign > 0 else np.nextafter(-cuts, np.float32(np.inf))
    return np.concatenate([ends[:1], inner, ends[1:]])


def _weights(cuts: Float32, known: Outline, probability: Probability) -> Float64:
    """A weight for each band, by the probability half-way through its rows in the profile: no row that may be labelled decides it."""
    profile = known.profile()
    ends = np.searchsorted(-profile.scores, -cuts, "right")
    middle = (ends + np.concatenate([[0], ends[:-1]])) // 2
    return spread_weights(probability(profile.scores[np.minimum(middle, profile.scores.size - 1)]))


def _sums(weights: Float64, counts: Int64, census_cuts: int) -> tuple[Float64, Float64]:
    """Sum and least weight of all rows of each cut; nothing within the census."""
    none = np.zeros(census_cuts)
    return np.concatenate([none, np.cumsum(weights * counts)]), np.concatenate([none, np.minimum.accumulate(weights)])


def _refuse_change(counts: Int64, census: int, n_rows: int) -> None:
    if counts[-1]:
        raise InvalidValueError(f"{counts[-1]} scores of the query overflow float32; expected finite scores")
    if counts.sum() != n_rows or (census and counts[0] != census):
        raise InvalidValueError("rows were added to the index while it was scanned; expected an index at rest")


def distinct(pool: Pool) -> None:
    """Raise if two rows of a pool have one id: a label could not say which of them is meant."""
    ids, times = np.unique(np.concatenate([pool.census, pool.positions]), return_counts=True)
    if (times > 1).any():
        raise InvalidValueError(f"id {ids[times.argmax()]} belongs to several rows to be labelled; expected an index with distinct ids")
