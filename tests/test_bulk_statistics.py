"""QueryStatistics: exact for any split and order, close to ``fc.normalize`` on the whole list, the same on every backend."""

from __future__ import annotations

import itertools
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

import fastcal as fc
from fastcal.bulk import QueryStatistics
from fastcal.bulk._keys import Keys, grouped

pa = pytest.importorskip("pyarrow")

NORMS = ["minmax", "max", "sum", "l2", "zscore", "dbsf"]


def scores_of(rng, n):
    """Float32 of one scale or of all of them, constant lists and NaN."""
    kind = rng.integers(0, 5)
    if kind == 0:
        return rng.choice(np.array([0.0, -0.0, 1e-45, 3.4e38, -3.4e38, 1.0], np.float32), n)
    if kind == 1:
        return np.full(n, rng.choice([0.0, 0.1, -7.0]), np.float32)
    found = (rng.standard_normal(n) + (1e4 if kind == 2 else 0)).astype(np.float32)
    found[rng.random(n) < 0.1] = np.nan
    return found


def normalized(statistics, queries, scores, higher_is_better=True):
    """Scores through the lines of their queries."""
    keys = Keys.of_texts(queries) if isinstance(queries, list) else Keys.of_integers(queries)
    return statistics.normalized(grouped(keys), scores, higher_is_better=higher_is_better)


@pytest.mark.parametrize("norm", NORMS)
@given(seed=seeds, up=st.booleans(), texts=st.booleans())
def test_any_split_gives_normalize(backend, norm, seed, up, texts):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 40, 5)
    scores, offsets = np.concatenate([scores_of(rng, n) for n in lengths]), np.concatenate([[0], np.cumsum(lengths)])
    queries = np.repeat(np.array([7, -(2**63), 2**40, 0, -1]), lengths)
    ids = [f"q{query}" for query in queries.tolist()] if texts else queries
    order, cuts = rng.permutation(len(scores)), np.sort(rng.integers(0, len(scores), 6))
    parts = []
    for part in np.split(order, cuts):
        table = {"query_id": np.array([ids[i] for i in part.tolist()], "U30" if texts else np.int64), "score": scores[part]}
        parts.append(QueryStatistics(norm).update(table))
    merged = pickle.loads(pickle.dumps(parts.pop()))
    for part in parts:
        merged.merge(QueryStatistics.from_table(part.to_table()))
    whole = QueryStatistics(norm).update(pa.table({"query_id": ids, "score": scores}))
    assert whole.to_table().equals(merged.to_table())
    assert (len(merged), merged.n_scores) == (5, int(np.count_nonzero(~np.isnan(scores))))
    found = normalized(merged, ids, scores, up)
    assert found.tobytes() == normalized(whole, ids, scores, up).tobytes()
    expected = fc.normalize(scores, norm, offsets=offsets, higher_is_better=up)
    if norm in {"minmax", "max"}:
        assert found.tobytes() == expected.tobytes()
        return
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    lines = merged._lines[up]
    noise = 1e-13 * (1.0 + np.abs(lines.centre * lines.slope))  # of the float64 mean of normalize
    place = {query: at for at, query in enumerate(merged.to_table()["query_id"].to_pylist())}
    away = np.abs(found.astype(np.float64) - expected)
    assert (~(away > np.spacing(np.abs(expected)) + noise[[place[query] for query in (ids if texts else ids.tolist())]])).all()


