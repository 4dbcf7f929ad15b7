"""Rescorer against the slow reference, over kinds of tables, ids, dtypes and splits; and what it refuses."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from bulk_reference import rescored
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

import fastcal as fc
from fastcal.bulk import QueryStatistics, Rescorer, TopRows

pa = pytest.importorskip("pyarrow")

PLATT = fc.PlattCalibrator().fit([-1.0, -0.5, 0.5, 1.0, 0.1, -0.1], [0, 0, 1, 1, 0, 1])
STEPS = fc.HistogramCalibrator(n_bins=3).fit(np.linspace(-1, 1, 60), np.tile([0, 0, 1, 1, 0, 1], 10))
FALLING = fc.PlattCalibrator().fit([-1.0, -0.5, 0.5, 1.0], [1, 1, 0, 0])
NORMS = [None, "minmax", "max", "sum", "l2", "zscore", "dbsf", "robust", "rank", "borda", "atan", "sigmoid", "tail"]


def profile_of(calibrator=PLATT, thresholds=None, **facts):
    thresholds = fc.Threshold(0.5) if thresholds is None else thresholds
    return fc.Profile("m", facts.pop("metric", "dot"), calibrator, thresholds, **facts)


def rows_of(rng, n, *, texts=False, dtype=np.float32, with_nan=True):
    """Columns with ties in score and document, as lists and an array."""
    queries, docs = rng.integers(-2, 5, n), rng.permutation(n) // 2 - 3
    scores = np.where(rng.random(n) < 0.5, rng.integers(-4, 5, n) / 4, rng.standard_normal(n)).astype(dtype)
    if with_nan and n:
        scores[rng.random(n) < 0.1] = np.nan
    if texts:
        names = ["", "a", "B", "é", "zz", "\U0001f600", "z"]
        return [names[q + 2] for q in queries], [f"d{d}" for d in docs], scores
    return queries.tolist(), docs.tolist(), scores


def table_of(queries, docs, scores):
    extra = [f"row {i}" for i in range(len(scores))]
    return pa.table({"doc_id": docs, "score": scores, "extra": extra, "query_id": queries})


def same_rows(found, table, expected):
    """A table holds these rows of another, with these probabilities and decisions."""
    rows = [row for row, _, _ in expected]
    for name in table.column_names:
        assert found.column(name).type == table.column(name).type
        assert found.column(name).to_pylist() == table.column(name).take(pa.array(rows, pa.int64())).to_pylist() or name == "score"
    assert found.column("extra").to_pylist() == [f"row {row}" for row in rows]
    np.testing.assert_array_equal(found.column("probability").to_numpy(), np.array([p for _, p, _ in expected], np.float32))
    if "decision" in found.column_names:
        assert found.column("decision").to_pylist() == [d for _, _, d in expected]


@given(data=st.data(), seed=seeds, n=st.integers(0, 70), norm=st.sampled_from(NORMS))
def test_is_the_slow_reference(data, seed, n, norm):
    rng = np.random.default_rng(seed)
    queries, docs, scores = rows_of(rng, n, texts=data.draw(st.booleans()), dtype=data.draw(st.sampled_from([np.float32, np.float64, np.float16])))
    docs = [f"{doc}" for doc in rng.permutation(n)] if norm in {"rank", "borda"} else docs  # ties by position are by document, then
    cut = data.draw(st.sampled_from([(), (fc.Threshold(0.5),), (fc.Threshold(0.25, space="score", inclusive=False),)]))
    profile = profile_of(data.draw(st.sampled_from([PLATT, STEPS])), cut, norm=norm)
    options = {"top_k": data.draw(st.sampled_from([None, 1, 3])), "floor": data.draw(st.sampled_from([None, 0.25]))}
    options["drop_not_found"] = bool(cut) and data.draw(st.booleans())
    table = table_of(pa.array(queries, pa.string() if queries and isinstance(queries[0], str) else pa.int64()), docs, scores)
    table = table.set_column(0, "doc_id", pa.array(docs, pa.string() if docs and isinstance(docs[0], str) else pa.int32()))
    rescorer = Rescorer(profile, **options)
    found = rescorer(table)
    assert found.schema == rescorer.output_schema(table.schema)
    same_rows(found, table, rescored(profile, queries, docs, scores, **options))


@given(
    seed=seeds, n_parts=st.sampled_from([1, 3, 7]), norm=st.sampled_from([None, "minmax", "zscore", "dbsf", "l2", "sum", "max"]), texts=st.booleans()
)
def test_splits_and_shuffles_do_not_show(seed, n_parts, norm, texts):
    rng = np.random.default_rng(seed)
    queries, docs, scores = rows_of(rng, 120, texts=texts)
    docs = [f"{i:03}" for i in rng.permutation(120)] if texts else rng.permutation(120).tolist()
    table, profile = table_of(queries, docs, scores), profile_of(STEPS, norm=norm)
    whole = Rescorer(profile, top_k=4, floor=-1.0)(table)
    parts = [table.take(pa.array(part)) for part in np.array_split(rng.permutation(120), n_parts)]
    statistics = None
    if norm is not None:
        gathered = [QueryStatistics(norm).update(part) for part in parts]
        statistics = gathered[0]
        for other in gathered[:0:-1]:
            statistics.merge(pickle.loads(pickle.dumps(other)))
    rescorer = pickle.loads(pickle.dumps(Rescorer(profile, top_k=4, floor=-1.0, statistics=statistics)))
    assert TopRows(4).merge([rescorer(part) for part in parts]).equals(whole)


def spellings(table):
    """The same rows as other kinds of tables and columns."""
    yield pa.RecordBatch.from_arrays([column.combine_chunks() for column in table.columns], schema=table.schema)
    yield pa.concat_tables([table.slice(0, 5), table.slice(5, 0), table.slice(5)])
    yield pa.concat_tables([table.slice(3, 1), table]).slice(1)
    for kind in (pa.large_string(), pa.string_view() if hasattr(pa, "string_view") else pa.string(), pa.dictionary(pa.int8(), pa.string())):
        yield table.set_column(0, "doc_id", table.column("doc_id").cast(kind)).set_column(3, "query_id", table.column("query_id").cast(kind))


def test_spellings_of_a_table_do_not_show():
    table = table_of(*rows_of(np.random.default_rng(3), 60, texts=True))
    rescorer = Rescorer(profile_of(), top_k=3)
    expected = rescorer(table)
    for other in spellings(table):
        found = rescorer(other)
        assert type(found) is type(other)
        assert found.schema == rescorer.output_schema(other.schema)
        found = pa.table(found) if isinstance(found, pa.Table) else pa.Table.from_batches([found])
        assert found.cast(expected.schema).equals(expected)


@pytest.mark.parametrize("kind", ["int8", "uint16", "int32", "uint64", "int64"])
def test_integer_ids_of_every_width(kind):
    dtype = np.dtype(kind)
    most, least = int(np.iinfo(dtype).max), int(np.iinfo(dtype).min)
    queries, docs = np.array([most, least, most, 3], dtype), np.array([most, 1, least, 2], dtype)
    scores = np.full(4, 0.5, np.float32)
    found = Rescorer(profile_of(), top_k=9)(pa.table({"query_id": queries, "doc_id": docs, "score": scores}))
    assert list(zip(found["query_id"].to_pylist(), found["doc_id"].to_pylist(), strict=True)) == [(least, 1), (3, 2), (most, least), (most, most)]
    assert found["query_id"].type == pa.from_numpy_dtype(dtype)


def test_extension_columns_are_their_storage():
    ids = pa.array([bytes([i]) * 16 for i in (2, 1)], pa.binary(16))
    named = pa.ExtensionArray.from_storage(pa.opaque(pa.string(), "name", "vendor"), pa.array(["b", "a"]))
    table = pa.table({"query_id": named, "doc_id": [1, 2], "score": pa.array([0.5, 0.25], pa.float32()), "uuid": ids})
    found = Rescorer(profile_of(), top_k=1)(table)
    assert found.column("query_id").type == named.type
    assert found.column("doc_id").to_pylist() == [2, 1]


def test_other_frames_give_the_same_rows():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    table = table_of(*rows_of(np.random.default_rng(5), 60, texts=True))
    rescorer = Rescorer(profile_of(), top_k=3)
    expected = rescorer(table)
    frame = table.to_pandas().set_index(pandas.Index(np.arange(60) * 2))
    found = rescorer(frame)
    assert found.index.tolist() == [2 * int(name.split()[1]) for name in expected["extra"].to_pylist()]
    pandas.testing.assert_frame_equal(found.reset_index(drop=True), expected.to_pandas())
    assert rescorer(polars.from_arrow(table)).equals(polars.from_arrow(expected))
    columns = {name: table[name].to_numpy() for name in table.column_names}
    for column in columns.values():
        column.flags.writeable = False
    found = rescorer(columns)
    assert list(found) == expected.column_names
    for name, column in found.items():
        np.testing.assert_array_equal(column, expected[name].to_numpy())
    assert frame.equals(table.to_pandas().set_index(frame.index))


def test_a_dict_of_arrays_needs_no_arrow():
    code = """
