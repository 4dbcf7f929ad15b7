"""How memory is divided between workers and bars, and what is said where it does not suffice."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fastcal as fc
from fastcal.bulk import _memory
from fastcal.bulk._inputs import found
from fastcal.bulk._memory import CHUNKS_A_WORKER, SHARED_BYTES, WORKER_BYTES, Budget
from fastcal.bulk._plan import CHUNK_BYTES, planned

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
MIB = 1 << 20


@pytest.mark.parametrize("n_threads", [1, 3, 16])
def test_bars_get_what_the_workers_that_fit_leave_over(n_threads):
    budget = Budget.of(1 << 30)
    piece = (175 * MIB - WORKER_BYTES) // CHUNKS_A_WORKER
    spare = budget.spare(piece, n_threads)
    left = (1 << 30) - SHARED_BYTES - min(n_threads, 5) * 175 * MIB
    assert 0 < spare <= left
    assert left - spare < 60 * MIB
    assert budget.workers(piece, n_threads, "", beside=spare) == min(n_threads, 5)


def test_the_least_that_is_told_suffices_and_less_does_not():
    def workers(memory):
        return Budget.of(memory).workers(100 * MIB, 1, "these rows")

    for of in (str, _memory.of_command):
        with pytest.raises(fc.errors.InvalidValueError, match=r"memory=10 MiB is too small: these rows need \d+MiB$") as caught:
            workers(of("10 MiB"))
        least = int(re.search(r"need (\d+)MiB", str(caught.value))[1])
        assert workers(of(f"{least}MiB")) == 1
        with pytest.raises(fc.errors.InvalidValueError, match=f"memory={least - 50}MiB is too small"):
            workers(of(f"{least - 50}MiB"))


@pytest.mark.parametrize(("long", "times", "short"), [(range(0, 40_000, 400), 15_000, "a"), (range(1100), 300, "a{}")], ids=["now and then", "first"])
def test_a_few_long_texts_among_short_ones_are_measured(tmp_path, long, times, short):
    """The dictionary shows long texts, which are those of few rows."""
    texts = [short.format(i) for i in range(40_000)]
    for i in long:
        texts[i] = f"y{i} " * times
    table = pa.table({"query_id": range(40_000), "doc_id": range(40_000), "score": np.ones(40_000, np.float32), "text": texts})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=len(table))
    plan = planned(found(tmp_path / "a.parquet"))
    assert 0.95 * table.nbytes < plan.bytes < 1.2 * table.nbytes
    assert plan.n_chunks <= 1.5 * table.nbytes / CHUNK_BYTES + 1
    assert plan.chunk_bytes < 1.5 * CHUNK_BYTES
