"""The pool of one query over all rows of an index: memory for a few rows per band of scores, whatever the number of rows."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fastcal.certificates._pool import Float32, Float64, Int64, Pool, _grid
from fastcal.errors import InvalidValueError
from fastcal.index import Index
from fastcal.labelling._ledger import Ledger
from fastcal.results import SearchResult

HEAD, SAMPLE = 512, 4096


class Outline(NamedTuple):
    """What two scans tell of a query's scores, higher is better: the best rows, and a uniform sample of all. It depends on no seed."""

    head: SearchResult
    near: Float32
    sample: Float32
    sample_ids: Int64
    n_rows: int
    sign: np.float32
    lowest: np.float32


class QueryPool(NamedTuple):
    """A pool, the scores of its candidates and of its census, higher is better."""

    pool: Pool
    scores: Float32
    census_scores: Float32


def outline(index: Index, query: Float32, depth: int) -> Outline:
    """Scan for the best `depth` rows and for a uniform sample, whose seed is fixed: it chooses cuts and nothing else."""
    sign, n = np.float32(-1.0 if index.metric == "euclidean" else 1.0), len(index)
    head = index.search(query, min(depth, n))
    drawn = index.sample_bands(query, [-np.inf, np.inf], min(SAMPLE, n), seed=0)
    return Outline(head, sign * head.scores[0], np.sort(sign * drawn.scores[0, 0])[::-1], drawn.ids[0, 0], n, sign, _lowest(index.metric))


def order_statistics(n: int, size: int, rng: np.random.Generator) -> Float64:
    """Return the `size` smallest of `n` independent uniform numbers, ascending, without drawing the others.

    Rényi: the k-th smallest of n standard exponentials is ``sum(E_i / (n - i + 1) for i <= k)``; 1 - exp(-x) makes them uniform.
    """
    return np.asarray(-np.expm1(-np.cumsum(rng.exponential(size=size) / (n - np.arange(size)))))


def band_pool(index: Index, query: Float32, known: Outline, ledger: Ledger, *, census: int, first: int, ratio: float, keep: int) -> QueryPool:
    """Arrange all rows of an index for one query, in one more scan: of each band of scores between two cuts, uniformly drawn rows.

    Each band shows its first `keep` rows in a uniformly random order. They get the smallest of n_band independent uniform numbers,
    ascending. A band's rows with a uniform number each would be in a uniformly random order as well, which is independent of the
    sorted numbers: both ways have one law, jointly over the bands. So the shown rows are those of smallest priority of each
    band, and the first `keep` of any union of bands are among them.
    """
    cuts = _cuts(known, max(first, math.ceil(census * ratio)), census, ratio)
    drawn = index.sample_bands(query, _edges(cuts, known.sign), keep, seed=int(ledger.rng("bands").integers(2**63 - 1)))
    # Bands by strictness; the last is beyond the worst score there is.
    strict = slice(None, None, -1 if known.sign > 0 else 1)
    counts, ids, scores = drawn.counts[0][strict], drawn.ids[0][strict], known.sign * drawn.scores[0][strict]
    _refuse_change(counts, census, known.n_rows)
    rows = [min(int(count), keep) for count in counts[:-1]]
    bands = [band for band in range(int(census > 0), len(rows)) if rows[band]]
    numbers = [order_statistics(int(counts[band]), rows[band], ledger.rng(f"band {band}")) for band in bands]
    order = np.argsort(np.concatenate(numbers), kind="stable")
    laxer = np.repeat(np.arange(len(bands)), [rows[band] for band in bands])
    positions, taken = (np.concatenate([each[band, : rows[band]] for band in bands])[order] for each in (ids, scores))
    within = np.unique(known.near[:census])[::-1]
    inner = np.searchsorted(-known.near[:census], -within, "right")
    pool = Pool(
        known.sign * np.concatenate([within, cuts[bands]]) + np.float32(0.0),
        np.concatenate([inner, np.cumsum(counts)[bands]]).astype(np.int64),
        positions,
        within.size + laxer[order],
        known.head.ids[0, :census],
        bool(known.sign > 0),
    )
    return QueryPool(pool, taken, known.near[:census])


def _cuts(known: Outline, first: int, census: int, ratio: float) -> Float32:
    """Thresholds, strictest first, higher is better: the end of the census, a grid of ranks, and one that every score reaches."""
    ranks = _grid(known.n_rows, first, ratio)
    exact = known.near[ranks[ranks <= known.near.size] - 1]
    # Of ranks beyond the head, the sample's quantiles.
    far = ranks[(ranks > known.near.size) & (ranks < known.n_rows)] * known.sample.size // known.n_rows
    bounds = np.unique(np.concatenate([exact, known.sample[far]]))[::-1]
    ceiling = known.near[census - 1] if census else np.float32(np.inf)
    bounds = bounds[(bounds < ceiling) & (bounds > known.lowest)]
    return np.concatenate([known.near[census - 1 : census] if census else bounds[:0], bounds, [known.lowest]]).astype(np.float32)


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


def _refuse_change(counts: Int64, census: int, n_rows: int) -> None:
    if counts[-1]:
        raise InvalidValueError(f"{counts[-1]} scores of the query overflow float32; expected finite scores")
    if counts.sum() != n_rows or (census and counts[0] != census):
        raise InvalidValueError("rows were added to the index while it was scanned; expected an index at rest")


def distinct(pool: Pool) -> None:
    """Raise if two rows of a pool have one id: a label could not say which of them is meant."""
    ids, times = np.unique(np.concatenate([pool.census, pool.positions]), return_counts=True)
    if (times > 1).any():
        raise InvalidValueError(f"id {ids[times.argmax()]} belongs to several rows; expected an index with distinct ids")
