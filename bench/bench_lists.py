"""Normalisation beside NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc


@pytest.fixture(scope="module")
def scores():
    return np.random.default_rng(0).random((1000, 10_000), dtype=np.float32)


@pytest.mark.parametrize("name", ["fastcal", "numpy", "numpy-in-place", "copy"])
def bench_minmax(measure, scores, name):
    out = np.empty_like(scores)

    def plain():
        low = scores.min(axis=1, keepdims=True)
        return (scores - low) / (scores.max(axis=1, keepdims=True) - low)

    def in_place():
        low = scores.min(axis=1, keepdims=True)
        np.subtract(scores, low, out=out)
        return np.divide(out, scores.max(axis=1, keepdims=True) - low, out=out)

    work = {"fastcal": lambda: fc.minmax(scores, out=out), "numpy": plain, "numpy-in-place": in_place, "copy": lambda: np.copyto(out, scores)}
    measure("minmax of 1,000 x 10,000 float32", work[name])


@pytest.mark.parametrize("name", ["fastcal", "numpy", "numpy-in-place"])
def bench_zscore(measure, scores, name):
    out = np.empty_like(scores)

    def plain():
        return (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)

    def in_place():
        np.subtract(scores, scores.mean(axis=1, keepdims=True), out=out)
        return np.divide(out, scores.std(axis=1, keepdims=True), out=out)

    measure("zscore of 1,000 x 10,000 float32", {"fastcal": lambda: fc.zscore(scores, out=out), "numpy": plain, "numpy-in-place": in_place}[name])
