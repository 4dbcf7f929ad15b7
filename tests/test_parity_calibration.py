"""Calibration on every backend: exp, Platt and isotonic regression."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import reference
from hypothesis import example, given
from hypothesis import strategies as st
from parity import THREADS, blank, call, check
from strategies import labelled, seeds, sizes

EDGES = [0.0, -0.0, 1e-320, 1e-8, 0.5, 1.0, 36.8, 707.99, 708.0, 708.1, 745.2, 1e6, math.inf, math.nan]
EDGES = np.array([*EDGES, *(-edge for edge in EDGES)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_platt_predict_at_the_edges(backend, dtype):
    with np.errstate(over="ignore"):
        scores = EDGES.astype(dtype)
    for a, b in [(1.0, 0.0), (-1.0, 0.0), (0.0, 0.3), (-1e300, 0.0), (2.5, -1e308), (3.0, math.inf), (0.0, -800.0)]:
        check(backend, "platt_predict", (scores, a, b), [blank(len(scores), dtype=dtype)])


@given(seed=seeds, size=sizes, scale=st.sampled_from([1e-3, 1.0, 30.0, 500.0]), dtype=st.sampled_from([np.float32, np.float64]))
def test_platt_predict(backend, seed, size, scale, dtype):
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal(size).astype(dtype)
    a, b = (scale * rng.standard_normal(2)).tolist()
    check(backend, "platt_predict", (scores, a, b), [blank(size, dtype=dtype)])


def test_exp_is_within_two_ulp(backend):
    # With a = -1 and t < 0 the probability is 1 / (1 + e), from which e is not recovered; with t > 0 and e small, p = e.
    t = np.linspace(40.0, 707.0, 20_001)
    _, (p,) = call(backend, "platt_predict", (t, 1.0, 0.0), [blank(t.size, dtype=np.float64)])
    truth = np.array([math.exp(-x) for x in t.tolist()])
    assert (np.abs(p - truth) <= 3 * np.spacing(truth)).all()  # 2 for ours, 1 for the library's


def test_platt_of_float32_is_within_three_ulp_and_monotone(backend):
    """Over a grid of all finite float32, a rising curve: the largest error of all 2**32 scores was 2.64 ulp (a = 1, b = 0)."""
    bits = np.arange(0, 0x7F800000, 9973, dtype=np.uint32).view(np.float32)
    near = np.arange(0x3F000000, 0x3F800000, 211, dtype=np.uint32).view(np.float32)
    scores = np.unique(np.concatenate([-bits, bits, -near, near]))
    for a, b in [(-1.0, 0.0), (-41.7, 0.3), (-0.013, -87.0)]:
        _, (p,) = call(backend, "platt_predict", (scores, a, b), [blank(scores.size)])
        assert (np.diff(p) >= 0.0).all()
        assert (p[0], p[-1]) == (0.0, 1.0)
        with np.errstate(over="ignore"):
            truth = 1.0 / (1.0 + np.exp(a * scores.astype(np.float64) + b))
        ulp = np.spacing(truth.astype(np.float32)).astype(np.float64)
        assert np.abs(p - truth).max(initial=0.0, where=truth < 2.0**-149) <= 2.0**-149
        assert (np.abs(p - truth) <= 3.0 * ulp).all()


def test_maps_on_every_thread_count(backend):
    rng = np.random.default_rng(4)
    scores = rng.standard_normal(20_000)
    scores.flags.writeable = False
    x = np.sort(rng.standard_normal(40))
    y = np.sort(rng.random(40))
    for dtype in (np.float32, np.float64):
        check(backend, "platt_predict", (scores.astype(dtype), -1.7, 0.2), [blank(scores.size, dtype=dtype)], THREADS)
        check(backend, "isotonic_predict", (scores.astype(dtype), x, y), [blank(scores.size, dtype=dtype)], THREADS)
    many = np.tile(scores, 30)
    for op, parameters in (("platt_predict", (-1.7, 0.2)), ("isotonic_predict", (x, y))):
        _, (one,) = call(backend, op, (many, *parameters), [blank(many.size, dtype=np.float64)], 1)
        for num_threads in (2, 5):
            _, (several,) = call(backend, op, (many, *parameters), [blank(many.size, dtype=np.float64)], num_threads)
            assert several.tobytes() == one.tobytes()
        assert one.tobytes() == np.tile(one[: scores.size], 30).tobytes()


def smoothed(labels):
    """Platt's targets: (N+ + 1) / (N+ + 2) and 1 / (N- + 2)."""
    positives = labels.sum()
    return np.where(labels > 0, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))


