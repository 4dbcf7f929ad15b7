"""certify_threshold refuses what it cannot use before a label is paid, and loses none when a labeler fails."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc


def from_truth(labels):
    return lambda positions: labels[positions]


def never(_positions):
    raise AssertionError("a label was paid for")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_precision": 0.0}, "target_precision"),
        ({"target_precision": 1.0}, "target_precision"),
        ({"target_precision": np.nan}, "target_precision"),
        ({"target_precision": "0.9"}, "target_precision"),
        ({"target_precision": True}, "target_precision"),
        ({"delta": 0}, "delta"),
        ({"delta": 1.0}, "delta"),
        ({"budget": 0}, "at least 26"),
        ({"budget": -5}, "at least 26"),
        ({"budget": 25}, "at least 26"),
        ({"budget": 50.0}, "budget"),
        ({"budget": True}, "budget"),
        ({"ratio": 1.0}, "ratio"),
        ({"ratio": 5}, "ratio"),
        ({"batch_size": 0}, "batch_size"),
        ({"scope": "pairs", "budget": 42}, "at least 43"),
        ({"scope": "queries"}, "scope"),
        ({"sampling": "weighted"}, "probabilities"),
        ({"sampling": "weird"}, "sampling"),
        ({"probabilities": np.ones(200)}, "probabilities"),
        ({"second_start": "auto"}, "probabilities"),
        ({"second_start": "far"}, "second_start"),
        ({"second_start": 1e9}, "selects no row"),
        ({"second_start": "auto", "probabilities": np.ones(3)}, "one per position"),
        ({"second_start": "auto", "probabilities": np.full(200, np.nan)}, "NaN at position 0"),
        ({"sampling": "weighted", "probabilities": np.full(200, 2.0)}, "probability"),
        ({"sampling": "weighted", "probabilities": np.full(200, 0.5), "scope": "pairs"}, "pool"),
        ({"higher_is_better": 1}, "higher_is_better"),
        ({"groups": np.zeros(7)}, "groups"),
        ({"seed": -1}, "seed"),
        ({"seed": "x"}, "seed"),
    ],
)
def test_bad_options_are_refused_before_a_label_is_paid(options, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        fc.certify_threshold(np.arange(200.0), never, **options)
    assert isinstance(caught.value, fc.FastcalError)


@pytest.mark.parametrize("scores", [[], [np.nan, np.nan], [1.0, np.inf], ["a", "b"], np.arange(3), [[1.0], [2.0, 3.0]], None, [1e300, 1.0]])
def test_bad_scores_are_refused(scores):
    with pytest.raises((ValueError, TypeError)):
        fc.certify_threshold(scores, never)


def test_lists_refuse_groups_and_other_directions():
    found = fc.SearchResult(np.array([[0.5, 0.4]], np.float32), np.array([[1, 2]]), higher_is_better=False)
    with pytest.raises(ValueError, match="higher_is_better"):
        fc.certify_threshold(found, never)
    with pytest.raises(ValueError, match="groups"):
        fc.certify_threshold(found, never, higher_is_better=False, groups=[1])
    with pytest.raises(TypeError, match="without scores"):
        fc.certify_threshold(fc.Run([[1, 2]]), never)


@pytest.mark.parametrize("answers", [lambda p: np.ones(p.size + 1), lambda p: np.full(p.size, 2), lambda p: np.full(p.size, np.nan), lambda p: "yes"])
def test_a_bad_labeler_loses_no_label(answers):
    calls = []

    def labeler(positions):
        calls.append(positions)
        return np.ones(positions.size) if len(calls) < 3 else answers(positions)

    with pytest.raises((ValueError, TypeError)) as caught:
        fc.certify_threshold(np.arange(500.0), labeler, seed=0)
    assert [p for p, _ in caught.value.state["labels"]] == np.concatenate(calls[:2]).tolist()


def test_states_of_something_else_are_refused():
    scores, labels = np.arange(300.0), np.ones(300, int)
    state = fc.certify_threshold(scores, from_truth(labels), seed=5).state
    for changed in (
        {"target_precision": 0.8},
        {"delta": 0.1},
        {"seed": 6},
        {"ratio": 1.5},
        {"second_start": 7.0},
        {"scope": "pairs"},
    ):
        with pytest.raises(ValueError, match="state"):
            fc.certify_threshold(scores, never, state=state, **changed)
    for other in (scores + 1, scores[:-1]):
        with pytest.raises(ValueError, match="state"):
            fc.certify_threshold(other, never, state=state)
    with pytest.raises(ValueError, match="state"):
        fc.certify_threshold(scores, never, state={"labels": []})


def of_census(state, census):
    return state | {"settings": state["settings"] | {"census": census}}


def test_a_census_that_no_budget_leads_to_is_refused():
    scores, index = np.repeat(np.arange(1000.0), 2), fc.Index(np.arange(2000.0, dtype=np.float32)[:, np.newaxis], "dot")
    ways = {
        "threshold": lambda labeler, **options: fc.certify_threshold(scores, labeler, **options),
        "dynamic": lambda labeler, **options: fc.dynamic_threshold(index, [1.0], labeler, **options),
        "pooled": lambda labeler, **options: fc.pooled_thresholds(np.tile(np.linspace(1, 0, 40), (50, 1)), labeler, **options),
    }
    for certify in ways.values():
        state = certify(np.ones_like, seed=0).state
        assert 29 <= state["settings"]["census"] <= 50
        for census in (600, 116, -1):
            with pytest.raises(ValueError, match=f"census={census}"):
                certify(never, state=of_census(state, census))
    state = fc.certify_threshold(scores, np.ones_like, seed=0).state
    assert state["settings"]["census"] == 30
    for census in (29, 7, 31):  # a tie would be split
        with pytest.raises(ValueError, match="census"):
            fc.certify_threshold(scores, never, state=of_census(state, census))
    assert fc.certify_threshold(scores, np.ones_like, state=of_census(state, 8)).trace[0].n_rows == 8
    for census in ("29", -1, 301, None):
        with pytest.raises(ValueError, match="census"):
            fc.certify_threshold(scores, never, state=state | {"settings": state["settings"] | {"census": census}})


@pytest.mark.parametrize("n", [1, 2, 5, 29, 30])
@pytest.mark.parametrize("rate", [0, 1])
def test_small_pools_are_labelled_whole_or_less(n, rate):
    for scores in (np.arange(n, dtype=np.float64), np.zeros(n)):
        found = fc.certify_threshold(scores, lambda p: np.full(p.size, rate), seed=0)
        assert found.labels_used <= n
        assert found.n_selected == (n if rate else 0)
        assert found.reason == ("certified" if rate else "head_fails")


def test_cannot_judge_counts_as_not_relevant():
    found = fc.certify_threshold(np.arange(300.0), lambda p: np.full(p.size, -1), seed=0)
    assert (found.reason, found.n_cannot_judge) == ("head_fails", found.labels_used)
    assert f"{found.labels_used} of which nobody could judge" in str(found)
    assert "judge;" not in str(fc.certify_threshold(np.arange(300.0), np.ones_like, seed=0))
