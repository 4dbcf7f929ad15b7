"""Fitting and applying calibrators beside NumPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc

N = 2_000_000


@pytest.fixture(scope="module")
def scores():
    return np.random.default_rng(0).normal(0.3, 0.15, N).astype(np.float32)


@pytest.fixture(scope="module")
def labels(scores):
    return (np.random.default_rng(1).random(N) < 1.0 / (1.0 + np.exp(8.0 - 16.0 * scores))).astype(np.int64)


@pytest.mark.parametrize("name", ["fastcal", "numpy", "copy"])
def bench_platt_apply(measure, scores, labels, name):
    calibrator = fc.PlattCalibrator().fit(scores[:10_000], labels[:10_000])
    a, b, out = np.float32(calibrator.a_), np.float32(calibrator.b_), np.empty_like(scores)
    work = {
        "fastcal": lambda: calibrator.predict(scores, out=out),
        "numpy": lambda: 1.0 / (1.0 + np.exp(a * scores + b)),
        "copy": lambda: np.copyto(out, scores),
    }
    measure(f"Platt, apply to {N:,} float32", work[name])


@pytest.mark.parametrize("name", ["fastcal", "np.interp", "scikit-learn"])
def bench_isotonic_apply(measure, scores, labels, name):
    isotonic = pytest.importorskip("sklearn.isotonic")
    ours = fc.IsotonicCalibrator().fit(scores[:50_000], labels[:50_000])
    theirs = isotonic.IsotonicRegression(out_of_bounds="clip").fit(scores[:50_000], labels[:50_000])
    work = {
        "fastcal": lambda: ours.predict(scores),
        "np.interp": lambda: np.interp(scores, ours.X_thresholds_, ours.y_thresholds_),
        "scikit-learn": lambda: theirs.predict(scores),
    }
    measure(f"isotonic, apply to {N:,} float32", work[name])


@pytest.mark.parametrize("name", ["fastcal", "scikit-learn"])
def bench_isotonic_fit(measure, scores, labels, name):
    isotonic = pytest.importorskip("sklearn.isotonic")
    work = {
        "fastcal": lambda: fc.IsotonicCalibrator().fit(scores, labels),
        "scikit-learn": lambda: isotonic.IsotonicRegression(out_of_bounds="clip").fit(scores, labels),
    }
    measure(f"isotonic, fit on {N:,}", work[name], rounds=3)


@pytest.mark.parametrize("name", ["fastcal", "numpy"])
def bench_threshold_sweep(measure, scores, labels, name):
    def recipe():
        order = np.argsort(-scores, kind="stable")
        positive = np.cumsum(labels[order])
        return positive / np.arange(1, N + 1), positive / positive[-1]

    measure(f"threshold sweep over {N:,}", {"fastcal": lambda: fc.threshold_sweep(scores, labels), "numpy": recipe}[name], rounds=3)
