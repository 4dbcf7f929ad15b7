"""What the workers of fastcal.distributed.ray do with their pieces, without a cluster."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("ray.data")
import pyarrow as pa
import pyarrow.compute as pc
from test_ray_rescore import candidates, plain, profile, with_text

from fastcal.bulk import QueryStatistics, Rescorer, TopRows
from fastcal.distributed.ray import MergedStatistics, TopK, _buckets, _rescore
from fastcal.distributed.ray._buckets import buckets
from fastcal.distributed.ray._shard import Rows, Saved, Shard, save
from fastcal.errors import InvalidElementError


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 300), max_size=6), st.booleans())
def test_accumulators_combine_in_any_order_and_grouping(seed, cuts, text):
    table = Rescorer(profile())(with_text(candidates(300)) if text else candidates(300))
    rng = np.random.default_rng(seed)
    parts = [table.slice(a, b - a) for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 300], strict=True)]
    for aggregate, expected in [
        (TopK(3, n_buckets=1), TopRows(3).reduce(table)),
        (MergedStatistics("zscore", n_buckets=1), QueryStatistics("zscore").update(table).to_table()),
    ]:
        pieces = [aggregate.aggregate_block(aggregate.pack(part)) for part in parts if part.num_rows]
        pieces = [pieces[i] for i in rng.permutation(len(pieces))]
        middle = int(rng.integers(1, len(pieces) + 1))
        halves = [reduce(aggregate.combine, half) for half in (pieces[:middle], pieces[middle:]) if half]
        merged = reduce(aggregate.combine, halves)
        found = aggregate.unpack(pa.table({aggregate.name: [aggregate.finalize(merged)]}))
        assert plain(found).equals(plain(expected).combine_chunks())


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1), st.integers(1, 1000))
def test_a_query_has_one_bucket_whatever_its_type_and_neighbours(values, n_buckets):
    for kinds, column in [
        ([pa.int32(), pa.int64()], values),
        ([pa.string(), pa.large_string(), pa.string_view()], [f"q{value}" for value in values]),
    ]:
        expected = [int(buckets(pa.chunked_array([[value]]), n_buckets)[0]) for value in column]
        assert all(0 <= bucket < n_buckets for bucket in expected)
        whole = pa.chunked_array([column[:3], pa.array(column[3:], pa.array(column).type)])
        for each in (*(whole.cast(kind) for kind in kinds), whole.dictionary_encode()):
            assert buckets(each, n_buckets).tolist() == expected


def test_a_shard_answers_with_its_error(tmp_path):
    """Ray prints what is raised in a worker and not asked for, as that of the second bad shard."""
    np.save(tmp_path / "a.npy", np.full((4, 3), np.nan, np.float32))
    rows = Rows(tmp_path / "a.npy", 2, 4, "dot", None, None)
    for answer in (Shard().facts(rows), Shard().search(rows, np.ones((1, 3)), 1, {}), save(rows, tmp_path / "a.index")):
        assert isinstance(answer, InvalidElementError)
        assert "corpus: row 2 holds nan in column 0" in str(answer)
    assert isinstance(Shard().range_search(Saved(tmp_path / "b"), np.ones((1, 3)), {}), FileNotFoundError)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1), st.booleans(), st.data())
def test_a_batch_finds_the_statistics_of_its_queries(ids, text, data):
    column = [f"q{value % 50}" for value in ids] if text else pa.array(ids, pa.uint64())
    scores = np.linspace(0, 1, len(ids), dtype=np.float32)
    table = pa.table({"query_id": column, "score": scores})
    known = QueryStatistics("zscore").update(table).to_table()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_buckets, "MOST_BUCKETS", 7)  # many texts share a key
        statistics = _rescore._Sorted.of(known, "query_id")
        batch = table.take(pa.array(data.draw(st.lists(st.integers(0, len(ids) - 1))), pa.int64())).column("query_id")
        found = statistics.rows_of(batch)

    def asked(rows):
        return rows.filter(pc.is_in(rows.column("query_id"), value_set=batch.unique().cast(known.schema.field("query_id").type)))

    assert asked(found).equals(asked(known))
    assert text or found.equals(asked(known))


def test_buckets_are_of_about_one_size():
    for column in (
        pa.chunked_array([np.arange(10_000)]),
        pa.chunked_array([np.arange(0, 10**7, 1000)]),
        pa.chunked_array([[f"q{i}" for i in range(10_000)]]),
    ):
        sizes = np.bincount(buckets(column, 16), minlength=16)
        assert sizes.min() > 450
        assert sizes.max() < 800
