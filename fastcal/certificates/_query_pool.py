"""The rows of one query: all of an index, or those that an index returned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import flag, integer
from fastcal.certificates._band_pool import band_pool, outline
from fastcal.certificates._foreign import search_any
from fastcal.certificates._pool import Float32, Int64, Pool, array_pool, census_size
from fastcal.certificates._prior import spread_weights
from fastcal.certificates._start import Probability, Profile
from fastcal.errors import InvalidValueError
from fastcal.index import Index
from fastcal.labelling._fingerprint import fingerprint
from fastcal.labelling._ledger import Ledger

ALL, DEPTH = 4096, 1000


class QueryRows(NamedTuple):
    """What is known of a query's rows before there is a seed. `sign` turns scores so that higher is better."""

    n: int
    digest: str
    sign: np.float32
    profile: Profile
    complete: bool
    census_size: Callable[[int, int], int]
    arrange: Callable[..., Pool]


def rows_of(index: Any, query: Any, depth: int | None, higher_is_better: bool | None, head: int) -> QueryRows:
    """Judge the query, search, and return what a pool is made of.

    An index of up to `ALL` rows, and what any index returned, are arranged as a list; a larger one by bands, with the best
    `head` rows for its head.
    """
    vector = _one_query(query)
    ours = isinstance(index, Index)
    if ours and depth is None and len(index) > max(ALL, 2 * head):
        _agree(index, higher_is_better)
        return _of_bands(index, vector, head)
    wanted = (len(index) if ours else DEPTH) if depth is None else integer(depth, "depth", least=1)
    found = search_any(index, vector, wanted, higher_is_better)
    real = found.ids[0] >= 0
    ids, sign = found.ids[0][real], np.float32(1.0 if found.higher_is_better else -1.0)
    if not ids.size:
        raise InvalidValueError("the index returned no row for the query; expected at least one")
    return _of_list(vector, ids, sign * found.scores[0][real], sign, complete=ours and ids.size == len(index))


def _one_query(query: Any) -> Float32:
    """Return float32 of shape (1, dim)."""
    vector = float_array(query, "query")
    if vector.ndim not in {1, 2} or (vector.ndim == 2 and len(vector) != 1):
        raise InvalidValueError(f"query must have shape (dim,) or (1, dim), got {vector.shape}")
    if not np.isfinite(vector).all():
        raise InvalidValueError("query holds NaN or infinity; expected finite numbers")
    return np.ascontiguousarray(np.atleast_2d(vector), np.float32)


def _of_list(vector: Float32, ids: Int64, scores: Float32, sign: np.float32, *, complete: bool) -> QueryRows:
    _refuse_overflow(scores)

    def arrange(ledger: Ledger, *, start: float | None, probability: Probability | None, **shape: Any) -> Pool:
        uniform = ledger.rng("priorities").random(ids.size)
        weights = None if probability is None else spread_weights(probability(scores))
        clocks = uniform if weights is None else -np.log1p(-uniform) / weights
        starts = () if start is None else (start,)
        at = array_pool(scores, np.arange(ids.size), clocks, starts=starts, weights=weights, **shape)
        thresholds = sign * at.thresholds + np.float32(0.0)
        return replace(at, thresholds=thresholds, positions=ids[at.positions], census=ids[at.census], higher_is_better=bool(sign > 0))

    profile = Profile(np.sort(scores)[::-1], np.ones(ids.size))
    digest = fingerprint(vector, ids, scores)
    return QueryRows(ids.size, digest, sign, profile, complete, lambda wanted, most: census_size(scores, wanted, most), arrange)


def _of_bands(index: Index, vector: Float32, head: int) -> QueryRows:
    known = outline(index, vector, head)
    _refuse_overflow(known.near)
    digest = fingerprint(vector, np.array([known.n_rows]), known.near_ids, known.near, known.sample_ids, known.sample)

    def census(wanted: int, most: int) -> int:
        return census_size(known.near, wanted, min(most, known.near.size - 1))

    def arrange(ledger: Ledger, **shape: Any) -> Pool:
        return band_pool(index, vector, known, ledger, **shape)

    return QueryRows(known.n_rows, digest, known.sign, known.profile(), complete=True, census_size=census, arrange=arrange)


def _refuse_overflow(scores: Float32) -> None:
    if not np.isfinite(scores).all():
        raise InvalidValueError("scores of the query overflow float32; expected finite scores")


def _agree(index: Index, higher_is_better: bool | None) -> None:
    better = index.metric != "euclidean"
    if higher_is_better is not None and flag(higher_is_better, "higher_is_better") != better:
        raise InvalidValueError(f"the index has higher_is_better={better}, the call says higher_is_better={higher_is_better}")
