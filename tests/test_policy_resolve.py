"""Escalation: only what escalates is sent, what comes back is judged, and what fails costs one query."""

from __future__ import annotations

import json
import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal import Reason

NAN = float("nan")


def found(rows, higher_is_better=True):
    scores = np.array(rows, dtype=np.float32)
    return fc.SearchResult(scores, np.where(np.isnan(scores), -1, 10 + np.arange(scores.shape[1])), higher_is_better)


def identity(low=0.0, high=1.0):
    return fc.IsotonicCalibrator().fit([low, high], [0, 1])


BAND = fc.AbstainBand(0.25, 0.75)
POLICY = fc.Policy(identity(), BAND)
ROWS = found([[0.875, 0.5], [0.5, 0.375], [0.125, 0.0], [0.625, 0.5], [0.5, 0.125], [NAN, NAN]])
QUERIES = ["act", "to the top", "none", "nothing", "in between", "empty"]


class Reranker:
    """Scores in [0, 10] by query, and a record of what was asked."""

    def __init__(self):
        self.asked = []
        self.answers = {"to the top": [2.0, 9.0], "nothing": [1.0, 0.0], "in between": [5.0]}

    def __call__(self, query, ids):
        self.asked.append((query, ids.tolist()))
        return self.answers[query]


def names(resolved):
    return [Reason(code).name for code in resolved.reasons]


def test_only_escalated_queries_are_sent_and_decided_again():
    reranker = Reranker()
    resolved = POLICY.resolve(ROWS, QUERIES, reranker=reranker, reranker_calibrator=identity(0.0, 10.0))
    assert reranker.asked == [("to the top", [10, 11]), ("nothing", [10, 11]), ("in between", [10])]
    assert names(resolved) == ["ACCEPTED", "ACCEPTED", "BELOW_BAND", "BELOW_BAND", "IN_BAND", "NO_CANDIDATE"]
    assert resolved.decisions.tolist() == [2, 2, 0, 0, 1, 0]
    assert resolved.next_step.tolist() == ["", "", "", "", "human", ""]
    assert resolved.kept.counts().tolist() == [2, 1, 0, 0, 1, 0]
    assert resolved.kept.ids.tolist() == [10, 11, 11, 10]
    assert resolved.kept.scores.tolist() == [0.875, 0.5, 0.375, 0.5]
    np.testing.assert_array_equal(resolved.probabilities[1], np.float32([0.2, 0.9]))
    np.testing.assert_array_equal(resolved.probabilities[4], [0.5, NAN])
    np.testing.assert_array_equal(resolved.probabilities[0], [0.875, 0.5])
    assert sorted(resolved.escalations) == [1, 3, 4]
    assert [(step.rule, step.outcome) for step in resolved.explain(1)] == [
        ("candidates", "passed"),
        ("band", "IN_BAND"),
        ("rerank", "ACCEPTED"),
        ("band", "passed"),
        ("decision", "ACT"),
    ]
    edges = {"low": BAND.low, "high": BAND.high, "inclusive": True}
    assert resolved.explain(1)[3].numbers == {"best_probability": float(np.float32(0.9)), **edges}
    assert [(step.rule, step.outcome) for step in resolved.explain(4)[2:4]] == [("rerank", "IN_BAND"), ("band", "IN_BAND")]
    assert resolved.explain(1)[2].numbers == {"candidates": 2, "best_probability": float(np.float32(0.9))}
    plain = resolved.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_the_first_decision_is_left_as_it_was():
    decided = POLICY.decide(ROWS)
    before = decided.to_dict()
    resolved = POLICY.resolve(ROWS, QUERIES, reranker=Reranker(), reranker_calibrator=identity(0.0, 10.0))
    assert POLICY.decide(ROWS).to_dict() == before == resolved.first.to_dict()


def test_the_order_of_kept_candidates_is_the_rerankers():
    rows = found([[0.7, 0.6, 0.5, 0.4]])
    falling = fc.IsotonicCalibrator(increasing=False).fit([0.0, 1.0], [1, 0])
    up = POLICY.resolve(rows, ["q"], reranker=lambda q, ids: [0.5, 0.9, 0.1, 0.9], reranker_calibrator=identity())
    assert up.kept.ids.tolist() == [11, 13, 10]
    down = POLICY.resolve(rows, ["q"], reranker=lambda q, ids: [0.5, 0.9, 0.1, 0.0], reranker_calibrator=falling)
    assert down.kept.ids.tolist() == [13, 12, 10]


