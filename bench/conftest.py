"""Shared inputs of the benchmarks: seeded, made once a session, sized by FASTCAL_BENCH_ROWS (default 200,000)."""

from __future__ import annotations

import os

import numpy as np
import pytest

ROWS = int(os.environ.get("FASTCAL_BENCH_ROWS", "200000"))
DIM = 384


@pytest.fixture(scope="session")
def corpus():
    """Unit float32 vectors with a decaying spectrum and clusters, as text encoders make them."""
    rng = np.random.default_rng(0)
    spectrum = (1.0 + np.arange(DIM)) ** -0.35
    centres = rng.standard_normal((256, DIM)) * spectrum
    rows = np.empty((ROWS, DIM), np.float32)
    for begin in range(0, ROWS, 50_000):
        part = rows[begin : begin + 50_000]
        part[:] = 0.6 * centres[rng.integers(0, 256, len(part))] + rng.standard_normal(part.shape, dtype=np.float32) * spectrum
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


@pytest.fixture(scope="session")
def queries(corpus):
    """256 rows with noise of 0.3 times their length."""
    rng = np.random.default_rng(1)
    picked = corpus[rng.integers(0, len(corpus), 256)]
    noisy = picked + 0.015 * rng.standard_normal(picked.shape, dtype=np.float32)
    return noisy / np.linalg.norm(noisy, axis=1, keepdims=True)


@pytest.fixture
def measure(benchmark):
    """Time one contender of a group: median of at least 7 rounds after a warm-up, results returned for comparison."""

    def run(group, function, rounds=7):
        benchmark.group = group
        return benchmark.pedantic(function, rounds=rounds, iterations=1, warmup_rounds=1)

    return run
