"""certify_queries: bets against exact fractions, the promise where it is hardest to keep, and every way to end."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interrupted import Judge, check_interruptions, check_twin

import fastcal as fc
from fastcal.certificates._bets import Wealth

BETS = [(Fraction(j, 10), Fraction(j, 55)) for j in range(1, 11)]


def lists(seed=0, n_queries=120, depth=8, decimals=1):
    """Scores with ties and labels whose precision falls with the score."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=(n_queries, depth)), decimals)
    return scores, rng.random(scores.shape) < 1 / (1 + np.exp(-5 * (scores - 0.2)))


def as_run(scores):
    """The same lists in compressed rows, every seventh of them empty."""
    order = [np.argsort(-row, kind="stable") if i % 7 else np.empty(0, int) for i, row in enumerate(scores)]
    ids = np.concatenate(order)
    return fc.Run(ids, np.concatenate([row[o] for row, o in zip(scores, order, strict=True)]), np.cumsum([0, *map(len, order)])), order


# -- the evidence ---------------------------------------------------------------------------------------------------
@given(st.lists(st.fractions(-1, 3, max_denominator=20), min_size=1, max_size=30), st.integers(0, 30))
def test_wealth_is_the_mixture_of_ten_gamblers(gains, at):
    exact = [sum(w * math.prod(1 + f * g for g in gains[: n + 1]) for f, w in BETS) for n in range(len(gains))]
    wealth, column = Wealth(1), np.array(gains, float)[:, None]
    found = np.concatenate([wealth.bet(column[:at]), wealth.bet(column[at:])])[:, 0]
    assert np.exp(found) == pytest.approx([float(e) for e in exact], rel=1e-9, abs=1e-12)
    if all(e > 0 for e in exact):
        again = [sum(w * math.prod(1 + f * g for g in gains) * (1 + f / 9) ** n for f, w in BETS) for n in range(1, 65)]
        steps = wealth.rounds_to(math.log(20), 1 / 9)
        assert steps == next((n for n, e in enumerate(again, 1) if e >= 20), steps)
        assert (steps > 64) == all(e < 20 for e in again)


@given(st.lists(st.integers(0, 10), min_size=2, max_size=6), st.integers(1, 9))
@settings(max_examples=40)
def test_a_fair_game_leaves_the_wealth_where_it_is(values, mean):
    """Averaged over all sequences of two draws from a distribution of mean a, the mixture is exactly 1."""
    losses = [Fraction(v, 10) for v in values]
    a = sum(losses) / len(losses)
    if a in {0, 1}:
        return
    total = sum(sum(w * (1 + f * (a - x) / (1 - a)) * (1 + f * (a - y) / (1 - a)) for f, w in BETS) for x in losses for y in losses)
    assert total == len(losses) ** 2
    assert all(1 + f * (a - x) / (1 - a) >= 0 for f, _ in BETS for x in losses)


@pytest.mark.parametrize(("delta", "empty"), [(0.05, "no_loss"), (0.2, "leave_out")])
def test_promise_where_the_mean_just_misses(delta, empty):
    """All or nothing is the least favourable loss; more failures than the binomial limit of 1e-4 refute the promise."""
    trials, failures, scores = 300, 0, np.ones((80, 1))
    for seed in range(trials):
        labels = np.random.default_rng([seed, 3]).random(80) < 0.9
        failures += fc.certify_queries(scores, Judge(labels), thresholds=[0.5], delta=delta, empty=empty, seed=seed).threshold is not None
    assert sum(math.comb(trials, k) * delta**k * (1 - delta) ** (trials - k) for k in range(failures, trials + 1)) > 1e-4, failures


# -- what it finds ----------------------------------------------------------------------------------------------------
def losses_of(scores, labels, order, cut, loss):
    """Loss and emptiness of each of the queries, by loops."""
    for query in order:
        chosen = [y for s, y in zip(scores[query], labels[query], strict=True) if s >= np.float32(cut)]
        whole = len(chosen) if loss == "precision" else int(sum(labels[query]))
        yield (1 - sum(chosen) / whole if whole else 0.0), not whole


