"""certify_threshold: second start, weighted sampling, future pairs, lists, facts by query, the async twin, bad input."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcal as fc
from fastcal.certificates._by_query import query_facts
from fastcal.certificates._weighted import WeightedEvidence


def from_truth(labels):
    labels = np.asarray(labels)
    return lambda positions: labels[positions]


# -- where to begin --------------------------------------------------------------------------------------
def test_a_good_second_start_pays_for_one_cut():
    """n1 is 43 at a true precision of .99 and 85 at .97."""
    rng = np.random.default_rng(1)
    for rate, n1 in ((0.99, 43), (0.97, 85)):
        used = []
        for seed in range(15):
            labels = rng.random(20_000) < rate
            found = fc.certify_threshold(np.arange(20_000.0), from_truth(labels), seed=seed, second_start=0.0)
            assert found.n_selected == 20_000
            used.append(found.labels_used)
        assert np.mean(used) <= 2 * n1


def test_a_bad_second_start_leaves_half_the_budget_to_the_head():
    labels = np.r_[np.ones(400), np.arange(3600) % 8 > 0].astype(int)  # .885 in all
    scores = np.arange(4000, 0, -1.0)
    found = fc.certify_threshold(scores, from_truth(labels), seed=3, budget=400, second_start=1.0)
    far = next(test for test in found.trace if test.n_rows == 4000)
    assert far.verdict in {"futility", "budget"}
    assert far is found.trace[0]
    assert far.bought <= 200
    assert found.reason == "certified"
    assert 29 < found.n_selected < 4000
    assert labels[: found.n_selected].mean() >= 0.9


def test_auto_begins_where_earlier_probabilities_say():
    rng = np.random.default_rng(0)
    probabilities = np.linspace(1.0, 0.5, 3000)
    labels = rng.random(3000) < probabilities
    scores = probabilities.astype(np.float64) ** 2
    found = fc.certify_threshold(scores, from_truth(labels), seed=0, second_start="auto", probabilities=probabilities)
    begun = found.trace[0].n_rows
    assert probabilities[:begun].mean() >= 0.95 > probabilities[: begun + 1].mean()
    assert labels[scores >= found.threshold].mean() >= 0.9
    hopeless = fc.certify_threshold(scores, from_truth(labels), seed=0, second_start="auto", probabilities=np.zeros(3000))
    assert hopeless.trace[0].n_rows == 29  # nothing to begin with: from the head


# -- weighted --------------------------------------------------------------------------------------------
@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(0, 10**6), st.data())
def test_weighted_evidence_is_a_supermartingale_under_the_null(n, seed, data):
    """Over every order of successive sampling: the mean of E after each label is at most 1, and so is that of any stopped E."""
    weights = np.random.default_rng(seed).choice([0.25, 0.5, 1.0], n)
    null = data.draw(st.integers(0, n - 1))
    labels = np.zeros(n, np.uint8)
    labels[data.draw(st.permutations(range(n)))[:null]] = 1
    means, stopped = np.zeros(n), 0.0
    for order in itertools.permutations(range(n)):
        rows = list(order)
        chance = math.prod(weights[row] / weights[rows[i:]].sum() for i, row in enumerate(rows))
        evidence = WeightedEvidence(n, null, 0.05, 0.05, weights[rows], float(weights.sum()), float(weights.min()))
        values = np.exp(evidence.supporting(labels[rows], 0))
        means += chance * values
        above = np.flatnonzero(values >= 1.5)
        stopped += chance * values[above[0] if above.size else -1]
    assert means.max() <= 1 + 1e-9
    assert stopped <= 1 + 1e-9


def test_weighted_sampling_saves_labels_where_doubt_is_known():
    """80 % of the rows are good at .999, 20 % at .6; one cut. 1,465 labels against 536 over 150 orders."""
    probabilities = np.repeat([0.6, 0.999], [4000, 16_000])
    labels = np.ones(20_000, int)
    labels[:1600] = labels[4000:4016] = 0
    used = {"uniform": [], "weighted": []}
    for seed in range(15):
        for sampling, counts in used.items():
            extra = {"probabilities": probabilities} if sampling == "weighted" else {}
            found = fc.certify_threshold(np.zeros(20_000), from_truth(labels), seed=seed, budget=8000, sampling=sampling, **extra)
            assert found.n_selected == 20_000
            counts.append(found.labels_used)
    assert np.median(used["uniform"]) >= 1.5 * np.median(used["weighted"])


def test_equal_weights_are_labelled_in_the_order_of_no_weights():
    labels = np.random.default_rng(0).random(500) < 0.97
    plain = fc.certify_threshold(np.arange(500.0), from_truth(labels), seed=4)
    even = fc.certify_threshold(np.arange(500.0), from_truth(labels), seed=4, sampling="weighted", probabilities=np.full(500, 0.9))
    shared = min(plain.labels_used, even.labels_used)
    head = plain.trace[0].labels
    assert [p for p, _ in plain.state["labels"]][:head] == [p for p, _ in even.state["labels"]][:head]
    assert shared > head
    assert even.n_selected == 500


# -- future pairs -----------------------------------------------------------------------------------------
def test_future_pairs_take_no_census_and_no_shortcut():
    labels = np.ones(300, int)
    found = fc.certify_threshold(np.arange(300.0), from_truth(labels), seed=0, scope="pairs")
    assert found.scope.startswith("Future pairs")
    assert found.labels_used >= 43 == found.labels_floor  # of looking after every label, however few the rows
    assert "at most 5 % of draws of these" in found.scope
    assert "orders" not in found.scope
    assert (np.arange(300.0) >= found.threshold).sum() == found.n_selected == 299  # the row that set the threshold is no evidence
    turned = fc.certify_threshold(-np.arange(300.0), from_truth(labels), seed=0, scope="pairs", higher_is_better=False)
    assert (turned.threshold, turned.labels_used) == (-found.threshold, found.labels_used)
    small = fc.certify_threshold(np.arange(35.0), from_truth(labels), seed=0, scope="pairs")
    tied = fc.certify_threshold(np.zeros(500), from_truth(np.ones(500, int)), seed=0, scope="pairs", second_start=0.0)
    assert all((found.reason, found.stopped, found.labels_used) == ("rows", "rows", 0) for found in (small, tied))


# -- lists ------------------------------------------------------------------------------------------------
def lists():
    rng = np.random.default_rng(7)
    scores = np.sort(rng.random((40, 50)).astype(np.float32), axis=1)[:, ::-1]
    labels = rng.random((40, 50)) < np.where(scores > 0.4, 0.98, 0.3)
    return scores, labels


def test_runs_results_and_arrays_agree_and_say_what_lists_hide():
    scores, labels = lists()
    ids = np.tile(np.arange(50), (40, 1))
    truth = from_truth(labels.reshape(-1))
    array = fc.certify_threshold(scores, truth, seed=1, groups=np.arange(40))
    bare = fc.certify_threshold(scores, truth, seed=1)
    found = fc.SearchResult(scores, ids)
    ranges = fc.RangeResult(np.arange(0, 2001, 50), scores.reshape(-1), ids.reshape(-1))
    for each in (found, ranges, fc.Run.from_search(found)):
        listed = fc.certify_threshold(each, truth, seed=1)
        assert (listed.threshold, listed.labels_used) == (array.threshold, array.labels_used)
        assert listed.by_query.to_dict() == array.by_query.to_dict()
        assert listed.n_truncated == (scores[:, -1] >= listed.threshold).sum()
        assert "Only within the 40 lists" in listed.scope
        assert f"{listed.n_truncated} of the lists end at or beyond" in listed.scope
        assert array.scope == listed.scope
    assert array.n_truncated == (scores[:, -1] >= array.threshold).sum() == 0
    assert bare.by_query is bare.n_truncated is None
    for kept in (10, 25):
        short = fc.certify_threshold(fc.SearchResult(scores[:, :kept], ids[:, :kept]), from_truth(labels[:, :kept].reshape(-1)), seed=1)
        assert short.n_truncated == (scores[:, kept - 1] >= short.threshold).sum() > 0
        for sign in (1, -1):
            ended = np.c_[scores[:, :kept], np.where(np.arange(40) < 12, np.nan, scores[:, kept - 1])]  # the first 12 hold no more
            truth = from_truth(labels[:, np.r_[:kept, kept - 1]].reshape(-1))
            array = fc.certify_threshold(sign * ended, truth, seed=1, groups=np.arange(40), higher_is_better=sign > 0)
            assert array.n_truncated == (scores[12:, kept - 1] >= sign * array.threshold).sum() > 0


def test_padding_is_never_asked_for():
    scores, labels = lists()
    padded = scores.copy()
    padded[:, 30:] = np.nan

    def labeler(positions):
        assert not np.isnan(padded.reshape(-1)[positions]).any()
        return labels.reshape(-1)[positions]

    found = fc.certify_threshold(padded, labeler, seed=0)
    assert found.n_pool == 1200


def test_facts_by_query_are_exact_where_everything_is_labelled():
    scores, labels = lists()
    groups = np.repeat(np.arange(45), [50] * 40 + [0] * 5)[:2000].reshape(40, 50)
    found = fc.certify_threshold(scores[:2], from_truth(labels[:2].reshape(-1)), seed=0, groups=groups[:2], target_precision=0.5)
    sizes = np.array([30, 2, 0, 8])
    of = np.repeat(np.arange(4), sizes)
    hit = np.random.default_rng(0).random(40) < 0.6
    order = np.random.default_rng(1).permutation(40)
    head, drawn = order[:10], order[10:]
    facts = query_facts(sizes, (of[head], hit[head]), (of[drawn], hit[drawn], np.ones(30)), Fraction(9, 10))
    precision = np.array([hit[of == q].mean() for q in (0, 1, 3)])
    assert facts.below_half == pytest.approx((precision < 0.45).mean())
    assert (facts.n_queries, facts.n_labelled, facts.share_empty, facts.share_of_top) == (4, 3, 0.25, 0.75)
    assert facts.macro_interval[0] <= facts.macro_precision <= facts.macro_interval[1]
    assert found.by_query.n_queries == 2


def test_macro_precision_is_estimated_without_noticeable_bias():
    rng = np.random.default_rng(2)
    sizes = rng.integers(0, 30, 60)
    of = np.repeat(np.arange(60), sizes)
    hit = rng.random(of.size) < np.where(sizes[of] > 10, 0.95, 0.5)
    truth = np.mean([hit[of == q].mean() for q in range(60) if sizes[q]])
    head = np.arange(40)
    estimates = []
    for _ in range(300):
        drawn = 40 + rng.permutation(of.size - 40)[:150]
        estimates.append(query_facts(sizes, (of[head], hit[head]), (of[drawn], hit[drawn], np.ones(150)), Fraction(9, 10)).macro_precision)
    assert np.mean(estimates) == pytest.approx(truth, abs=0.01)


def test_estimates_by_query_are_as_rough_as_they_are_said_to_be():
    """In the mean: macro precision .01 to .03 too high; below half .03 too low to .06 too high; its bound holds."""

    def errors(sizes, rates):
        of, off = np.repeat(np.arange(sizes.size), sizes), []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            scores, labels = rng.random(of.size), rng.random(of.size) < rates[of]
            found = fc.certify_threshold(scores, from_truth(labels), target_precision=0.85, groups=of, seed=seed)
            if found.certified:
                selected = scores >= found.threshold
                _, answered = np.unique(of[selected], return_inverse=True)
                precision = np.bincount(answered, labels[selected]) / np.bincount(answered)
                below = (precision < 0.425).mean()
                assert found.by_query.below_half_most >= below
                off.append((found.by_query.macro_precision - precision.mean(), found.by_query.below_half - below))
        assert len(off) >= 38
        return np.mean(off, axis=0)

    few_bad = errors(np.full(200, 20), np.where(np.arange(200) < 20, 0.3, 0.98))
    uneven = 1 + np.random.default_rng(0).geometric(0.1, 300)
    none_bad = errors(uneven, np.where(uneven > 8, 0.97, 0.8))
    assert 0.0 < few_bad[0] < none_bad[0] < 0.045
    assert -0.045 < few_bad[1] < -0.01 < 0.03 < none_bad[1] < 0.075


# -- the async twin ---------------------------------------------------------------------------------------
def test_the_async_twin_has_the_same_options():
    plain, twin = (dict(inspect.signature(each).parameters) for each in (fc.certify_threshold, fc.certify_threshold_async))
    own = twin.pop("concurrency"), twin.pop("timeout")
    assert [each.default for each in own] == [4, None]
    assert [(name, each.default, each.kind) for name, each in twin.items()] == [(name, each.default, each.kind) for name, each in plain.items()]


def test_the_async_twin_ends_the_same():
    rng = np.random.default_rng(0)
    scores, labels = rng.random(2000), rng.random(2000) < 0.95

    async def labeler(positions):
        await asyncio.sleep(float(positions[0] % 3) / 2000)
        return labels[positions]

    expected = fc.certify_threshold(scores, from_truth(labels), seed=9)
    found = asyncio.run(fc.certify_threshold_async(scores, labeler, seed=9, concurrency=3))
    assert sorted(found.state["labels"]) == sorted(expected.state["labels"])
    assert found.to_dict() | {"state": None} == expected.to_dict() | {"state": None}
    with pytest.raises(TypeError):
        asyncio.run(fc.certify_threshold_async(scores, labeler, nonsense=1))
