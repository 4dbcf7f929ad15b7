"""The rows of one query: all of an index, or those that an index returned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import flag, integer
from fastcal.certificates._band_pool import band_pool, outline
from fastcal.certificates._pool import Float32, Int64, Pool, array_pool, census_size
from fastcal.certificates._prior import spread_weights
from fastcal.certificates._start import Probability, Profile
from fastcal.errors import InvalidValueError
from fastcal.index import Index
from fastcal.index._foreign import ForeignIndex
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
    if not isinstance(index, Index):
        return _of_foreign(ForeignIndex(index), vector, DEPTH if depth is None else integer(depth, "depth", least=1), higher_is_better)
    _agree("the index", index.metric != "euclidean", higher_is_better)
    if not len(index):
        raise InvalidValueError("the index is empty; expected at least one row")
    if depth is None and len(index) > max(ALL, 2 * head):
        return _of_bands(index, vector, head)
    found = index.search(vector, len(index) if depth is None else integer(depth, "depth", least=1))
    return _of_list(vector, found.ids[0], found.scores[0], found.higher_is_better, n_held=len(index))


def _of_foreign(index: ForeignIndex, vector: Float32, depth: int, higher_is_better: bool | None) -> QueryRows:
    found = index.search(vector, depth)
    real = found.ids[0] >= 0
    ids, scores = found.ids[0][real], found.scores[0][real]
    if not ids.size:
        raise InvalidValueError("the index returned no row for the query; expected at least one")
    if found.higher_is_better is not None:
        _agree(f"the index ({index.name})", found.higher_is_better, higher_is_better)
    better = higher_is_better if found.higher_is_better is None else found.higher_is_better
    if better is None:
        raise InvalidValueError(
            "the index returned scores in no order, or all equal: expected them best first, or say higher_is_better=True or False"
        )
    return _of_list(vector, ids, scores, flag(better, "higher_is_better"), n_held=None)


def _one_query(query: Any) -> Float32:
    """Return float32 of shape (1, dim)."""
    vector = float_array(query, "query")
    if vector.ndim not in {1, 2} or (vector.ndim == 2 and len(vector) != 1):
        raise InvalidValueError(f"query must have shape (dim,) or (1, dim), got {vector.shape}")
    if not np.isfinite(vector).all():
        raise InvalidValueError("query holds NaN or infinity; expected finite numbers")
    return np.ascontiguousarray(np.atleast_2d(vector), np.float32)


def _of_list(vector: Float32, ids: Int64, given: Float32, higher_is_better: bool, *, n_held: int | None) -> QueryRows:
    real, sign = ids >= 0, np.float32(1.0 if higher_is_better else -1.0)
    ids, scores = ids[real], sign * given[real]
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
    return QueryRows(ids.size, digest, sign, profile, ids.size == n_held, lambda wanted, most: census_size(scores, wanted, most), arrange)


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


def _agree(what: str, carried: bool, given: bool | None) -> None:
    if given is not None and flag(given, "higher_is_better") != carried:
        raise InvalidValueError(f"{what} has higher_is_better={carried}, the call says higher_is_better={given}")
