"""Runs brought to common ground: queries that found nothing, retrievers that found nothing."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc

NOTHING = fc.Run.from_dict({"q": {}})
names = st.sampled_from(["a", "b", "c", "d"])
dicts = st.dictionaries(st.sampled_from(["q1", "q2", "q3"]), st.dictionaries(names, st.integers(-3, 3).map(float), max_size=4), max_size=3)


# -- a run that lists nothing --------------------------------------------------------------------------
def test_a_run_that_lists_nothing_aligns_with_any_numbering():
    named, other = fc.Run.from_dict({"q": {"a": 1.0}}), fc.Run.from_dict({"q": {"b": 2.0}})
    bare = fc.Run.from_dict({"q": {7: 1.0}})
    idle = fc.Run([], [], [0, 0], query_ids=["q"], doc_ids=["x", "y"])
    for empty, run in itertools.product([NOTHING, idle], [named, bare]):
        for runs in ([empty, run], [run, empty], [empty, empty, run, run]):
            fused = fc.fuse(runs, "sum")
            assert fused.doc_ids is run.doc_ids
            assert list(fused.to_dict()["q"]) == list(run.to_dict()["q"])
            assert list(fc.rrf(runs).to_dict()["q"]) == list(run.to_dict()["q"])
    for runs in itertools.permutations([NOTHING, idle, named, other]):
        assert fc.fuse(runs, "sum").to_dict() == {"q": {"b": 2.0, "a": 1.0}}
    other_names = fc.Run([], [], [0, 0], query_ids=["q"], doc_ids=["z"])
    for runs in ([NOTHING, idle], [idle, NOTHING], [idle, other_names]):
        assert fc.rrf(runs).doc_ids is idle.doc_ids
    with pytest.raises(ValueError, match=r"runs\[2\] has none"):
        fc.rrf([NOTHING, named, bare])


def test_trained_fusion_of_a_run_that_lists_nothing():
    some = fc.Run.from_dict({"q": {"a": 3.0, "b": 1.0}})
    fitted = fc.fit_fusion([NOTHING, some], {"q": {"a": 1}})
    assert list(fitted.fuse([NOTHING, some]).to_dict()["q"]) == ["a", "b"]


# -- queries that found nothing --------------------------------------------------------------------------
@given(dicts, st.permutations(["q1", "q2", "q3", "q4"]))
def test_with_queries(nested, queries):
    run = fc.Run.from_dict(nested)
    wider = run.with_queries(queries)
    assert wider.query_ids.tolist() == queries
    assert {query: list(docs.items()) for query, docs in wider.to_dict().items()} == {
        query: list(run.to_dict().get(query, {}).items()) for query in queries
    }
    assert wider.doc_ids is run.doc_ids


def test_files_with_gaps_can_be_fused(tmp_path):
    (tmp_path / "a.run").write_text("q1 Q0 a 1 2 t\nq3 Q0 b 1 1 t\n")
    (tmp_path / "b.run").write_text("q2 Q0 b 1 2 t\nq1 Q0 b 1 1 t\n")
    runs = [fc.Run.from_trec(tmp_path / name) for name in ("a.run", "b.run")]
    with pytest.raises(ValueError, match=r"runs\[1\] lacks 'q3' .*Run\.with_queries"):
        fc.rrf(runs)
    fused = fc.fuse([run.with_queries(["q1", "q2", "q3", "q4"]) for run in runs], "sum")
    assert fused.to_dict() == {"q1": {"a": 2.0, "b": 1.0}, "q2": {"b": 2.0}, "q3": {"b": 1.0}, "q4": {}}


def test_queries_known_by_position():
    run = fc.Run([[3, 2], [1, -1]], [[0.5, 1.0], [4.0, 0.0]], higher_is_better=False)
    wider = run.with_queries(np.array([1, 7, 0]))
    assert (wider.to_dict(), wider.higher_is_better) == ({1: {1: 4.0}, 7: {}, 0: {3: 0.5, 2: 1.0}}, False)
    ranked = fc.Run([[3, 2]]).with_queries([0, 1])
    assert (ranked.scores, ranked.counts().tolist()) == (None, [2, 0])
    assert len(fc.Run.from_dict({}).with_queries([])) == 0
    for names in (iter([0, 5]), {0: None, 5: None}, {0: None, 5: None}.keys(), range(0, 6, 5)):
        assert fc.Run([[3, 2]]).with_queries(names).query_ids.tolist() == [0, 5]
    assert fc.Run.from_dict({"b": {}}).with_queries(name for name in "ab").query_ids.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("queries", "kind", "error"),
    [
        (["q"], ValueError, "every query of the run; they lack 'p'"),
        ([0, 1], ValueError, "they lack 'p', 'q'"),
        ([], ValueError, "they lack 'p', 'q'"),
        (["p", "q", "p"], ValueError, "'p' more than once"),
        (["p", "q", 1], TypeError, "must be strings, got 1"),
        ("pq", TypeError, "sequence"),
        ([0.5], TypeError, "float64"),
        ([[0, 1]], ValueError, r"shape \(n_queries,\), got \(1, 2\)"),
        (None, TypeError, "query_ids"),
    ],
)
def test_queries_that_do_not_fit(queries, kind, error):
    with pytest.raises(kind, match=error):
        fc.Run.from_dict({"p": {"a": 1.0}, "q": {}}).with_queries(queries)
