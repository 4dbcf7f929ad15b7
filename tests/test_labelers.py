"""Labelers that know the answers, or ask a person at the terminal; what every labeler refuses."""

from __future__ import annotations

import os

import numpy as np
import pytest
from toy_procedure import run

import fastcal as fc


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


# -- judgements --------------------------------------------------------------------------------------------------------
RUN = fc.Run.from_dict({"q2": {"a": 3.0, "b": 2.0, "c": 1.0}, "q1": {"b": 2.0, "a": 1.0}})
QRELS = {"q1": {"a": 2, "b": 1}, "q2": {"a": 0, "c": 1}}


@pytest.mark.parametrize("made", [dict, fc.Qrels.from_dict])
def test_answers_of_judgements(made):
    expected = fc.Qrels.from_dict(QRELS).grades_of(RUN)
    for least in (0, 1, 2, 3):
        labeler = fc.QrelsLabeler(RUN, made(QRELS), min_grade=least)
        assert labeler(np.arange(5)).tolist() == [int(grade >= least and place != 1) for place, grade in enumerate(expected)]
    assert fc.QrelsLabeler(RUN, made(QRELS), unjudged="cannot_judge")([4, 1, 0]).tolist() == [1, -1, 0]
    strict = fc.QrelsLabeler(RUN, made(QRELS), unjudged="error")
    assert strict([0, 2]).tolist() == [0, 1]
    with pytest.raises(ValueError, match="1 of 2 pairs have no judgement, first query_id='q2', doc_id='b'"):
        strict([2, 1])


@pytest.mark.parametrize("made", [dict, fc.Qrels.from_dict])
def test_answers_of_judgements_for_rows_of_a_corpus(made):
    labeler = fc.QrelsLabeler.for_query(made(QRELS), "q2", np.array(["c", "x", "a"]), unjudged="cannot_judge")
    assert labeler([2, 1, 0, 0]).tolist() == [0, -1, 1, 1]
    numbered = fc.QrelsLabeler.for_query(made({4: {10: 1, 12: 0}}), 4)
    assert numbered([12, 10, 11]).tolist() == [0, 1, 0]
    for query in ("q3", 1):
        with pytest.raises(ValueError, match="the judgements know no query"):
            fc.QrelsLabeler.for_query(made(QRELS), query, ["a"])
    with pytest.raises(ValueError, match=r"documents are named 0 by doc_ids and '[ac]' in the judgements"):
        fc.QrelsLabeler.for_query(made(QRELS), "q2")([0])


def test_judgements_of_another_collection_are_told_from_those_of_this_one():
    with pytest.raises(ValueError, match="no query of the run is judged: it has 'q2', the judgements have 'Q2'"):
        fc.QrelsLabeler(RUN, {"Q2": {"a": 1}})
    with pytest.warns(fc.LabelingWarning, match="none of the 5 pairs of the run is judged; are documents and queries named alike"):
        fc.QrelsLabeler(RUN, {"q1": {"A": 1}, "q2": {"B": 1}})
    with pytest.warns(fc.LabelingWarning, match="none of the 2 documents of query 'q1' is judged"):
        fc.QrelsLabeler.for_query(QRELS, "q1", ["A", "B"])
    three = fc.Run.from_dict({"q1": {"a": 1.0}, "q2": {"a": 1.0}, "q3": {"a": 1.0}})
    with pytest.warns(fc.LabelingWarning, match="only 1 of 3 queries of the run are judged"):
        fc.QrelsLabeler(three, {"q1": {"a": 1}})
    with pytest.raises(ValueError, match="no query of the run is judged: it has 'q2', there are no judgements"):
        fc.QrelsLabeler(RUN, {})
    with pytest.raises(ValueError, match="QrelsLabeler is of another pool: it knows 5 positions, the pool has 500"):
        run(fc.QrelsLabeler(RUN, QRELS))


