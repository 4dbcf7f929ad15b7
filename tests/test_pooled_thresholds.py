"""pooled_thresholds: raw thresholds select exactly the certified pairs, whatever the normalisation; and what it refuses."""

from __future__ import annotations

import asyncio
import inspect
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcal as fc
from fastcal import errors
from fastcal.certificates.pooled import _METHODS

OPTIONS = {"cohort": {"cohort_scores": np.random.default_rng(9).normal(size=(30, 8)).astype(np.float32)}}


def lists(seed, n_queries=30, depth=25, decimals=2):
    """Lists of different levels and lengths, with ties, and labels that rise with the score within each."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(n_queries, depth))
    scores = (own + rng.normal(size=(n_queries, 1))).round(decimals).astype(np.float32)
    scores[rng.random(scores.shape) < 0.1] = np.nan
    labels = (rng.random(scores.shape) < 1 / (1 + np.exp(-6 * (own - 0.3)))).astype(np.uint8)
    return scores, labels


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(_METHODS), st.booleans(), st.sampled_from([np.float32, np.float64]))
def test_raw_thresholds_select_the_certified_pairs(seed, method, higher_is_better, dtype):
    scores, labels = lists(seed)
    scores[3], scores[4, 1:] = np.nan, np.nan
    given_scores = (scores if higher_is_better else -scores).astype(dtype)
    found = fc.pooled_thresholds(
        given_scores,
        lambda at: labels.reshape(-1)[at],
        normalize=method,
        higher_is_better=higher_is_better,
        target_precision=0.6,
        seed=seed,
        **OPTIONS.get(method, {}),
    )
    bounds = found.thresholds[:, np.newaxis]
    chosen = given_scores >= bounds if higher_is_better else given_scores <= bounds
    assert chosen.sum(axis=1).tolist() == found.n_selected_by_query.tolist()
    assert found.n_selected == chosen.sum()
    assert (np.isnan(found.thresholds) == (found.n_selected_by_query == 0)).all()
    if found.certified:
        assert found.n_truncated == np.count_nonzero((found.n_selected_by_query > 0) & (found.n_selected_by_query == (~np.isnan(scores)).sum(axis=1)))
        assert found.by_query.n_queries == 30
    json.dumps(found.to_dict(), allow_nan=False)


def test_centre_is_the_pool_of_centred_scores():
    scores, labels = lists(1, 100)
    centred = (scores - np.nanmean(scores.astype(np.float64), axis=1, keepdims=True)).astype(np.float32)
    found = fc.pooled_thresholds(scores, lambda at: labels.reshape(-1)[at], seed=1)
    same = fc.certify_threshold(centred, lambda at: labels.reshape(-1)[at], seed=1)
    assert (found.n_selected, found.labels_used, found.reason) == (same.n_selected, same.labels_used, "certified")
    assert abs(found.threshold - same.threshold) < 1e-6
    assert labels[scores >= found.thresholds[:, np.newaxis]].mean() >= 0.9


def test_normalising_away_the_level_of_queries_finds_more():
    scores, labels = lists(2, 200)
    found = {
        method: fc.pooled_thresholds(scores, lambda at: labels.reshape(-1)[at], normalize=method, seed=0).n_selected
        for method in ("centre", "zscore", "identity")
    }
    assert min(found["centre"], found["zscore"]) > 2 * found["identity"]


def test_runs_and_results_ask_for_their_own_positions():
    scores, labels = lists(3, decimals=5)
    ids = np.tile(np.arange(25), (30, 1))
    real = ~np.isnan(scores)
    run = fc.Run(np.where(real, ids, -1), scores)
    result = fc.SearchResult(scores, np.where(real, ids, -1))
    ranged = fc.RangeResult(run.offsets, run.scores, run.ids)
    queries = np.repeat(np.arange(30), run.counts())

    def by_pair(at):
        return labels[queries[at], run.ids[at]]

    dense = fc.pooled_thresholds(result, lambda at: labels.reshape(-1)[at], seed=3)
    first = fc.pooled_thresholds(run, by_pair, seed=3)
    second = fc.pooled_thresholds(ranged, by_pair, seed=3)
    flat = fc.pooled_thresholds(run.scores, by_pair, offsets=run.offsets, seed=3)
    for each in (second, flat):
        np.testing.assert_array_equal(each.thresholds, first.thresholds)
    assert first.certified
    assert dense.certified
    for each in (dense, first):
        assert labels[scores >= each.thresholds[:, np.newaxis]].mean() >= 0.9
    assert "Only within the 30 lists" in first.scope


def test_no_paid_label_is_lost_and_asynchronous_labelers_agree():
    scores, labels = lists(4, 100)
    asked = []

    def labeler(at):
        asked.extend(at.tolist())
        return labels.reshape(-1)[at]

    def broken(at):
        if len(asked) > 40:
            raise RuntimeError("no more")
        return labeler(at)

    async def later(at):
        await asyncio.sleep(0.001 * (at[0] % 2))
        return labels.reshape(-1)[at]

    whole = fc.pooled_thresholds(scores, labeler, seed=4)
    asked.clear()
    with pytest.raises(RuntimeError, match="no more") as caught:
        fc.pooled_thresholds(scores, broken, seed=4)
    resumed = fc.pooled_thresholds(scores, labeler, state=caught.value.state)
    assert len(asked) == len(set(asked)) == whole.labels_used
    same = asyncio.run(fc.pooled_thresholds_async(scores, later, seed=4, concurrency=3))
    for each in (resumed, same):
        np.testing.assert_array_equal(each.thresholds, whole.thresholds)
    other = scores.copy()
    other.reshape(-1)[np.nanargmax(other)] += 1
    for changes in ({"scores": other}, {"normalize": "zscore"}, {"higher_is_better": False}, {"delta": 0.1}):
        with pytest.raises(ValueError, match=r"pool|settings"):
            fc.pooled_thresholds(**{"scores": scores, "labeler": labeler, "state": caught.value.state} | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normalize": "csls"}, "normalize"),
        ({"normalize": "rank", "ties": "ordinal"}, "ordinal"),
        ({"normalize": "cohort", "cohort_scores": np.ones((2, 3)), "document_cohort_scores": np.ones((2, 3, 2))}, "document_cohort_scores"),
        ({"normalize": "centre", "ddof": 1}, "no option 'ddof'; expected normalize, .*budget.* or of normalize='centre': none"),
        ({"normalize": "zscore", "budgett": 4}, "no option 'budgett'; expected normalize, .*budget.* or of normalize='zscore': ddof"),
        ({"scores": np.full((2, 3), np.nan)}, "no pair"),
        ({"scores": np.array([[0.1, np.inf]])}, "inf"),
        ({"budget": 1}, "at least"),
        ({"target_precision": 0.0}, "between 0 and 1"),
        ({"ratio": 9.0}, "ratio"),
        ({"offsets": [0, 6]}, "offsets"),
    ],
)
def test_bad_input(changes, message):
    def labeler(at):
        raise AssertionError("a label was paid")

    scores = np.array([[0.9, 0.5, 0.1], [0.8, 0.7, 0.6]])
    with pytest.raises((ValueError, TypeError), match=message):
        fc.pooled_thresholds(**{"scores": scores, "labeler": labeler} | changes)


def test_what_is_printed_names_the_scale_of_its_threshold():
    scores, labels = lists(3)
    for method in ("centre", "minmax"):
        found = fc.pooled_thresholds(scores + 100, lambda at: labels.reshape(-1)[at], normalize=method, seed=0)
        assert found.threshold < 50 < np.nanmin(found.thresholds)
        assert str(found).startswith(f"score normalised by '{method}' >= {found.threshold:.9g}: precision")
        assert found.scope.startswith(f"On scores normalised by '{method}' (thresholds: on those given, for each query)")
        assert found.scope.endswith("nor each query of this pool.")


def test_asynchronous_twins_take_what_the_functions_take():
    for name in ("certify_threshold", "certify_recall", "certify_queries", "dynamic_threshold", "pooled_thresholds"):
        own, twin = (inspect.signature(getattr(fc, given)).parameters for given in (name, f"{name}_async"))
        assert {each: twin[each].default for each in own} == {each: own[each].default for each in own}
        assert twin.keys() - own.keys() == {"concurrency", "timeout"}
        if name != "pooled_thresholds":
            with pytest.raises(TypeError, match=f"{name}_async.* 'budgett'"):
                getattr(fc, f"{name}_async")([0.5], [1.0], np.ones_like, budgett=4)
    with pytest.raises(errors.InvalidTypeError, match="pooled_thresholds has no option 'budgett'"):
        asyncio.run(fc.pooled_thresholds_async([[0.5]], np.ones_like, budgett=4))


@pytest.mark.parametrize("find", [fc.pooled_thresholds, fc.certify_threshold, fc.dynamic_threshold])
def test_a_budget_next_to_the_floor_is_for_the_best_rows(find):
    """Nothing beyond a quarter of it could be certified with the rest."""
    n = 6000
    scores = np.linspace(1, 0, n, dtype=np.float32)
    where = (fc.Index(scores[:, np.newaxis], "dot"), [1.0]) if find is fc.dynamic_threshold else (scores,)
    for budget in (29, 30, 35):
        asked = []
        found = find(*where, lambda at, asked=asked: asked.extend(at.tolist()) or at != 20, budget=budget, seed=0)
        assert (found.n_selected, found.labels_used, found.stopped) == (budget, budget, "budget")
        assert asked == list(range(budget))
        assert found.precision_sample == (budget - 1) / budget
        on = find(*where, lambda at: at != 20, budget=400, state=found.state)
        assert on.n_selected > found.n_selected
    plenty = find(*where, lambda at: at != 20, budget=48, seed=0)
    assert plenty.trace[0].n_rows == 12
    for bad in (1.5, "x", True):
        with pytest.raises(errors.InvalidTypeError, match="budget must be an integer of at least 29, got"):
            find(*where, np.ones_like, budget=bad)
    with pytest.raises(errors.InvalidValueError, match=r"budget must be at least 29, the fewest labels .* got 28"):
        find(*where, np.ones_like, budget=28)
    with pytest.raises(errors.InvalidValueError, match="below 2"):
        find(*where, np.ones_like, budget=2**63)


def test_answers_that_cannot_be_used_carry_the_state():
    scores, labels = lists(5)
    for answer in (lambda at: labels.reshape(-1)[at][1:], lambda at: np.full(at.size, 0.5)):
        with pytest.raises(ValueError, match="labeler") as caught:
            fc.pooled_thresholds(scores, answer, seed=0)
        assert caught.value.state["procedure"] == "pooled_thresholds"


def test_nothing_relevant():
    found = fc.pooled_thresholds(lists(6)[0], lambda at: np.zeros(at.size), seed=0)
    assert (found.threshold, found.n_selected, found.by_query) == (None, 0, None)
    assert np.isnan(found.thresholds).all()
