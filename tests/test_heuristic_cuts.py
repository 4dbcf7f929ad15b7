"""tail_cut, knee_cut, gap_cut and query_features: slow twins in plain Python, and what lists without a cut say."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcal as fc

CUTS = [fc.gap_cut, fc.knee_cut, fc.tail_cut]
lists = st.lists(st.lists(st.integers(-60, 60).map(lambda n: n / 8), max_size=12), min_size=1, max_size=6)


def slow_gap(values):
    """Entries kept of scores, best first."""
    if len(values) < 2 or values[0] == values[-1]:
        return 0
    gaps = [a - b for a, b in pairwise(values)]
    return gaps.index(max(gaps)) + 1


def slow_knee(values):
    """Entries kept of scores, best first."""
    if len(values) < 3 or values[0] == values[-1]:
        return 0
    last = len(values) - 1
    above = [(v - values[0]) * last - (values[-1] - values[0]) * i for i, v in enumerate(values)]  # exact for eighths
    at = max(range(len(values)), key=lambda i: (abs(above[i]), -i))
    return at + (above[at] > 0) if above[at] else 0


@settings(max_examples=60)
@given(lists, st.booleans())
@pytest.mark.parametrize(("cut", "slow"), [(fc.gap_cut, slow_gap), (fc.knee_cut, slow_knee)])
def test_cuts_equal_their_slow_twins(cut, slow, ragged, higher_is_better):
    offsets = np.cumsum([0, *map(len, ragged)])
    flat = np.array([value for each in ragged for value in each], np.float64)
    found = cut(flat, offsets=offsets, higher_is_better=higher_is_better)
    sign = 1 if higher_is_better else -1
    for each, threshold, n_selected, reason in zip(ragged, found.threshold, found.n_selected, found.reason, strict=True):
        assert n_selected == slow(sorted((sign * value for value in each), reverse=True))
        assert math.isnan(threshold) == (n_selected == 0) == (reason != "cut")
        reached = np.array(each) >= threshold if higher_is_better else np.array(each) <= threshold
        assert np.count_nonzero(reached) == n_selected


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 0.02, 0.005]))
def test_tail_cut_is_the_tail_probability_cut_at_its_level(seed, p_value):
    rng = np.random.default_rng(seed)
    scores = rng.gamma(2.0, size=(3, 400)).astype(np.float32).round(int(rng.integers(1, 4)))
    surprise = fc.normalize(scores, "tail")
    found = fc.tail_cut(scores, p_value=p_value)
    for row in range(3):
        kept = scores[row][surprise[row] >= np.float32(-math.log10(p_value))]
        assert found.n_selected[row] == kept.size == np.count_nonzero(scores[row] >= found.threshold[row])


def test_tail_cut_keeps_about_its_share_of_noise():
    noise = np.random.default_rng(1).exponential(size=(200, 1000))
    kept = fc.tail_cut(noise, p_value=0.01).n_selected
    assert 9.0 < kept.mean() < 11.0


@pytest.mark.parametrize("cut", CUTS)
def test_lists_without_a_cut(cut):
    assert cut(np.empty(0)).to_dict() | {"method": ""} == {
        "method": "",
        "threshold": None,
        "n_selected": 0,
        "reason": "empty",
        "higher_is_better": True,
        "heuristic": True,
    }
    assert cut([0.5]).reason == "too_short"
    assert cut(np.full(100, 0.5)).reason == "constant"
    assert cut(np.full((2, 3), np.nan)).reason == ("empty", "empty")
    several = cut(np.array([[0.9] * 99 + [0.1], [0.5] * 100, [np.nan] * 100]))
    assert several.reason[1:] == ("constant", "empty")
    json.dumps(several.to_dict(), allow_nan=False)


def test_a_straight_line_has_no_knee_and_a_short_list_no_tail():
    assert fc.knee_cut(np.linspace(0.9, 0.1, 20)).reason == "nothing_stands_out"
    assert fc.tail_cut(np.arange(49.0)).reason == "too_short"
    assert fc.tail_cut(np.arange(50.0), p_value=0.1).reason == "cut"
    assert fc.tail_cut(np.arange(30.0), p_value=0.1, tail_fraction=0.5).reason == "cut"


@pytest.mark.parametrize("cut", CUTS)
def test_every_form_of_lists_gives_the_same_cuts(cut):
    scores = -np.sort(-np.random.default_rng(3).gamma(1.0, size=(4, 60)).astype(np.float32))
    ids = np.tile(np.arange(60), (4, 1))
    plain = cut(scores)
    run = fc.Run(ids, scores)
    flat = cut(scores.reshape(-1), offsets=np.arange(0, 241, 60))
    shuffled = cut(np.random.default_rng(0).permuted(np.hstack([scores, np.full((4, 5), np.nan, np.float32)]), axis=1))
    results = [cut(run), cut(fc.SearchResult(scores, ids)), flat, shuffled]
    results.append(cut(fc.RangeResult(np.arange(0, 241, 60), scores.reshape(-1), ids.reshape(-1))))
    for other in results:
        np.testing.assert_array_equal(other.threshold, plain.threshold)
        np.testing.assert_array_equal(other.n_selected, plain.n_selected)
    one = [cut(row) for row in scores]
    assert [each.to_dict()["threshold"] for each in one] == plain.to_dict()["threshold"]
    np.testing.assert_array_equal(cut(-scores, higher_is_better=False).threshold, -plain.threshold)
    assert cut(scores.astype(np.float64)[None]).threshold.shape == (1, 4)


def test_bad_input_of_cuts():
    run = fc.Run([[1, 2]], [[0.5, 0.25]])
    with pytest.raises(fc.FastcalError, match="higher_is_better"):
        fc.gap_cut(run, higher_is_better=False)
    with pytest.raises(ValueError, match="carry their own"):
        fc.gap_cut(run, offsets=[0, 2])
    with pytest.raises(ValueError, match="no scores"):
        fc.knee_cut(fc.Run([[1, 2]]))
    with pytest.raises(ValueError, match="inf"):
        fc.knee_cut([0.1, np.inf, 0.3])
    with pytest.raises(ValueError, match="p_value"):
        fc.tail_cut([0.1], p_value=1.0)
    with pytest.raises(ValueError, match="takes"):
        fc.tail_cut([0.1], depth=3)
    with pytest.raises(TypeError, match="float"):
        fc.gap_cut(np.arange(5))


def test_features_are_their_formulas():
    rng = np.random.default_rng(4)
    scores = rng.normal(0.4, 0.1, size=(5, 80))
    means = rng.normal(0.1, 0.01, size=5)
    features = fc.query_features(scores, corpus_mean=means)
    floats = scores.astype(np.float32).astype(np.float64)
    ordered = -np.sort(-floats)
    np.testing.assert_allclose(features.best, ordered[:, 0], rtol=1e-6)
    np.testing.assert_allclose(features.gap, ordered[:, 0] - ordered[:, 1], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(features.wig, floats.mean(1) - means, rtol=1e-5)
    np.testing.assert_allclose(features.nqc, floats.std(1) / np.abs(means), rtol=1e-5)
    np.testing.assert_allclose(features.tail, fc.normalize(scores, "tail").max(1), rtol=1e-4)
    assert features.to_array().shape == (5, 7)
    distances = fc.query_features(-scores, corpus_mean=-means, higher_is_better=False)
    np.testing.assert_allclose(distances.to_array(), features.to_array(), rtol=1e-6)


def test_nqc_is_bounded_where_the_corpus_mean_vanishes():
    scores = np.random.default_rng(5).normal(0.4, 0.1, size=(3, 80))
    bound = 20 * scores.std(1) / np.sqrt((scores**2).mean(1))
    np.testing.assert_allclose(fc.query_features(scores, corpus_mean=0.0).nqc, bound, rtol=1e-5)
    assert fc.query_features(np.zeros((1, 4)), corpus_mean=0.0).nqc.tolist() == [0.0]


def test_features_of_short_lists_and_bad_means():
    features = fc.query_features([0.5, 0.25], offsets=[0, 0, 1, 2])
    assert np.isnan(features.to_array()[0]).all()
    assert features.gap.tolist()[1:] == [0.0, 0.0]
    assert features.wig is None
    assert features.to_dict()["mean"] == [None, 0.5, 0.25]
    with pytest.raises(ValueError, match="corpus_mean"):
        fc.query_features([[0.5], [0.25]], corpus_mean=[0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="corpus_mean"):
        fc.query_features([[0.5]], corpus_mean=np.nan)
    with pytest.raises(TypeError, match="corpus_mean"):
        fc.query_features([[0.5]], corpus_mean="0.1")