@pytest.mark.parametrize("loss", ["precision", "recall"])
@pytest.mark.parametrize("empty", ["no_loss", "leave_out"])
def test_the_walk_by_hand(loss, empty):
    """Every test of the trace, recomputed from the scores, all labels and the order of the queries."""
    scores, labels = lists(3, n_queries=150)
    judge = Judge(labels)
    found = fc.certify_queries(scores, judge, empty=empty, seed=11, budget=5_000, **{f"target_{loss}": 0.8})
    order = []
    for position in judge.asked:
        order += [position // 8] if position // 8 not in order else []
    assert found.n_reserved == 30
    assert found.certified
    assert len(found.trace) > 3
    cuts = [test.threshold for test in found.trace]
    assert cuts == sorted(cuts, reverse=loss == "precision")
    drawn = np.random.default_rng(np.random.SeedSequence([11, *b"queries"])).permutation(150).tolist()[30:]
    assert set(order) <= set(drawn)
    for test in found.trace:
        mixture, best = [float(w) for _, w in BETS], 0.0
        judged = list(losses_of(scores, labels, drawn[: test.n_queries], test.threshold, loss))
        for x, none in judged:
            gain = 0.0 if none and empty == "leave_out" else (0.2 - x) / 0.8
            mixture = [each * (1 + float(f) * gain) for (f, _), each in zip(BETS, mixture, strict=True)]
            best = max(best, sum(mixture))
        assert test.log_evidence == pytest.approx(math.log(best), abs=1e-9)
        counted = [x for x, none in judged if not (none and empty == "leave_out")]
        assert test.mean_loss == pytest.approx(np.mean(counted))
        assert test.n_empty == sum(none for _, none in judged)
        assert (test.verdict == "certified") == (best >= 20)
    last = [test for test in found.trace if test.verdict == "certified"][-1]
    assert (found.threshold, found.n_queries, found.mean_loss) == (last.threshold, last.n_queries, last.mean_loss)
    answered = [1 - x for x, none in losses_of(scores, labels, drawn[: last.n_queries], last.threshold, loss) if not none]
    assert found.mean_answered == pytest.approx(np.mean(answered))
    assert found.n_selected == (scores >= np.float32(found.threshold)).sum()
    assert sum(test.labels for test in found.trace) == found.labels_used == len(judge.asked)


def test_a_run_with_empty_lists_and_its_mirror_image():
    scores, labels = lists(4)
    run, order = as_run(scores)
    flat = np.concatenate([labels[i][o] for i, o in enumerate(order)])
    found = fc.certify_queries(run, Judge(flat), seed=2, budget=3_000)
    padded = scores.copy()
    padded[::7] = np.nan
    assert fc.certify_queries(padded, Judge(labels), seed=2, budget=3_000).threshold == found.threshold
    mirror = fc.Run(run.ids, -run.scores, run.offsets, higher_is_better=False)
    reverse = fc.certify_queries(mirror, Judge(flat), seed=2, budget=3_000, higher_is_better=False)
    assert found.threshold == -reverse.threshold
    assert (reverse.labels_used, reverse.n_selected) == (found.labels_used, found.n_selected)
    assert [test.threshold for test in reverse.trace] == [-test.threshold for test in found.trace]
    assert found.share_empty > 0
    assert "not about each query" in found.scope


def test_only_what_is_needed_is_judged():
    """36 queries without loss certify; of each, the rows beyond the threshold."""
    scores = np.tile([0.9, 0.8, 0.1], (100, 1))
    judge = Judge(np.tile([1, 1, 0], 100))
    found = fc.certify_queries(scores, judge, thresholds=[0.5], seed=0)
    assert (found.labels_floor, found.n_queries, found.labels_used, found.n_selected) == (72, 36, 72, 200)
    assert all(position % 3 < 2 for position in judge.asked)


def test_few_answers_pass_unless_empty_lists_are_left_out():
    scores = np.where(np.arange(200) % 40 == 0, 1.0, 0.0)[:, None]
    lenient, strict = (fc.certify_queries(scores, Judge(np.zeros(200)), thresholds=[0.5], empty=e, seed=1) for e in ("no_loss", "leave_out"))
    assert (lenient.reason, lenient.mean_answered) == ("certified", 0.0)
    assert lenient.share_empty > 0.85
    assert strict.threshold is None


# -- how it ends --------------------------------------------------------------------------------------------------------
def test_reasons():
    scores, bad = np.ones((60, 4)), np.zeros((60, 4))
    hopeless = fc.certify_queries(scores, Judge(bad), seed=0)
    assert (hopeless.reason, hopeless.n_queries, hopeless.mean_loss) == ("futility", 0, None)
    assert hopeless.labels_used == 36 * 4
    last = np.random.default_rng(np.random.SeedSequence([0, *b"queries"])).permutation(60)[-1]  # places no threshold
    one = np.where(np.arange(60)[:, None] == last, 1.0, np.nan)
    assert fc.certify_queries(one, Judge(bad), seed=0).reason == "no_cut"
    whole = fc.certify_queries(scores, Judge(bad + 1), seed=0)
    assert (whole.reason, whole.stopped, whole.threshold) == ("certified", "last cut", 1.0)


@pytest.mark.parametrize("target", [{"target_precision": 1e-300}, {"target_recall": 5e-324}, {"target_precision": 5e-324, "empty": "leave_out"}])
def test_tiny_targets(target):
    judge = Judge(np.ones(240))
    assert fc.certify_queries(np.ones((60, 4)), judge, thresholds=[0.5], seed=0, **target).labels_used == 4
    assert fc.certify_queries(np.ones((60, 4)), Judge(np.zeros(240)), thresholds=[0.5], seed=0, **target).certified == ("target_recall" in target)


def test_what_is_printed():
    found = fc.certify_queries(np.ones((40, 2)), Judge(np.where(np.arange(80) % 40, 1, -1)), thresholds=[0.5], target_precision=0.8, seed=0)
    lines = str(found).splitlines()
    assert lines[0] == "score >= 0.5: mean precision over future queries >= 0.8 with confidence 0.95, 80 rows"
    assert lines[1].startswith(f"{found.labels_used} labels used of 80")
    assert ("nobody could judge" in lines[1]) == bool(found.n_cannot_judge)
    assert lines[2] == found.scope
    assert "at least 0.8, as judged" in found.scope
    assert "wrong in at most 5 %" in found.scope
    assert lines[3].startswith("  score 0.5: ")
    assert lines[3].endswith("certified")


def test_lists_that_end_above_the_threshold_are_counted():
    scores = np.sort(np.random.default_rng(1).random((200, 5)))[:, ::-1]
    scores[::9] = np.nan
    found = fc.certify_queries(scores, Judge(np.ones(1_000)), thresholds=[0.2], seed=0)
    assert found.n_truncated == (scores[:, -1] >= 0.2).sum() > 0
    assert f"and {found.n_truncated} of the 200 lists here end at or beyond the threshold" in found.scope
    mirror = fc.certify_queries(-scores, Judge(np.ones(1_000)), thresholds=[-0.2], seed=0, higher_is_better=False)
    assert mirror.n_truncated == found.n_truncated


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_precision": 0.9, "target_recall": 0.9}, "both given"),
        ({"target_precision": 1}, "strictly between"),
        ({"delta": 1.0}, "strictly between"),
        ({"budget": 0}, "at least 72"),
        ({"budget": 71}, "at least 72"),
        ({"n_queries": 35}, "at least 36"),
        ({"empty": "zero"}, "no_loss"),
        ({"ratio": 5.0}, r"\(1, 4\]"),
        ({"thresholds": []}, "thresholds"),
        ({"thresholds": [np.nan]}, "thresholds"),
        ({"run": np.ones(60)}, "n_queries, m"),
        ({"run": np.ones((36, 2))}, "35 may be judged; expected at least 36.*places the thresholds"),
        ({"run": np.ones((35, 2)), "thresholds": [0.5]}, "expected at least 36"),
        ({"target_precision": 0.9999999999999999}, "expected at least 1"),
        ({"run": np.full((60, 2), np.inf)}, "finite"),
    ],
)
def test_bad_input_costs_no_label(options, message):
    judge, options = Judge(np.ones(120)), dict(options)
    with pytest.raises(ValueError, match=message):
        fc.certify_queries(options.pop("run", np.ones((60, 2))), judge, **options)
    assert not judge.calls
    with pytest.raises(TypeError, match="without scores"):
        fc.certify_queries(fc.Run([[1, 2]] * 60), judge)


@pytest.mark.parametrize(
    "changed", [{"target_precision": 0.8}, {"target_recall": 0.9}, {"delta": 0.1}, {"thresholds": [0.5]}, {"empty": "leave_out"}, {"seed": 1}]
)
def test_a_state_belongs_to_one_promise(changed):
    scores, labels = lists()
    state = fc.certify_queries(scores, Judge(labels), seed=0).state
    with pytest.raises(ValueError, match="state"):
        fc.certify_queries(scores, Judge(labels), state=state, **changed)


@pytest.mark.parametrize("target", [{"target_precision": 0.8}, {"target_recall": 0.8}])
def test_interrupted_anywhere_it_ends_the_same(tmp_path, target):
    scores, labels = lists(5, n_queries=60)
    labels = np.where(np.arange(labels.size).reshape(labels.shape) % 50 == 3, -1, labels)
    found = check_interruptions(fc.certify_queries, scores, labels, tmp_path, 4, budget=400, **target)
    assert found.certified
    assert found.n_cannot_judge > 0
    check_twin(fc.certify_queries, fc.certify_queries_async, scores, labels, seed=4, budget=400, **target)