import sys
sys.modules["pyarrow"] = None
import numpy as np, fastcal as fc, fastcal.bulk
platt = fc.PlattCalibrator().fit([0.1, 0.9], [0, 1])
rows = {"query_id": np.array(["b", "a", "a"]), "doc_id": np.arange(3), "score": np.array([0.1, 0.2, 0.3])}
profile = fc.Profile("m", "cosine", platt, fc.Threshold(0.5), norm="zscore")
print(fc.bulk.Rescorer(profile, top_k=1)(rows)["doc_id"].tolist())
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[2, 0]\n"


def test_padding_keeps_its_row_where_no_row_is_dropped():
    table = pa.table({"query_id": [1, 1, 2], "doc_id": [1, 2, 3], "score": pa.array([0.5, None, float("nan")], pa.float32())})
    found = Rescorer(profile_of())(table)
    assert np.isnan(found["probability"].to_numpy()).tolist() == [False, True, True]
    assert found["decision"].to_pylist()[1:] == [0, 0]
    assert str(found.drop_columns(["probability", "decision"]).to_pylist()) == str(table.to_pylist())
    for options in ({"floor": -9.0}, {"top_k": 5}, {"drop_not_found": True}):
        assert Rescorer(profile_of(), **options)(table)["doc_id"].to_pylist() == [1]


