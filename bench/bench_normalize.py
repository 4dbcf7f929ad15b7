"""Normalisation beside NumPy, in place and as the plain expression, and beside a copy. Run as a script it prints ratios."""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
import pytest

import fastcal as fc

LISTS, LENGTH = 1000, 10_000
FEW = np.random.default_rng(0).random(100, dtype=np.float32)
FEW_OUT = np.empty_like(FEW)


def works(scores, out, num_threads=None):
    """Name and function of every contender, by method."""

    def minmax_plain():
        low = scores.min(axis=1, keepdims=True)
        return (scores - low) / (scores.max(axis=1, keepdims=True) - low)

    def minmax_in_place():
        low = scores.min(axis=1, keepdims=True)
        np.subtract(scores, low, out=out)
        return np.divide(out, scores.max(axis=1, keepdims=True) - low, out=out)

    def zscore_plain():
        return (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)

    def zscore_in_place():
        np.subtract(scores, scores.mean(axis=1, keepdims=True), out=out)
        return np.divide(out, scores.std(axis=1, keepdims=True), out=out)

    def rank_plain():
        return 1 - np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1) / np.float32(scores.shape[1])

    def ours(method):
        return lambda: fc.normalize(scores, method, out=out, num_threads=num_threads)

    return {
        "minmax": {
            "fastcal": ours("minmax"),
            "numpy in place": minmax_in_place,
            "numpy": minmax_plain,
            "copy": lambda: np.copyto(out, scores),
        },
        "zscore": {"fastcal": ours("zscore"), "numpy in place": zscore_in_place, "numpy": zscore_plain},
        "rank": {"fastcal": ours("rank"), "numpy": rank_plain},
        **{method: {"fastcal": ours(method)} for method in ("max", "sum", "l2", "dbsf", "robust", "sigmoid", "atan", "tail")},
    }


@pytest.fixture(scope="module")
def scores():
    return np.random.default_rng(0).random((LISTS, LENGTH), dtype=np.float32)


@pytest.mark.parametrize("name", ["fastcal", "numpy", "numpy in place", "copy"])
@pytest.mark.parametrize("method", ["minmax", "zscore", "rank"])
def bench_normalize(measure, scores, method, name):
    contenders = works(scores, np.empty_like(scores))[method]
    if name not in contenders:
        pytest.skip("not written for this method")
    measure(f"{method} of {LISTS:,} x {LENGTH:,} float32", contenders[name])


@pytest.mark.parametrize("name", ["normalize", "minmax"])
def bench_one_short_list(measure, name):
    call = {"normalize": lambda: fc.normalize(FEW, out=FEW_OUT), "minmax": lambda: fc.minmax(FEW, out=FEW_OUT)}[name]
    measure("min-max of one list of 100, 1,000 calls", lambda: [call() for _ in range(1000)])


def medians(contenders, rounds=9):
    """Median seconds of each, the contenders taking turns."""
    times = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, work in contenders.items():
            start = time.perf_counter()
            work()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def main(methods):
    rows = np.random.default_rng(0).random((LISTS, LENGTH), dtype=np.float32)
    one = rows.reshape(1, -1)
    for label, scores in ((f"{LISTS:,} x {LENGTH:,} float32", rows), (f"1 x {rows.size:,} float32", one)):
        for threads in (1, 2):
            for method, contenders in works(scores, np.empty_like(scores), threads).items():
                if methods and method not in methods:
                    continue
                took = medians(contenders, rounds=9 if method in {"minmax", "zscore"} else 3)
                ratios = ", ".join(f"{name} {seconds / took['fastcal']:.2f}x" for name, seconds in took.items() if name != "fastcal")
                print(f"{label}, {threads} threads: {method:7s} {took['fastcal'] * 1e3:8.2f} ms   {ratios}")
    for name, call in {"normalize": lambda: fc.normalize(FEW, out=FEW_OUT), "minmax": lambda: fc.minmax(FEW, out=FEW_OUT)}.items():
        took = medians({name: lambda call=call: [call() for _ in range(2000)]})[name]
        print(f"one list of 100: {name} {took / 2000 * 1e6:.2f} us")


if __name__ == "__main__":
    main(sys.argv[1:])
