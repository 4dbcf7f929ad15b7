"""certify_recall and certify_queries: what they need at the least, what they say they need, and that they buy nothing in vain."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from interrupted import Judge
from reference_recall import wealth

import fastcal as fc
from fastcal.certificates._pool import array_pool
from fastcal.certificates._query_lists import query_lists
from fastcal.certificates._query_walk import Sheet


# -- recall ----------------------------------------------------------------------------------------------------
def best_labels(n_rows, target, delta=0.05):
    """Labels until the cut that leaves out least is certified, all of them relevant and above it; by the slow reference."""
    scores, exact = np.arange(float(n_rows)), Fraction(math.ceil(Fraction(str(target)) * 10**9), 10**9)
    above = int(array_pool(scores, np.arange(n_rows), scores, ratio=1.05).counts[-2])
    path = wealth([(1, 1)] * above, exact, above, n_rows)
    return next(n for n, w in enumerate(path, 1) if w is None or w >= 1 / delta)


@pytest.mark.parametrize(("n_rows", "target"), [(30, 0.9), (150, 0.9), (1_000, 0.9), (300, 0.5), (2_000, 0.9)])
def test_the_floor_is_what_perfect_answers_take(n_rows, target):
    judge, floor = Judge(np.ones(n_rows)), best_labels(n_rows, target)
    with pytest.raises(ValueError, match=f"at least {floor},"):
        fc.certify_recall(np.arange(float(n_rows)), judge, target_recall=target, budget=floor - 1)
    assert not judge.calls
    for seed in range(100):  # until the first rows drawn are all above the cut
        found = fc.certify_recall(np.arange(float(n_rows)), judge, target_recall=target, budget=floor, seed=seed)
        assert found.labels_floor == floor
        if found.certified:
            return
    pytest.fail("not certified")


def test_no_label_is_bought_once_the_rest_cannot_do():
    """All rows are relevant, so that of the first cut is .95: whoever meets rows below it soon has to have more than 60 labels."""
    ends = [fc.certify_recall(np.linspace(1, 0, 5_000), Judge(np.ones(5_000)), budget=60, seed=seed) for seed in range(20)]
    short = [found for found in ends if not found.certified]
    assert {found.reason for found in short} == {"budget"}
    assert min(found.labels_used for found in short) < 60
    assert all(found.labels_needed is None or found.labels_needed > 60 for found in short)


def test_labels_needed_is_about_what_it_takes():
    labels = np.random.default_rng(0).random(5_000) < np.where(np.arange(5_000) < 1_500, 0.9, 0.1)
    said, took = [], []
    for seed in range(12):
        found = fc.certify_recall(-np.arange(5_000.0), Judge(labels), budget=60, seed=seed)
        whole = fc.certify_recall(-np.arange(5_000.0), Judge(labels), budget=500, seed=seed, batch_size=10)
        assert found.reason == "budget"
        said += [found.labels_needed] * (found.labels_needed is not None)
        took += [whole.trace[0].labels]
    assert min(said) > 60
    assert 0.6 < np.median(said) / np.median(took) < 1.6


# -- queries ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("n_queries", "reserved"), [(37, 1), (38, 2), (45, 9), (100, 20)])
def test_the_reserve_leaves_enough_to_certify(n_queries, reserved):
    found = fc.certify_queries(np.ones((n_queries, 3)), Judge(np.ones(3 * n_queries)), seed=0)
    assert (found.reason, found.n_reserved, found.labels_used, found.labels_floor) == ("certified", reserved, 108, 108)


@pytest.mark.parametrize("options", [{"target_precision": 0.9}, {"target_recall": 0.9}, {"target_precision": 0.9, "empty": "leave_out"}])
def test_nothing_is_bought_for_a_certificate_that_cannot_come(options):
    """Below what the first 36 queries cost, whatever the answers: no label, and the number that certifies."""
    rng = np.random.default_rng(0)
    scores = np.where(rng.random((120, 30)) < rng.random((120, 1)), 1.0, np.nan)
    judge, given = Judge(np.ones(3_600)), options | {"thresholds": [0.5], "seed": 5}
    lengths = np.sort((scores == 1).sum(axis=1))
    floor = int(lengths[lengths > 0][:36].sum() if "empty" in options else lengths[:36].sum())
    short = fc.certify_queries(scores, judge, budget=floor, **given)
    assert (short.reason, short.labels_used, short.labels_floor, judge.calls) == ("budget", 0, floor, 0)
    assert f"(budget, {short.labels_needed} labels or more needed)" in str(short)
    assert fc.certify_queries(scores, judge, budget=short.labels_needed - 1, **given).labels_used == 0
    found = fc.certify_queries(scores, judge, budget=short.labels_needed, **given)
    assert (found.reason, found.labels_used) == ("certified", short.labels_needed)
    with pytest.raises(ValueError, match=f"at least {floor},"):
        fc.certify_queries(scores, judge, budget=floor - 1, **given)
    assert fc.certify_queries(scores, judge, **given).certified, "the default budget is enough"


def test_the_default_budget_is_for_whole_lists():
    for scores in (np.random.default_rng(0).random((300, 100)), np.ones((300, 100))):
        found = fc.certify_queries(scores, Judge(np.ones(scores.size)), thresholds=[0.5], seed=0)
        assert found.certified
        assert found.budget == pytest.approx(4 * 36 * (scores >= 0.5).sum(axis=1).mean(), abs=100)
    assert fc.certify_queries(np.ones((60, 2)), Judge(np.ones(120)), seed=0).budget == 120
    assert fc.certify_queries(np.ones((900, 2)), Judge(np.ones(1_800)), seed=0).budget == 36 * 40


def test_too_few_lists_that_answer():
    scores = np.where(np.arange(100) < 20, 1.0, 0.0)[:, None]
    judge = Judge(np.ones(100))
    found = fc.certify_queries(scores, judge, thresholds=[0.5], empty="leave_out", seed=0)
    assert (found.reason, judge.calls, found.queries_needed) == ("queries", 0, 180)  # 36 in 20 of 100
    assert "(queries, 180 queries or more needed)" in str(found)
    none = fc.certify_queries(0 * scores, judge, thresholds=[0.5], empty="leave_out", seed=0)
    assert (none.reason, none.queries_needed, none.labels_floor) == ("queries", None, 0)
    assert "(queries)" in str(none)


def test_what_is_needed_is_more_than_was_used():
    rng, labels = np.random.default_rng(2), []
    for rate, budget in [(0.92, 700), (0.93, 600), (0.91, None)]:
        found = fc.certify_queries(np.ones((400, 10)), Judge(rng.random(4_000) < rate), thresholds=[0.5], seed=0, budget=budget)
        labels += [(found.reason, found.labels_used, found.labels_needed or 0, found.queries_needed)]
        assert found.reason == "budget"
        assert found.labels_needed > found.budget >= found.labels_used, labels


def test_many_lists_cost_no_more_than_their_rows():
    """What is read of the lists, not the time it takes: a walk looks at the queries it judges and at as many ahead."""
    scores = np.random.default_rng(0).random((3_000, 20), np.float32)
    lists = query_lists(scores, higher_is_better=True)
    order = np.random.default_rng(1).permutation(3_000)
    own = lists.taken(order)
    assert np.array_equal(own.values.reshape(3_000, 20), -np.sort(-scores)[order])
    assert np.array_equal(scores.reshape(-1)[own.positions], own.values)
    read, view = [], Sheet.view
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sheet, "view", lambda self, cut, first, last: read.append(last - first) or view(self, cut, first, last))
        found = fc.certify_queries(scores, Judge(np.ones(60_000)), seed=0)
    assert found.stopped == "last cut"
    assert sum(read) <= 2 * 2_400 + len(found.trace) * (64 + 64)