def test_empty_tables_keep_their_schema():
    empty = table_of(*rows_of(np.random.default_rng(0), 9)).slice(0, 0)
    for norm in NORMS:
        rescorer = Rescorer(profile_of(norm=norm), top_k=2, drop_not_found=True)
        for table in (
            empty,
            empty.schema.empty_table(),
            pa.table({name: pa.chunked_array([], kind) for name, kind in zip(empty.column_names, empty.schema.types, strict=True)}),
        ):
            assert rescorer(table).schema == rescorer.output_schema(empty.schema)


@pytest.mark.parametrize("norm", [None, "zscore", "rank"])
def test_distances_turn_everything_around(norm):
    calibrator = PLATT if norm else FALLING
    profile = profile_of(calibrator, metric="euclidean", norm=norm)
    rescorer = Rescorer(profile, top_k=4, floor=0.5)
    assert rescorer.higher_is_better is False
    rng = np.random.default_rng(2)
    queries, _, scores = rows_of(rng, 50)
    docs = rng.permutation(50).tolist()
    table = table_of(queries, docs, scores)
    same_rows(rescorer(table), table, rescored(profile, queries, docs, scores, top_k=4, floor=0.5, higher_is_better=False))


def test_groups_have_their_calibrator():
    calibrator = fc.GroupCalibrator().fit([0.1, 0.9, 0.2, 0.6], [0, 1, 0, 1], ["de", "de", "en", "en"])
    labels, scores = ["en", "de", "en", "fr"], np.array([0.5, 0.5, 0.1, 0.9], np.float32)
    table = pa.table({"query_id": [1, 1, 2, 2], "doc_id": [1, 2, 3, 4], "score": scores, "lang": pa.array(labels).dictionary_encode()})
    found = Rescorer(profile_of(calibrator), by="lang", floor=0.2)(table)
    np.testing.assert_array_equal(found["probability"].to_numpy(), calibrator.predict(scores, labels)[[0, 1, 3]])
    with pytest.raises(ValueError, match=r"by= is missing"):
        Rescorer(profile_of(calibrator))
    with pytest.raises(ValueError, match=r"by='lang' has no use"):
        Rescorer(profile_of(), by="lang")


