"""TopRows by itself, and the bars that spare an engine rows: options, merges, what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

import fastcal as fc
from fastcal.bulk import Rescorer, TopRows
from fastcal.bulk._best_so_far import BestSoFar

pa = pytest.importorskip("pyarrow")


def rows_of(rng, n, *, texts=False):
    queries, docs = rng.integers(0, 6, n), rng.permutation(n)
    scores = (rng.integers(-9, 9, n) / 4).astype(np.float64)
    scores[rng.random(n) < 0.1] = np.nan
    table = {"q": queries, "d": docs, "s": scores, "p": (rng.integers(0, 3, n) / 2).astype(np.float32)}
    return pa.table(table | ({"q": [f"q{x}" for x in queries], "d": [f"{x:04}" for x in docs]} if texts else {}))


def expected_rows(table, k, higher_is_better=True):
    rows = [row for row in table.to_pylist() if row["s"] == row["s"]]
    rows.sort(key=lambda row: (row["q"], -row["p"], -row["s"] if higher_is_better else row["s"], row["d"]))
    seen, found = {}, []
    for row in rows:
        seen[row["q"]] = seen.get(row["q"], 0) + 1
        if k is None or seen[row["q"]] <= k:
            found.append(row)
    return found


NAMES = {"query": "q", "doc": "d", "score": "s", "on": "p"}


@given(seed=seeds, k=st.sampled_from([1, 4, None]), n_parts=st.sampled_from([1, 3, 7]), texts=st.booleans(), up=st.booleans())
def test_any_split_gives_the_sorted_rows(seed, k, n_parts, texts, up):
    rng = np.random.default_rng(seed)
    table = rows_of(rng, 80, texts=texts)
    top = pickle.loads(pickle.dumps(TopRows(k, **NAMES, higher_is_better=up, num_threads=2)))
    whole = top.reduce(table)
    assert whole.to_pylist() == expected_rows(table, k, up)
    parts = [top.reduce(table.take(pa.array(part))) for part in np.array_split(rng.permutation(80), n_parts)]
    assert top.merge(parts).equals(whole)
    assert top.merge([top.merge(parts[:2]), *parts[2:]]).equals(whole)


def test_merges_tables_of_one_kind():
    table = rows_of(np.random.default_rng(1), 40, texts=True)
    top = TopRows(3, **NAMES)
    expected = top.reduce(table)
    halves = [table.slice(0, 17), table.slice(17)]
    coded = [half.set_column(0, "q", half["q"].dictionary_encode()) for half in halves]
    assert top.merge(coded).cast(expected.schema).equals(expected)
    assert top.merge([half.combine_chunks().to_batches()[0] for half in halves]).equals(expected)
    assert top.merge([table.combine_chunks().to_batches()[0]]).equals(expected), "a table, of one batch too"
    views = [half.set_column(0, "q", half["q"].cast(pa.string_view())).set_column(1, "d", half["d"].cast(pa.string_view())) for half in halves]
    assert top.merge(views).cast(expected.schema).equals(expected)
    found = top.merge([{name: half[name].to_numpy() for name in half.column_names} for half in halves])
    assert [found[name].tolist() for name in found] == [expected[name].to_pylist() for name in expected.column_names]
    assert top.merge([half.to_pandas() for half in halves]).to_dict("list") == expected.to_pydict()
    polars = pytest.importorskip("polars")
    assert top.merge([polars.from_arrow(half) for half in halves]).equals(polars.from_arrow(expected))


def test_what_is_refused():
    table = rows_of(np.random.default_rng(1), 9)
    with pytest.raises(ValueError, match="k must be an integer of at least 1, got 0"):
        TopRows(0)
    with pytest.raises(TypeError, match="higher_is_better must be True or False"):
        TopRows(1, higher_is_better=1)
    with pytest.raises(ValueError, match="no column is named 'probability'"):
        TopRows(1, query="q", doc="d", score="s").reduce(table)
    with pytest.raises(ValueError, match="no table to merge"):
        TopRows(1, **NAMES).merge([])
    with pytest.raises(ValueError, match=r"table 1 is a dict with the columns .* expected one like the first, a Table"):
        TopRows(1, **NAMES).merge([table, {"q": [1]}])
    with pytest.raises(ValueError, match="table 1 has another schema than the first"):
        TopRows(1, **NAMES).merge([table, table.set_column(0, "q", table["q"].cast(pa.int32()))])


@given(seed=seeds, memory=st.sampled_from([0, 1 << 20]), n_parts=st.integers(1, 9), drop=st.booleans(), texts=st.booleans())
def test_what_a_bar_takes_out_is_not_missed(seed, memory, n_parts, drop, texts):
    rng = np.random.default_rng(seed)
    table = rows_of(rng, 150, texts=texts).rename_columns(["query_id", "doc_id", "score", "kept"])
    platt = fc.PlattCalibrator().fit([-1.0, -0.5, 0.5, 1.0], [0, 0, 1, 1])
    profile = fc.Profile("m", "dot", platt, fc.Threshold(0.4))
    rescorer = Rescorer(profile, top_k=2, floor=-1.5, drop_not_found=drop)
    best, total, parts = BestSoFar(2, 150, higher_is_better=True, memory=memory), {}, []
    for part in np.array_split(rng.permutation(150), n_parts):
        found, facts = rescorer.partial(table.take(pa.array(part)), best, reduce=bool(rng.random() < 0.9))
        total = {name: total.get(name, 0) + n for name, n in facts.items()}
        parts.append(found)
    assert TopRows(2).merge(parts).equals(rescorer(table))
    scores, (probabilities, decisions) = (
        np.asarray(table["score"]),
        (np.asarray(Rescorer(profile)(table)[name]) for name in ("probability", "decision")),
    )
    assert total == {
        "rows": 150,
        "padding": np.count_nonzero(np.isnan(probabilities)),
        "below_floor": np.count_nonzero(scores < -1.5),
        "not_found": np.count_nonzero((scores >= -1.5) & (decisions == 0)) if drop else 0,
    }


def test_bars_spare_most_rows_of_scattered_queries():
    rng = np.random.default_rng(0)
    rescorer = Rescorer(fc.Profile("m", "cosine", fc.PlattCalibrator().fit([0.1, 0.9], [0, 1]), []), top_k=10)
    tables = [
        {"query_id": rng.permutation(np.arange(1000) // 10), "doc_id": np.arange(1000), "score": rng.random(1000, np.float32)} for _ in range(50)
    ]

    def left(rows, memory):
        best = BestSoFar(10, rows, higher_is_better=True, memory=memory)
        return sum(len(rescorer.partial(table, best)[0]["score"]) for table in tables), best.begun

    passed, begun = left(50_000, 1 << 20)
    assert begun
    assert 100 * 10 < passed < 1.2 * 100 * 10 * (1 + np.log(50))  # 100 queries of 500 rows
    assert left(50_000, 10_000) == (50_000, False), "no memory for the bars"
    assert left(5_000, 1 << 20) == (50_000, False), "too few rows of a query for bars to rise"
