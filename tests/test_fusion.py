"""rrf and fuse: the formulas, the order of ties, aligned queries and documents, and everything that is refused."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc

pytestmark = pytest.mark.usefixtures("backend")
DENSE = fc.Run([[1, 2]], [[0.9, 0.5]])
LEXICAL = fc.Run([[2, 3]], [[12.0, 4.0]])


def by_definition(runs, weights, contribution, top_k=None):
    """Fuse with dicts: ``contribution(weight, run, rank, score)`` of the first time a list holds a document."""
    fused = []
    for query in range(runs[0].n_queries):
        totals, first_run = {}, {}
        for number, (run, weight) in enumerate(zip(runs, weights, strict=True)):
            start, stop = run.offsets[query], run.offsets[query + 1]
            seen = set()
            for rank, document in enumerate(run.ids[start:stop].tolist(), 1):
                if document not in seen:
                    seen.add(document)
                    score = None if run.scores is None else float(run.scores[start + rank - 1])
                    totals[document] = totals.get(document, 0.0) + contribution(weight, run, rank, score)
                    first_run.setdefault(document, number)
        order = sorted(totals, key=lambda document: (-np.float32(totals[document]), first_run[document], document))
        fused.append([(document, np.float32(totals[document])) for document in order[:top_k]])
    return fused


def entries(run):
    bounds = zip(run.offsets[:-1], run.offsets[1:], strict=True)
    return [list(zip(run.ids[start:stop].tolist(), run.scores[start:stop], strict=True)) for start, stop in bounds]


def normalised(run, norm):
    return fc.Run(run.ids, norm(run.scores if run.higher_is_better else -run.scores, offsets=run.offsets), run.offsets)


@st.composite
def run_lists(draw, *, scored=True, repeats=True):
    """Draw one to four runs of the same number of queries, over few documents, so that they overlap and tie."""
    n_queries = draw(st.integers(0, 4))
    score = st.floats(-8, 8, width=16) | st.integers(-2, 2).map(float)
    lists = st.lists(st.tuples(st.integers(0, 12), score), max_size=10, unique_by=None if repeats else lambda entry: entry[0])
    runs = []
    for _ in range(draw(st.integers(1, 4))):
        parts = draw(st.lists(lists, min_size=n_queries, max_size=n_queries))
        flat = [entry for part in parts for entry in part]
        offsets = np.cumsum([0, *map(len, parts)])
        runs.append(fc.Run([i for i, _ in flat], [s for _, s in flat] if scored else None, offsets))
    return runs


# -- values ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.01639344, 0.03252247, 0.01612903]),
        ({"k": 59}, [0.01666667, 0.03306011, 0.01639344]),
        ({"k": 1}, [0.5, 0.83333333, 0.33333333]),
        ({"k": 0}, [1.0, 1.5, 0.5]),
        ({"weights": [0.5, 0.5]}, [0.00819672, 0.01626124, 0.00806452]),
    ],
)
def test_golden_values(options, expected):
    fused = fc.rrf([DENSE, LEXICAL], **options)
    assert fused.ids.tolist() == [2, 1, 3]
    np.testing.assert_allclose([fused.to_dict()[0][document] for document in (1, 2, 3)], expected, atol=5e-9)
    assert fused.higher_is_better
    assert fused.scores.dtype == np.float32


def test_fuse_is_rrf_by_default():
    assert entries(fc.fuse([DENSE, LEXICAL])) == entries(fc.rrf([DENSE, LEXICAL]))
    assert entries(fc.fuse([DENSE, LEXICAL], k=5, weights=[1, 2], top_k=1)) == entries(fc.rrf([DENSE, LEXICAL], 5, [1, 2], 1))


def test_sum_by_hand():
    assert fc.fuse([DENSE, LEXICAL], "sum").to_dict()[0] == {2: 12.5, 3: 4.0, 1: pytest.approx(0.9)}
    assert fc.fuse([DENSE, LEXICAL], "sum", "minmax", weights=[0.7, 0.3]).to_dict()[0] == pytest.approx({1: 0.7, 2: 0.3, 3: 0.0})
    assert fc.fuse([DENSE, LEXICAL], "sum", "zscore").to_dict()[0] == pytest.approx({1: 1.0, 2: 0.0, 3: -1.0}, abs=1e-6)


def test_ties_go_to_the_first_run_then_to_the_lower_id():
    fused = fc.rrf([fc.Run([[8, 4]]), fc.Run([[5, 1]]), fc.Run([[2, 4]])])
    assert fused.ids.tolist() == [4, 8, 5, 2, 1]
    assert fc.fuse([fc.Run([[9, 3]], [[1, 1]]), fc.Run([[1]], [[1]])], "sum").ids.tolist() == [3, 9, 1]


def test_a_document_listed_twice_counts_once_at_its_best_position():
    assert entries(fc.rrf([fc.Run([[5, 5, 7]])])) == [[(5, np.float32(1 / 61)), (7, np.float32(1 / 63))]]


def test_distances():
    nearest = fc.Run([[1, 2, 3]], [[0.0, 1.0, 4.0]], higher_is_better=False)
    assert fc.rrf([nearest]).ids.tolist() == [1, 2, 3]
    assert fc.fuse([nearest], "sum", "minmax").to_dict()[0] == {1: 1.0, 2: 0.75, 3: 0.0}


@given(run_lists(scored=False), st.floats(0, 100), st.none() | st.integers(1, 5), st.data())
def test_rrf_is_its_definition(runs, k, top_k, data):
    weights = data.draw(st.lists(st.floats(0.125, 4), min_size=len(runs), max_size=len(runs)))
    expected = by_definition(runs, weights, lambda weight, _run, rank, _score: weight / (k + rank), top_k)
    assert entries(fc.rrf(runs, k, weights, top_k)) == expected


@given(run_lists(), st.sampled_from([None, "minmax", "zscore"]), st.none() | st.integers(1, 5), st.data())
def test_sum_is_its_definition(runs, norm, top_k, data):
    weights = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=len(runs), max_size=len(runs)).filter(any))
    inputs = runs if norm is None else [normalised(run, getattr(fc, norm)) for run in runs]
    expected = by_definition(inputs, weights, lambda weight, _run, _rank, score: weight * score, top_k)
    assert entries(fc.fuse(runs, "sum", norm, weights=weights, top_k=top_k)) == expected


# -- properties --------------------------------------------------------------------------------------
@given(run_lists(scored=False), st.randoms(use_true_random=False))
def test_the_order_of_the_runs_only_decides_ties(runs, random):
    shuffled = random.sample(runs, len(runs))
    one, other = fc.rrf(runs).to_dict(), fc.rrf(shuffled).to_dict()
    for query, documents in one.items():
        assert other[query] == pytest.approx(documents, rel=1e-6)


@given(run_lists(repeats=False), st.randoms(use_true_random=False))
def test_the_order_of_candidates_with_different_scores_does_not_matter(runs, random):
    shuffled = []
    for run in runs:
        order = []
        for start, stop in zip(run.offsets[:-1].tolist(), run.offsets[1:].tolist(), strict=True):
            part = list(range(start, stop))
            random.shuffle(part)
            order += part
        shuffled.append(fc.Run(run.ids[order], run.scores[order], run.offsets))
    assert fc.fuse(shuffled, "sum").to_dict() == fc.fuse(runs, "sum").to_dict()


@given(run_lists())
def test_a_run_that_finds_nothing_changes_nothing(runs):
    nothing = fc.Run([], [], np.zeros(runs[0].n_queries + 1, int))
    for method, norm in (("rrf", None), ("sum", None), ("sum", "minmax"), ("sum", "zscore")):
        expected = entries(fc.fuse(runs, method, norm))
        assert entries(fc.fuse([*runs, nothing], method, norm)) == expected
        assert entries(fc.fuse([nothing, *runs], method, norm)) == expected


@given(run_lists(), st.integers(1, 6))
def test_top_k_is_the_head_of_the_whole(runs, top_k):
    for method in ("rrf", "sum"):
        assert entries(fc.fuse(runs, method, top_k=top_k)) == [documents[:top_k] for documents in entries(fc.fuse(runs, method))]


def test_threads_do_not_change_the_result():
    rng = np.random.default_rng(0)
    runs = [fc.Run(rng.integers(0, 3000, (300, 100)), rng.normal(size=(300, 100))) for _ in range(3)]
    for method, norm in (("rrf", None), ("sum", "zscore")):
        one = fc.fuse(runs, method, norm, num_threads=1)
        for threads in (2, 5):
            many = fc.fuse(runs, method, norm, num_threads=threads)
            assert (many.ids.tobytes(), many.scores.tobytes()) == (one.ids.tobytes(), one.scores.tobytes())


# -- searches, queries, documents --------------------------------------------------------------------
def test_search_results_are_runs():
    found = fc.SearchResult(np.array([[0.9, 0.5]], np.float32), np.array([[1, 2]]))
    kept = fc.RangeResult(np.array([0, 2]), np.array([12.0, 4.0], np.float32), np.array([2, 3]))
    assert entries(fc.rrf((found, kept))) == entries(fc.rrf([DENSE, LEXICAL]))


def test_no_queries_and_no_candidates():
    assert len(fc.rrf([fc.Run(np.empty((0, 3), int))])) == 0
    assert entries(fc.rrf([fc.Run(np.empty((2, 0), int))] * 2)) == [[], []]
    assert entries(fc.fuse([fc.Run([[-1]], [[np.nan]])], "sum", "zscore")) == [[]]


def test_queries_are_matched_by_name_in_the_order_of_the_first_run():
    one = fc.Run([[1], [2], [3]], query_ids=["a", "b", "c"])
    other = fc.Run([[30, 31], [-1, -1], [20, -1]], query_ids=["c", "a", "b"])
    fused = fc.rrf([one, other])
    assert fused.query_ids.tolist() == ["a", "b", "c"]
    assert {query: set(documents) for query, documents in fused.to_dict().items()} == {"a": {1}, "b": {2, 20}, "c": {3, 30, 31}}


def test_unnamed_queries_are_numbers():
    fused = fc.rrf([fc.Run([[1], [2]]), fc.Run([[3], [4]], query_ids=[1, 0])])
    assert {query: set(documents) for query, documents in fused.to_dict().items()} == {0: {1, 4}, 1: {2, 3}}


def test_documents_are_matched_by_name():
    one = fc.Run.from_dict({"q": {"b": 2.0, "a": 1.0}})
    other = fc.Run.from_dict({"q": {"c": 3.0, "a": 2.0}})
    fused = fc.fuse([one, other], "sum")
    assert fused.doc_ids.tolist() == ["b", "a", "c"]
    assert fused.to_dict() == {"q": {"a": 3.0, "c": 3.0, "b": 2.0}}
    assert fc.rrf([one, fc.Run.from_dict({"q": {"b": 1.0, "a": 5.0}})]).doc_ids.tolist() == ["b", "a"]


@pytest.mark.parametrize(
    ("runs", "error"),
    [
        ([fc.Run([[1]]), fc.Run([[1], [2]])], r"runs\[0\] lacks 1"),
        ([fc.Run([[1]], query_ids=["a"]), fc.Run([[1]], query_ids=["b"])], r"runs\[1\] lacks 'a'"),
        ([fc.Run([[1]], query_ids=["a"]), fc.Run([[1]])], r"runs\[1\] lacks 'a'.*position"),
        ([fc.Run([[1]] * 9), fc.Run([[1]])], "lacks 1, 2, 3, 4, 5 and 3 more"),
        ([fc.Run([[0]], doc_ids=["a"]), fc.Run([[0]])], r"runs\[1\] has none"),
        ([], "at least one run"),
    ],
)
def test_runs_that_do_not_fit_together(runs, error):
    with pytest.raises(ValueError, match=error):
        fc.rrf(runs)


# -- bad input ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "runs", [DENSE, None, 3, [DENSE, None], [[1, 2]], [DENSE, {"q": {"d": 1}}], fc.SearchResult(np.ones((1, 1)), np.ones((1, 1), int))]
)
def test_things_that_are_not_runs(runs):
    with pytest.raises(TypeError, match="runs"):
        fc.rrf(runs)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"k": -1}, "k must be finite"),
        ({"k": math.inf}, "k must be finite"),
        ({"k": math.nan}, "k must be finite"),
        ({"top_k": 0}, "top_k"),
        ({"weights": [1]}, r"shape \(2,\)"),
        ({"weights": [1, 1, 1]}, r"shape \(2,\)"),
        ({"weights": 1}, r"shape \(2,\)"),
        ({"weights": [1, -1]}, "at least 0"),
        ({"weights": [0, 0]}, "positive"),
        ({"weights": [1, math.nan]}, "finite"),
        ({"weights": [1, math.inf]}, "finite"),
        ({"weights": [1, 1e39]}, "finite"),
    ],
)
def test_bad_values(options, error):
    with pytest.raises(ValueError, match=error):
        fc.rrf([DENSE, LEXICAL], **options)


@pytest.mark.parametrize("options", [{"k": "60"}, {"k": True}, {"k": None}, {"top_k": 1.0}, {"weights": ["a", "b"]}, {"weights": [True, True]}])
def test_bad_types(options):
    with pytest.raises(TypeError, match=next(iter(options))):
        fc.rrf([DENSE, LEXICAL], **options)


@pytest.mark.parametrize(
    ("run", "norm", "error"),
    [
        (fc.Run([[1]]), None, r"'sum' needs scores, and runs\[1\] has none"),
        (fc.Run([[1]]), "minmax", r"runs\[1\] has none"),
        (fc.Run([[1]], [[2.0]], higher_is_better=False), None, r"runs\[1\] holds distances"),
        (fc.Run([[2, 1]], [[np.inf, 2.0]]), None, r"runs\[1\]: got inf in list 0 at position 0"),
        (fc.Run([[2, 1]], [[1.0, -np.inf]]), "zscore", r"runs\[1\]: got -inf in list 0 at position 1"),
    ],
)
def test_scores_that_cannot_be_added(run, norm, error):
    with pytest.raises(ValueError, match=error):
        fc.fuse([DENSE, run], "sum", norm)
    assert fc.rrf([DENSE, run]).n_queries == 1


def test_importing_fusion_reads_no_file_formats():
    code = "import sys, fastcal.fusion; print(sorted({'gzip', 'csv', 'zlib'} & set(sys.modules)))"
    before = subprocess.run([sys.executable, "-c", code.replace("fastcal.fusion", "numpy")], capture_output=True, text=True, check=True)
    after = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert after.stdout == before.stdout
