"""Isotonic regression with one knot a block, and with guards against 0 and 1."""

from __future__ import annotations

import numpy as np
import pytest
from calibrators import labelled_scores, sample
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc


def blocks(scores, labels, weights):
    """(scores, weight, value) of each block, by pooling until nothing falls or stays level."""
    found = []
    for x in np.unique(scores):
        at = scores == x
        found.append([[x] * at.sum(), weights[at].tolist(), (weights * labels)[at].sum(), weights[at].sum()])
        while len(found) > 1 and found[-2][2] * found[-1][3] >= found[-1][2] * found[-2][3]:
            last = found.pop()
            found[-1] = [a + b for a, b in zip(found[-1], last, strict=True)]
    return found


# -- strict -----------------------------------------------------------------------------------------------
@given(labelled_scores(), st.booleans())
def test_strict_has_one_knot_a_block_at_its_weighted_mean(data, increasing):
    scores, labels, weights = data
    sign = 1.0 if increasing else -1.0
    cal = fc.IsotonicCalibrator(strict=True, increasing=increasing).fit(sign * scores, labels, weights)
    expected = blocks(scores, labels, weights)
    np.testing.assert_allclose(sign * cal.X_thresholds_[:: int(sign)], [np.average(x, weights=w) for x, w, _, _ in expected])
    np.testing.assert_allclose(cal.y_thresholds_[:: int(sign)], [s / w for _, _, s, w in expected])


@given(labelled_scores(), st.sampled_from([None, "laplace"]))
def test_strict_tells_scores_inside_the_range_apart_and_no_order_is_turned(data, bounds):
    scores, labels, weights = data
    cal = fc.IsotonicCalibrator(strict=True, bounds=bounds).fit(scores, labels, weights)
    asked = np.linspace(0, 1, 301)
    p = cal.predict(asked)
    inside = (asked >= cal.X_thresholds_[0]) & (asked <= cal.X_thresholds_[-1])
    assert (np.diff(p[inside]) > 0).all()
    assert (np.diff(p) >= 0).all()
    assert (p[asked < cal.X_thresholds_[0]] == p.min()).all()
    assert (p[asked > cal.X_thresholds_[-1]] == p.max()).all()


def test_strict_keeps_auc_where_the_steps_lose_it():
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = sample(2000)
    cal = fc.IsotonicCalibrator(strict=True).fit(scores, labels)
    inside = (scores >= cal.X_thresholds_[0]) & (scores <= cal.X_thresholds_[-1])
    fresh_scores, fresh_labels = scores[inside], labels[inside]
    assert len(np.unique(cal.predict(fresh_scores))) == len(np.unique(fresh_scores))
    assert metrics.roc_auc_score(fresh_labels, cal.predict(fresh_scores)) == metrics.roc_auc_score(fresh_labels, fresh_scores)
    steps = fc.IsotonicCalibrator().fit(scores, labels)
    assert len(np.unique(steps.predict(fresh_scores))) < len(np.unique(fresh_scores)) / 2


def test_strict_of_one_block_and_of_huge_scores():
    one = fc.IsotonicCalibrator(strict=True).fit([1.0, 2.0, 3.0, 3.0], [1, 0, 0, 1])
    assert (one.X_thresholds_.tolist(), one.y_thresholds_.tolist()) == ([2.25], [0.5])
    huge = fc.IsotonicCalibrator(strict=True).fit([-1.7e308, -1.6e308, 1.6e308, 1.7e308], [0, 0, 1, 1])
    assert huge.X_thresholds_.tolist() == pytest.approx([-1.65e308, 1.65e308])
    near = fc.IsotonicCalibrator(strict=True).fit([0.0, 4.1e-320, 4.4e-314, 1.0], [0, 1, 0, 1])
    assert (np.diff(near.X_thresholds_) > 0).all()
    assert np.isfinite(near.predict([0.0, 1e-320, 1e-316, 0.5])).all()


