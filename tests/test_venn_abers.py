"""Venn-Abers against its definition: the isotonic regression with the test pair labelled 0 and 1, fitted again for each score."""

from __future__ import annotations

import numpy as np
import pytest
from calibrators import labelled_scores, sample, shifted
from hypothesis import example, given
from hypothesis import strategies as st

import fastcal as fc

pytestmark = pytest.mark.usefixtures("backend")

SCORES, LABELS = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 5]), np.array([0, 0, 1, 0, 1, 1, 0, 1, 0])


def fit_again(scores, labels, weights, test, label):
    """The isotonic curve at ``test`` with the pair (test, label) of weight 1, by the min-max formula."""
    s, y, w = np.append(scores, test), np.append(labels, label), np.append(weights, 1.0)
    distinct, group = np.unique(s, return_inverse=True)
    weight, total = np.cumsum(np.bincount(group, w)), np.cumsum(np.bincount(group, w * y))
    at = np.searchsorted(distinct, test)
    before_w, before_t = np.append(0.0, weight)[: at + 1, None], np.append(0.0, total)[: at + 1, None]
    means = (total[None, at:] - before_t) / (weight[None, at:] - before_w)
    return means.min(axis=1).max()


def test_reference_values():
    cal = fc.VennAbersCalibrator().fit(SCORES, LABELS)
    p0, p1 = cal.predict_interval([0.5, 1.0, 3.0, 4.5, 5.0, 7.5, 9.0])
    assert p0.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 3, 0.4, 3 / 7, 0.5])
    assert p1.tolist() == pytest.approx([1 / 3, 1 / 3, 4 / 7, 0.6, 0.6, 1, 1])
    np.testing.assert_allclose(cal.predict([0.5, 9.0]), [(1 / 3) / (4 / 3), 1 / 1.5])


def test_above_every_training_score_whose_last_block_is_mixed():
    """Two public implementations differ here and at ties; fitting again is the definition."""
    cal = fc.VennAbersCalibrator().fit([0.0, 0.0, 0.1, 0.1, 0.3, 0.5], [0, 0, 0, 0, 1, 0])
    p0, p1 = cal.predict_interval([1.0])
    assert (p0[0], p1[0]) == pytest.approx((1 / 3, 1.0))


@given(labelled_scores(), st.booleans(), st.booleans())
@example((np.array([0.5] * 6), np.array([0, 1, 0, 1, 0, 0]), np.ones(6)), True, False)
def test_equals_fitting_again_for_every_score(data, increasing, fractional):
    scores, labels, weights = data
    weights = weights / 3.0 if fractional else weights
    cal = fc.VennAbersCalibrator(increasing=increasing).fit(scores, labels, weights)
    tests = np.concatenate([np.unique(scores), np.unique(scores) + 1 / 64, [0.0]])
    p0, p1 = cal.predict_interval(tests)
    sign = 1.0 if increasing else -1.0
    expected = [[fit_again(sign * scores, labels, weights, sign * test, label) for test in tests] for label in (0, 1)]
    np.testing.assert_allclose([p0, p1], expected, atol=1e-12)
    merged = cal.predict(tests)
    np.testing.assert_allclose(merged, p1 / (1 - p0 + p1))
    assert ((p0 < p1) & (p0 <= merged) & (merged <= p1) & (merged > 0) & (merged < 1)).all()


def test_the_table_holds_changes_only_and_both_zeros_are_one_score():
    scores, labels = sample(20_000)
    cal = fc.VennAbersCalibrator().fit(scores, labels)
    assert len(cal.scores_) < 2_000
    zeros = fc.VennAbersCalibrator().fit([-0.0, 0.0, 1.0], [0, 1, 1])
    assert zeros.predict([-0.0]).tobytes() == zeros.predict([0.0]).tobytes()
    assert zeros.predict_interval([0.0])[0][0] == pytest.approx(1 / 3)


def test_weights_count_against_a_test_pair_of_weight_one():
    scores, labels = sample(300)
    narrow, wide = (fc.VennAbersCalibrator().fit(scores, labels, np.full(300, w)).predict_interval(scores) for w in (10.0, 0.1))
    assert (narrow[1] - narrow[0]).mean() < 0.3 * (wide[1] - wide[0]).mean()
    with pytest.warns(fc.SmallSampleWarning, match="weigh .* together"):
        tiny = fc.VennAbersCalibrator().fit(scores, labels, np.full(300, 1e-250))
    huge = fc.VennAbersCalibrator().fit(scores, labels, np.full(300, 1e250))
    assert tiny.predict_interval([0.5])[1][0] == pytest.approx(1.0)
    np.testing.assert_allclose(huge.predict(scores), fc.VennAbersCalibrator().fit(scores, labels, np.full(300, 2.0**50)).predict(scores), atol=1e-9)


def test_a_prior_moves_the_merged_probability_by_bayes():
    cal = fc.VennAbersCalibrator().fit([0.0, 1.0], [0, 1]).adjust_prior(0.001)
    assert cal.predict([0.5])[0] == pytest.approx(0.001)
    scores, labels = sample(300)
    plain, moved = fc.VennAbersCalibrator().fit(scores, labels), fc.VennAbersCalibrator().fit(scores, labels, prior=0.01)
    ratio = 0.01 / 0.99 * (1 - plain.base_rate_) / plain.base_rate_
    (low, high), p = plain.predict_interval(scores), plain.predict(scores)
    np.testing.assert_allclose(moved.predict(scores), shifted(p, ratio), rtol=1e-12)
    np.testing.assert_allclose(moved.predict_interval(scores), (shifted(low, ratio), shifted(high, ratio)), rtol=1e-12)


def test_one_of_the_two_probabilities_is_calibrated():
    """Over many draws of training and test pairs, P(label = 1) is the mean of the probability of the true label."""
    rng = np.random.default_rng(1)
    chosen, labels = [], []
    for _ in range(400):
        t = rng.normal(size=41)
        y = (rng.random(41) < 1 / (1 + np.exp(-2 * t))).astype(int)
        if y[:40].min() == y[:40].max():
            continue
        p0, p1 = fc.VennAbersCalibrator().fit(t[:40], y[:40]).predict_interval(t[40:])
        chosen.append(p1[0] if y[40] else p0[0])
        labels.append(y[40])
    chosen, labels = np.array(chosen), np.array(labels)
    spread = np.sqrt((chosen * (1 - chosen)).sum())
    assert abs((labels - chosen).sum()) < 3.5 * spread


def test_what_it_cannot_do():
    with pytest.raises(ValueError, match="label_noise is not possible with VennAbersCalibrator"):
        fc.VennAbersCalibrator().fit(SCORES, LABELS, label_noise=(0.1, 0.0))
    with pytest.raises(fc.NotFittedError):
        fc.VennAbersCalibrator().predict_interval([0.5])
    good = fc.VennAbersCalibrator().fit(SCORES, LABELS).to_dict()
    for change, message in [
        ({"scores_": [1.0, 1.0]}, "strictly increasing"),
        ({"p0_": [0.5]}, "expected 17"),
        ({"p0_": good["fitted"]["p1_"], "p1_": good["fitted"]["p0_"]}, "p0_ <= p1_"),
        ({"p0_": good["fitted"]["p0_"][::-1]}, "rise"),
        ({"p1_": [2.0] * 17}, r"\[0, 1\]"),
        ({"scores_": [10**400]}, "an integer beyond float64"),
        ({"shift_": float("inf")}, "shift_ must be a finite number"),
    ]:
        with pytest.raises(ValueError, match=message):
            fc.calibrator_from_dict(good | {"fitted": good["fitted"] | change})
