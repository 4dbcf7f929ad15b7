"""The rows of one query: all of an index, or those that an index returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import flag, integer
from fastcal.certificates._band_pool import HEAD, QueryPool, band_pool, outline
from fastcal.certificates._foreign import search_any
from fastcal.certificates._pool import Float32, Pool, array_pool, census_size
from fastcal.errors import InvalidValueError
from fastcal.index import Index
from fastcal.labelling._fingerprint import fingerprint
from fastcal.labelling._ledger import Ledger

ALL, DEPTH, FEATURE_DEPTH = 4096, 1000, 100


class Rows(NamedTuple):
    """What is known of a query's rows before a seed is; scores of which higher is better."""

    n: int
    digest: str
    sign: np.float32
    near: Float32
    corpus_mean: float
    complete: bool
    census_size: Callable[[int, int], int]
    arrange: Callable[..., QueryPool]


def rows_of(index: Any, query: Any, depth: int | None, higher_is_better: bool | None) -> Rows:
    """Judge the query, search, and return what a pool is made of.

    An index of up to `ALL` rows, and what any index returned, are arranged as a list; a larger one by bands.
    """
    vector = one_query(query)
    ours = isinstance(index, Index)
    if ours and depth is None and len(index) > ALL:
        _agree(index, higher_is_better)
        return _of_bands(index, vector)
    wanted = (len(index) if ours else DEPTH) if depth is None else integer(depth, "depth", least=1)
    found = search_any(index, vector, wanted, higher_is_better)
    real = found.ids[0] >= 0
    ids, sign = found.ids[0][real], np.float32(1.0 if found.higher_is_better else -1.0)
    scores = sign * found.scores[0][real]
    if not ids.size:
        raise InvalidValueError("the index returned no row for the query; expected at least one")
    return _of_list(fingerprint(vector, ids, scores), ids, scores, sign, complete=ours and ids.size == len(index))


def one_query(query: Any) -> Float32:
    """Return float32 of shape (1, dim)."""
    vector = float_array(query, "query")
    if vector.ndim not in {1, 2} or (vector.ndim == 2 and len(vector) != 1):
        raise InvalidValueError(f"query must have shape (dim,) or (1, dim), got {vector.shape}")
    if not np.isfinite(vector).all():
        raise InvalidValueError("query holds NaN or infinity; expected finite numbers")
    return np.ascontiguousarray(np.atleast_2d(vector), np.float32)


def _of_list(digest: str, ids: Any, scores: Float32, sign: np.float32, *, complete: bool) -> Rows:
    if not np.isfinite(scores).all():
        raise InvalidValueError("the index returned scores that are infinite; expected finite scores")

    def arrange(ledger: Ledger, *, census: int, first: int, ratio: float, keep: int) -> QueryPool:
        priorities = ledger.rng("priorities").random(ids.size)
        at = array_pool(scores, np.arange(ids.size), priorities, census=census, ratio=ratio, first=first, keep=keep)
        thresholds = sign * at.thresholds + np.float32(0.0)
        pool = Pool(thresholds, at.counts, ids[at.positions], at.cut_of, ids[at.census], bool(sign > 0))
        return QueryPool(pool, scores[at.positions], scores[at.census])

    mean = float(scores.astype(np.float64).mean())
    return Rows(ids.size, digest, sign, np.sort(scores)[::-1], mean, complete, lambda wanted, most: census_size(scores, wanted, most), arrange)


def _of_bands(index: Index, vector: Float32) -> Rows:
    known = outline(index, vector, HEAD)
    if not np.isfinite(known.near).all():
        raise InvalidValueError("the query has scores that overflow float32; expected finite scores")
    digest = fingerprint(vector, np.array([known.n_rows]), known.head.ids, known.near, known.sample_ids, known.sample)

    def census(wanted: int, most: int) -> int:
        return census_size(known.near, wanted, min(most, known.near.size - 1))

    def arrange(ledger: Ledger, *, census: int, first: int, ratio: float, keep: int) -> QueryPool:
        return band_pool(index, vector, known, ledger, census=census, first=first, ratio=ratio, keep=keep)

    mean = float(known.sample.astype(np.float64).mean())
    return Rows(known.n_rows, digest, known.sign, known.near, mean, complete=True, census_size=census, arrange=arrange)


def _agree(index: Index, higher_is_better: bool | None) -> None:
    better = index.metric != "euclidean"
    if higher_is_better is not None and flag(higher_is_better, "higher_is_better") != better:
        raise InvalidValueError(f"the index has higher_is_better={better}, the call says higher_is_better={higher_is_better}")