# -- bounds -----------------------------------------------------------------------------------------------
@given(labelled_scores(), st.booleans())
def test_laplace_adds_a_pair_of_each_class_to_the_end_blocks(data, increasing):
    scores, labels, weights = data
    sign = 1.0 if increasing else -1.0
    cal = fc.IsotonicCalibrator(bounds="laplace", increasing=increasing).fit(sign * scores, labels, weights)
    plain = blocks(scores, labels, weights)
    means, sizes = [s / w for _, _, s, w in plain], [w for *_, w in plain]
    x = np.unique(scores)
    group = np.array([next(i for i, block in enumerate(plain) if v in block[0]) for v in x])
    again = fc.IsotonicCalibrator().fit(*expand(means, sizes))
    np.testing.assert_allclose(cal.predict(sign * x), again.predict(group.astype(float)), atol=1e-12)
    p = cal.predict(np.linspace(-1, 2, 50))
    assert p.min() > 0.0
    assert p.max() < 1.0


def expand(means, sizes):
    """Block i as pairs at score i: its weight shared between the labels; one pair of each class more at both ends."""
    n = len(means)
    scores = [*range(n), *range(n), 0, 0, n - 1, n - 1]
    weights = [*(m * w for m, w in zip(means, sizes, strict=True)), *((1 - m) * w for m, w in zip(means, sizes, strict=True)), 1, 1, 1, 1]
    return np.array(scores, float), [1] * n + [0] * n + [0, 1, 0, 1], np.array(weights)


def test_laplace_is_the_rule_of_succession():
    cal = fc.IsotonicCalibrator(bounds="laplace").fit(np.arange(30.0), np.repeat([0, 1], [20, 10]))
    assert cal.predict([0.0, 19.0, 20.0, 29.0]).tolist() == pytest.approx([1 / 22, 1 / 22, 11 / 12, 11 / 12])
    noisy = fc.IsotonicCalibrator(bounds="laplace").fit(np.arange(40.0), [0, 0, 0, 1] * 5 + [1, 1, 1, 0] * 5, label_noise=(0.25, 0.25))
    assert noisy.predict([0.0, 39.0]).min() > 0.0
    assert noisy.predict([0.0, 39.0]).max() < 1.0


def test_numbers_clip_before_the_prior():
    scores, labels = sample()
    plain = fc.IsotonicCalibrator().fit(scores, labels)
    cal = fc.IsotonicCalibrator(bounds=(0.02, 0.95)).fit(scores, labels)
    np.testing.assert_array_equal(cal.predict(cal.X_thresholds_), plain.predict(cal.X_thresholds_).clip(0.02, 0.95))
    assert cal.adjust_prior(0.001).predict(0.0) < 0.02
    assert fc.calibrator_from_dict(cal.to_dict()).bounds == [0.02, 0.95]


@pytest.mark.parametrize("options", [{}, {"strict": True}, {"increasing": False}, {"bounds": "laplace", "strict": True}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_prior_moves_the_log_odds_between_the_knots_too(options: dict, dtype: type) -> None:
    scores, labels = sample(200)
    cal = fc.IsotonicCalibrator(**options).fit(scores, 1 - labels if options.get("increasing") is False else labels)
    grid = np.append(np.linspace(scores.min() - 1, scores.max() + 1, 999), np.nan).astype(dtype)
    before, odds = cal.predict(grid.astype(np.float64)), (0.01 / 0.99) / (cal.base_rate_ / (1 - cal.base_rate_))
    after = cal.adjust_prior(0.01).predict(grid)
    assert after.dtype == dtype
    np.testing.assert_allclose(after, before * odds / (1 - before + before * odds), rtol=1e-6 if dtype == np.float32 else 1e-12)
    same = fc.calibrator_from_dict(cal.to_dict())
    assert same.predict(grid).tobytes() == after.tobytes()