def test_an_ambiguous_query_is_settled_by_the_band_on_the_rerankers_probabilities():
    policy = fc.Policy(identity(), BAND, gap=fc.GapCheck(0.1))
    rows = found([[0.9, 0.875]])
    assert names(policy.decide(rows)) == ["AMBIGUOUS"]
    resolved = policy.resolve(rows, ["q"], reranker=lambda q, ids: [0.1, 0.8], reranker_calibrator=identity())
    assert (names(resolved), resolved.kept.ids.tolist()) == (["ACCEPTED"], [11])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([0.5], r"InvalidValueError: the reranker's scores must have shape \(2,\)"),
        ([0.5, NAN], "must be finite, got nan"),
        (["a", "b"], "must be numbers"),
        (None, "InvalidTypeError"),
        (TimeoutError("2 s"), "TimeoutError: 2 s"),
    ],
)
def test_a_failure_costs_one_query(answer, message):
    def reranker(query, ids):
        if query != "to the top":
            return [9.0] * len(ids)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.warns(fc.EscalationWarning, match="1 of 3 escalated queries failed and stay ESCALATE; the first, query 1: ") as caught:
        resolved = POLICY.resolve(ROWS, QUERIES, reranker=reranker, reranker_calibrator=identity(0.0, 10.0))
    assert caught[0].filename == __file__
    assert names(resolved) == ["ACCEPTED", "FAILED", "BELOW_BAND", "ACCEPTED", "ACCEPTED", "NO_CANDIDATE"]
    assert resolved.next_step.tolist() == ["", "rerank", "", "", "", ""]
    assert resolved.kept.ids[resolved.kept.offsets[1] : resolved.kept.offsets[2]].tolist() == [10, 11]
    assert re.search(message, resolved.explain(1)[-2].numbers["error"])


def test_a_keyboard_interrupt_is_not_held_up():
    def reranker(query, ids):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        POLICY.resolve(ROWS, QUERIES, reranker=reranker, reranker_calibrator=identity())


def test_a_callback_cannot_change_what_was_decided():
    def reranker(query, ids):
        ids[:] = -5
        return np.ones(len(ids))

    resolved = POLICY.resolve(ROWS, QUERIES, reranker=reranker, reranker_calibrator=identity())
    assert -5 not in resolved.kept.ids


def test_widening_decides_the_wider_list_as_the_first_was():
    policy = fc.Policy(identity(), BAND, on_escalate="widen")
    wider = {"to the top": found([[0.9, 0.5, 0.3, 0.1]]), "nothing": found([[0.1]]), "in between": found([[0.6, 0.5, 0.2]])}
    asked = []
    resolved = policy.resolve(ROWS, QUERIES, widen=lambda query, k: asked.append((query, k)) or wider[query])
    assert asked == [("to the top", 2), ("nothing", 2), ("in between", 2)]
    assert names(resolved) == ["ACCEPTED", "ACCEPTED", "BELOW_BAND", "BELOW_BAND", "IN_BAND", "NO_CANDIDATE"]
    assert resolved.next_step.tolist() == ["", "", "", "", "human", ""]
    assert resolved.result.scores.shape == resolved.probabilities.shape == (6, 4)
    assert resolved.result.ids[1].tolist() == [10, 11, 12, 13]
    assert resolved.result.ids[0].tolist() == [10, 11, -1, -1]
    assert resolved.kept.counts().tolist() == [2, 3, 0, 0, 2, 0]
    assert [(step.rule, step.outcome) for step in resolved.explain(3)[2:-1]] == [
        ("widen", "BELOW_BAND"),
        ("candidates", "passed"),
        ("band", "BELOW_BAND"),
    ]
    assert resolved.explain(3)[-2].numbers == {"best_probability": float(np.float32(0.1)), "low": BAND.low, "high": BAND.high, "inclusive": True}
    assert resolved.explain(1)[2].to_dict() == {
        "rule": "widen",
        "outcome": "ACCEPTED",
        "numbers": {"candidates": 4, "best_probability": float(np.float32(0.9))},
    }


@pytest.mark.parametrize(
    ("wide", "message"), [([[0.5]], "must return a SearchResult, got list"), (ROWS, "one query, got 6"), (found([[0.5]], False), "higher_is_better")]
)
def test_a_wider_search_that_cannot_be_used(wide, message):
    with pytest.warns(fc.EscalationWarning, match=message):
        resolved = fc.Policy(identity(), BAND, on_escalate="widen").resolve(ROWS, QUERIES, widen=lambda query, k: wide)
    assert names(resolved).count("FAILED") == 3