def test_platt_fit_reference_values(backend):
    """Optimum of the LibSVM example, and the looser values at which LibSVM itself stops."""
    a, b = backend.platt_fit(np.array([5.0, -4.0, 1.0]), smoothed(np.array([1, 0, 0])), np.ones(3))
    assert a == pytest.approx(-0.2026144896184756, abs=1e-10)
    assert b == pytest.approx(0.6523666389984493, abs=1e-10)
    assert (a, b) == pytest.approx((-0.20261354391187855, 0.65236314980010512), abs=1e-3)


@given(
    seed=seeds,
    size=st.sampled_from([5, 31, 200]),
    scale=st.sampled_from([1e-200, 1e-3, 1.0, 1e6, 1e200]),
    shift=st.sampled_from([0.0, -3.0, 50.0]),
)
@example(seed=22, size=31, scale=1.0, shift=0.0)  # the loss stops falling long before the gradient does
def test_platt_fit(backend, seed, size, scale, shift):
    rng = np.random.default_rng(seed)
    raw = rng.standard_normal(size)
    labels = rng.random(size) < 1.0 / (1.0 + np.exp(-1.5 * raw))
    scores, weights = (raw + shift) * scale, rng.choice([0.25, 1.0, 3.0], size)
    weights[rng.random(size) < 0.1] = 0.0
    weights[0] = 1.0
    targets = smoothed(labels)
    a, b = backend.platt_fit(scores, targets, weights)
    a_true, b_true = reference.platt_fit(scores / scale, targets, weights)
    centre = (raw + shift).mean()
    assert a * scale == pytest.approx(a_true, rel=1e-10, abs=1e-10)
    assert a * scale * centre + b == pytest.approx(a_true * centre + b_true, rel=1e-10, abs=1e-10)


def test_platt_fit_of_a_constant_is_the_base_rate(backend):
    targets, weights = np.array([1.0, 0.0, 0.0, 1.0]), np.array([3.0, 1.0, 1.0, 1.0])
    for constant in (0.1, 0.0, -1e-310, 1e200):
        a, b = backend.platt_fit(np.full(4, constant), targets, weights)
        assert a == 0.0
        assert b == pytest.approx(-math.log(2.0), abs=1e-15)


def fitted(engine, scores, labels, weights):
    """The knots of an isotonic fit."""
    count, (x, y) = call(
        engine, "isotonic_fit", (scores, labels, weights), [blank(len(scores), dtype=np.float64), blank(len(scores), dtype=np.float64)]
    )
    return x[:count], y[:count]


@given(case=labelled())
def test_isotonic_fit(backend, case):
    scores, _labels, _weights = case
    check(backend, "isotonic_fit", case, [blank(len(scores), dtype=np.float64), blank(len(scores), dtype=np.float64)])
    x, y = fitted(backend, *case)
    assert (np.diff(y) >= 0.0).all()
    assert (np.diff(x) > 0.0).all()


@given(case=labelled())
def test_isotonic_fit_on_labels_is_the_exact_minimiser(backend, case):
    """Unit weights: block means are ratios of small integers, so PAVA in exact fractions must give the same floats."""
    scores, labels, _ = case
    x, y = fitted(backend, scores, labels, np.ones(len(scores)))
    blocks = []
    for value in np.unique(scores).tolist():
        group = labels[scores == value]
        blocks.append([value, value, int(group.sum()), len(group)])
        while len(blocks) > 1 and Fraction(*blocks[-2][2:]) >= Fraction(*blocks[-1][2:]):
            _, last, s, w = blocks.pop()
            blocks[-1][1:] = [last, blocks[-1][2] + s, blocks[-1][3] + w]
    knots = [(end, float(Fraction(s, w))) for first, last, s, w in blocks for end in sorted({first, last})]
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == knots


# (scores, values, weights, fitted value of every sample); sources: scikit-learn, scipy, R isotone and monotone, nci/scores.
PAVA = [
    (range(7), [3, 7, 5, 9, 8, 7, 10], None, [3, 6, 6, 8, 8, 8, 10]),
    (range(7), [1, 41, 51, 1, 2, 5, 24], range(1, 8), [1, *[13.95] * 5, 24]),
    (range(10), [0, 6, 8, 3, 5, 2, 1, 7, 9, 4], None, [0, *[25 / 6] * 6, *[20 / 3] * 3]),
    (range(8), [3, 2, 1, 10, 9, 8, 20, 10], [1, 2, 5, 0.5, 0.5, 0.5, 1, 3], [*[1.5] * 3, *[9] * 3, *[12.5] * 2]),
    ([8, 8, 8, 10, 10, 10, 12, 12, 12, 14, 14], [21, 23.5, 23, 24, 21, 25, 21.5, 22, 19, 23.5, 25], None, [*[200 / 9] * 9, *[24.25] * 2]),
    ([1, 1, 2, 3, 4, 5], range(1, 7), None, [1.5, 1.5, 3, 4, 5, 6]),
    (range(8), [1, 2, 3, 0, 5, 4, 1, 7], [1, 1, 1, 1, 2, 1, 1, 1], [1, *[5 / 3] * 3, *[15 / 4] * 3, 7]),
]