@given(seed=seeds, size=st.integers(1, 30))
def test_lines_are_rounded_once(seed, size):
    """Against rational arithmetic: the mean and the deviation are the nearest float64."""
    rng = np.random.default_rng(seed)
    scores = rng.choice([scores_of(rng, size), rng.standard_normal(size).astype(np.float32)])
    exact = [Fraction(float(s)) for s in scores if not np.isnan(s)]
    statistics = QueryStatistics("zscore").update({"query_id": np.zeros(size, np.int64), "score": scores})
    normalized(statistics, np.zeros(size, np.int64), scores)
    lines = statistics._lines[True]
    if len(set(exact)) < 2:
        assert lines.slope.tolist() == [0.0]
        return
    mean = sum(exact) / len(exact)
    variance = sum((s - mean) ** 2 for s in exact) / len(exact)
    assert lines.centre[0] == float(mean)
    deviation = next(d for d in _around(math.sqrt(variance) if 1e-300 < variance < 1e300 else 1.0 / lines.slope[0]) if _nearest_root(d, variance))
    assert lines.slope[0] == 1.0 / deviation


def _around(value):
    return [value, math.nextafter(value, 0.0), math.nextafter(value, math.inf)]


def _nearest_root(d, square):
    """Whether d is the float64 nearest to the root: its neighbours' midpoints lie on both sides."""
    low, high = ((Fraction(d) + Fraction(math.nextafter(d, side))) / 2 for side in (0.0, math.inf))
    return low * low <= square <= high * high


def test_many_parts_cost_what_they_bring():
    statistics = QueryStatistics("sum")
    for start in range(0, 3000, 10):
        statistics.update({"query_id": np.arange(start, start + 10), "score": np.ones(10, np.float32)})
        sizes = [len(part) for part in statistics._parts]
        assert all(a >= 2 * b for a, b in itertools.pairwise(sizes))
    assert len(statistics) == 3000


def test_tables_of_several_parts_are_merged():
    parts = [QueryStatistics("l2").update({"query_id": ["a", "b"][:n], "score": [float(n), 0.5][:n]}) for n in (1, 2, 2)]
    table = pa.concat_tables([part.to_table() for part in parts])
    total = QueryStatistics.from_table(table.replace_schema_metadata(None), "l2")
    for part in parts[1:]:
        parts[0].merge(part)
    assert total.to_table().equals(parts[0].to_table())
    assert total.to_table().column_names == ["query_id", "n", "min", "max", "sum_of_squares"]


def test_ids_from_two_to_the_63_on():
    big = QueryStatistics("max").update({"query_id": np.array([2**63, 5], np.uint64), "score": [1.0, 2.0]})
    small = QueryStatistics("max").update({"query_id": np.array([5, 6]), "score": [3.0, 4.0]})
    assert big.merge(small).to_table()["query_id"].to_pylist() == [5, 6, 2**63]
    assert normalized(big, np.array([5]), np.array([3.0], np.float32)).tolist() == [1.0]
    with pytest.raises(ValueError, match="fit one integer type"):
        big.merge(QueryStatistics("max").update({"query_id": [-1], "score": [1.0]}))


def test_what_is_refused():
    for norm, match in (("rank", "needs all scores of a query at once"), ("sigmoid", "needs no statistics"), ("mean", "norm must be one of")):
        with pytest.raises(ValueError, match=match):
            QueryStatistics(norm)
    one = QueryStatistics("zscore").update({"query_id": [1], "score": [1.0]})
    with pytest.raises(ValueError, match="of norm 'max' cannot be merged"):
        one.merge(QueryStatistics("max"))
    with pytest.raises(TypeError, match="expected ids of one kind"):
        one.merge(QueryStatistics("zscore").update({"query_id": ["a"], "score": [1.0]}))
    with pytest.raises(ValueError, match="holds -inf in row 1, of query 3"):
        one.update({"query_id": [1, 3], "score": [1.0, -np.inf]})
    assert one.n_scores == 1
    with pytest.raises(ValueError, match="holds statistics of norm 'zscore', not 'max'"):
        QueryStatistics.from_table(one.to_table(), "max")
    with pytest.raises(ValueError, match="the metadata of the table do not say it"):
        QueryStatistics.from_table(one.to_table().replace_schema_metadata(None))
    with pytest.raises(ValueError, match="no column is named 'sum'"):
        QueryStatistics.from_table(one.to_table().drop_columns(["sum"]))
