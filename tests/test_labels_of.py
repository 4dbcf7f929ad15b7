"""Labels of a run from judgements, and from somebody who is asked."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc

RUN = fc.Run.from_dict({"q1": {"a": 0.9, "b": 0.8, "c": 0.7}, "q2": {"d": 0.6, "a": 0.5}})
QRELS = fc.Qrels.from_dict({"q1": {"a": 2, "c": -2}, "q2": {"a": 1}})


def test_unjudged_is_irrelevant_and_counted() -> None:
    found = QRELS.labels_of(RUN)
    assert found.labels.tolist() == [1, 0, 0, 0, 1]
    assert found.labels.dtype == np.uint8
    assert found.judged.tolist() == [True, False, True, False, True]
    assert (len(found), found.n_unjudged, found.n_asked, found.n_cannot_judge) == (5, 2, 0, 0)
    assert QRELS.labels_of(RUN, min_grade=2).labels.tolist() == [1, 0, 0, 0, 0]
    assert QRELS.labels_of(RUN, min_grade=-2).labels.tolist() == [1, 0, 1, 0, 1]  # unjudged is below every grade


def test_the_labeler_is_asked_once_for_what_is_missing() -> None:
    asked = []

    def labeler(positions: np.ndarray) -> list:
        asked.append(positions)
        return [1, -1]

    found = QRELS.labels_of(RUN, unjudged="ask", labeler=labeler)
    assert [positions.tolist() for positions in asked] == [[1, 3]]
    assert asked[0].dtype == np.int64
    assert found.labels.tolist() == [1, 1, 0, 0, 1]
    assert found.judged.tolist() == [True, True, True, False, True]
    assert (found.n_unjudged, found.n_asked, found.n_cannot_judge) == (2, 2, 1)
    complete = fc.Qrels.from_dict({"q1": {"a": 2, "b": 0, "c": 1}, "q2": {"d": 0, "a": 1}})
    assert complete.labels_of(RUN, unjudged="ask", labeler=labeler).n_asked == 0
    assert complete.labels_of(RUN, unjudged="error").judged.all()
    assert len(asked) == 1


def test_an_error_names_the_first_unjudged_pair_and_their_number() -> None:
    with pytest.raises(ValueError, match=r"2 of 5 entries have no judgement, first query 'q1', document 'b' \(position 1\)"):
        QRELS.labels_of(RUN, unjudged="error")
    numbered = fc.Qrels.from_dict({0: {7: 1}})
    with pytest.raises(ValueError, match=r"1 of 2 entries .* first query 1, document 7 \(position 1\)"):
        numbered.labels_of(fc.Run([[7], [7]]), unjudged="error")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"unjudged": "drop"}, ValueError, "'irrelevant', 'ask', 'error'; got 'drop'"),
        ({"unjudged": "ask"}, ValueError, "labeler=None"),
        ({"labeler": np.ones_like}, ValueError, "got unjudged='irrelevant'"),
        ({"unjudged": "ask", "labeler": 3}, TypeError, "labeler must be callable, got int"),
        ({"unjudged": "ask", "labeler": lambda at: [1]}, ValueError, r"returned shape \(1,\); expected \(2,\)"),
        ({"unjudged": "ask", "labeler": lambda at: [1, 2]}, ValueError, r"answered 2 at \[1\]; expected 0, 1 or -1"),
        ({"unjudged": "ask", "labeler": lambda at: [0.5, np.nan]}, ValueError, r"answered 0.5 at \[0\]"),
        ({"unjudged": "ask", "labeler": lambda at: ["yes", "no"]}, TypeError, "expected 0, 1 or -1"),
        ({"min_grade": 1.5}, TypeError, "min_grade"),
    ],
)
def test_bad_calls(arguments: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        QRELS.labels_of(RUN, **arguments)


def test_an_empty_run_has_no_labels() -> None:
    found = QRELS.labels_of(fc.Run.from_dict({}), unjudged="error")
    assert found.to_dict() == {"labels": [], "judged": [], "n_unjudged": 0, "n_asked": 0, "n_cannot_judge": 0}
