"""fastcal.distributed.ray.rescore: the rows of Rescorer on the whole table, however it is cut."""

from __future__ import annotations

import os
import signal
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("ray.data")
import pyarrow as pa
import ray
from ray_cluster import cluster  # noqa: F401

import fastcal as fc
from fastcal.bulk import QueryStatistics, Rescorer, TopRows
from fastcal.distributed.ray import MergedStatistics, TopK, rescore
from fastcal.distributed.ray._buckets import buckets
from fastcal.distributed.ray._rescore import _Unpacked
from fastcal.errors import InvalidTypeError, InvalidValueError

# Ray Data warns of options that it sets itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context")


def profile(norm=None, groups=False):
    scores, labels = np.linspace(0, 1, 40), np.arange(40) % 3 < np.arange(40) // 14
    if groups:
        calibrator = fc.GroupCalibrator(fc.PlattCalibrator()).fit(scores, labels, groups=np.array(["a", "b"])[np.arange(40) % 2])
    else:
        calibrator = fc.PlattCalibrator().fit(scores, labels)
    return fc.Profile("m", "cosine", calibrator, fc.Threshold(0.6, target_precision=0.9), norm=norm)


def candidates(n=3000, seed=0):
    """Rows with many ties and some padding; no two rows of a query share a document."""
    rng = np.random.default_rng(seed)
    query, doc = np.divmod(rng.choice(40 * 200, n, replace=False), 200)
    scores = np.where(rng.random(n) < 0.02, np.nan, np.round(rng.random(n), 2)).astype(np.float32)
    columns = {"query_id": query - 5, "doc_id": doc, "score": scores, "kind": np.array(["a", "b"])[doc % 2], "row": np.arange(n)}
    return pa.table(columns)


def with_text(table):
    """The same rows with ids of text, one of them as a dictionary."""
    queries = pa.array([f"q{value}é" for value in table.column("query_id").to_pylist()]).dictionary_encode()
    docs = pa.array([f"d{value}" for value in table.column("doc_id").to_pylist()])
    return table.set_column(0, "query_id", queries).set_column(1, "doc_id", docs)


def blocks(table, n_blocks, seed=1):
    """A dataset of shuffled rows."""
    order = np.random.default_rng(seed).permutation(table.num_rows)
    return ray.data.from_arrow([table.take(pa.array(part)) for part in np.array_split(order, n_blocks)])


def collected(dataset):
    return pa.concat_tables(ray.get(dataset.to_arrow_refs())).combine_chunks()


def plain(table):
    """Dictionaries as what they stand for."""
    return pa.table(
        {
            name: column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )


def same(found, expected):
    """The same schema, and the same rows in the same order within each query."""
    assert found.schema.remove_metadata() == expected.schema.remove_metadata()
    found, expected = plain(found), plain(expected)
    order = np.lexsort((np.arange(len(found)), np.asarray(found.column("query_id").to_numpy(zero_copy_only=False), dtype=str)))
    theirs = np.lexsort((np.arange(len(expected)), np.asarray(expected.column("query_id").to_numpy(zero_copy_only=False), dtype=str)))
    found, expected = found.take(pa.array(order)), expected.take(pa.array(theirs))
    for name in found.column_names:
        assert found.column(name).to_pylist() == expected.column(name).to_pylist() or np.array_equal(
            found.column(name).to_numpy(), expected.column(name).to_numpy(), equal_nan=True
        ), name


@pytest.mark.parametrize(
    ("n_blocks", "text", "norm", "groups", "options"),
    [
        (1, False, None, False, {"top_k": 5, "floor": 0.3}),
        (3, True, "zscore", True, {"top_k": 7, "drop_not_found": True, "by": "kind"}),
        (7, True, None, False, {"top_k": 1000, "floor": 0.2, "batch_size": 100, "n_partitions": 1, "concurrency": 1}),
    ],
)
def test_bit_identical_to_one_process(cluster, n_blocks, text, norm, groups, options):  # noqa: F811
    table = with_text(candidates()) if text else candidates()
    found = collected(rescore(blocks(table, n_blocks), profile(norm, groups), **options))
    settings = {name: value for name, value in options.items() if name not in {"batch_size", "n_partitions", "concurrency"}}
    same(found, Rescorer(profile(norm, groups), **settings)(table))


def test_a_worker_that_dies_is_replaced_and_rows_without_top_k_stay_as_they_are(cluster, tmp_path):  # noqa: F811
    marker = tmp_path / "died"

    def die_once(batch):
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return batch

    table = candidates()
    found = collected(rescore(blocks(table, 7).map_batches(die_once, batch_format="pyarrow"), profile("l2")))
    assert marker.exists()
    same(found.sort_by("row"), Rescorer(profile("l2"))(table))


def test_top_k_as_an_aggregate_of_its_own(cluster):  # noqa: F811
    table = candidates(400)
    top = TopK(3, on="score", n_buckets=4)
    merged = blocks(table, 3).map_batches(top.pack, batch_format="pyarrow").groupby("bucket").aggregate(top)
    same(collected(merged.map_batches(top.unpack, batch_format="pyarrow")), TopRows(3, on="score").reduce(table))


def test_packed_rows_of_nothing_have_the_columns_of_the_result():
    rescorer, best = Rescorer(profile(), floor=2.0, top_k=3), TopK(3)
    schema = rescorer.output_schema(candidates(50).schema)
    nothing = best.split(rescorer(candidates(50)))
    assert nothing.num_rows == 0
    assert _Unpacked(best, schema)(nothing).schema == schema


def test_a_dataset_that_cannot_be_read_is_refused_before_it_runs(cluster):  # noqa: F811
    data = blocks(candidates(10), 1)
    with pytest.raises(InvalidTypeError, match="dataset must be a Dataset, got Table"):
        rescore(candidates(10), profile())
    with pytest.raises(InvalidValueError, match="'text_id'"):
        rescore(data, profile(), doc="text_id")
    with pytest.raises(InvalidValueError, match="'probability' already"):
        rescore(data.rename_columns({"kind": "probability"}), profile())
    with pytest.raises(InvalidValueError, match="norm 'rank' needs all scores of a query at once"):
        rescore(data, profile("rank"))
    for option in ({"batch_size": 0}, {"concurrency": 0}, {"n_partitions": 0}, {"top_k": 0}):
        with pytest.raises(InvalidValueError, match=next(iter(option))):
            rescore(data, profile(), **option)


# -- without a cluster ---------------------------------------------------------------------------------------------
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


def test_buckets_are_of_about_one_size():
    for column in (
        pa.chunked_array([np.arange(10_000)]),
        pa.chunked_array([np.arange(0, 10**7, 1000)]),
        pa.chunked_array([[f"q{i}" for i in range(10_000)]]),
    ):
        sizes = np.bincount(buckets(column, 16), minlength=16)
        assert sizes.min() > 450
        assert sizes.max() < 800