TABLE = {"query_id": [1, 2], "doc_id": [1, 2], "score": [0.5, 0.25]}


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"query_id": pa.array([1, None])}, ValueError, "column 'query_id' holds a null in row 1"),
        ({"doc_id": pa.chunked_array([["a"], [None]])}, ValueError, "column 'doc_id' holds a null in row 1"),
        ({"doc_id": pa.DictionaryArray.from_arrays([0, 1], pa.array(["a", None]))}, ValueError, "column 'doc_id' holds a null in row 1"),
        ({"query_id": [0.5, 1.0]}, TypeError, "column 'query_id' has type double; expected integers or strings"),
        ({"query_id": [b"a", b"b"]}, TypeError, "column 'query_id' has type binary"),
        ({"score": [1, 2]}, TypeError, "column 'score' has type int64; expected floats"),
        ({"score": [0.5, 1e300]}, ValueError, "column 'score' holds 1e\\+300 in row 1, which is beyond float32"),
        ({"probability": [0.5, 0.5]}, ValueError, "has a column 'probability' already"),
        ({"decision": [0, 1]}, ValueError, "has a column 'decision' already"),
    ],
)
def test_bad_columns_are_named(change, error, match):
    rescorer = Rescorer(profile_of(), top_k=1)
    with pytest.raises(error, match=match):
        rescorer(pa.table(TABLE | change))


def test_bad_tables_are_named():
    rescorer = Rescorer(profile_of())
    with pytest.raises(ValueError, match=r"no column is named 'score'; the table has 'query_id', 'doc_id'"):
        rescorer(pa.table({"query_id": [1], "doc_id": [1]}))
    with pytest.raises(ValueError, match=r"several columns are named 'score'"):
        rescorer(pa.Table.from_arrays([pa.array([1]), pa.array([1]), pa.array([0.5]), pa.array([0.5])], ["query_id", "doc_id", "score", "score"]))
    with pytest.raises(TypeError, match=r"expected a pyarrow Table or RecordBatch, a dict of arrays"):
        rescorer([1, 2, 3])
    with pytest.raises(ValueError, match=r"arrays of one length"):
        rescorer(TABLE | {"score": [0.5]})
    with pytest.raises(ValueError, match=r"column 'query_id' holds a null in row 1"):
        rescorer(TABLE | {"query_id": np.array(["a", None], dtype=object)})
    with pytest.raises(TypeError, match=r"column 'doc_id' holds 1 in row 0"):
        rescorer(TABLE | {"doc_id": np.array([1, "a"], dtype=object)})
    with pytest.raises(ValueError, match=r"column 'score' holds inf in row 1, of query 2"):
        Rescorer(profile_of(norm="minmax"))(TABLE | {"score": [0.5, np.inf]})
    with pytest.raises(ValueError, match=r"query 2 is not in the statistics, which know 1 queries"):
        Rescorer(profile_of(norm="max"), statistics=QueryStatistics("max").update({"query_id": [1], "score": [0.5]}))(TABLE)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"top_k": 0}, "top_k must be an integer of at least 1"),
        ({"floor": np.nan}, "floor must be a finite number"),
        ({"target_precision": 0.9}, "selects 0 of the profile's thresholds"),
        ({"escalate_from": 0.75}, "exceeds"),
        ({"higher_is_better": False}, "the probabilities of the profile rise with the score"),
        ({"query": "score"}, "must be three columns"),
        ({"score": "probability"}, "is the name of a column that is added"),
        ({"num_threads": 0}, "num_threads must be"),
        ({"statistics": QueryStatistics("max")}, "statistics have no use"),
    ],
)
def test_options_are_judged_at_once(options, match):
    with pytest.raises(ValueError, match=match):
        Rescorer(profile_of(), **options)


def test_options_that_need_a_threshold_or_a_norm():
    for option in ({"drop_not_found": True}, {"target_recall": 0.5}, {"escalate_from": 0.1}):
        with pytest.raises(ValueError, match="needs a threshold, and the profile holds none"):
            Rescorer(profile_of(thresholds=()), **option)
    with pytest.raises(ValueError, match="statistics are of norm 'max'; expected 'zscore'"):
        Rescorer(profile_of(norm="zscore"), statistics=QueryStatistics("max"))
    with pytest.raises(ValueError, match="the threshold on scores is for higher_is_better=False"):
        Rescorer(profile_of(thresholds=fc.Threshold(0.5, space="score", higher_is_better=False)))
