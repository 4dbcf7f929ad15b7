"""Histogram binning: edges, ties, empty bins, and streaming."""

from __future__ import annotations

import numpy as np
import pytest
from calibrators import labelled_scores, sample
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc


@given(labelled_scores(), st.integers(1, 9), st.sampled_from(["uniform", "quantile"]), st.sampled_from([0.0, 0.5, 1.0]))
def test_each_bin_is_its_smoothed_share(data, n_bins, strategy, smoothing):
    scores, labels, weights = data
    cal = fc.HistogramCalibrator(n_bins, strategy=strategy, smoothing=smoothing).fit(scores, labels, weights)
    edges = cal.edges_
    assert len(edges) - 1 <= n_bins
    assert (np.diff(edges[:-1]) > 0).all()
    assert edges[-1] >= edges[-2]
    p = cal.predict(scores)
    for score in np.unique(scores):
        inside = (edges[1:-1, None] <= scores).sum(axis=0) == (edges[1:-1] <= score).sum()
        share = (weights[inside] @ labels[inside] + smoothing) / (weights[inside].sum() + 2 * smoothing)
        np.testing.assert_allclose(p[scores == score], share, atol=1e-15)
    assert cal.predict([-1e30, 1e30]).tolist() == [cal.probabilities_[0], cal.probabilities_[-1]]


def test_quantile_bins_hold_equal_weight_and_never_split_ties():
    assert fc.HistogramCalibrator(5).fit(np.arange(10.0), [0, 1] * 5).edges_.tolist() == [0, 2, 4, 6, 8, 9]
    heavy = fc.HistogramCalibrator(2).fit([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1], [1, 1, 1, 9])
    assert heavy.edges_.tolist() == [1, 4, 4]
    tied = fc.HistogramCalibrator(20).fit([0.5] * 90 + [0.9] * 10, [0, 1] * 50)
    assert tied.edges_.tolist() == [0.5, 0.9, 0.9]
    assert tied.weights_.tolist() == [90, 10]
    rng = np.random.default_rng(0)
    even = fc.HistogramCalibrator(8).fit(rng.normal(size=4000), rng.integers(0, 2, 4000))
    assert even.weights_.tolist() == [500] * 8


def test_empty_bins_take_their_neighbours():
    cal = fc.HistogramCalibrator(10, strategy="uniform", limits=(0.0, 1.0), smoothing=0.0)
    cal.fit([0.25, 0.25, 0.55, 0.55, 0.55, 0.55], [0, 1, 1, 1, 1, 0])
    assert cal.weights_.tolist() == [0, 0, 2, 0, 0, 4, 0, 0, 0, 0]
    assert cal.probabilities_.tolist() == [0.5, 0.5, 0.5, 0.625, 0.625, 0.75, 0.75, 0.75, 0.75, 0.75]
    assert cal.predict(np.array([0.3, 0.6, 0.2], np.float64)).tolist() == [0.625, 0.75, 0.5]


def test_equal_and_huge_scores():
    assert fc.HistogramCalibrator(strategy="uniform").fit([0.5] * 4, [0, 0, 0, 1]).predict([0.0, 0.5, 9.0]).tolist() == [2 / 6] * 3
    huge = fc.HistogramCalibrator(4, strategy="uniform").fit([-1.7e308, -1e308, 1e308, 1.7e308], [0, 0, 1, 1])
    assert np.isfinite(huge.edges_).all()
    assert huge.higher_is_better_ is True
    assert fc.HistogramCalibrator(3).fit([1.0, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0]).higher_is_better_ is False
    assert fc.HistogramCalibrator(3).fit([1.0, 2, 3, 4, 5, 6], [1, 1, 0, 0, 1, 1]).higher_is_better_ is None


@pytest.mark.parametrize("noise", [None, (0.1, 0.2)])
def test_partial_fit_is_one_fit_on_everything(noise):
    scores, labels = sample(3000)
    weights = np.random.default_rng(1).integers(0, 5, 3000).astype(float)
    order = np.argsort(labels, kind="stable")  # one class for a long time
    scores, labels, weights = scores[order], labels[order], weights[order]
    cal = fc.HistogramCalibrator(15, strategy="uniform", limits=(0.1, 0.9))
    first = slice(0, 500)
    cal.partial_fit(scores[first], labels[first], weights[first], label_noise=noise)
    with pytest.raises(fc.NotFittedError):
        cal.predict([0.5])
    for start in range(500, 3000, 500):
        part = slice(start, start + 500)
        cal.partial_fit(scores[part], labels[part], weights[part], prior=0.3, label_noise=noise)
        if start == 2000:
            cal = fc.calibrator_from_dict(cal.to_dict())
    assert cal.to_dict() == type(cal)(**cal.get_params()).fit(scores, labels, weights, prior=0.3, label_noise=noise).to_dict()


def test_partial_fit_is_there_only_where_bins_are_fixed():
    for cal in (
        fc.HistogramCalibrator(),
        fc.HistogramCalibrator(strategy="uniform"),
        fc.PlattCalibrator(),
        fc.IsotonicCalibrator(),
        fc.TemperatureCalibrator(),
        fc.BetaCalibrator(),
        fc.VennAbersCalibrator(),
    ):
        assert not hasattr(cal, "partial_fit")
    with pytest.raises(AttributeError, match="strategy='uniform' and limits"):
        fc.HistogramCalibrator().partial_fit([0.5], [1])
    cal = fc.HistogramCalibrator(4, strategy="uniform", limits=(0.0, 1.0)).partial_fit([0.1, 0.9], [0, 1])
    before = cal.to_dict()
    with pytest.raises(ValueError, match="cannot change bins or label_noise"):
        cal.partial_fit([0.1], [0], label_noise=(0.1, 0.1))
    with pytest.raises(ValueError, match=r"labels\[0\] is 7"):
        cal.partial_fit([0.1], [7])
    assert cal.to_dict() == before
    with pytest.raises(ValueError, match="cannot change bins"):
        cal.set_params(n_bins=5).partial_fit([0.1], [0])


def test_json_is_judged():
    good = fc.HistogramCalibrator(2).fit([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1]).to_dict()
    for change, message in [
        ({"edges_": [0.1]}, "at least two"),
        ({"edges_": [0.4, 0.3, 0.1]}, "strictly increasing"),
        ({"weights_": [2.0]}, "one number a bin"),
        ({"positives_": [3.0, 0.0]}, "one number a bin"),
        ({"probabilities_": [0.5, 1.5]}, r"\[0, 1\]"),
        ({"label_noise_": [0.5, 0.6]}, "sum to less than 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            fc.calibrator_from_dict(good | {"fitted": good["fitted"] | change})
