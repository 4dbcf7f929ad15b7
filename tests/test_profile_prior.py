"""A profile under another base rate: a new one, whose thresholds cut the same scores and promise what Bayes' rule says."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import fastcal as fc


def sample(n, seed, rate):
    """Pairs, `rate` of them relevant, with the same scores given relevance whatever the rate."""
    rng = np.random.default_rng(seed)
    labels = rng.random((n, 10)) < rate
    return rng.normal(np.where(labels, 1.0, -1.0), 1.0).astype(np.float32), labels, np.arange(n) + 10**5 * seed


@pytest.fixture(scope="module")
def profile():
    return fc.Profile.fit(*sample(2000, 1, 0.5), model="m", metric="dot", calibrator=fc.PlattCalibrator(), target_precision=0.9, target_recall=0.8)


def test_what_is_done_to_its_parts_does_not_reach_the_profile(profile):
    before = profile.to_dict()
    copies = [profile, copy.deepcopy(profile), pickle.loads(pickle.dumps(profile))]
    for each in copies:
        each.calibrator.adjust_prior(0.01)
        each.calibrator.fit([0.0, 1.0], [1, 0])
        each.diagnostics["held_out"].clear()
        each.policy(target_recall=0.8).calibrator.adjust_prior(0.01)
        assert each.to_dict() == before
    for name in ("calibrator", "diagnostics"):
        with pytest.raises(AttributeError):
            setattr(profile, name, None)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.8])
def test_promises_at_the_new_rate_are_kept(profile, rate):
    before = profile.to_dict()
    if rate < 0.5:
        with pytest.warns(fc.ProfileWarning, match=r"thresholds for target_precision=0\.9 miss it") as caught:
            moved = profile.adjust_prior(rate)
        assert caught[0].filename == __file__
    else:
        moved = profile.adjust_prior(rate)
    assert profile.to_dict() == before
    assert (moved.calibrator.base_rate_, moved.base_rate, moved.diagnostics["prior"]) == (rate, profile.base_rate, rate)
    assert [cut.target_precision for cut in moved.thresholds] == [0.9 if rate > 0.5 else None, None]
    assert moved.reference is None
    assert "held_out" not in moved.diagnostics
    scores, labels, queries = sample(4000, 2, rate)
    for old, new in zip(profile.thresholds, moved.thresholds, strict=True):
        one, other = profile.predict(scores) >= np.float32(old.value), moved.predict(scores) >= np.float32(new.value)
        assert np.count_nonzero(one != other) <= 1
        assert labels[other].mean() == pytest.approx(new.precision, abs=0.05)
        assert labels[other].sum() / labels.sum() == pytest.approx(new.recall, abs=0.03)
        assert new.interval[0] < new.precision < new.interval[1]
    assert moved.revalidate(scores, labels, query_ids=queries).verdict == "keep"
    assert profile.revalidate(scores, labels, query_ids=queries).prior_shift
    assert fc.Profile.from_dict(moved.to_dict()).to_dict() == moved.to_dict()


def test_thresholds_on_scores_and_without_figures():
    platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    cuts = [fc.Threshold(0.5, space="score", precision=0.8), fc.Threshold(0.5, target_precision=0.9), fc.Threshold(0.25, target_recall=0.9)]
    with pytest.warns(fc.ProfileWarning, match="miss it"):
        score, bare, recall = fc.Profile("m", "cosine", platt, cuts).adjust_prior(0.2).thresholds
    assert (score.value, score.precision, score.promised) == (0.5, pytest.approx(0.5), ("precision", score.precision))
    assert (bare.value, bare.promised) == (pytest.approx(0.2), None)
    assert recall.promised == ("recall", 0.9)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        fc.Profile("m", "cosine", platt, cuts).adjust_prior(1.0)
