"""``rescore_files`` gives what one Rescorer call gives for the whole table, however the table lies on the disk."""

from __future__ import annotations

import json

import numpy as np
import pytest
from bulk_files import candidates, content, profile_of

import fastcal as fc
from fastcal.bulk import Rescorer, TopRows, _gathered, _passes, _plan, rescore_files

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pc = pytest.importorskip("pyarrow.compute")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(_plan, "CHUNK_ROWS", 700)
    monkeypatch.setattr(_plan, "BUCKET_BYTES", 40_000)


def one_file(table, folder):
    pq.write_table(table, folder / "a.parquet", row_group_size=len(table))
    return folder / "a.parquet"


def row_groups(table, folder):
    pq.write_table(table, folder / "a.parquet", row_group_size=311)
    return folder


def many_files(table, folder):
    for i, begin in enumerate(range(0, len(table), 97)):
        pq.write_table(table.slice(begin, 97), folder / f"part-{i:04}.parquet", row_group_size=50)
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.crc").touch()
    return folder


def ipc_file(compression):
    def write(table, folder):
        options = pa.ipc.IpcWriteOptions(compression=compression)
        with pa.ipc.new_file(folder / "a.arrow", table.schema, options=options) as writer:
            writer.write_table(table.slice(0, 2000), max_chunksize=2000)
            writer.write_table(table.slice(2000), max_chunksize=150)
        return folder / "a.arrow"

    return write


def ipc_stream(table, folder):
    with pa.ipc.new_stream(folder / "a.arrows", table.schema) as writer:
        writer.write_table(table.slice(0, 2000), max_chunksize=2000)
        writer.write_table(table.slice(2000), max_chunksize=150)
    return folder


LAYOUTS = [one_file, row_groups, many_files, ipc_file(None), ipc_file("zstd"), ipc_stream]
NAMES = ["one", "groups", "files", "ipc", "ipc-zstd", "stream"]


def plainly(table, profile, **options):
    """The oracle: one call, and the best rows of whole queries in the order of the queries."""
    return Rescorer(profile, **options)(table)


def same(found, expected, ordered=True):
    assert found.schema.equals(expected.schema), (found.schema, expected.schema)
    if not ordered:
        keys = [(name, "ascending") for name in ("query_id", "doc_id")]
        found, expected = found.sort_by(keys), expected.sort_by(keys)
    for name in expected.column_names:
        left, right = (t.column(name).combine_chunks() for t in (found, expected))
        if pa.types.is_floating(left.type):
            np.testing.assert_array_equal(left.to_numpy(zero_copy_only=False), right.to_numpy(zero_copy_only=False), name)
        else:
            assert left.equals(right), name


