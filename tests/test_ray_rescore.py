"""fastcal.distributed.ray.rescore: the rows of Rescorer on the whole table, however it is cut."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ray.data")
import pyarrow as pa
import pyarrow.parquet as pq
import ray
from ray_cluster import cluster  # noqa: F401

import fastcal as fc
from fastcal import bulk
from fastcal.bulk import QueryStatistics, Rescorer, TopRows
from fastcal.distributed.ray import MergedStatistics, ShardedIndex, TopK, rescore, rescore_files
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


@pytest.fixture
def quick(cluster):  # noqa: F811
    """An exchange of 0.3 s: Ray's default one starts workers of its own, which takes 5."""
    context = ray.data.DataContext.get_current()
    before, context.shuffle_strategy = context.shuffle_strategy, "sort_shuffle_pull_based"
    yield cluster
    context.shuffle_strategy = before


@pytest.mark.parametrize(
    ("n_blocks", "text", "norm", "groups", "options"),
    [(1, False, None, False, {"top_k": 5, "floor": 0.3}), (100, True, "zscore", True, {"top_k": 7, "drop_not_found": True, "by": "kind"})],
)
def test_bit_identical_to_one_process(quick, n_blocks, text, norm, groups, options):
    table = with_text(candidates()) if text else candidates()
    found = collected(rescore(blocks(table, n_blocks), profile(norm, groups), **options))
    same(found, Rescorer(profile(norm, groups), **options)(table))


def test_bit_identical_through_the_exchange_that_is_the_default(cluster):  # noqa: F811
    table, settings = with_text(candidates()), {"top_k": 1000, "floor": 0.2}
    found = collected(rescore(blocks(table, 7), profile(), **settings, batch_size=100, n_partitions=1, concurrency=1))
    same(found, Rescorer(profile(), **settings)(table))


def test_a_worker_that_dies_is_replaced_and_rows_without_top_k_stay_as_they_are(quick, tmp_path):
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


