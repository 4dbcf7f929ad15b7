"""Files that cannot be rescored: the message names the file, and the row group where there is one; nothing is left behind."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from bulk_files import candidates, content, profile_of, report_of, start

import fastcal as fc
from fastcal.bulk import _plan, _spill, rescore_files

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
FIRST = ["query_id", "doc_id", "score"]
InvalidValueError, InvalidTypeError = fc.errors.InvalidValueError, fc.errors.InvalidTypeError


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(_plan, "CHUNK_ROWS", 700)


def write(folder, table=None, **options):
    folder.mkdir(exist_ok=True)
    pq.write_table(candidates(pa) if table is None else table, folder / "a.parquet", row_group_size=600, **options)
    return folder / "a.parquet"


def damaged_group(folder):
    path = write(folder, write_page_checksum=True, compression="none", use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(2).column(2)
    data = bytearray(path.read_bytes())
    data[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    path.write_bytes(data)


def truncated(folder):
    path = write(folder)
    path.write_bytes(path.read_bytes()[:-100])


def truncated_stream(folder, batches=None):
    """In a batch, or behind some; the last four bytes are -1 and four that fill up to a multiple of eight."""
    folder.mkdir()
    table = candidates(pa, 4995)
    table = table.append_column("last", pa.array(np.full(len(table), -1, np.int32)))
    with (folder / "a.parquet").open("wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        ends = [writer.write_batch(batch) or file.tell() for batch in table.to_batches(max_chunksize=555)]
    data = (folder / "a.parquet").read_bytes()
    (folder / "a.parquet").write_bytes(data[: len(data) * 2 // 3 if batches is None else ends[batches - 1]])


def null_query(folder):
    table = candidates(pa)
    queries = table["query_id"].to_pylist()
    queries[1900] = None
    write(folder, table.set_column(0, "query_id", pa.array(queries)))


def another_type(folder):
    write(folder)
    table = candidates(pa)
    pq.write_table(table.set_column(2, "score", table["score"].cast(pa.float64())), folder / "b.parquet")


def a_column_less(folder):
    write(folder)
    pq.write_table(candidates(pa).drop_columns("note"), folder / "b.parquet")


def a_column_more(folder):
    write(folder, candidates(pa).drop_columns("note"))
    pq.write_table(candidates(pa), folder / "b.parquet")


def no_format(folder):
    write(folder)
    (folder / "readme.txt").write_text("hello there")


BAD = [
    (damaged_group, InvalidValueError, r"a\.parquet: row group 2 cannot be read"),
    (truncated, InvalidValueError, r"a\.parquet cannot be read, the file is damaged or cut short"),
    (truncated_stream, InvalidValueError, r"a\.parquet: record batch \d+ cannot be read"),
    (lambda folder: truncated_stream(folder, 5), InvalidValueError, r"a\.parquet is cut short: the mark of its end .* 5 record batches"),
    (null_query, InvalidValueError, r"a\.parquet: row group 3: .*query_id.*null"),
    (another_type, InvalidTypeError, r"b\.parquet: column 'score' is double, in .*a\.parquet it is float"),
    (a_column_less, InvalidValueError, r"b\.parquet: column 'note' of .*a\.parquet is missing"),
    (a_column_more, InvalidValueError, r"b\.parquet: column 'note' is not in .*a\.parquet"),
    (no_format, InvalidValueError, r"readme\.txt is neither Parquet nor Arrow IPC"),
    (lambda folder: folder.mkdir(), InvalidValueError, "holds no files"),
    (lambda _: None, InvalidValueError, "in does not exist"),
    (lambda folder: write(folder, candidates(pa).drop_columns("score")), InvalidValueError, r"a\.parquet: .*score"),
    (
        lambda folder: write(folder, candidates(pa).rename_columns(["query_id", "score", "doc_id", "note"])),
        InvalidTypeError,
        r"a\.parquet: .*doc_id.*float",
    ),
    (
        lambda folder: write(folder, candidates(pa).rename_columns([*FIRST, "decision"])),
        InvalidValueError,
        "a.parquet: .*decision",
    ),
]


@pytest.mark.parametrize(("make", "error", "words"), BAD)
def test_bad_files(tmp_path, make, error, words):
    make(tmp_path / "in")
    with pytest.raises(error, match=words):
        rescore_files(tmp_path / "in", tmp_path / "out", profile_of(), num_threads=1, top_k=3)
    unfinished = content(tmp_path / "out") if (tmp_path / "out").exists() else {}
    assert not [name for name in unfinished if name.endswith((".tmp", ".parquet"))]


def rows_with(score=None, query=None, at=1900):
    """Candidates, one of them bad."""
    table = candidates(pa, padding=False)
    for place, value in ((2, score), (0, query)):
        if value is not None:
            column = table.column(place).to_pylist()
            column[at] = None if value == "null" else value
            table = table.set_column(place, table.column_names[place], pa.array(column, table.schema.types[place]))
    return table


@pytest.mark.parametrize(
    ("chunk", "table", "norm", "words"),
    [
        (5000, {"query": "null"}, None, "row group 3: column 'query_id' holds a null in row 100;"),
        (5000, {"query": "null"}, "minmax", "row group 3: column 'query_id' holds a null in row 100;"),
        (5000, {"score": np.inf}, "minmax", "row group 3: column 'score' holds inf in row 100, of query"),
        (70, {"query": "null"}, None, "row group 3, from row 67 on: column 'query_id' holds a null in row 33;"),
    ],
)
def test_rows_are_counted_in_their_row_group(tmp_path, monkeypatch, chunk, table, norm, words):
    monkeypatch.setattr(_plan, "CHUNK_ROWS", chunk)
    write(tmp_path / "in", rows_with(**table))
    with pytest.raises(InvalidValueError, match=rf"a\.parquet: {words}"):
        rescore_files(tmp_path / "in", tmp_path / "out", profile_of(norm))


@pytest.mark.parametrize("chunk", [5000, 10])
def test_a_score_that_a_floor_leaves_is_told_by_its_own_row(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(_plan, "CHUNK_ROWS", chunk)
    scores = np.where(np.arange(40) == 17, 1.5, 0.1).astype(np.float32)
    pq.write_table(pa.table({"query_id": np.arange(40), "doc_id": np.arange(40), "score": scores}), tmp_path / "a.parquet", row_group_size=10)
    fitted = fc.BetaCalibrator(input="prob").fit(np.linspace(0, 1, 40), np.arange(40) % 3 < np.arange(40) // 14)
    with pytest.raises(fc.InvalidElementError, match=r"a\.parquet: row group 1: scores\[7\] is 1\.5; expected a prob") as caught:
        rescore_files(tmp_path / "a.parquet", tmp_path / "out", fc.Profile("m", "own", fitted, []), floor=0.3)
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.argument, error.at, float(error.value)) == ("scores", 7, 1.5)


def test_a_damaged_group_among_others_in_a_chunk_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(_plan, "CHUNK_ROWS", 5000)
    damaged_group(tmp_path / "in")
    with pytest.raises(InvalidValueError, match=r"a\.parquet: row group 2 cannot be read, the file is damaged or cut short: .*CRC"):
        rescore_files(tmp_path / "in", tmp_path / "out", profile_of())


def test_a_file_that_goes_away(tmp_path, monkeypatch):
    path, real = write(tmp_path / "in"), _plan.Plan.tables

    def gone(*given):
        path.unlink(missing_ok=True)
        yield from real(*given)

    monkeypatch.setattr(_plan.Plan, "tables", gone)
    with pytest.raises(FileNotFoundError, match=r"it was there when the run began.*a\.parquet"):
        rescore_files(tmp_path / "in", tmp_path / "out", profile_of())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"memory": "10MiB"}, InvalidValueError, r"memory=10MiB is too small: tasks of 1MiB of rows need \d+MiB"),
        ({"memory": "lots"}, InvalidValueError, "got 'lots'"),
        ({"memory": True}, InvalidTypeError, "got bool"),
        ({"top_k": 0}, InvalidValueError, "top_k"),
        ({"resume": 1}, InvalidTypeError, "resume"),
        ({"num_threads": 0}, InvalidValueError, "num_threads"),
        ({"query": "topic"}, InvalidValueError, "topic"),
    ],
)
def test_bad_settings(tmp_path, options, error, words):
    path = write(tmp_path / "in")
    with pytest.raises(error, match=words):
        rescore_files(path, tmp_path / "out", profile_of(), **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("source", "target"), [("in", "in/out"), ("in", "in"), ("in", "link/out"), ("in/a.parquet", "in"), ("in", "in/..")])
def test_a_target_in_the_source_is_refused_and_the_other_way_round(tmp_path, source, target):
    write(tmp_path / "in")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    before = content(tmp_path)
    with pytest.raises(InvalidValueError, match="must be apart"):
        rescore_files(tmp_path / source, tmp_path / target, profile_of(), resume=True)
    assert content(tmp_path) == before


def test_a_target_that_is_a_file(tmp_path):
    path = write(tmp_path / "in")
    (tmp_path / "out").write_text("hello")
    with pytest.raises(InvalidValueError, match="out is a file; expected a folder"):
        rescore_files(path, tmp_path / "out", profile_of())


def test_a_norm_of_whole_lists_is_refused(tmp_path):
    with pytest.raises(InvalidValueError, match="rank"):
        rescore_files(write(tmp_path / "in"), tmp_path / "out", profile_of("rank"))


def test_memory_stays_below_the_limit(tmp_path):
    """One row group of long texts, 480 MB of rows, in a process that may take 352 MiB."""
    n = 1_200_000
    rng = np.random.default_rng(0)
    texts = pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 50, n).astype(np.int32)), pa.array([str(i) * 190 for i in range(10, 60)]))
    columns = {"query_id": np.arange(n) % 1000, "doc_id": np.arange(n), "score": rng.random(n, np.float32)}
    table = pa.table(columns).append_column("text", texts)
    schema = table.schema.set(3, pa.field("text", pa.string()))
    with pq.ParquetWriter(tmp_path / "a.parquet", schema) as writer:
        writer.write_table(table.cast(schema), row_group_size=n)
    profile_of().save(tmp_path / "profile.json")
    report = report_of(start(tmp_path / "a.parquet", tmp_path / "out", tmp_path / "profile.json", {"memory": "352MiB", "top_k": 20, "floor": 0.1}))
    assert report["kept"] == 20_000
    assert report["peak"] < 352 << 20


def texts_in_a_dictionary(folder):
    """Narrow rows, and then rows whose texts Parquet stores once: 150,000 rows of 300 MB in a file of 2 MB."""
    n, rng = 75_000, np.random.default_rng(0)
    schema = pa.schema({"query_id": pa.int64(), "doc_id": pa.int64(), "score": pa.float32(), "text": pa.string()})
    texts = pa.array(["x", *(str(i) * 1000 for i in range(10, 30))])
    with pq.ParquetWriter(folder / "a.parquet", schema) as writer:
        for group in range(2):
            chosen = rng.integers(1, 21, n).astype(np.int32)
            chosen[: 2000 * (group == 0)] = 0
            rows = np.arange(n) + n * group
            writer.write_table(pa.table([rows % 100, rows, rng.random(n, np.float32), texts.take(pa.array(chosen))], schema=schema), row_group_size=n)


def wide_groups_behind_narrow_ones(folder):
    """300,000 rows of 9 bytes of text, and then 20,000 of 10.8 kB."""
    for name, n, times, group in (("a", 100_000, 1, 50_000), ("b", 200_000, 1, 50_000), ("b", 20_000, 1200, 10_000)):
        texts = pa.array([f"{i:09}" * times for i in range(n)])
        rows = pa.table({"query_id": np.arange(n) % 100, "doc_id": np.arange(n), "score": np.linspace(0, 1, n, dtype=np.float32), "text": texts})
        if times == 1:
            writer = pq.ParquetWriter(folder / f"{name}.parquet", rows.schema)
        writer.write_table(rows, row_group_size=group)
        if (name, times) != ("b", 1):
            writer.close()


@pytest.mark.parametrize(("make", "options"), [(texts_in_a_dictionary, {"top_k": 100}), (wide_groups_behind_narrow_ones, {})], ids=["best", "map"])
def test_memory_holds_where_the_file_does_not_show_its_width(tmp_path, make, options):
    (tmp_path / "in").mkdir()
    make(tmp_path / "in")
    profile_of().save(tmp_path / "profile.json")
    report = report_of(start(tmp_path / "in", tmp_path / "out", tmp_path / "profile.json", {"memory": "400MiB", **options}))
    assert report["peak"] < 400 << 20
    assert report["kept"] == (10_000 if options else report["rows"])


def test_best_rows_fit_in_256_mib(tmp_path):
    """One row group of 4 M rows, as a pass over rows and one over queries."""
    n = 4_000_000
    columns = {"query_id": np.arange(n) % 1000, "doc_id": np.arange(n), "score": np.linspace(0, 1, n, dtype=np.float32)}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=n, use_dictionary=False)
    profile_of().save(tmp_path / "profile.json")
    report = report_of(start(tmp_path / "a.parquet", tmp_path / "out", tmp_path / "profile.json", {"memory": "256MiB", "top_k": 100}))
    assert report["kept"] == 100_000
    assert report["peak"] < 256 << 20


def test_every_byte_of_a_text_chooses_its_bucket():
    """Texts that end alike, as slices, dictionaries and wide strings; about as many in every bucket."""
    texts = pa.array([f"{i:07}" + "#" * 60 for i in range(20_000)])
    found = _spill.buckets_of(pa.chunked_array([texts]), 16)
    assert np.bincount(found, minlength=16).min() > 1000
    for other in (texts.slice(7), texts.slice(7).cast(pa.large_string()), texts.slice(7).dictionary_encode()):
        np.testing.assert_array_equal(_spill.buckets_of(pa.chunked_array([other]), 16), found[7:])
    short = pa.array(["", "\0", "\0\0", "a", "a\0", "\0a", *(chr(i) * 9 for i in range(1, 99))])
    assert len(set(_spill.buckets_of(pa.chunked_array([short]), 65_535).tolist())) > 100