@pytest.mark.parametrize("norm", [None, "minmax", "zscore", "atan"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_a_map_keeps_every_row_in_its_place(tmp_path, layout, norm):
    table, profile = candidates(pa), profile_of(norm)
    (tmp_path / "in").mkdir()
    report = rescore_files(layout(table, tmp_path / "in"), tmp_path / "out", profile)
    found = pq.read_table(tmp_path / "out")
    same(found, plainly(table, profile))
    assert report.rows == report.kept == len(table)
    assert report.padding == 0, "nothing is dropped"
    assert report.act + report.escalate + report.abstain == len(table)


@pytest.mark.parametrize("norm", [None, "minmax", "dbsf"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)
def test_the_best_rows_of_each_query(tmp_path, layout, norm):
    table, profile = candidates(pa), profile_of(norm)
    (tmp_path / "in").mkdir()
    options = {"floor": 0.3, "top_k": 20, "drop_not_found": norm is None}
    report = rescore_files(layout(table, tmp_path / "in"), tmp_path / "out", profile, **options)
    parts = sorted((tmp_path / "out").glob("part-*.parquet"))
    found = [pq.read_table(part) for part in parts]
    assert len(parts) > 1
    assert not set.intersection(*(set(part["query_id"].to_pylist()) for part in found[:2])), "a query is in one part"
    expected = plainly(table, profile, **options)
    same(TopRows(None).merge(found), expected)
    for part in found:
        same(part, TopRows(None).reduce(part))
    assert report.kept == len(expected)
    assert report.rows == len(table) == report.kept + report.padding + report.below_floor + report.not_found + report.beyond_top_k
    scores = np.asarray(table["score"])
    assert report.padding == np.isnan(scores).sum()
    assert report.below_floor == (scores < np.float32(0.3)).sum()


@pytest.mark.parametrize("options", [{"top_k": 20, "floor": 0.2}, {"floor": 0.2}], ids=["best", "map"])
def test_bytes_do_not_depend_on_memory_threads_or_where_the_rows_are_merged(tmp_path, monkeypatch, options):
    source, profile = row_groups(candidates(pa), tmp_path), profile_of("minmax")
    for name, given in {"a": {"num_threads": 1}, "b": {"num_threads": 5, "memory": "4GiB"}, "c": {}}.items():
        if name == "c":
            monkeypatch.setattr(_plan.Plan, "bucket_bytes", 1)
            monkeypatch.setattr(_passes.Reduction, "pays", lambda _: False)
        rescore_files(source / "a.parquet", tmp_path / name, profile, **options, **given)
    assert content(tmp_path / "a") == content(tmp_path / "b") == content(tmp_path / "c")


@pytest.mark.parametrize(("norm", "kind"), [("zscore", "string"), ("dbsf", "dictionary"), ("l2", "uint64"), ("sum", "int32")])
def test_queries_leave_scores_or_moments_and_get_their_lines_back(tmp_path, monkeypatch, norm, kind):
    """Half of the rows are of one query, the others of more than half as many; in the last chunks there are but a few."""
    monkeypatch.setattr(_gathered, "TOGETHER", 150)
    monkeypatch.setattr(_gathered, "ROWS_TOGETHER", 300)
    rng, seen = np.random.default_rng(0), []
    queries = np.where(rng.random(4000) < 0.5, 0, rng.integers(0, 1500, 4000))
    queries[3000:] %= 3
    table = candidates(pa, 4000, text=False)
    ids = pa.array(
        queries.astype(np.uint64) + np.uint64(2**63 - 700) if kind == "uint64" else queries, pa.uint64() if kind == "uint64" else pa.int32()
    )
    texts = pa.array([f"q{i}é" for i in queries])
    table = table.set_column(0, "query_id", texts if kind == "string" else texts.dictionary_encode() if kind == "dictionary" else ids)
    real = _gathered.packed
    monkeypatch.setattr(_gathered, "packed", lambda columns: seen.append(len(columns)) or real(columns))
    rescore_files(one_file(table, tmp_path), tmp_path / "out", profile_of(norm))
    same(pq.read_table(tmp_path / "out"), plainly(table, profile_of(norm)))
    assert len(set(seen)) == 3, "moments, scores, lines"
    assert seen.count(1) > 3


def test_shuffled_rows_have_the_same_best(tmp_path):
    table, profile = candidates(pa, text=False), profile_of("zscore")
    for name, rows in {"a": table, "b": table.take(np.random.default_rng(1).permutation(len(table)))}.items():
        (tmp_path / name).mkdir()
        rescore_files(row_groups(rows, tmp_path / name), tmp_path / f"out-{name}", profile, top_k=7)
    for a, b in zip(*(sorted((tmp_path / f"out-{name}").glob("*.parquet")) for name in "ab"), strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_names_of_folders_are_columns(tmp_path):
    table, profile = candidates(pa, text=False), profile_of()
    for query in np.unique(table["query_id"]):
        for text in ("x y", None):
            folder = tmp_path / "in" / f"query_id={query}" / ("source=x%20y" if text else "source=__HIVE_DEFAULT_PARTITION__")
            folder.mkdir(parents=True)
            rows = table.filter(pc.equal(table["query_id"], query)).drop_columns("query_id")
            pq.write_table(rows.slice(0, 40) if text else rows.slice(40), folder / "a.parquet")
    rescore_files(tmp_path / "in", tmp_path / "out", profile, top_k=1000)
    found = TopRows(None).merge([pq.read_table(path) for path in (tmp_path / "out").glob("*.parquet")])
    assert found.schema.field("query_id").type == pa.int32()
    assert set(found["source"].to_pylist()) == {"x y", None}
    expected = plainly(table.set_column(0, "query_id", table["query_id"].cast(pa.int32())), profile, top_k=1000)
    same(found.drop_columns("source").select(expected.column_names), expected)


@pytest.mark.parametrize("kind", ["dictionary", "large_string", "string_view", "uint64"])
def test_types_of_ids_stay(tmp_path, kind):
    table, profile = candidates(pa, text=kind != "uint64"), profile_of()
    wanted = pa.dictionary(pa.int8(), pa.string()) if kind == "dictionary" else getattr(pa, kind)()
    table = table.set_column(
        0, "query_id", table["query_id"].cast(pa.string()).dictionary_encode() if kind == "dictionary" else table["query_id"].cast(wanted)
    )
    with pa.ipc.new_file(tmp_path / "a.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=500)
    rescore_files(tmp_path / "a.arrow", tmp_path / "map", profile)
    rescore_files(tmp_path / "a.arrow", tmp_path / "best", profile, top_k=3)
    found = pq.read_table(tmp_path / "map")
    told = {"dictionary": pa.dictionary(pa.int32(), pa.string()), "string_view": pa.string()}.get(kind, wanted)
    assert found.schema.field("query_id").type == told
    assert found["query_id"].to_pylist() == table["query_id"].to_pylist()
    best = [pq.read_table(path) for path in (tmp_path / "best").glob("*.parquet")]
    assert sum(map(len, best)) == 3 * 37


def test_nothing_left_is_an_empty_part_with_the_columns(tmp_path):
    source = one_file(candidates(pa), tmp_path)
    for name, options in {"a": {"floor": 2.0}, "b": {"floor": 2.0, "top_k": 3}}.items():
        report = rescore_files(source, tmp_path / name, profile_of(), **options)
        found = pq.read_table(tmp_path / name)
        assert (report.kept, report.files, len(found)) == (0, 1, 0)
        assert found.column_names == ["query_id", "doc_id", "score", "note", "probability", "decision"]
    pq.write_table(candidates(pa).slice(0, 0), tmp_path / "empty.parquet")
    assert rescore_files(tmp_path / "empty.parquet", tmp_path / "c", profile_of("minmax"), top_k=3).rows == 0


def test_progress_counts_every_row_of_every_pass(tmp_path):
    seen = []
    rescore_files(one_file(candidates(pa), tmp_path), tmp_path / "out", profile_of("minmax"), progress=lambda *told: seen.append(told))
    done = [rows for rows, _ in seen]
    assert done == sorted(done)
    assert seen[-1] == (15_000, 15_000)


def test_groups_and_targets_reach_the_rescorer(tmp_path):
    table = candidates(pa, text=False, padding=False)
    rng = np.random.default_rng(0)
    scores, groups = rng.random(400), rng.integers(0, 3, 400)
    calibrator = fc.GroupCalibrator(fc.PlattCalibrator()).fit(scores, rng.random(400) < scores, groups)
    profile = fc.Profile("m", "cosine", calibrator, [fc.Threshold(0.5, target_precision=0.9), fc.Threshold(0.3, target_recall=0.9)])
    table = table.append_column("kind", pa.array(rng.integers(0, 3, len(table))))
    options = {"by": "kind", "target_recall": 0.9, "escalate_from": 0.2}
    rescore_files(one_file(table, tmp_path), tmp_path / "out", profile, **options)
    same(pq.read_table(tmp_path / "out"), plainly(table, profile, **options))


def test_manifest_tells_files_and_rows(tmp_path):
    report = rescore_files(one_file(candidates(pa), tmp_path), tmp_path / "out", profile_of(), top_k=5)
    manifest = json.loads((tmp_path / "out" / "_manifest.json").read_bytes())
    files = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert set(files) == {"_manifest.json", *(one["name"] for one in manifest["files"])}
    for one in manifest["files"]:
        assert one["bytes"] == files[one["name"]].stat().st_size
        assert one["kept"] == pq.read_metadata(files[one["name"]]).num_rows
    assert report.to_dict()["kept"] == sum(one["kept"] for one in manifest["files"]) == manifest["rows"]["kept"]