def test_an_id_that_stands_in_a_row_twice_keeps_its_two_probabilities():
    rows = fc.SearchResult(np.array([[0.6, 0.5, 0.4, 0.1]], np.float32), np.array([[4, 4, 2, 4]]))
    resolved = POLICY.resolve(rows, ["q"], reranker=lambda query, ids: [-1.0, 5.0, 0.0], reranker_calibrator=identity(-10.0, 10.0))
    np.testing.assert_array_equal(resolved.probabilities[0], np.float32([0.45, 0.75, 0.5, NAN]))


def test_a_calibrator_that_is_not_fitted_costs_no_reranking():
    reranker = Reranker()
    with pytest.raises(fc.NotFittedError):
        POLICY.resolve(ROWS, QUERIES, reranker=reranker, reranker_calibrator=fc.PlattCalibrator())
    assert reranker.asked == []


def test_classes_stay_with_their_queries():
    bands = fc.PerClass({"strict": fc.AbstainBand(0.25, 0.95), "lax": fc.AbstainBand(0.25, 0.75)})
    rows = found([[0.5], [0.5]])
    reranked = fc.Policy(identity(), bands).resolve(
        rows, ["a", "b"], reranker=lambda q, ids: [0.9], reranker_calibrator=identity(), classes=["strict", "lax"]
    )
    widened = fc.Policy(identity(), bands, on_escalate="widen").resolve(
        rows, ["a", "b"], widen=lambda q, k: found([[0.9]]), classes=["strict", "lax"]
    )
    assert names(reranked) == names(widened) == ["IN_BAND", "ACCEPTED"]


@given(st.lists(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=2), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_resolving_by_the_same_scores_changes_nothing_but_what_the_band_said(rows, seed):
    result = found([sorted(row, reverse=True) for row in rows])
    rng = np.random.default_rng(seed)
    given_scores = {i: rng.random(2) for i in range(len(rows))}
    sent = []
    resolved = POLICY.resolve(
        result, range(len(rows)), reranker=lambda i, ids: sent.append(i) or given_scores[i][: len(ids)], reranker_calibrator=identity()
    )
    first = POLICY.decide(result)
    assert sent == np.flatnonzero(first.decisions == 1).tolist()
    for i in range(len(rows)):
        kept = int(first.kept.counts()[i])
        expected = BAND.decide(given_scores[i][:kept]).max() if i in sent else first.decisions[i]
        assert resolved.decisions[i] == expected


def test_callbacks_that_are_missing_or_of_no_use():
    widen, human = (fc.Policy(identity(), BAND, on_escalate=step) for step in ("widen", "human"))
    cases = [
        (POLICY, {}, "needs reranker="),
        (POLICY, {"reranker": Reranker()}, "needs reranker_calibrator="),
        (POLICY, {"reranker": 5, "reranker_calibrator": identity()}, "reranker must be callable, got int"),
        (POLICY, {"reranker": Reranker(), "reranker_calibrator": 5}, "reranker_calibrator must be a Calibrator"),
        (POLICY, {"reranker": Reranker(), "reranker_calibrator": identity(), "widen": print}, "no use for widen="),
        (widen, {}, "needs widen="),
        (widen, {"widen": print, "reranker": Reranker()}, "no use for reranker="),
    ]
    for policy, given_callbacks, message in cases:
        with pytest.raises(TypeError, match=message):
            policy.resolve(ROWS, QUERIES, **given_callbacks)
    with pytest.raises(ValueError, match="leaves escalated queries to people"):
        human.resolve(ROWS, QUERIES)
    with pytest.raises(ValueError, match="6 queries of the result, got 2 of them"):
        POLICY.resolve(ROWS, ["a", "b"], reranker=Reranker(), reranker_calibrator=identity())
    with pytest.raises(ValueError, match="this policy has no such band"):
        fc.Policy(gap=fc.GapCheck(0.1)).resolve(ROWS, QUERIES, reranker=Reranker(), reranker_calibrator=identity())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing = fc.Policy(identity(), fc.AbstainBand(0, 0)).resolve(ROWS, QUERIES, reranker=Reranker(), reranker_calibrator=identity())
    assert not nothing.escalations
