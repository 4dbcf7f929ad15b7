"""What Profile.fit records: held-out, by query, for the base rate of use."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import fastcal as fc
from fastcal.profile import _fit


def sample(n, seed, k=10, slope=8.0, shift=4.0):
    """Scores (n, k) with P(relevant | score) = sigmoid(slope * score - shift) and a query effect on the score."""
    rng = np.random.default_rng(seed)
    scores = (rng.random((n, k)) + 0.1 * rng.standard_normal((n, 1))).astype(np.float32)
    return scores, rng.random((n, k)) < 1 / (1 + np.exp(shift - slope * scores)), np.arange(n) + 1000 * seed


def fit(n=300, seed=1, **options):
    return fc.Profile.fit(*sample(n, seed), model="m", metric="dot", **{"calibrator": fc.PlattCalibrator(), **options})


def test_what_is_recorded():
    profile = fit(target_precision=[0.8, 0.9], target_recall=0.9, task="answer")
    scores, labels, queries = sample(300, 1)
    assert (profile.n_pairs, profile.n_queries, profile.top_k, profile.task) == (3000, 300, 10, "answer")
    assert profile.base_rate == labels.mean() == profile.calibrator.base_rate_
    plain = fc.PlattCalibrator().fit(scores, labels)
    np.testing.assert_allclose(profile.predict(scores), plain.predict(scores), rtol=1e-6)
    assert [cut.promised[0] for cut in profile.thresholds] == ["precision", "precision", "recall"]
    out_of_fold = fc.cross_fit(fc.PlattCalibrator(), scores, labels, queries)
    for cut, options in zip(profile.thresholds, ({"target_precision": 0.8}, {"target_precision": 0.9}, {"target_recall": 0.9}), strict=True):
        assert cut.value == pytest.approx(fc.choose_threshold(out_of_fold, labels, **options).threshold, abs=1e-6)
        assert cut.held_out
        assert cut.interval[0] < cut.precision < cut.interval[1]
    assert profile.diagnostics["held_out"]["n_groups"] == 300
    assert profile.diagnostics["held_out"]["log_loss"] == pytest.approx(fc.metrics.log_loss(labels, out_of_fold), rel=1e-6)
    json.dumps(profile.to_dict(), allow_nan=False)


def test_held_out_precision_is_what_new_queries_show():
    """Chosen and measured on the same pairs a threshold flatters itself; the recorded precision does not."""
    scores, labels, _ = sample(20_000, 99)
    recorded, in_sample, achieved = [], [], []
    for seed in range(12):
        profile = fit(n=60, seed=seed, target_precision=0.8)
        cut = profile.thresholds[0]
        mine, truth, queries = sample(60, seed)
        out_of_fold = fc.cross_fit(fc.PlattCalibrator(), mine, truth, queries)
        in_sample.append(truth[out_of_fold >= cut.value].mean())
        recorded.append(cut.precision)
        achieved.append(labels[profile.predict(scores) >= cut.value].mean())
    assert abs(np.mean(recorded) - np.mean(achieved)) < 0.02
    assert min(in_sample) >= 0.8


def test_a_prior_moves_everything_to_the_rate_of_use():
    """Fitted on balanced pairs with prior=, a profile keeps its promise where relevant pairs are rare."""
    rng = np.random.default_rng(3)
    scores, labels, queries = sample(4000, 5, shift=7.0)
    flat, truth, ids = scores.reshape(-1), labels.reshape(-1), np.repeat(queries, 10)
    positive = np.flatnonzero(truth)
    chosen = np.concatenate([positive, rng.choice(np.flatnonzero(~truth), len(positive), replace=False)])
    rate = float(truth.mean())
    options = {"model": "m", "metric": "dot", "calibrator": fc.PlattCalibrator(), "target_precision": 0.6}
    naive = fc.Profile.fit(flat[chosen], truth[chosen], ids[chosen], **options)
    right = fc.Profile.fit(flat[chosen], truth[chosen], ids[chosen], prior=rate, **options)
    assert (right.base_rate, right.calibrator.base_rate_, right.top_k) == (0.5, rate, None)
    new, new_labels, _ = sample(8000, 6, shift=7.0)

    def achieved(profile):
        return new_labels[profile.predict(new) >= profile.thresholds[0].value].mean()

    assert achieved(naive) < 0.45
    assert abs(achieved(right) - 0.6) < 0.05
    assert abs(right.thresholds[0].precision - achieved(right)) < 0.05
    assert abs(right.predict(new).mean() - new_labels.mean()) < 0.01
    assert right.diagnostics["held_out"]["base_rate"] == pytest.approx(rate)
    assert right.revalidate(new).verdict == "keep"
    assert naive.revalidate(new).verdict == "refit"
    assert not any("label some" in reason for reason in naive.revalidate(new, new_labels).reasons)


def test_groups_have_their_calibrators():
    scores, labels, queries = sample(200, 2)
    by = np.where(np.arange(200) % 2, "de", "en")
    profile = fc.Profile.fit(scores, labels, queries, model="m", metric="dot", calibrator=fc.GroupCalibrator(), by=by, target_precision=0.7)
    assert fc.Profile.from_dict(profile.to_dict()).predict(scores, by=by).tolist() == profile.predict(scores, by=by).tolist()
    result = fc.SearchResult(scores[:2], np.tile(np.arange(10), (2, 1)))
    assert len(profile.policy().decide(result, classes=by[:2])) == 2
    assert profile.revalidate(*sample(200, 3)[:2], by=by).verdict == "keep"
    with pytest.raises(TypeError, match="by= is missing"):
        profile.predict(scores)
    with pytest.raises(TypeError, match="by= has no use"):
        fit().predict(scores, by=by)


def test_padding_and_weights():
    scores, labels, queries = sample(200, 4)
    padded = np.concatenate([scores, np.full((200, 3), np.nan, np.float32)], axis=1)
    beside = np.concatenate([labels, np.zeros((200, 3), bool)], axis=1)
    options = {"model": "m", "metric": "dot", "calibrator": fc.PlattCalibrator(), "target_precision": 0.7}
    one, two = fc.Profile.fit(scores, labels, queries, **options), fc.Profile.fit(padded, beside, queries, top_k=13, **options)
    assert one.thresholds == two.thresholds
    assert one.reference == two.reference
    assert two.top_k == 13
    twice = fc.Profile.fit(scores, labels, queries, sample_weight=np.full(scores.shape, 2.0), **options)
    assert twice.thresholds[0].precision == pytest.approx(one.thresholds[0].precision)
    assert twice.reference.quantiles == one.reference.quantiles


def test_targets_out_of_reach_and_thin_ones_warn():
    """The best 5 % of the scores are irrelevant, so no cut is precise."""
    rng = np.random.default_rng(0)
    scores = rng.random((200, 10))
    labels = (rng.random((200, 10)) < scores) & (scores < 0.95)
    options = {"model": "m", "metric": "dot", "calibrator": fc.PlattCalibrator()}
    with pytest.warns(
        fc.ProfileWarning, match=r"no threshold reaches target_precision=0\.99: the best precision on held-out queries is 0\."
    ) as caught:
        assert fc.Profile.fit(scores, labels, range(200), target_precision=0.99, **options).thresholds == ()
    assert caught[0].filename == __file__
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thin = fc.Profile.fit(scores[:60], scores[:60] > 0.97, range(60), target_precision=0.8, **options)
    assert thin.thresholds[0].n_selected < 30
    assert any("held-out pairs; below 30 its precision says little" in str(each.message) for each in caught)


def test_a_threshold_that_held_out_queries_refute_is_left_out():
    """Labels that the scores say nothing about: what looks precise on the chosen pairs is not on others."""
    rng = np.random.default_rng(10)
    scores, labels = rng.random((60, 10)), rng.random((60, 10)) < 0.3
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        options = {"calibrator": fc.PlattCalibrator(), "target_precision": [0.6, 0.9, 0.1]}
        profile = fc.Profile.fit(scores, labels, range(60), model="m", metric="dot", **options)
    refused = [str(each.message) for each in caught if "the profile has none for this target" in str(each.message)]
    assert [cut.target_precision for cut in profile.thresholds] == [0.1]
    assert len(refused) == 2
    assert "target_precision=0.9 reaches precision 0.273 [0.097, 0.566] on queries it was not chosen on" in refused[1]
    with pytest.warns(fc.ProfileWarning, match="no better than the base rate for every pair") as told:
        profile.policy()
    assert told[0].filename == __file__


def test_no_threshold_stands_beside_what_refutes_it():
    with pytest.raises(ValueError, match=r"precision 0\.1 lies outside its interval \(0\.8, 0\.9\)"):
        fc.Threshold(0.5, target_precision=0.9, precision=0.1, interval=(0.8, 0.9))
    with pytest.raises(ValueError, match=r"target_precision=0\.9 is refuted by its held-out interval \(0\.0, 0\.7\)"):
        fc.Threshold(0.5, target_precision=0.9, precision=0.0, interval=(0.0, 0.7), n_selected=1, held_out=True)
    thin = {"target_precision": 0.9, "precision": 0.5, "interval": (0.05, 0.95), "held_out": True}
    assert fc.Threshold(0.5, n_selected=4, **thin).promised == ("precision", 0.9)
    assert fc.Threshold(0.5, n_selected=40, **thin).promised == ("precision", 0.5)


def test_bad_arguments():
    with pytest.raises(TypeError, match="query_ids is None"):
        fc.Profile.fit(*sample(50, 1)[:2], None, model="m", metric="dot")
    with pytest.raises(ValueError, match="fit measures base_rate itself"):
        fit(base_rate=0.5)
    never = np.zeros((3, 2)), np.zeros((3, 2)), [0, 1, 2]  # judged before the pairs, which no calibrator fits
    for facts, message in (
        ({"colour": 3}, "fit has no argument 'colour'; expected one of model, metric, revision"),
        ({"dims": "x"}, "dims must be an integer"),
    ):
        with pytest.raises(TypeError, match=message):
            fc.Profile.fit(*never, model="m", metric="dot", **facts)
    with pytest.raises(ValueError, match="model must not be blank"):
        fc.Profile.fit(*never, model=" ", metric="dot")
    with pytest.raises(ValueError, match="top_k=5, but scores holds 10 per query"):
        fit(top_k=5)
    with pytest.raises(ValueError, match="target_precision must be a number in"):
        fit(target_precision=1.5)
    with pytest.raises(ValueError, match="same target twice"):
        fit(target_precision=[0.8, 0.8])
    with pytest.raises(ValueError, match="prior must be a number strictly between"):
        fit(prior=0)


def test_targets():
    assert _fit.as_targets(None, None) == [{"target_precision": 0.9}]
    assert _fit.as_targets(None, 0.5) == [{"target_recall": 0.5}]
    assert _fit.as_targets([0.5, 1], (0.25,)) == [{"target_precision": 0.5}, {"target_precision": 1.0}, {"target_recall": 0.25}]
