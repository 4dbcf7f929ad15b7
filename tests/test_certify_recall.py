"""certify_recall: its evidence against exact enumeration, its promise at the least favourable pools, and every way to end."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interrupted import Judge, check_interruptions, check_twin
from reference_recall import wealth

import fastcal as fc
from fastcal.certificates._recall_test import RecallTest

RATE = Fraction(3, 5)


@pytest.mark.parametrize("shape", [(4, 3, 1, 0), (2, 1, 3, 1), (1, 0, 4, 2), (4, 4, 3, 3), (3, 2, 3, 2), (5, 1, 2, 1)])
def test_under_the_null_the_wealth_never_grows_on_average_and_rarely_at_all(shape):
    """All orders of a pool whose recall is just below the target: positives above of rows above, then below."""
    n_above, hits_above, n_below, hits_below = shape
    assert Fraction(hits_above, hits_above + hits_below or 1) < RATE or not hits_below
    if not hits_below:
        hits_below = math.floor(hits_above / RATE) - hits_above + 1
        n_below = max(n_below, hits_below)
    pool = [(1, 1)] * hits_above + [(1, 0)] * (n_above - hits_above) + [(0, 1)] * hits_below + [(0, 0)] * (n_below - hits_below)
    orders = list(set(permutations(pool))) if len(pool) <= 7 else [tuple(np.random.default_rng(s).permutation(pool).tolist()) for s in range(300)]
    paths = [wealth(rows, RATE, n_above, len(pool)) for rows in orders]
    assert not any(None in path for path in paths), "the null is true, so it is never impossible"
    if len(pool) <= 7:
        assert all(sum(path[n] for path in paths) <= len(paths) for n in range(len(pool)))
        for delta in (0.1, 0.3, 0.5, 0.8):
            assert sum(max(path) >= 1 / delta for path in paths) <= delta * len(paths)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=70), st.sampled_from([0.6, 0.9, 0.123456789012]), st.data())
@settings(max_examples=60, deadline=None)
def test_evidence_is_that_of_the_slow_reference(rows, target, data):
    depths, labels = np.array([d for d, _ in rows]), np.array([y for _, y in rows], np.uint8)
    counts = np.array([(depths > cut).sum() for cut in range(3)])
    exact = Fraction(math.ceil(Fraction(str(target)) * 10**9), 10**9)
    test, at = RecallTest(Fraction(str(target)), 0.05, counts, depths.size), data.draw(st.integers(0, depths.size))
    test.take(depths[:at], labels[:at])
    test.take(depths[at:], labels[at:])
    for cut in range(3):
        path = wealth([(int(d > cut), int(y)) for d, y in zip(depths, labels, strict=True)], exact, int(counts[cut]), depths.size)
        best = math.inf if None in path else math.log(max(path)) if max(path) > 0 else -math.inf
        assert test.evidence[cut] == pytest.approx(best, abs=1e-9)
    passed = test.evidence >= -math.log(0.05)
    assert test.n_certified == (3 if passed.all() else passed.argmin())


@pytest.mark.parametrize(("positives", "target", "delta", "bottom"), [(60, 0.9, 0.05, 0.3), (30, 0.8, 0.2, 0.1), (60, 0.8, 0.1, 0.05)])
def test_promise_at_the_least_favourable_pools(positives, target, delta, bottom):
    """One positive too many lies at the bottom; more failures than the binomial limit of 1e-4 refute the promise."""
    n, trials, failures = 120, 150, 0
    above = math.ceil(Fraction(str(target)) * positives) - 1
    low = max(positives - above, int(n * bottom))
    for seed in range(trials):
        rng, y = np.random.default_rng([seed, 7]), np.zeros(n, np.uint8)
        y[: n - low][rng.permutation(n - low)[:above]] = 1
        y[n - low :][rng.permutation(low)[: positives - above]] = 1
        found = fc.certify_recall(-np.arange(n, dtype=float), Judge(y), target_recall=target, delta=delta, budget=n, seed=seed, batch_size=12)
        failures += any(y[: step.n_rows].sum() < Fraction(str(target)) * positives for step in found.trace)
    tail = sum(math.comb(trials, k) * delta**k * (1 - delta) ** (trials - k) for k in range(failures, trials + 1))
    assert tail > 1e-4, failures


SCORES = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=60)


@given(SCORES, st.sampled_from([0.5, 0.8, 0.9]), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_all_labels_certify_every_cut_that_is_good(rows, target, seed):
    scores, labels = np.array([s for s, _ in rows], float), np.array([y for _, y in rows], np.uint8)
    found = fc.certify_recall(scores, Judge(labels), target_recall=target, budget=len(rows), ratio=1.01, seed=seed)
    good = [t for t in np.unique(scores)[1:] if labels.any() and labels[scores >= t].sum() >= Fraction(str(target)) * int(labels.sum())]
    assert (found.reason == "certified") >= bool(good)
    if found.stopped == "whole pool":
        assert found.threshold == max(good, default=None), "no promise that is known to be broken"
    if good:
        assert found.threshold >= max(good)
        assert found.n_selected == (scores >= found.threshold).sum()
        assert [step.n_rows for step in found.trace] == sorted((step.n_rows for step in found.trace), reverse=True)
    flipped = fc.certify_recall(-scores, Judge(labels), target_recall=target, budget=len(rows), ratio=1.01, seed=seed, higher_is_better=False)
    moved = fc.certify_recall(np.exp(scores / 9), Judge(labels), target_recall=target, budget=len(rows), ratio=1.01, seed=seed)
    assert (flipped.n_selected, flipped.labels_used) == (moved.n_selected, moved.labels_used) == (found.n_selected, found.labels_used)
    assert flipped.threshold == (None if found.threshold is None else -found.threshold)


def test_all_relevant_above_takes_36_of_them():
    labels = np.arange(20_000) < 10_000
    found = fc.certify_recall(-np.arange(20_000.0), Judge(labels), seed=3, batch_size=1)
    assert (found.labels_floor, found.trace[0].positives, found.trace[0].positives_above) == (36, 36, 36)
    assert found.budget == found.labels_used == 36 * 40
    assert found.threshold is not None
    assert labels[: found.n_selected].sum() >= 9_000


# -- how it ends ------------------------------------------------------------------------------------------------
def test_nothing_relevant():
    found = fc.certify_recall(np.arange(300.0), Judge(np.zeros(300)), budget=300, seed=0)
    assert (found.threshold, found.reason, found.stopped, found.labels_needed) == (None, "no_positives", "whole pool", None)


def test_rare_relevant_rows_are_given_up_early():
    labels = np.arange(20_000) < 20
    found = fc.certify_recall(-np.arange(20_000.0), Judge(labels), budget=3_000, seed=1)
    assert found.threshold is None
    assert found.stopped == "futility"
    assert found.labels_used < 1_500
    some = fc.certify_recall(-np.arange(2_000.0), Judge(np.arange(2_000) % 40 == 0), budget=400, seed=1)
    assert (some.reason, some.n_selected, some.interval) == ("budget", 0, None)
    assert some.labels_needed > 400


@pytest.mark.parametrize("target", [1e-300, 0.9999999999])
def test_extreme_targets(target):
    found = fc.certify_recall(np.arange(60.0), Judge(np.arange(60) >= 10), target_recall=target, budget=60, seed=0)
    assert (found.reason, found.labels_used) == ("certified", 60 if target > 0.5 else 40)
    assert found.n_selected >= 50 * target


def test_equal_scores_leave_no_choice():
    found = fc.certify_recall(np.ones(50), Judge(np.ones(50)), seed=0)
    assert (found.reason, found.labels_used, found.threshold) == ("no_cut", 0, None)


def test_a_relevant_row_at_the_bottom_that_cannot_be_spared():
    found = fc.certify_recall(np.arange(40.0), Judge(np.arange(40) < 1), budget=40, seed=0, batch_size=1)
    assert (found.reason, found.stopped, found.threshold) == ("missed", "missed", None)


def test_what_cannot_be_judged_counts_as_not_relevant():
    answers = np.where(np.arange(200) >= 100, 1, -1)
    found = fc.certify_recall(np.arange(200.0), Judge(answers), budget=200, seed=0)
    assert found.n_cannot_judge > 0
    assert found.threshold >= 100


def test_ragged_runs_pool_their_queries():
    run = fc.Run(np.arange(150), np.linspace(1, 0, 150), offsets=[0, 0, 100, 100, 150])
    labels = np.arange(150) < 75
    found = fc.certify_recall(run, Judge(labels), budget=150, seed=0)
    assert found.threshold == found.to_dict()["threshold"]
    assert labels[run.scores >= found.threshold].sum() >= 68
    above = run.scores >= found.threshold
    sizes = np.add.reduceat(np.append(above, False).astype(int), [0, 100]).tolist()
    assert found.by_query.to_dict() == {
        "n_queries": 4,
        "share_empty": (2 + sizes.count(0)) / 4,
        "share_of_top": max(sizes) / sum(sizes),
        "n_found": 1,
        "macro_recall": pytest.approx(found.recall_sample),
        "below_half": 0.0,
    }
    assert found.n_truncated == above[[99, 149]].sum()
    assert f"Only within the 4 lists: rows they do not hold are not counted, and {found.n_truncated} of the lists" in found.scope
    assert fc.certify_recall(run.scores, Judge(labels), budget=150, seed=0).by_query is None
    distances = fc.Run(np.arange(150), np.linspace(0, 1, 150), offsets=[0, 0, 100, 100, 150], higher_is_better=False)
    assert fc.certify_recall(distances, Judge(labels), budget=150, seed=0, higher_is_better=False).n_selected == found.n_selected
    with pytest.raises(TypeError, match="without scores"):
        fc.certify_recall(fc.Run([1, 2, 3]), Judge([1, 1, 1]))


def test_facts_by_query_are_those_of_the_rows():
    """By loops; a list of NaN is empty, and several lists end above the threshold."""
    rng = np.random.default_rng(3)
    scores = np.sort(rng.normal(size=(40, 12)).astype(np.float32) + np.linspace(-3, 3, 40, dtype=np.float32)[:, None])[:, ::-1].copy()
    scores[7] = np.nan
    labels = scores > -0.5
    run, judge = fc.SearchResult(ids=np.tile(np.arange(12), (40, 1)), scores=scores, higher_is_better=True), Judge(labels)
    found = fc.certify_recall(run, judge, target_recall=0.8, budget=200, seed=1)
    chosen = scores >= found.threshold
    seen = [(position // 12, chosen.flat[position]) for position in judge.asked if labels.flat[position]]
    shares = [np.mean([c for q, c in seen if q == query]) for query in {q for q, _ in seen}]
    sizes = sorted(chosen.sum(axis=1), reverse=True)
    assert found.by_query.n_queries == 40
    assert found.by_query.share_empty == np.mean(np.array(sizes) == 0) > 0
    assert found.by_query.share_of_top == sum(sizes[:2]) / sum(sizes)
    assert (found.by_query.n_found, found.by_query.macro_recall) == (len(shares), pytest.approx(np.mean(shares)))
    assert found.by_query.below_half == np.mean(np.array(shares) < 0.4)
    assert found.n_truncated == chosen[:, -1].sum() > 0


def test_what_is_printed():
    found = fc.certify_recall(np.arange(100.0), Judge(np.where(np.arange(100) >= 50, 1, -1)), seed=0)
    lines = str(found).splitlines()
    assert lines[0] == f"score >= {found.threshold:g}: recall >= 0.9 with confidence 0.95, {found.n_selected} of 100 rows"
    assert lines[1] == "100 labels used of 100, 50 of which nobody could judge, 50 relevant; stopped by: whole pool"
    assert lines[2] == found.scope
    assert "at least 0.9; wrong in at most 5 %" in found.scope
    assert len(lines) == 3 + len(found.trace)
    short = fc.certify_recall(-np.arange(2_000.0), Judge(np.arange(2_000) % 40 == 0), budget=400, seed=1)
    assert f"(budget, some {short.labels_needed} labels needed)" in str(short)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_recall": 1.0}, "strictly between 0 and 1"),
        ({"delta": 0}, "strictly between 0 and 1"),
        ({"budget": 0}, "at least 32"),
        ({"budget": 31}, "at least 32"),
        ({"budget": -5}, "at least 32"),
        ({"ratio": 1}, r"\(1, 4\]"),
        ({"batch_size": 0}, "at least 1"),
        ({"scores": [np.nan]}, "nothing but NaN"),
        ({"scores": [np.inf, 1.0]}, "finite"),
    ],
)
def test_bad_input_costs_no_label(options, message):
    judge, options = Judge(np.ones(150)), dict(options)
    with pytest.raises(ValueError, match=message):
        fc.certify_recall(options.pop("scores", np.arange(150.0)), judge, **options)
    assert not judge.calls


@pytest.mark.parametrize("changed", [{"target_recall": 0.8}, {"delta": 0.1}, {"seed": 9}, {"scores": np.arange(151.0)}])
def test_a_state_belongs_to_one_pool_seed_and_promise(changed):
    state = fc.certify_recall(np.arange(150.0), Judge(np.ones(150)), seed=0).state
    with pytest.raises(ValueError):
        fc.certify_recall(changed.pop("scores", np.arange(150.0)), Judge(np.ones(151)), state=state, **changed)


# -- resuming ---------------------------------------------------------------------------------------------------
def test_interrupted_anywhere_it_ends_the_same(tmp_path):
    scores, labels = np.sort(np.random.default_rng(0).normal(size=400))[::-1], np.arange(400) < 120
    found = check_interruptions(fc.certify_recall, scores, labels, tmp_path, 4, budget=300, batch_size=13)
    assert found.reason == "certified"
    longer = fc.certify_recall(scores, Judge(labels), budget=390, batch_size=13, state=found.state)
    assert longer.to_dict() == fc.certify_recall(scores, Judge(labels), budget=390, batch_size=13, seed=4).to_dict()


def test_another_batch_size_goes_on_without_asking_twice():
    labels = np.arange(400) < 120
    first = fc.certify_recall(-np.arange(400.0), Judge(labels), budget=100, batch_size=20, seed=2)
    judge = Judge(labels)
    more = fc.certify_recall(-np.arange(400.0), judge, budget=300, batch_size=7, state=first.state)
    assert more.certified
    assert not set(judge.asked) & {position for position, _ in first.state["labels"]}
    assert len(judge.asked) == more.labels_used - first.labels_used


def test_async_twin():
    labels = np.arange(300) < 90
    check_twin(fc.certify_recall, fc.certify_recall_async, -np.arange(300.0), labels, seed=1, budget=200)
