"""Calibration beside a copy, NumPy, SciPy and scikit-learn at their best setting: the table of bench/CALIBRATION.md when run as a script.

``python -m bench.bench_calibration [rows]`` measures the rows named (platt, isotonic, fit, sweep, import), all without names.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import numpy as np
import pytest

import fastcal as fc

N, FIT_SIZES, KNOTS = 10_000_000, (1_000_000, 10_000_000), 1000
QUICK = 1_000_000


def pairs(n):
    """Scores like those of cosines, 0/1 labels that follow them."""
    rng = np.random.default_rng(0)
    scores = rng.normal(0.3, 0.15, n).astype(np.float32)
    return scores, (rng.random(n) < 1.0 / (1.0 + np.exp(8.0 - 16.0 * scores))).astype(np.int64)


def platt(n):
    """Contenders that apply one logistic curve to `n` float32."""
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    scores, labels = pairs(n)
    out = np.empty_like(scores)
    calibrator = fc.PlattCalibrator().fit(scores[:10_000], labels[:10_000])
    a, b = np.float32(calibrator.a_), np.float32(calibrator.b_)
    model, column = LogisticRegression().fit(scores[:10_000, np.newaxis], labels[:10_000]), scores[:, np.newaxis]

    def in_place():
        np.multiply(scores, a, out=out)
        np.add(out, b, out=out)
        np.exp(out, out=out)
        np.add(out, np.float32(1), out=out)
        np.reciprocal(out, out=out)

    def scipy():
        np.multiply(scores, -a, out=out)
        np.subtract(out, b, out=out)
        expit(out, out=out)

    return {
        "fastcal": lambda: calibrator.predict(scores, out=out),
        "fastcal, 1 thread": lambda: calibrator.predict(scores, out=out, num_threads=1),
        "a copy": lambda: np.copyto(out, scores),
        "NumPy in place": in_place,
        "scipy.special.expit": scipy,
        "LogisticRegression.predict_proba": lambda: model.predict_proba(column),
    }


def isotonic(n):
    """Contenders that apply one curve of KNOTS knots to `n` float32."""
    from sklearn.isotonic import IsotonicRegression

    scores, _ = pairs(n)
    out = np.empty_like(scores)
    x = np.unique(np.quantile(scores[:100_000].astype(np.float64), np.linspace(0.001, 0.999, KNOTS)))
    y = np.linspace(0.01, 0.99, x.size) ** 2
    fitted = {"X_thresholds_": x.tolist(), "y_thresholds_": y.tolist(), "shift_": 0.0, "base_rate_": 0.5}
    params = fc.IsotonicCalibrator().get_params()
    calibrator = fc.calibrator_from_dict({"type": "isotonic", "version": 1, "params": params, "fitted": fitted})
    model = IsotonicRegression(out_of_bounds="clip").fit(x, y)
    return {
        "fastcal": lambda: calibrator.predict(scores, out=out),
        "fastcal, 1 thread": lambda: calibrator.predict(scores, out=out, num_threads=1),
        "a copy": lambda: np.copyto(out, scores),
        "np.interp": lambda: np.interp(scores, x, y),
        "IsotonicRegression.predict": lambda: model.predict(scores),
    }


def isotonic_fit(n, alternating=False):
    """Contenders that fit to `n` pairs."""
    from sklearn.isotonic import IsotonicRegression

    scores, labels = pairs(n)
    if alternating:
        scores, labels = np.sort(scores), np.arange(n) % 2
    return {
        "fastcal": lambda: fc.IsotonicCalibrator().fit(scores, labels),
        "IsotonicRegression.fit": lambda: IsotonicRegression(out_of_bounds="clip").fit(scores, labels),
    }


def sweep(n, weighted=False):
    """Contenders that find precision and recall at every threshold of `n` float32."""
    scores, labels = pairs(n)
    weights = np.random.default_rng(1).random(n) if weighted else None

    def recipe(kind):
        order = np.argsort(-scores, kind=kind)
        if weights is None:
            hits, selected = np.cumsum(labels[order]), np.arange(1, n + 1)
        else:
            hits, selected = np.cumsum((weights * labels)[order]), np.cumsum(weights[order])
        return hits / selected, hits / hits[-1]

    return {
        "fastcal": lambda: fc.threshold_sweep(scores, labels, sample_weight=weights),
        "NumPy, argsort": lambda: recipe(None),  # the stable kind takes twice as long
    }


def medians(contenders, rounds):
    """Median seconds of each, the contenders taking turns."""
    times = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, work in contenders.items():
            start = time.perf_counter()
            work()
            if turn or rounds == 1:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def show(work, took):
    for name, seconds in took.items():
        print(f"| {work} | {name} | {seconds * 1e3:.1f} ms | {seconds / took['fastcal']:.2f} |", flush=True)


def import_milliseconds(rounds=15):
    """Median time of ``import fastcal`` in a process that has imported NumPy."""
    code = "import time, numpy; start = time.perf_counter(); import fastcal; print(time.perf_counter() - start)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(rounds)]
    return 1e3 * statistics.median(map(float, runs))


def main(wanted):
    wanted = wanted or ["platt", "isotonic", "fit", "sweep", "import"]
    print(f"| work | contender | median | x fastcal |\n|---|---|---|---|  (fastcal {fc.backend()})")
    if "platt" in wanted:
        show(f"Platt apply, {N:,} float32", medians(platt(N), 9))
    if "isotonic" in wanted:
        show(f"isotonic apply, {N:,} float32, {KNOTS:,} knots", medians(isotonic(N), 3))
    if "fit" in wanted:
        for n in FIT_SIZES:
            show(f"isotonic fit, {n:,}", medians(isotonic_fit(n), 3 if n < N else 1))
        for n in FIT_SIZES:
            show(f"isotonic fit, {n:,}, alternating labels", medians({"fastcal": isotonic_fit(n, alternating=True)["fastcal"]}, 3))
    if "sweep" in wanted:
        show(f"threshold sweep, {N:,} float32", medians(sweep(N), 5))
        show(f"threshold sweep, {N:,} float32, weighted", medians(sweep(N, weighted=True), 3))
    if "import" in wanted:
        print(f"import fastcal over NumPy: {import_milliseconds():.1f} ms")


@pytest.mark.parametrize("name", ["fastcal", "a copy", "NumPy in place", "scipy.special.expit"])
def bench_platt_apply(measure, name):
    pytest.importorskip("sklearn")
    measure(f"Platt, apply to {QUICK:,} float32", platt(QUICK)[name])


@pytest.mark.parametrize("name", ["fastcal", "np.interp", "IsotonicRegression.predict"])
def bench_isotonic_apply(measure, name):
    pytest.importorskip("sklearn")
    measure(f"isotonic, apply to {QUICK:,} float32", isotonic(QUICK)[name])


@pytest.mark.parametrize("name", ["fastcal", "IsotonicRegression.fit"])
def bench_isotonic_fit(measure, name):
    pytest.importorskip("sklearn")
    measure(f"isotonic, fit on {QUICK:,}", isotonic_fit(QUICK)[name], rounds=3)


@pytest.mark.parametrize("name", ["fastcal", "NumPy, argsort"])
def bench_threshold_sweep(measure, name):
    measure(f"threshold sweep of {QUICK:,}", sweep(QUICK)[name], rounds=3)


if __name__ == "__main__":
    main(sys.argv[1:])
