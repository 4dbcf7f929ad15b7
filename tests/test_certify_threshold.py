"""certify_threshold on arrays: the slow reference, symmetries, ties, resuming, what is kept."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
import reference_certify as slow
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcal as fc
from fastcal.certificates._pool import array_pool, census_size
from fastcal.certificates._walk import Rule, null_hits, walk
from fastcal.labelling._drive import drive
from fastcal.labelling._ledger import Ledger


def certify(scores, labels, **options):
    asked = []

    def labeler(positions):
        asked.extend(positions.tolist())
        return np.asarray(labels)[positions]

    found = fc.certify_threshold(scores, labeler, **options)
    assert len(set(asked)) == len(asked) == found.labels_used
    return found, set(asked)


@st.composite
def pools(draw):
    n = draw(st.integers(1, 90))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scores = rng.integers(0, draw(st.sampled_from([1, 3, 20, 10**6])), n).astype(np.float32)
    rate = draw(st.sampled_from([0.0, 0.5, 0.8, 0.9, 0.95, 1.0]))
    return scores, (rng.random(n) < rate).astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(
    pools(),
    st.integers(0, 1000),
    st.sampled_from(["0.9", "0.8", "0.55"]),
    st.sampled_from([0.05, 0.2]),
    st.sampled_from([2.0, 1.4]),
    st.sampled_from([None, 0, 20]),
)
def test_equals_the_slow_reference(pool, seed, target, delta, ratio, start_rank):
    scores, labels = pool
    for budget in (None, 60, 32):
        if budget is not None and budget < slow.floor(scores.size, null_hits(Fraction(target), scores.size), delta):
            continue
        start = None if start_rank is None else float(np.sort(scores)[start_rank % scores.size])
        options = {"delta": delta, "budget": budget, "ratio": ratio, "second_start": start}
        found, asked = certify(scores, labels, seed=seed, target_precision=float(target), **options)
        threshold, selected, paid = slow.walk(scores.tolist(), labels.tolist(), seed, target=target, **options)
        assert (found.threshold, found.n_selected) == (threshold, selected)
        assert asked == paid


@settings(max_examples=20, deadline=None)
@given(pools(), st.integers(0, 1000))
def test_strictly_increasing_maps_and_the_direction_change_nothing(pool, seed):
    scores, labels = pool
    whole = certify(scores, labels, seed=seed)
    for mapped, higher in ((scores * 3 + 1, True), (scores.astype(np.float64) ** 3 / 7, True), (-scores, False)):
        again = certify(mapped, labels, seed=seed, higher_is_better=higher)
        assert again[1] == whole[1]
        assert again[0].n_selected == whole[0].n_selected
        if again[0].threshold is not None:
            kept = mapped >= again[0].threshold if higher else mapped <= again[0].threshold
            assert kept.sum() == again[0].n_selected


def test_names_of_rows_change_nothing():
    rng = np.random.default_rng(3)
    scores, labels, u = rng.random(300), rng.random(300) < 0.95, rng.random(300)
    outcomes = []
    for order in (np.arange(300), rng.permutation(300)):
        kept = scores[order]
        pool = array_pool(kept, np.arange(300), u[order], census=29, first=58)
        asked = Ledger("test", "pool", {}, seed=0)
        found = drive(walk(pool, asked, Rule(Fraction(9, 10), 0.05)), asked, lambda rows, order=order: labels[order][rows])
        outcomes.append((found.cut, asked.n_used, sorted(order[rows] for rows, _ in asked.to_state()["labels"])))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("delta", [0.05, 0.1])
def test_targets_are_what_their_decimals_say(delta):
    assert null_hits(Fraction("0.55"), 100) == 54  # 0.55 * 100 is 55.00000000000001 in floats
    labels = np.r_[np.ones(55), np.zeros(45)].astype(int)
    found, _ = certify(np.zeros(100), labels, target_precision=0.55, delta=delta, budget=100, seed=1)
    assert found.trace[0].null_hits == 54
    assert found.reason in {"certified", "budget", "futility"}


def test_everything_labelled_is_known_exactly():
    """A single tie, so one cut and no census; 90 of 100 reach 9/10 and no test ever has to say so."""
    labels = np.r_[np.ones(90), np.zeros(10)].astype(int)
    outcomes = [certify(np.zeros(100), labels, budget=100, seed=seed)[0] for seed in range(30)]
    assert {each.n_selected for each in outcomes if each.reason == "certified"} == {100}
    assert any(np.isinf(each.trace[-1].log_evidence) for each in outcomes)
    short = np.r_[np.ones(89), np.zeros(11)].astype(int)
    assert sum(certify(np.zeros(100), short, budget=100, seed=seed)[0].reason == "certified" for seed in range(100)) <= 12


def test_a_pass_on_the_last_label_of_the_budget_counts():
    scores, labels = np.zeros(10**4), np.ones(10**4, int)
    needed = certify(scores, labels, seed=0)[0].labels_used
    assert certify(scores, labels, seed=0, budget=needed)[0].reason == "certified"
    short = certify(scores, labels, seed=0, budget=needed - 1)[0]
    assert (short.reason, short.threshold, short.labels_used) == ("budget", None, 0)  # it cannot do, so nothing is bought


def test_a_bad_head_neither_certifies_nor_stops():
    labels = np.ones(2000, int)
    labels[:8] = 0
    found, _ = certify(np.arange(2000, 0, -1.0), labels, seed=0)
    assert found.trace[0].verdict == "missed"
    assert [test.verdict for test in found.trace[1:3]] == ["out of reach", "certified"]
    assert (found.reason, found.n_selected) == ("certified", 2000)


def test_the_head_is_certified_without_error_when_nothing_else_is():
    labels = np.zeros(2000, int)
    labels[:21] = 1
    found, _ = certify(np.arange(2000, 0, -1.0), labels, seed=0)
    assert (found.reason, found.n_selected, found.precision_sample) == ("certified", 23, 21 / 23)
    assert found.stopped in {"missed", "futility"}


def test_floats_that_only_float64_tells_apart_move_together():
    scores = 1.0 + np.arange(400) * 1e-10
    found, _ = certify(scores, np.ones(400, int), seed=0)
    assert (scores >= found.threshold).sum() == found.n_selected == 400
    assert np.float32(found.threshold) == found.threshold


def test_a_census_splits_no_tie_and_takes_a_quarter_of_the_budget_at_most():
    scores = np.repeat(np.arange(100.0), 7)
    assert census_size(scores, 29, 200) == 35
    assert census_size(scores, 29, 34) == 28
    assert census_size(scores, 29, 6) == 0
    assert census_size(np.zeros(50), 29, 49) == 0
    assert census_size(np.zeros(50), 29, 50) == 50
    assert census_size(-scores, 29, 200, higher_is_better=False) == 35


def test_few_candidates_are_the_first_of_every_cut():
    rng = np.random.default_rng(0)
    scores, u = rng.integers(0, 500, 3000).astype(np.float32), rng.random(3000)
    whole, few = (array_pool(scores, np.arange(3000), u, census=32, first=60, keep=keep) for keep in (None, 40))
    assert np.array_equal(whole.counts, few.counts)
    assert few.positions.size < whole.positions.size
    for cut in range(few.counts.size):
        expected = whole.positions[whole.cut_of <= cut][:40]
        assert np.array_equal(few.positions[few.cut_of <= cut][: expected.size], expected)
    assert np.array_equal(whole.counts, [(scores >= t).sum() for t in whole.thresholds])
    ranks = whole.counts[whole.counts > 32]
    assert ((ranks[1:] / ranks[:-1] > 1.8) & (ranks[1:] / ranks[:-1] < 2.2)).all()


def interrupted(scores, labels, after, **options):
    """Break off after so many labels and go on from the exception; no position is asked for twice."""
    left, asked, state = after, [], None

    def labeler(positions):
        nonlocal left
        assert not set(positions.tolist()) & set(asked)
        if left < positions.size:
            left = np.inf
            raise RuntimeError("out of luck")
        left -= positions.size
        asked.extend(positions.tolist())
        return labels[positions]

    try:
        found = fc.certify_threshold(scores, labeler, **options)
    except RuntimeError as error:
        state = json.loads(json.dumps(error.state))
    if state is not None:
        assert [position for position, _ in state["labels"]] == asked
        found = fc.certify_threshold(scores, labeler, state=state, **{name: options[name] for name in options if name != "seed"})
    assert len(asked) == found.labels_used
    return found.to_dict() | {"state": None}


def test_resuming_from_any_point_ends_the_same():
    rng = np.random.default_rng(5)
    scores, labels = rng.random(400), rng.random(400) < 0.93
    whole = interrupted(scores, labels, np.inf, seed=11)
    for after in range(whole["labels_used"]):
        assert interrupted(scores, labels, after, seed=11) == whole


@settings(max_examples=20, deadline=None)
@given(pools(), st.integers(0, 1000), st.integers(0, 90), st.integers(1, 30), st.booleans())
def test_resuming_ends_the_same_whatever_the_options(pool, seed, after, batch_size, weighted):
    scores, labels = pool
    extra = {"sampling": "weighted", "probabilities": np.linspace(0.5, 1.0, scores.size)} if weighted else {}
    options = {"seed": seed, "batch_size": batch_size, "second_start": float(scores.min()), **extra}
    assert interrupted(scores, labels, after, **options) == interrupted(scores, labels, np.inf, **options)


def test_another_batch_size_on_going_on_asks_for_nothing_twice():
    rng = np.random.default_rng(5)
    scores, labels, asked = rng.random(4000), rng.random(4000) < 0.97, []

    def labeler(positions):
        asked.extend(positions.tolist())
        return labels[positions]

    first = fc.certify_threshold(scores, labeler, seed=3, budget=200)
    for batch_size in (1, 25, 4):
        more = fc.certify_threshold(scores, labeler, state=first.state, batch_size=batch_size)
        assert len(set(asked)) == len(asked)
        assert more.n_selected == 4000
        assert sorted(p for p, _ in first.state["labels"]) == sorted(asked[: first.labels_used])
        del asked[first.labels_used :]


def test_batches_are_full_while_the_budget_lasts():
    """Labels in hand do not shrink a request: it reaches further along the order, and the labels are those of any other batch size."""
    rng = np.random.default_rng(0)
    scores = rng.random(5000)
    labels, calls = rng.random(5000) < 1 / (1 + np.exp(6 - 10 * scores)), []

    def labeler(positions):
        calls.append(len(positions))
        return labels[positions]

    labeler.positions_per_call = None
    found = fc.certify_threshold(scores, labeler, target_precision=0.9, budget=600, seed=0, batch_size=50)
    assert set(calls[2:]) == {50}  # after the census and the rest of a first page
    assert found.labels_used == sum(calls) <= 600
    assert found.threshold == fc.certify_threshold(scores, labeler, target_precision=0.9, budget=600, seed=0).threshold


def test_a_log_is_gone_on_from_with_another_budget(tmp_path):
    rng = np.random.default_rng(6)
    scores, labels, log = rng.random(5000), rng.random(5000) < 0.96, tmp_path / "labels.jsonl"
    first = fc.certify_threshold(scores, lambda p: labels[p], seed=2, budget=60, log=log)
    asked = []

    def labeler(positions):
        asked.extend(positions.tolist())
        return labels[positions]

    more = fc.certify_threshold(scores, labeler, budget=1500, log=log)
    assert not {position for position, _ in first.state["labels"]} & set(asked)
    assert more.labels_used == first.labels_used + len(asked)
    assert more.trace[0].n_rows == first.trace[0].n_rows == 15


def test_more_budget_goes_on_where_less_has_stopped():
    rng = np.random.default_rng(6)
    scores, labels = rng.random(5000), rng.random(5000) < 0.96
    first = fc.certify_threshold(scores, lambda p: labels[p], seed=2, budget=60)
    assert first.trace[0].n_rows == 15  # a quarter of that budget, and it stays so
    more = fc.certify_threshold(scores, lambda p: labels[p], state=first.state, budget=1500)
    assert more.trace[0].n_rows == 15
    assert more.n_selected > first.n_selected
    less = fc.certify_threshold(scores, lambda p: labels[p], state=more.state, budget=60)
    assert (less.threshold, less.labels_used) == (first.threshold, first.labels_used)


def test_the_whole_search_costs_what_theory_says():
    """n1 (1 + .7 ln(N / n1)), n1 = 43 at a true precision of .99; within 15 % on average."""
    rng, used = np.random.default_rng(0), []
    for seed in range(20):
        labels = rng.random(20_000) < 0.99
        used.append(certify(np.arange(20_000.0), labels, seed=seed)[0].labels_used)
    assert np.mean(used) <= 1.15 * 43 * (1 + 0.7 * np.log(20_000 / 43))


def test_what_is_printed_and_what_is_saved():
    found, _ = certify(np.arange(200.0), np.ones(200, int), seed=0)
    text = str(found)
    assert "precision >= 0.9 with confidence 0.95, 200 of 200 rows" in text
    assert len(text.splitlines()) == 3 + len(found.trace)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["trace"][0]["verdict"] == "certified"
    assert plain["by_query"] is None
    assert "path" not in plain["trace"][0]
    assert all(test.path.size == test.labels for test in found.trace if test.path.size)
    none, _ = certify(np.arange(200.0), np.zeros(200, int), seed=0)
    assert (none.reason, none.threshold, none.n_selected, none.certified) == ("head_fails", None, 0, False)
    assert "no threshold is certified" in str(none)
