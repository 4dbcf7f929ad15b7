"""Counts over sorted scores on every backend: the threshold sweep and the isotonic fit of labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import blank, call, check, compare
from strategies import labelled

SPREAD = {
    "even": lambda rng, n: rng.standard_normal(n),
    "wide": lambda rng, n: 100.0 * rng.standard_normal(n),
    "few": lambda rng, n: rng.integers(-3, 3, n),
    "one far away": lambda rng, n: np.append(rng.standard_normal(n - 1), 1e30),
    "all powers": lambda rng, n: rng.choice([-1.0, 1.0], n) * 10.0 ** rng.uniform(-44, 38, n),
    "denormal": lambda rng, n: 1e-41 * rng.standard_normal(n),
    "whole range": lambda rng, n: 3.4e38 * rng.uniform(-1, 1, n),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SPREAD)
def test_counts_of_many_pairs(backend, name, dtype):
    """Several pieces of the parallel sort, however scores crowd: counts are those of weights of one, which are added up pair by pair."""
    rng = np.random.default_rng(11)
    n = 300_000
    labels, ones = (rng.random(n) < 0.4).astype(np.uint8), np.ones(n)
    scores = SPREAD[name](rng, n).astype(dtype)
    scores[:: n // 100] = scores[0]
    wide = [blank(n, dtype=np.float64) for _ in range(3)]
    outs = [blank(n, dtype=dtype), blank(n, dtype=np.int64), *wide[:2]]
    expected = call(backend, "threshold_sweep", (scores, labels, ones), outs)
    curve = call(backend, "isotonic_fit", (scores.astype(np.float64), labels.astype(np.float64), ones), wide[:2])
    count, (threshold, selected, weight, positive) = expected
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), n - 1)
    assert count == len(ends)
    np.testing.assert_array_equal(threshold[:count], scores[order][ends])
    np.testing.assert_array_equal(selected[:count], ends + 1)
    np.testing.assert_array_equal(positive[:count], np.cumsum(labels[order], dtype=np.int64)[ends])
    for num_threads in (1, 3):
        where = f"{num_threads} threads"
        compare("threshold_sweep", (), call(backend, "threshold_sweep", (scores, labels, None), outs, num_threads), expected, where)
        compare("isotonic_fit_labels", (), call(backend, "isotonic_fit_labels", (scores, labels), wide[:2], num_threads), curve, where)
        if dtype == np.float32:
            got, rates = call(backend, "threshold_rates", (scores, labels), outs[:2] + wide, num_threads)
            hits, chosen = positive[:count], weight[:count]
            total = hits[-1]
            wanted = threshold, selected, hits / chosen, hits / total, hits / (chosen / 2 + total / 2)
            compare("threshold_rates", (), (got, rates), (count, wanted), where)


@pytest.mark.parametrize("name", SPREAD)
def test_weights_of_many_pairs_are_added_in_stable_order(backend, name):
    rng = np.random.default_rng(12)
    n = 200_000
    scores = np.round(SPREAD[name](rng, n), 3).astype(np.float32) + np.float32(0.0)
    labels, weights = (rng.random(n) < 0.4).astype(np.uint8), rng.random(n)
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), n - 1)
    outs = [blank(n), blank(n, dtype=np.int64), blank(n, dtype=np.float64), blank(n, dtype=np.float64)]
    sums = (np.cumsum(each[order])[ends] for each in (weights, weights * labels))
    expected = len(ends), (scores[order][ends], ends + 1, *sums)
    for num_threads in (1, 3):
        got = call(backend, "threshold_sweep", (scores, labels, weights), outs, num_threads)
        compare("threshold_sweep", (), got, expected, f"{num_threads} threads")


@given(case=labelled())
def test_threshold_rates(backend, case):
    scores, labels, _ = case
    n = len(scores)
    outs = [blank(n), blank(n, dtype=np.int64), *(blank(n, dtype=np.float64) for _ in range(3))]
    check(backend, "threshold_rates", (scores.astype(np.float32) + np.float32(0.0), labels.astype(np.uint8)), outs)


@given(case=labelled(), weighted=st.booleans(), dtype=st.sampled_from([np.float32, np.float64]))
def test_threshold_sweep(backend, case, weighted, dtype):
    scores, labels, weights = case
    n = len(scores)
    scores = scores.astype(dtype) + dtype(0.0)  # which zero stands for a group of both is not defined
    inputs = (scores, labels.astype(np.uint8), weights if weighted else None)
    outs = [blank(n, dtype=dtype), blank(n, dtype=np.int64), blank(n, dtype=np.float64), blank(n, dtype=np.float64)]
    count, (threshold, selected, weight, positive) = check(backend, "threshold_sweep", inputs, outs)
    assert selected[count - 1] == n
    for i in range(count):
        chosen = inputs[0] >= threshold[i]
        assert selected[i] == chosen.sum()
        used = np.ones(n) if not weighted else weights
        assert weight[i] == pytest.approx(used[chosen].sum(), rel=1e-12)
        assert positive[i] == pytest.approx(used[chosen & (labels > 0)].sum(), rel=1e-12)
