"""Shared inputs of the quick benchmarks: seeded, made once a session, sized by FASTCAL_BENCH_ROWS (default 200,000)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # bench.search, which `python -m bench.search` finds by itself

from bench.search import corpora  # noqa: E402

ROWS = int(os.environ.get("FASTCAL_BENCH_ROWS", "200000"))


@pytest.fixture(scope="session")
def corpus():
    return corpora.synthetic(ROWS, 384)


@pytest.fixture(scope="session")
def queries(corpus):
    return corpora.near_rows(corpus, 256)


@pytest.fixture
def measure(benchmark):
    """Time one contender of a group: median of at least 7 rounds after a warm-up, results returned for comparison."""

    def run(group, function, rounds=7):
        benchmark.group = group
        return benchmark.pedantic(function, rounds=rounds, iterations=1, warmup_rounds=1)

    return run