def test_examples_of_docstrings_and_of_the_page(quick, tmp_path):
    table = candidates(400)
    (tmp_path / "candidates").mkdir()
    pq.write_table(table, tmp_path / "candidates" / "a.parquet")
    profile().save(tmp_path / "profile.json")

    def here(source):
        return re.sub(r'"([a-z0-9-]+/|profile\.json)"', lambda found: repr(str(tmp_path / found[1])), source)

    names = {"dataset": blocks(table, 3)}
    for each in (TopK, MergedStatistics, rescore, rescore_files, ShardedIndex):
        found = doctest.DocTestFinder(recurse=False).find(each, globs=names)
        assert [test.name for test in found] == [each.__name__]
        for example in found[0].examples:
            assert example.options.pop(doctest.SKIP)
            example.source = here(example.source)
        found[0].globs = names
        assert doctest.DocTestRunner().run(found[0], clear_globs=False) == (0, len(found[0].examples))
    names["index"].shutdown()  # it holds both CPUs
    same(collected(names["best"]), TopRows(10, on="score").reduce(table))
    gathered = QueryStatistics.from_table(collected(names["statistics"]), "zscore").to_table()
    assert gathered.equals(QueryStatistics("zscore").update(table).to_table())
    expected = Rescorer(profile(), floor=0.2, top_k=100)(table)
    same(pq.read_table(tmp_path / "best"), expected)
    same(pq.read_table(tmp_path / "rescored"), expected)
    page = (Path(__file__).parent.parent / "docs" / "bulk.md").read_text(encoding="utf-8")
    block = re.search(r"^## Ray$.*?^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shutil.rmtree(tmp_path / "rescored")
    exec(here(block[1]), {"profile": profile()})
    same(pq.read_table(tmp_path / "rescored"), expected)
    same(pq.read_table(tmp_path / "rescored-dataset"), expected)


# -- files -----------------------------------------------------------------------------------------------------------
def wide(folder, n=60_000, **change):
    """Scattered rows of 1,200 bytes: several chunks and several buckets."""
    rng = np.random.default_rng(3)
    scores = np.where(rng.random(n) < 0.02, np.nan, np.round(rng.random(n), 3)).astype(np.float32)
    columns = {"query_id": rng.integers(0, 500, n), "doc_id": rng.permutation(n), "score": scores, "note": np.full(n, "x" * 1200)}
    pq.write_table(pa.table({**columns, **change}), folder / "wide.parquet", row_group_size=10_000)
    return folder / "wide.parquet"


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_files_have_the_bytes_of_one_process_whichever_began(cluster, tmp_path):  # noqa: F811
    source, fitted, settings = wide(tmp_path), profile("zscore"), {"top_k": 5, "floor": 0.1, "drop_not_found": True}
    expected = bulk.rescore_files(source, tmp_path / "one", fitted, **settings)
    steps = []
    found = rescore_files(source, tmp_path / "ray", fitted, **settings, concurrency=2, progress=lambda done, total: steps.append((done, total)))
    assert expected.files > 1
    assert contents(tmp_path / "ray") == contents(tmp_path / "one")
    places = {"target": None, "seconds": None}
    assert found.to_dict() | places == expected.to_dict() | places
    assert steps[-1] == (4 * 60_000, 4 * 60_000)

    def stop(done, total):
        if done >= 2.2 * 60_000:
            raise InterruptedError

    for begin, end in ((rescore_files, bulk.rescore_files), (bulk.rescore_files, rescore_files)):
        target = tmp_path / begin.__module__
        with pytest.raises(InterruptedError):
            begin(source, target, fitted, **settings, progress=stop)
        assert end(source, target, fitted, **settings, resume=True).resumed > 3
        assert contents(target) == contents(tmp_path / "one")


def test_errors_in_files_are_those_of_one_process(cluster, tmp_path):  # noqa: F811
    docs = pa.array([None if row == 45_000 else row for row in range(60_000)])
    source = wide(tmp_path, doc_id=docs)
    said = []
    for each in (bulk.rescore_files, rescore_files):
        with pytest.raises(
            InvalidValueError, match=r"wide\.parquet: row group 4, from row 5000 on: column 'doc_id' holds a null in row 0;"
        ) as caught:
            each(source, tmp_path / "out", profile(), top_k=3)
        said.append(str(caught.value))
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
    assert said[0] == said[1]
    with pytest.raises(InvalidValueError, match="concurrency"):
        rescore_files(source, tmp_path / "out", profile(), concurrency=0)


def test_a_score_that_a_floor_leaves_is_told_by_its_own_row(cluster, tmp_path):  # noqa: F811
    source = wide(tmp_path, score=np.where(np.arange(60_000) == 45_017, 1.5, 0.1).astype(np.float32))
    fitted = fc.BetaCalibrator(input="prob").fit(np.linspace(0, 1, 40), np.arange(40) % 3 < np.arange(40) // 14)
    with pytest.raises(fc.InvalidElementError, match=r"wide\.parquet: row group 4, from row 5000 on: scores\[17\] is 1\.5;") as caught:
        rescore_files(source, tmp_path / "out", fc.Profile("m", "own", fitted, []), floor=0.3)
    assert (caught.value.argument, caught.value.at, caught.value.value) == ("scores", 17, 1.5)


@pytest.mark.parametrize("top_k", [None, 3])
def test_no_rows_have_the_columns_of_the_result(quick, top_k):
    table = with_text(candidates(50))
    found = rescore(blocks(table, 3), profile(), floor=2.0, top_k=top_k)
    assert found.count() == 0
    expected = Rescorer(profile(), floor=2.0, top_k=top_k).output_schema(table.schema)
    assert found.schema().base_schema.remove_metadata() == expected.remove_metadata()
    empty = ray.data.from_arrow([table.slice(0, 0)] * 3)
    assert rescore(empty, profile("zscore"), top_k=top_k).count() == 0


def test_bad_rows(quick):
    table = candidates(50)
    data = blocks(table.set_column(0, "query_id", pa.array([None] * 50, pa.int64())), 3)
    with pytest.raises(InvalidValueError) as caught:  # statistics are gathered at once
        rescore(data, profile("minmax"))
    assert str(caught.value) == "column 'query_id' holds a null in row 0; every row needs one"
    assert data.context.raise_original_map_exception is False
    data.context.raise_original_map_exception = True
    with pytest.raises(InvalidValueError, match="column 'query_id' holds a null in row 0"):
        rescore(data, profile()).materialize()


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
    for norm in (None, "atan"):
        with pytest.raises(InvalidValueError, match=r"n_partitions = 3 has nothing to cut: without top_k .* leave it out"):
            rescore(data, profile(norm), n_partitions=3)


def test_an_aggregate_of_rows_that_are_not_packed_says_how(quick):
    for aggregate in (TopK(3, on="score"), MergedStatistics("zscore")):
        with pytest.raises(Exception, match=r"merges packed rows: dataset\.map_batches\(x\.pack, .*aggregate\(x\)\.map_batches\(x\.unpack"):
            blocks(candidates(50), 2).groupby("query_id").aggregate(aggregate).materialize()


def test_ray_is_started_by_whichever_call_comes_first(cluster, tmp_path):  # noqa: F811
    """In a process of its own; Ray's environment says which cluster it joins."""
    source = wide(tmp_path, 1000)
    profile().save(tmp_path / "profile.json")
    fc.Index(np.eye(4, dtype=np.float32)).save(tmp_path / "a.index", include_corpus=True)
    code = f"""
import ray, fastcal as fc, fastcal.distributed.ray as fcr
assert fcr.rescore_files({str(source)!r}, {str(tmp_path / "out")!r}, fc.Profile.load({str(tmp_path / "profile.json")!r})).rows == 1000
ray.shutdown()
assert len(fcr.ShardedIndex.load([{str(tmp_path / "a.index")!r}], num_cpus=0.01)) == 4
"""
    environment = {**os.environ, "RAY_ADDRESS": ray.get_runtime_context().gcs_address, "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
