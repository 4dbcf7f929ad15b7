"""Run: how lists come in (arrays, searches, dicts), what they look like inside, how they go out."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc

names = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=6)
scores32 = st.floats(width=32, allow_nan=False)
dicts = st.dictionaries(names, st.dictionaries(names, scores32, max_size=8), max_size=6)


def rows(run):
    """Return the lists of a run as Python lists of ids."""
    return [run.ids[start:stop].tolist() for start, stop in zip(run.offsets[:-1], run.offsets[1:], strict=True)]


# -- arrays ------------------------------------------------------------------------------------------
def test_dense_lists_lose_their_padding():
    run = fc.Run([[7, 3, -1], [-1, -1, -1], [-1, 5, 9]], [[0.9, 0.4, np.nan], [1, 2, 3], [0, 0.8, 0.2]])
    assert rows(run) == [[7, 3], [], [5, 9]]
    assert run.counts().tolist() == [2, 0, 2]
    assert (len(run), run.n_queries) == (3, 3)
    assert (run.ids.dtype, run.scores.dtype, run.offsets.dtype) == (np.int64, np.float32, np.int64)
    assert repr(run) == "Run(n_queries=3, n_results=4, scored=True, higher_is_better=True)"


def test_flat_lists_with_and_without_offsets():
    assert rows(fc.Run([3, 1, -1, 2], offsets=[0, 2, 2, 4])) == [[3, 1], [], [2]]
    assert rows(fc.Run([3, 1, 2])) == [[3, 1, 2]]
    assert rows(fc.Run([], offsets=[0, 0])) == [[]]
    assert rows(fc.Run(np.empty((2, 0), int))) == [[], []]
    assert len(fc.Run(np.empty((0, 5), int))) == 0
    assert fc.Run([[1]]).scores is None


def test_lists_are_sorted_stably():
    run = fc.Run([[4, 1, 3, 2], [9, 8, 7, 6]], [[1, 2, 1, 2], [4, 3, 2, 1]])
    assert rows(run) == [[1, 2, 4, 3], [9, 8, 7, 6]]
    nearest = fc.Run([[4, 1, 3, 2]], [[1, 2, 1, 2]], higher_is_better=False)
    assert rows(nearest) == [[4, 3, 1, 2]]
    assert rows(fc.Run([1, 2, 3], [0, -math.inf, math.inf])) == [[3, 1, 2]]


def test_order_over_the_end_of_a_list_does_not_matter():
    ids = np.arange(5)
    run = fc.Run(ids, np.array([3, 1, 9, 9, 2], np.float32), [0, 0, 2, 2, 5, 5])
    assert np.shares_memory(run.ids, ids)
    assert rows(run) == [[], [0, 1], [], [2, 3, 4], []]


def test_sorting_compares_float32():
    run = fc.Run([1, 2], np.array([1.0, 1.0 + 1e-12]))
    assert run.ids.tolist() == [1, 2]


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), scores32), max_size=6), max_size=5), st.booleans())
def test_every_list_is_best_first(lists, higher_is_better):
    flat = [entry for entries in lists for entry in entries]
    offsets = np.cumsum([0, *map(len, lists)])
    run = fc.Run([i for i, _ in flat], [s for _, s in flat], offsets, higher_is_better=higher_is_better)
    for entries, start, stop in zip(lists, run.offsets[:-1], run.offsets[1:], strict=True):
        expected = sorted(entries, key=lambda entry: -entry[1] if higher_is_better else entry[1])
        assert list(zip(run.ids[start:stop].tolist(), run.scores[start:stop].tolist(), strict=True)) == expected


def test_memory_is_shared_where_the_layout_allows():
    ids, scores = np.array([[2, 1], [4, 3]]), np.array([[2, 1], [4, 3]], np.float32)
    run = fc.Run(ids, scores)
    assert np.shares_memory(run.ids, ids)
    assert np.shares_memory(run.scores, scores)
    assert ids.flags.writeable


def test_a_run_is_immutable():
    run = fc.Run([[2, 1]], [[0.5, 0.25]], query_ids=["q"], doc_ids=["a", "b", "c"])
    for array in (run.ids, run.scores, run.offsets, run.query_ids, run.doc_ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        run.ids = run.ids
    with pytest.raises((AttributeError, TypeError)):
        run.extra = 1


def test_pickling():
    run = fc.Run([[2, 1]], [[0.5, 0.25]], query_ids=["q"], doc_ids=["a", "b", "c"])
    assert pickle.loads(pickle.dumps(run)).to_dict() == run.to_dict()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, ">i8"])
def test_integer_ids_are_converted(dtype):
    assert fc.Run(np.array([[2, 1]], dtype)).ids.dtype == np.int64


@pytest.mark.parametrize(
    ("arguments", "kind", "error"),
    [
        (([[1.0, 2.0]],), TypeError, "float64"),
        (([[True]],), TypeError, "bool"),
        ((["a"],), TypeError, "<U1"),
        ((3,), ValueError, "shape"),
        (([[[1]]],), ValueError, "shape"),
        (([[1, -2]],), ValueError, "got -2"),
        ((np.array([2**63], np.uint64),), ValueError, "int64"),
        (([[1, 2]], [[1.0]]), ValueError, r"\(1, 2\)"),
        (([[1, 2]], [1.0, 2.0]), ValueError, "shape"),
        (([[1, 2]], np.array([[1, 2]])), TypeError, "int64"),
        (([[1, 2], [3, -1]], [[1, 2], [np.nan, np.nan]]), ValueError, "nan in list 1 at position 0"),
        (([[1, 2]], [[1, 1e39]]), ValueError, "1e.39 in list 0 at position 1.*float32"),
        (([1, 2], None, [0, 1]), ValueError, "end at 2"),
        (([[1, 2]], None, [0, 2]), ValueError, "flat"),
    ],
)
def test_bad_arrays(arguments, kind, error):
    with pytest.raises(kind, match=error):
        fc.Run(*arguments)


@pytest.mark.parametrize(
    ("options", "kind", "error"),
    [
        ({"higher_is_better": 1}, TypeError, "True or False"),
        ({"higher_is_better": False}, ValueError, "needs scores"),
        ({"query_ids": ["a"]}, ValueError, "2 queries"),
        ({"query_ids": ["a", "a"]}, ValueError, "'a' more than once"),
        ({"query_ids": [5, 5]}, ValueError, "5 more than once"),
        ({"query_ids": ["a", 1]}, TypeError, "got 1"),
        ({"query_ids": ["a", None]}, TypeError, "got None"),
        ({"doc_ids": ["a", "b", None]}, TypeError, "got None"),
        ({"query_ids": [0.5, 1.5]}, TypeError, "float64"),
        ({"query_ids": [[0, 1]]}, ValueError, r"shape \(n_queries,\), got \(1, 2\)"),
        ({"query_ids": "ab"}, TypeError, "sequence"),
        ({"doc_ids": ["a", "b"]}, ValueError, "below 2.*got 2"),
        ({"doc_ids": ["a", "b", "a"]}, ValueError, "'a' more than once"),
        ({"doc_ids": ["a", "b", 3]}, TypeError, "got 3"),
        ({"doc_ids": "abc"}, TypeError, "sequence"),
        ({"doc_ids": 3}, TypeError, "sequence"),
    ],
)
def test_bad_options(options, kind, error):
    with pytest.raises(kind, match=error):
        fc.Run([[1], [2]], **options)


# -- searches ----------------------------------------------------------------------------------------
def test_from_search():
    found = fc.SearchResult(np.array([[0.1, np.nan], [0.2, 0.3]], np.float32), np.array([[5, -1], [6, 7]]), higher_is_better=False)
    run = fc.Run.from_search(found, query_ids=["a", "b"])
    assert (rows(run), run.higher_is_better, run.query_ids.tolist()) == ([[5], [6, 7]], False, ["a", "b"])
    kept = fc.RangeResult(np.array([0, 0, 2]), np.array([0.9, 0.8], np.float32), np.array([1, 0]))
    run = fc.Run.from_search(kept, doc_ids=["x", "y"])
    assert run.to_dict() == {0: {}, 1: {"y": pytest.approx(0.9), "x": pytest.approx(0.8)}}
    with pytest.raises(TypeError, match="got Run"):
        fc.Run.from_search(run)


def test_top_k():
    run = fc.Run([[4, 2, 8], [1, -1, -1], [-1, -1, -1]], [[3, 2, 1]] * 3, query_ids=[7, 8, 9])
    assert rows(run.top_k(2)) == [[4, 2], [1], []]
    assert run.top_k(2).scores.tolist() == [3, 2, 3]
    assert rows(run.top_k(10**12)) == rows(run)
    assert run.top_k(1).query_ids.tolist() == [7, 8, 9]
    for k, kind in [(0, ValueError), (-1, ValueError), (1.0, TypeError), (True, TypeError), (None, TypeError)]:
        with pytest.raises(kind, match="k must be"):
            run.top_k(k)


def test_pairs():
    run = fc.Run([[-1, -1], [1, 0], [-1, -1], [2, -1]])
    queries, documents = fc.pairs(run, [[2, 0], [1, 1]])
    assert (queries.tolist(), documents.tolist()) == ([[3, 1], [1, 1]], [[2, 1], [0, 0]])
    named = fc.Run(run.ids, offsets=run.offsets, query_ids=list("abcd"), doc_ids=["x", "y", "z"])
    queries, documents = fc.pairs(named, np.array([2, 0], np.uint8))
    assert (queries.tolist(), documents.tolist()) == (["d", "b"], ["z", "y"])
    assert fc.pairs(run, [])[0].size == 0


@pytest.mark.parametrize(("positions", "kind"), [([-1], ValueError), ([3], ValueError), ([0.0], TypeError), ([True], TypeError)])
def test_bad_positions(positions, kind):
    with pytest.raises(kind, match="positions"):
        fc.pairs(fc.Run([[1, 2, 3]]), positions)


def test_pairs_of_something_else():
    with pytest.raises(TypeError, match="got list"):
        fc.pairs([[1, 2]], [0])


# -- dicts -------------------------------------------------------------------------------------------
@given(dicts)
def test_dict_round_trip(run):
    back = fc.Run.from_dict(run).to_dict()
    assert back == run
    for query, documents in back.items():
        assert list(documents) == sorted(run[query], key=lambda name: -run[query][name])


def test_from_dict_with_integer_names():
    run = fc.Run.from_dict({30: {7: 1, 5: 2}, 10: {}})
    assert (run.query_ids.tolist(), rows(run), run.doc_ids) == ([30, 10], [[5, 7], []], None)
    assert run.to_dict() == {30: {5: 2.0, 7: 1.0}, 10: {}}
    assert len(fc.Run.from_dict({})) == 0


def test_from_dict_of_distances():
    run = fc.Run.from_dict({"q": {"far": 2.0, "near": 1.0}}, higher_is_better=False)
    assert list(run.to_dict()["q"]) == ["near", "far"]


@pytest.mark.parametrize(
    ("run", "kind", "error"),
    [
        ([], TypeError, "mapping"),
        ({"q": ["d"]}, TypeError, "mapping"),
        ({"q": {"d": None}}, TypeError, "object"),
        ({"q": {"d": "0.5"}}, TypeError, "<U3"),
        ({"q": {"d": math.nan}}, ValueError, "nan in list 0"),
        ({"q": {-1: 1.0}}, ValueError, "got -1"),
        ({"q": {"d": 1.0, 2: 1.0}}, TypeError, "got 2"),
        ({"q": {1.5: 1.0}}, TypeError, "float64"),
        ({"q": {}, 1: {}}, TypeError, "got 1"),
    ],
)
def test_bad_dicts(run, kind, error):
    with pytest.raises(kind, match=error):
        fc.Run.from_dict(run)


def test_to_dict_without_scores_keeps_the_order():
    assert fc.Run([[5, 9, 2], [4, -1, -1]]).to_dict() == {0: {5: 3.0, 9: 2.0, 2: 1.0}, 1: {4: 1.0}}


def test_to_dict_counts_a_document_once_at_its_best_position():
    assert list(fc.Run([[5, 9, 5]], [[3, 2, 1]]).to_dict()[0].items()) == [(5, 3.0), (9, 2.0)]
