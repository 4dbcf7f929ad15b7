"""Revalidation: the tests behind the verdict against oracles and simulation, and each verdict for its reason."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal.profile._queries import QueryHashes
from fastcal.profile._recalibration import Labelled, calibration_test, shifted
from fastcal.profile._reference import STEPS, Reference, drift_from, kolmogorov_p


def sample(n, seed, k=10, slope=12.0, shift=9.0, move=0.0):
    rng = np.random.default_rng(seed)
    scores = (rng.random((n, k)) + 0.1 * rng.standard_normal((n, 1)) + move).astype(np.float32)
    return scores, rng.random((n, k)) < 1 / (1 + np.exp(shift - slope * (scores - move))), np.arange(n) + 1000 * seed


@pytest.fixture(scope="module")
def profile():
    return fc.Profile.fit(*sample(400, 1), model="m", metric="dot", calibrator=fc.PlattCalibrator(), target_precision=0.8)


# -- the parts against oracles --------------------------------------------------------------------------------
@pytest.mark.parametrize(("t", "p"), [(1.3580986393225507, 0.05), (1.6276236115189503, 0.01), (0.8275735551899077, 0.5), (1.2238478702170825, 0.1)])
def test_kolmogorov_tail(t, p):
    """Critical values of Kolmogorov's distribution, reached with n so large that Stephens' correction is nothing."""
    n = 1e14
    assert kolmogorov_p(t / np.sqrt(n), n) == pytest.approx(p, rel=1e-6)
    assert kolmogorov_p(0.0, 5.0) == 1.0
    assert kolmogorov_p(1.0, 1e6) == 0.0


@given(st.integers(0, 2**31), st.integers(2, 400), st.integers(2, 400), st.booleans())
def test_drift_is_the_largest_difference_of_the_distribution_functions(seed, n, m, coarse):
    rng = np.random.default_rng(seed)
    old, new = (rng.integers(0, 5, size) / 4.0 if coarse else rng.standard_normal(size) for size in (n, m))
    reference = Reference.of(old, None, np.arange(n))
    found = drift_from(reference, new, None, np.arange(m))
    exact = max(abs((old <= at).mean() - (new <= at).mean()) for at in np.concatenate([old, new]))
    assert exact - 1 / STEPS - 1e-12 <= found.statistic <= exact + 1 / STEPS + 1e-12
    assert set(reference.quantiles) <= set(old)


def test_weights_count_pairs():
    rng = np.random.default_rng(0)
    scores, weights = rng.random(300), rng.integers(1, 4, 300).astype(float)
    weighted = Reference.of(scores, weights, np.arange(300))
    repeated = Reference.of(np.repeat(scores, weights.astype(int)), None, np.repeat(np.arange(300), weights.astype(int)))
    assert weighted.quantiles == repeated.quantiles


def test_under_no_change_p_values_are_not_small_however_dependent_pairs_are():
    small = [0, 0]
    for seed in range(80):
        rng = np.random.default_rng(seed)
        level = rng.standard_normal(120)
        scores = (level[:, None] + 0.2 * rng.standard_normal((120, 20))).reshape(-1)
        codes = np.repeat(np.arange(60), 20)
        reference = Reference.of(scores[:1200], None, codes)
        small[0] += drift_from(reference, scores[1200:], None, codes).p_value < 0.05
        naive = Reference.of(scores[:1200], None, np.arange(1200))
        small[1] += drift_from(naive, scores[1200:], None, np.arange(1200)).p_value < 0.05
    assert small[0] <= 8
    assert small[1] >= 60


def labelled(p, y, codes):
    return Labelled(p, y.astype(np.uint8), p, None, codes)


def test_the_score_test_is_right_under_the_null_and_sees_shift_and_slope():
    rejected = {"null": 0, "shift": 0, "slope": 0}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((100, 10)) + rng.standard_normal((100, 1)) - 1
        p = 1 / (1 + np.exp(-z.reshape(-1)))
        y, codes = rng.random(1000) < p, np.repeat(np.arange(100), 10)
        rejected["null"] += calibration_test(labelled(p, y, codes), None).p_value < 0.05
        rejected["shift"] += calibration_test(labelled(shifted(p, 0.7), y, codes), None).p_value < 0.05
        rejected["slope"] += calibration_test(labelled(1 / (1 + np.exp(-1.6 * z.reshape(-1))), y, codes), None).p_value < 0.05
    assert 2 <= rejected["null"] <= 20
    assert rejected["shift"] > 190
    assert rejected["slope"] > 190


def test_the_score_test_allows_for_the_errors_of_the_fit():
    """A calibrator fitted on as many queries as test it: the plain test rejects too often, the corrected one does not."""
    plain, corrected = 0, 0
    for seed in range(200):
        scores, labels, _ = sample(120, seed)
        platt = fc.PlattCalibrator().fit(scores[:60], labels[:60])
        pairs = labelled(platt.predict(scores[60:]).reshape(-1).astype(float), labels[60:].reshape(-1), np.repeat(np.arange(60), 10))
        plain += calibration_test(pairs, None).p_value < 0.05
        corrected += calibration_test(pairs, 60).p_value < 0.05
    assert plain > 25
    assert corrected <= 20


def test_constant_probabilities_and_single_classes_have_a_test_too():
    half, codes = np.full(200, 0.5), np.arange(200)
    balanced = np.arange(200) % 2
    assert calibration_test(labelled(half, balanced, codes), None).p_value == 1.0
    assert calibration_test(labelled(half, np.ones(200), codes), None).p_value < 1e-6
    assert calibration_test(labelled(np.ones(200), np.ones(200), codes), None).p_value == 1.0


@given(st.floats(-20, 20), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_shifting_log_odds_is_adjust_prior(shift, values):
    found = shifted(np.array(values), shift)
    again = shifted(found, -shift)
    assert ((found >= 0) & (found <= 1)).all()
    ends = np.isin(values, [0.0, 1.0])
    assert (found[ends] == np.array(values)[ends]).all()
    inner = (np.array(values) > 1e-5) & (np.array(values) < 1 - 1e-5) & (found > 1e-6) & (found < 1 - 1e-6)
    np.testing.assert_allclose(again[inner], np.array(values)[inner], rtol=1e-6)


# -- verdicts ------------------------------------------------------------------------------------------------
def test_new_queries_of_the_same_kind_keep(profile):
    reports = [profile.revalidate(scores, labels, query_ids=queries) for scores, labels, queries in (sample(200, seed) for seed in range(2, 8))]
    assert sum(report.verdict == "keep" for report in reports) >= 5
    assert sum(profile.revalidate(sample(200, seed)[0]).verdict == "keep" for seed in range(2, 12)) == 10
    report = reports[0]
    assert (report.n_pairs, report.n_queries, report.n_seen, report.prior_shift) == (2000, 200, 0, False)
    assert report.thresholds[0].promised == min(0.8, profile.thresholds[0].precision)
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False)) == report.to_dict()
    assert str(report).startswith("keep (2000 pairs of 200 queries)")


def test_balanced_sampling_is_named_as_prior_shift(profile):
    scores, labels, _ = sample(2000, 20)
    flat, truth, queries = scores.reshape(-1), labels.reshape(-1), np.repeat(np.arange(2000), 10)
    rng = np.random.default_rng(0)
    chosen = np.concatenate([rng.choice(np.flatnonzero(truth == label), 150, replace=False) for label in (False, True)])
    report = profile.revalidate(flat[chosen], truth[chosen], query_ids=queries[chosen] + 10**6)
    assert report.verdict == "refit"
    assert report.prior_shift
    assert "prior shift: 0.5 of the pairs are relevant" in report.reasons[0]
    assert "profile.adjust_prior(0.5)" in report.reasons[0]


def test_weights_undo_uneven_sampling(profile):
    scores, labels, _ = sample(2000, 21)
    flat, truth, queries = scores.reshape(-1), labels.reshape(-1), np.repeat(np.arange(2000), 10)
    rng = np.random.default_rng(0)
    kept = rng.random(len(flat)) < np.where(truth, 0.4, 0.1)
    told = {"query_ids": queries[kept] + 10**6}
    assert profile.revalidate(flat[kept], truth[kept], **told).prior_shift
    report = profile.revalidate(flat[kept], truth[kept], sample_weight=np.where(truth, 2.5, 10.0)[kept], **told)
    assert report.verdict == "keep"
    assert report.base_rate == pytest.approx(truth.mean(), abs=0.02)


def test_moved_scores_stop_with_labels_and_without(profile):
    """Every score 0.4 higher, as after a change of model: all probabilities are far too high."""
    scores, labels, queries = sample(300, 30, move=0.4)
    report = profile.revalidate(scores, labels, query_ids=queries)
    assert report.verdict == "stop"
    assert any("promised precision" in reason for reason in report.reasons)
    assert report.thresholds[0].kept is False
    unlabelled = profile.revalidate(scores)
    assert unlabelled.verdict == "stop"
    assert unlabelled.drift.statistic > 0.25
    assert unlabelled.calibration is unlabelled.base_rate is None
    assert json.loads(json.dumps(unlabelled.to_dict(), allow_nan=False)) == unlabelled.to_dict()


def test_overconfidence_asks_for_a_refit(profile):
    scores, labels, queries = sample(400, 31, slope=5.0, shift=4.0)
    report = profile.revalidate(scores, labels, query_ids=queries)
    assert report.verdict in {"refit", "stop"}
    assert report.calibration.p_value < 1e-4


def test_a_recall_promise_and_a_score_threshold():
    platt = fc.PlattCalibrator().fit(*sample(400, 1)[:2])
    cuts = [fc.Threshold(0.5, target_recall=0.99), fc.Threshold(0.9, space="score", target_precision=0.5, inclusive=False), fc.Threshold(0.25)]
    report = fc.Profile("m", "dot", platt, cuts).revalidate(*sample(300, 2)[:2])
    recall, score, none = report.thresholds
    assert (recall.kind, recall.kept, score.kind, score.space, score.kept, none.kept) == ("recall", False, "precision", "score", True, None)
    scores, labels, _ = sample(300, 2)
    assert score.n_selected == np.count_nonzero(scores > np.float32(0.9))
    assert score.achieved == pytest.approx(labels[scores > np.float32(0.9)].mean())
    assert report.drift is None


def test_other_depths_warn_and_few_queries_are_noted(profile):
    scores, labels, _ = sample(15, 40)
    with pytest.warns(fc.ProfileWarning, match="scores holds 5 per row, the lists of the profile top_k=10") as caught:
        report = profile.revalidate(-np.sort(-scores, axis=1)[:, :5], np.take_along_axis(labels, np.argsort(-scores, axis=1), 1)[:, :5])
    assert caught[0].filename == __file__
    assert any("15 queries show little" in reason for reason in report.reasons)
    assert any("1 query shows little" in reason for reason in profile.revalidate(scores[:1]).reasons)


def test_threads_of_several_lists_are_of_the_same_depth(profile):
    scores, labels, _ = sample(60, 42)
    report = profile.revalidate(scores, labels, query_ids=np.arange(60) // 3)
    assert (report.n_queries, any("top_k" in reason for reason in report.reasons)) == (20, False)


def test_many_promises_are_judged_together(profile):
    """Each promise at the truth: with six of them, unchanged data must not refute one in every few runs."""
    scores, labels, _ = sample(20_000, 50)
    predicted = profile.predict(scores)
    cuts = [fc.Threshold(v, target_precision=labels[predicted >= np.float32(v)].mean()) for v in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)]
    several = fc.Profile("m", "dot", profile.calibrator, cuts)
    broken = sum(any(check.kept is False for check in several.revalidate(*sample(60, seed)[:2]).thresholds) for seed in range(100, 200))
    assert broken <= 4


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("cuts", [[], [fc.Threshold(0.5, target_recall=0.5)], [fc.Threshold(1.0, target_precision=0.9)]])
def test_labels_of_one_class_refute_what_claims_otherwise(profile, label, cuts):
    """With no threshold that could fail for them: the probabilities alone are judged."""
    scores, _, _ = sample(50, 41)
    report = fc.Profile("m", "dot", profile.calibrator, cuts).revalidate(scores, np.full(scores.shape, label))
    assert report.calibration.p_value < 1e-9
    assert report.verdict in {"refit", "stop"}
    assert any(f"every label is {label}: only the level" in reason for reason in report.reasons)
    assert report.calibration.brier_skill is report.calibration.miscalibration is None
    json.dumps(report.to_dict(), allow_nan=False)


def test_labels_of_one_class_that_were_to_be_expected_keep():
    """Where few pairs are relevant and few are labelled, none or one is often found: that is no evidence."""
    few, refuted = 0, 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        scores, new = rng.normal(-4, 1, (2000, 5)), rng.normal(-4, 1, (10, 5))
        profile = fc.Profile("m", "logit", fc.PlattCalibrator().fit(scores, rng.random((2000, 5)) < 1 / (1 + np.exp(-scores))), [])
        labels = rng.random((10, 5)) < 1 / (1 + np.exp(-new))
        few += labels.sum() < 2
        refuted += profile.revalidate(new, labels).verdict != "keep"
    assert few > 40
    assert refuted <= 2


# -- queries -------------------------------------------------------------------------------------------------
def test_training_queries_are_noticed(profile):
    scores, labels, queries = sample(400, 1)
    with pytest.warns(fc.ProfileWarning, match="400 of 400 queries are among those the profile was fitted on") as caught:
        report = profile.revalidate(scores, labels, query_ids=queries)
    assert report.n_seen == 400
    assert caught[0].filename == __file__
    assert profile.seen_queries([["1000", "7"], ["1399", "1400"]]).tolist() == [[True, False], [True, False]]
    assert profile.seen_queries([]).tolist() == []


def test_hashes_are_salted_sorted_and_of_the_text():
    one, two = (QueryHashes.of(["b", "a", "b"]) for _ in range(2))
    assert len(one.hashes) == 2
    assert not set(one.hashes) & set(two.hashes)
    assert list(one.hashes) == sorted(one.hashes)
    assert QueryHashes.of([12]).holds(["12", "012"]).tolist() == [True, False]


def test_bad_input(profile):
    scores, labels, queries = sample(20, 2)
    with pytest.raises(ValueError, match="give query_ids=, or one row per query"):
        profile.revalidate(scores.reshape(-1), labels.reshape(-1))
    with pytest.raises(ValueError, match="labels has shape"):
        profile.revalidate(scores, labels[:, :2])
    with pytest.raises(ValueError, match="holds nothing but NaN"):
        profile.revalidate(np.full((3, 2), np.nan))
    bare = fc.Profile("m", "dot", profile.calibrator, [])
    with pytest.raises(ValueError, match="no reference scores"):
        bare.revalidate(scores)
    with pytest.raises(ValueError, match="no training queries"):
        bare.seen_queries(queries)
    assert bare.revalidate(scores, labels, query_ids=queries).n_seen is None
