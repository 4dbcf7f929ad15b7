"""density_weighted_threshold where labels leave nothing open: exact, and no round for nothing."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc


def estimate(scores, labeler, **options):
    return fc.density_weighted_threshold(scores, labeler, seed=1, **options)


@pytest.mark.parametrize("weighting", ["horvitz-thompson", "none"])
def test_what_is_wholly_labelled_is_known(weighting):
    """The laxest cut that reaches the target, by brute force; its interval is a point."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        scores = rng.beta(2, 5, rng.integers(30, 101)).astype(np.float32)
        labels = scores >= np.sort(scores)[-rng.integers(1, scores.size // 2)]
        best = np.sort(scores)[::-1]
        good = [cut for cut in best if labels[scores >= cut].mean() >= 0.9][-1]
        found = estimate(scores, labels.__getitem__, weighting=weighting)
        assert (found.reason, found.threshold, found.precision) == ("exhausted", good, labels[scores >= good].mean())
        assert (found.interval, found.effective_n) == ((found.precision, found.precision), np.inf)
        assert found.to_dict()["effective_n"] is None
    rng = np.random.default_rng(0)
    many = rng.beta(2, 5, 5000).astype(np.float32)
    whole = estimate(many, (many > 0.6).__getitem__, sample_size=5000, weighting=weighting)
    assert whole.precision == (many[many >= whole.threshold] > 0.6).mean() >= 0.9


def test_a_selection_that_becomes_known_ends_the_rounds():
    rng = np.random.default_rng(7)
    scores = rng.beta(2, 5, 5000).astype(np.float32)
    labels = (rng.random(5000) < 1 / (1 + np.exp(-25 * (scores - 0.55)))).astype(np.uint8)
    found = estimate(scores, labels.__getitem__, max_rounds=100, max_width=0.02)
    assert all(each.labels == 100 for each in found.rounds)  # every round buys
    true = labels[scores >= found.threshold].mean()
    assert found.reason == "width"
    assert found.interval[0] <= true <= found.interval[1] <= found.interval[0] + 0.02
