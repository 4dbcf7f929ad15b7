"""Judgements in every form that is taken: Qrels as mappings, booleans as 0 and 1."""

import itertools

import numpy as np
import pytest

import fastcal as fc

RUNS = [fc.Run([[1, 2, 3], [4, 5, 6]], [[0.9, 0.5, 0.4], [0.8, 0.6, 0.3]]), fc.Run([[1, 3], [5, 4]], [[9.0, 4.0], [7.0, 6.0]])]
GRADES = {0: {1: 1, 2: 0}, 1: {4: 1, 5: 0}}
MARKS = {query: {document: bool(grade) for document, grade in documents.items()} for query, documents in GRADES.items()}
FORMS = [
    MARKS,
    fc.Qrels.from_dict(GRADES),
    fc.Qrels.from_dict(MARKS),
    {str(q): {str(d): np.bool_(g) for d, g in docs.items()} for q, docs in MARKS.items()},
]


@pytest.mark.parametrize("kind", [bool, np.bool_])
def test_boolean_grades(kind):
    yes, no = kind(1), kind(0)
    columns = {"query_id": ["q", "q"], "doc_id": ["d", "e"], "relevance": np.array([True, False])}
    forms = fc.Qrels.from_dict({"q": {"d": yes, "e": no}}), fc.Qrels.from_columns(columns), fc.Qrels.from_records([("q", "d", yes), ("q", "e", no)])
    for qrels in forms:
        assert qrels.grades.dtype == np.int64
        assert [type(grade) for grade in qrels.to_dict()["q"].values()] == [int, int]
        assert qrels.to_dict() == {"q": {"d": 1, "e": 0}}
    assert fc.Qrels.from_dict({"q": {"d": yes, "e": 2}}).to_dict() == {"q": {"d": 1, "e": 2}}
    with pytest.raises(TypeError, match="integers"):
        fc.Qrels.from_dict({"q": {"d": 1.0}})


@pytest.mark.parametrize("method", ["logistic", "grid"])
def test_fit_fusion_takes_every_form(method):
    expected = fc.fit_fusion(RUNS, GRADES, method=method).to_dict()
    for labels in FORMS:
        assert fc.fit_fusion(RUNS, labels, method=method).to_dict() == expected


def test_compare_runs_takes_every_form():
    expected = fc.compare_runs(*RUNS, GRADES).to_dict()
    for qrels in FORMS:
        assert fc.compare_runs(*RUNS, qrels).to_dict() == expected
    named = [fc.Run.from_dict({"q": {"d1": 3.0, "d2": 2.0}}), fc.Run.from_dict({"q": {"d2": 3.0}})]
    assert fc.compare_runs(*named, fc.Qrels.from_dict({"q": {"d2": 1}}), "RR").values_a.tolist() == [0.5]
    with pytest.raises(ValueError, match="hold no judgement"):
        fc.compare_runs(*RUNS, fc.Qrels.from_dict({}))


def test_boolean_arrays_beside_the_runs():
    marks = [np.isin(run.ids, [1, 4]) for run in RUNS]
    whole = [array.astype(np.int64) for array in marks]
    for labels in itertools.product(*zip(marks, whole, strict=True)):
        assert fc.fit_fusion(RUNS, labels).to_dict() == fc.fit_fusion(RUNS, whole).to_dict()
