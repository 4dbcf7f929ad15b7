"""Test martingales of labels: bytes on every backend, exact sums, published crossings, edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import blank, check
from reference_evidence import exact_evidence, exact_evidence_iid

from fastcal.intervals.evidence import log_evidence, log_evidence_below, log_evidence_iid


@st.composite
def draws(draw, most=60):
    """Population, null_hits and labels drawn without replacement, mostly with more positives than the null has."""
    k = draw(st.integers(1, most))
    null_hits = draw(st.integers(-1, k))
    positives = draw(st.integers(0, k))
    order = np.random.default_rng(draw(st.integers(0, 2**32))).permutation(k)
    return k, null_hits, (order[: draw(st.integers(0, k))] < positives).astype(np.uint8)


@given(case=draws(), data=st.data())
def test_bytes_of_the_definition(backend, case, data):
    k, null_hits, labels = case
    start = data.draw(st.integers(0, labels.size))
    outs = [blank(labels.size - start, dtype=np.float64)]
    check(backend, "log_evidence", (labels, k, null_hits, start), outs)
    rate, shape = data.draw(st.floats(0.01, 0.99)), data.draw(st.sampled_from([0.5, 1.0, 3.7]))
    check(backend, "log_evidence_iid", (labels, rate, shape, start), outs)


def test_bytes_of_tail_sums(backend):
    rng = np.random.default_rng(9)
    hits = rng.integers(0, 2000, 40).astype(np.float64)
    inputs = (hits, rng.integers(0, 10**6, 40) * 1.0, rng.integers(1, 3000, 40) * 1.0, rng.random(40) * 50 + 0.01)
    check(backend, "log_tail_sums", inputs, [blank(40, dtype=np.float64)])
    check(backend, "log_tail_sums", tuple(part[:0] for part in inputs), [blank(0, dtype=np.float64)])


def test_bytes_of_large_counts(backend):
    """Sums beyond float64, populations beyond 32 bits, hits on either side of the likely ones."""
    rng = np.random.default_rng(3)
    for rate in (0.2, 0.9, 1.0):
        labels = (rng.random(3000) < rate).astype(np.uint8)
        outs = [blank(20, dtype=np.float64)]
        for k, null_hits in ((3000, 2500), (10**6, 200_000), (2**53, 2**52)):
            check(backend, "log_evidence", (labels, k, null_hits, 2980), outs)
        check(backend, "log_evidence_iid", (labels, 0.3, 1.0, 2980), outs)


@given(case=draws())
def test_exact_sum_of_likelihood_ratios(case):
    k, null_hits, labels = case
    for n, got in enumerate(log_evidence(labels, k, null_hits).tolist(), start=1):
        exact = exact_evidence(int(labels[:n].sum()), n, k, null_hits)
        if exact in (0, math.inf):
            assert got == (math.inf if exact else -math.inf)
        else:
            assert got == pytest.approx(math.log(exact), abs=1e-14)


@pytest.mark.parametrize(("k", "null_hits", "n", "hits"), [(3000, 2699, 2000, 1990), (3000, 900, 500, 480), (2500, 2249, 2300, 2060)])
def test_exact_sum_of_a_large_pool(k, null_hits, n, hits):
    labels = np.repeat(np.array([0, 1], np.uint8), [n - hits, hits])
    exact = exact_evidence(hits, n, k, null_hits)
    # The logarithm of a ratio of integers of thousands of digits.
    truth = math.log(exact.numerator) - math.log(exact.denominator)
    assert log_evidence(labels, k, null_hits, start=n - 1) == pytest.approx([truth], abs=1e-11)


def test_exact_sum_of_independent_draws():
    for rate in (0.5, 0.875):
        for n, hits in ((1, 0), (7, 7), (40, 31), (400, 380), (400, 100)):
            labels = np.repeat(np.array([1, 0]), [hits, n - hits])
            exact = exact_evidence_iid(hits, n, rate)
            truth = math.log(exact.numerator) - math.log(exact.denominator)
            assert log_evidence_iid(labels, rate)[-1] == pytest.approx(truth, abs=1e-12)


def test_prior_of_independent_draws():
    """Integral of the likelihood ratio over a Beta(1, shape) cut at the null, by the midpoint rule."""
    u = (np.arange(200_000) + 0.5) / 200_000
    for shape in (0.5, 3.0):
        rates = 1 - 0.2 * u ** (1 / shape)
        labels = np.array([1, 1, 0, 1, 1, 1, 1, 0, 1, 1])
        hits, n = np.cumsum(labels), np.arange(1, 11)
        means = [(rates**s * (1 - rates) ** (m - s)).mean() / (0.8**s * 0.2 ** (m - s)) for s, m in zip(hits, n, strict=True)]
        np.testing.assert_allclose(np.exp(log_evidence_iid(labels, 0.8, shape=shape)), means, rtol=1e-6)


def crossing(values, level):
    return int(np.argmax(values >= math.log(level))) + 1


def test_first_crossings_of_all_positive_labels():
    ones = np.ones(60, np.uint8)
    pools = {k: log_evidence(ones[: min(60, k)], k, math.ceil(k * 9 / 10) - 1) for k in (30, 50, 100, 200)}
    assert {k: (crossing(e, 20), crossing(e, 10)) for k, e in pools.items()} == {30: (18, 16), 50: (24, 20), 100: (31, 26), 200: (36, 29)}
    assert [(crossing(e, 20), crossing(e, 10)) for e in (log_evidence_iid(ones, 0.9, shape=b) for b in (1.0, 0.5))] == [(43, 34), (36, 29)]


def test_a_pool_of_millions_is_like_independent_draws():
    labels = (np.random.default_rng(0).random(500) < 0.97).astype(np.uint8)
    near = log_evidence(labels, 10**12, 9 * 10**11)
    np.testing.assert_allclose(near, log_evidence_iid(labels, 0.9), atol=1e-6)


@given(case=draws(), data=st.data())
def test_batches_give_the_bytes_of_one_call(case, data):
    k, null_hits, labels = case
    at = data.draw(st.integers(0, labels.size))
    parts = [log_evidence(labels[:at], k, null_hits), log_evidence(labels, k, null_hits, start=at)]
    assert np.concatenate(parts).tobytes() == log_evidence(labels, k, null_hits).tobytes()


def test_edges():
    assert log_evidence([1, 1, 1, 0], 9, 2).tolist()[2:] == [np.inf, np.inf]  # three positives refute "at most two" for good
    assert log_evidence([0, 0], 9, 8)[0] == -np.inf  # one miss: nine of nine are out of reach
    assert (log_evidence([1, 1], 5, 5) == -np.inf).all()  # no larger number exists
    assert (log_evidence([0, 0], 5, -3) == np.inf).all()  # nor does a smaller one
    assert log_evidence([], 5, 2).shape == (0,)
    assert log_evidence([1, 0], 5, 2, start=2).shape == (0,)
    assert log_evidence_below([0, 0, 0], 9, 7)[1:].tolist() == [np.inf, np.inf]
    assert log_evidence_below([1, 1], 9, 6)[0] == log_evidence([0, 0], 9, 2)[0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: log_evidence([0, 2], 9, 3), ValueError, "labels must be 0 or 1"),
        (lambda: log_evidence([0.5], 9, 3), ValueError, "labels must be 0 or 1"),
        (lambda: log_evidence([np.nan], 9, 3), ValueError, "labels must be 0 or 1"),
        (lambda: log_evidence(np.array([-1]), 9, 3), ValueError, "labels must be 0 or 1"),
        (lambda: log_evidence([[0, 1]], 9, 3), TypeError, "flat array"),
        (lambda: log_evidence(["a"], 9, 3), TypeError, "flat array"),
        (lambda: log_evidence([0, 1], 1, 0), ValueError, "population must be at least the 2 labels"),
        (lambda: log_evidence([0, 1], 2**54, 0), ValueError, "at most 2\\*\\*53"),
        (lambda: log_evidence([0, 1], 9, 0.5), TypeError, "null_hits must be an integer"),
        (lambda: log_evidence([0, 1], 9, 3, start=3), ValueError, "start must be at most the 2 labels"),
        (lambda: log_evidence_iid([0, 1], 1.0), ValueError, "null_rate must be a number strictly between 0 and 1"),
        (lambda: log_evidence_iid([0, 1], 0.9, shape=0.0), ValueError, "shape must be a positive finite number"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