@pytest.mark.parametrize(("scores", "values", "weights", "expected"), PAVA)
def test_isotonic_reference_values(backend, scores, values, weights, expected):
    scores, values = np.array(scores, dtype=np.float64), np.array(values, dtype=np.float64)
    x, y = fitted(backend, scores, values, np.ones(len(scores)) if weights is None else np.array(weights, dtype=np.float64))
    _, (got,) = call(backend, "isotonic_predict", (scores, x, y), [blank(len(scores), dtype=np.float64)])
    np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_isotonic_plateau_of_a_wave(backend):
    t = np.arange(100) / 100
    _x, y = fitted(backend, t, 5 * t + np.sin(10 * t), np.ones(100))
    flat = y[np.flatnonzero(np.diff(y) == 0.0)]
    assert np.abs(flat - 1.570811).min() < 1e-5


def test_isotonic_of_nearly_equal_and_denormal_scores(backend):
    x, y = fitted(backend, np.array([0.0, 1.0, 1.0 + 1e-16, 2.0]), np.arange(4.0), np.ones(4))
    assert (x.tolist(), y.tolist()) == ([0.0, 1.0, 2.0], [0.0, 1.5, 3.0])
    x, y = fitted(backend, np.array([0.0, 4.1e-320, 4.4e-314, 1.0]), np.array([0.0, 1.0, 0.0, 1.0]), np.ones(4))
    scores = np.array([0.0, 1e-320, 4.1e-320, 1e-316, 4.4e-314, 0.5, 1.0, 2.0])
    _, (got,) = check(backend, "isotonic_predict", (scores, x, y), [blank(8, dtype=np.float64)])
    assert np.isfinite(got).all()


@given(case=labelled(), seed=seeds, dtype=st.sampled_from([np.float32, np.float64]))
def test_isotonic_predict(backend, case, seed, dtype):
    scores, labels, weights = case
    weights[0] = 1.0
    x, y = fitted(reference, scores, labels, weights)
    rng = np.random.default_rng(seed)
    asked = np.concatenate([scores, rng.standard_normal(50), np.nextafter(x, np.inf), np.nextafter(x, -np.inf), [np.nan, np.inf, -np.inf]])
    asked = asked.astype(dtype)
    _, (got,) = check(backend, "isotonic_predict", (asked, x, y), [blank(len(asked), dtype=dtype)])
    assert (np.diff(got[np.argsort(asked)][:-1]) >= 0.0).all()


CROWDED = {
    "even": np.linspace(-1.0, 1.0, 50),
    "one far away": np.append(np.linspace(0.0, 1.0, 60), 1e30),
    "the whole range": np.array([-1.7e308, -1e308, -1.0, 0.0, 1e-320, 1.0, 1e38, 3e38, 4e38, 1.7e308]),
    "denormal": np.arange(1, 40) * 5e-324,
    "between float32": 1.0 + np.arange(64) * 2.0**-27,
    "one": np.array([0.5]),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CROWDED)
def test_isotonic_predict_of_many_scores(backend, name, dtype):
    """Enough scores for a table of buckets, however the knots crowd into them."""
    x = CROWDED[name]
    y = np.sort(np.random.default_rng(7).random(x.size))
    with np.errstate(over="ignore"):
        asked = np.concatenate([x, x[:-1] / 2 + x[1:] / 2, [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45]]).astype(dtype)
        asked = np.concatenate([asked, np.nextafter(asked, dtype(np.inf)), np.nextafter(asked, dtype(-np.inf))])
    asked = np.tile(asked, 5 * 64 // x.size + 2)
    with np.errstate(over="ignore"):
        check(backend, "isotonic_predict", (asked, x, y), [blank(len(asked), dtype=dtype)])


@given(case=labelled(), dtype=st.sampled_from([np.float32, np.float64]), factor=st.sampled_from([1.0, 1e30]))
def test_isotonic_fit_of_labels(backend, case, dtype, factor):
    """Scores a few keys apart, within 31 or 32 bits of each other, or (1e30) further."""
    scores, labels, _ = case
    inputs = ((scores * factor).astype(dtype), labels.astype(np.uint8))
    check(backend, "isotonic_fit_labels", inputs, [blank(len(scores), dtype=np.float64), blank(len(scores), dtype=np.float64)])
