"""held_out_threshold: chosen on all pairs, measured on queries left out."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc
from fastcal.selection._folds import fold_of_pairs


def sample(seed, n=60, k=8):
    rng = np.random.default_rng(seed)
    scores = (rng.random((n, k)) + 0.2 * rng.standard_normal((n, 1))).astype(np.float32)
    return scores, rng.random((n, k)) < scores, np.arange(n)


@pytest.mark.parametrize("target", [{"target_precision": 0.75}, {"target_recall": 0.8}])
def test_each_fold_is_cut_where_the_others_say(target):
    scores, labels, queries = sample(0)
    found = fc.held_out_threshold(scores, labels, queries, **target, seed=4)
    flat, truth, groups = scores.ravel(), labels.ravel(), np.repeat(queries, 8)
    folds = fold_of_pairs(truth.astype(np.uint8), groups, np.ones(truth.size, bool), 5, 4)
    selected = np.zeros(truth.size, bool)
    for fold in range(5):
        inside = folds == fold
        selected[inside] = flat[inside] >= fc.choose_threshold(flat[~inside], truth[~inside], **target).threshold
    assert found.threshold == fc.choose_threshold(flat, truth, **target).threshold
    assert (found.n_selected, found.n, found.n_groups) == (selected.sum(), 480, 60)
    assert found.precision == pytest.approx(truth[selected].mean())
    assert found.recall == pytest.approx(selected[truth].mean())
    assert found.precision_interval[0] < found.precision < found.precision_interval[1]
    falling = fc.held_out_threshold(-scores, labels, queries, **target, seed=4, higher_is_better=False)
    assert falling.threshold == -found.threshold
    assert (falling.precision, falling.recall, falling.higher_is_better) == (found.precision, found.recall, False)


def test_held_out_figures_do_not_flatter():
    new_scores, new_labels, _ = sample(99, n=20_000)
    gaps = []
    for seed in range(20):
        scores, labels, queries = sample(seed, n=30)
        found = fc.held_out_threshold(scores, labels, queries, 0.8)
        if found is not None:
            gaps.append(found.precision - new_labels[new_scores >= found.threshold].mean())
    assert abs(np.mean(gaps)) < 0.05


def test_no_cut_few_pairs_and_bad_input():
    scores, labels, queries = sample(1)
    assert fc.held_out_threshold(scores, scores < np.median(scores), queries) is None
    with pytest.warns(fc.SmallSampleWarning, match="held-out pairs"):
        fc.held_out_threshold(scores, scores > np.sort(scores.ravel())[-12], queries, 0.9)
    with pytest.raises(fc.FastcalError, match="both given"):
        fc.held_out_threshold(scores, labels, queries, 0.9, target_recall=0.9)
    with pytest.raises(TypeError, match="groups is None"):
        fc.held_out_threshold(scores, labels, None)