@pytest.mark.parametrize("positions", [[5], [-1]])
def test_positions_of_another_pool_are_refused(positions):
    with pytest.raises(ValueError, match="positions must"):
        fc.QrelsLabeler(RUN, QRELS)(positions)
    with pytest.raises(ValueError, match="positions must"):
        fc.QrelsLabeler.for_query(QRELS, "q1", list("abcde"))(positions)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fc.QrelsLabeler(RUN, QRELS, unjudged="ask"), ValueError, "unjudged must be one of"),
        (lambda: fc.QrelsLabeler(RUN, QRELS, min_grade=1.5), TypeError, "min_grade must be an integer"),
        (lambda: fc.QrelsLabeler([1], QRELS), TypeError, "expected a Run"),
        (lambda: fc.QrelsLabeler(RUN, QRELS)([0.5]), TypeError, "positions must be integers"),
        (lambda: fc.QrelsLabeler(RUN, QRELS)([[0]]), ValueError, r"positions must have shape \(n,\)"),
        (lambda: fc.BatchLabeler(None, []), TypeError, "judge must be callable"),
        (lambda: fc.BatchLabeler(len, 3), TypeError, "items must be a sequence"),
        (lambda: fc.BatchLabeler(len, [], key=3), TypeError, "key must be a str"),
        (lambda: fc.BatchLabeler(len, [], batch_size=0), ValueError, "batch_size must be"),
        (lambda: fc.BatchLabeler(len, [], retries=-1), ValueError, "retries must be"),
        (lambda: fc.BatchLabeler(len, [], backoff=-1.0), ValueError, "backoff must be"),
        (lambda: fc.BatchLabeler(len, [], malformed="drop"), ValueError, "malformed must be one of"),
        (lambda: fc.BatchLabeler(len, [b"x"])([0]), TypeError, "the item of position 0 must be a str or plain JSON"),
        (lambda: fc.TerminalLabeler("text"), TypeError, "show must be callable"),
        (lambda: fc.TerminalLabeler(str, input="y"), TypeError, "input must be callable"),
    ],
)
def test_bad_options(call, error, message):
    with pytest.raises(error, match=message):
        call()


# -- the terminal ----------------------------------------------------------------------------------------------------------
def terminal(keys, **options):
    """A labeler, the screen it writes and the prompts it shows; keys that are exceptions are raised."""
    screen, keys = [], iter(keys)

    def read(prompt):
        key = next(keys)
        if isinstance(key, BaseException):
            raise key
        return key

    return fc.TerminalLabeler(lambda p: f"item {p}", input=read, output=screen.append, **options), screen


def test_a_person_answers_and_changes_their_mind():
    labeler, screen = terminal(["u", "y", "N ", "u", "u", "n", "1", "what", "s", "0"])
    assert labeler([30, 10, 20, 40]).tolist() == [0, 1, -1, 0]
    assert screen[:3] == ["1 of 4\nitem 30", "1 of 4\nitem 30", "2 of 4\nitem 10"]
    assert "answer y, n, s, u or q" in screen


@pytest.mark.parametrize(("key", "error"), [("q", fc.LabelingStopped), (EOFError(), fc.LabelingStopped), (KeyboardInterrupt(), KeyboardInterrupt)])
def test_whoever_stops_loses_nothing(key, error):
    labeler, _ = terminal(["y"] * 10 + [key])
    with pytest.raises(error) as caught:
        run(labeler)
    assert [answer for _, answer in caught.value.state["labels"]] == [1] * 10
    again, _ = terminal(["y"] * 50)
    assert run(again, state=caught.value.state)["seen"] == run(lambda p: [1] * p.size)["seen"]


def test_a_document_cannot_steer_the_terminal(capsys, monkeypatch):
    labeler, screen = terminal(["y"])
    labeler._show = lambda position: "a\x1b[2J\x9bb\n\tc\x07"
    labeler([0])
    assert screen == ["1 of 1\na�[2J�b\n\tc�"]
    monkeypatch.setattr("builtins.input", lambda prompt: "n")
    assert fc.TerminalLabeler(lambda position: "[bold]text[/bold]")([0]).tolist() == [0]
    assert "[bold]text[/bold]" in capsys.readouterr().out
