"""What other code in the process may do: flush denormals, or write to arrays that a call is using."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from float_environment import denormals_flushed

import fastcal as fc

SCORES = (np.arange(1, 9, dtype=np.float32) * np.float32(1e-40)).astype(np.float32)
LABELS = np.array([0, 0, 1, 0, 1, 1, 1, 1])
FOUND = fc.SearchResult(SCORES[::-1].reshape(2, 4).copy(), np.arange(8).reshape(2, 4))
OUTSIDE_THE_CORE = {
    "threshold_sweep": lambda: fc.threshold_sweep(SCORES, LABELS),
    "choose_threshold": lambda: fc.choose_threshold(SCORES, LABELS, target_recall=0.5),
    "IsotonicCalibrator": lambda: fc.IsotonicCalibrator().fit(SCORES, LABELS),
    "PlattCalibrator": lambda: fc.PlattCalibrator().fit(SCORES, LABELS),
    "separation": lambda: fc.metrics.separation(LABELS, SCORES),
    "brier_score": lambda: fc.metrics.brier_score(LABELS, SCORES),
    "Run": lambda: fc.Run([np.arange(8)], [SCORES]),
    "AbstainBand": lambda: fc.AbstainBand(0.0, 0.5).decide(SCORES),
    "ScoreFloor": lambda: fc.ScoreFloor(0.0).apply(FOUND),
    "GapCheck": lambda: fc.GapCheck(0.1).ambiguous(FOUND.scores),
}


@pytest.mark.parametrize("name", OUTSIDE_THE_CORE)
@pytest.mark.filterwarnings("ignore::fastcal.SmallSampleWarning")
def test_numpy_steps_warn_when_they_lose_denormals(name):
    with denormals_flushed(), pytest.warns(fc.FloatEnvironmentWarning, match=r"below 1\.2e-38"):
        OUTSIDE_THE_CORE[name]()


def test_a_flushing_host_without_denormals_is_not_bothered(backend):
    if backend.name == "numba":
        pytest.skip("Numba cannot see what it will meet and warns whenever the host flushes")
    with denormals_flushed():
        fc.threshold_sweep(SCORES * np.float32(1e38), LABELS)
        fc.Run([np.arange(8)], [SCORES * np.float32(1e38)])


def outcome(call):
    """What a call returned, or the ValueError it raised."""
    try:
        return call()
    except ValueError as error:
        return error


def test_ids_rewritten_by_another_thread_do_no_harm(backend):
    rng = np.random.default_rng(0)
    corpus, queries = rng.standard_normal((2000, 64)).astype(np.float32), rng.standard_normal((200, 64)).astype(np.float32)
    ids = rng.integers(0, 2000, (200, 500))
    expected = fc.rescore(queries, corpus, ids)
    stop = threading.Event()

    def vandalise(kept):
        while not stop.is_set():
            ids[:] = 10**12
            ids[:] = kept

    vandal = threading.Thread(target=vandalise, args=(ids.copy(),))
    vandal.start()
    try:
        answers = [outcome(lambda: fc.rescore(queries, corpus, ids)) for _ in range(20)]
    finally:
        stop.set()
        vandal.join()
    for answer in answers:
        refused = isinstance(answer, ValueError) and "expected a row in [0, 2000)" in str(answer)
        assert refused or np.array_equal(answer, expected)


def test_offsets_rewritten_by_another_thread_do_no_harm(backend):
    scores, offsets = np.arange(100_000, dtype=np.float32), np.arange(0, 100_001, 10)
    run = fc.Run(np.arange(100_000), scores, offsets)
    offsets[:] = 10**15
    assert run.counts().max() == 10
    assert len(fc.rrf([run, run]).ids) == 100_000
