"""What a search returns, and what the library says about itself: ``backend``, ``cpu_info``, ``warmup``."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import fastcal as fc


def test_search_result(backend):
    found = fc.topk(np.ones((1, 2)), np.eye(2), 3, "euclidean")
    scores, ids = found
    assert scores is found.scores
    assert ids is found.ids
    assert len(found) == 1
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == {"scores": [[1.0, 1.0, None]], "ids": [[0, 1, -1]], "higher_is_better": False}
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.ids = ids
    assert ids.dtype == np.int64
    assert scores.dtype == np.float32


def test_what_runs_is_told(backend):
    told = fc.backend()
    assert (told.name, told.isa) == (backend.name, backend.isa)
    fc.set_num_threads(3)
    try:
        assert fc.backend().num_threads == 3
    finally:
        fc.set_num_threads(None)
    assert told.to_dict() == {"name": backend.name, "isa": backend.isa, "num_threads": fc.backend().num_threads}
    cpu = fc.cpu_info()
    assert set(cpu) == {"compiled_isas", "supported_isas", "usable_cpus", "compiler"}
    assert set(cpu["supported_isas"]) <= set(cpu["compiled_isas"])
    assert cpu["usable_cpus"] >= 1
    assert (cpu["compiler"] is None) == (not cpu["compiled_isas"])
    json.dumps(cpu)


def test_warmup_warms_up_and_says_nothing(backend):
    assert fc.warmup() is None
    assert fc.warmup() is None


@pytest.mark.parametrize(("scores", "ids"), [((1, 2), (1, 3)), ((2,), (2,)), ((1, 2, 3), (1, 2, 3))])
def test_a_search_result_needs_matching_matrices(scores, ids):
    with pytest.raises(fc.FastcalError, match=r"must share a shape \(n_queries, k\)"):
        fc.SearchResult(np.zeros(scores, np.float32), np.zeros(ids, np.int64))


def test_numbers_beyond_their_type_are_refused():
    scores = np.array([0.5, 0.25])
    for call in (
        lambda: fc.zscore(scores, ddof=2**70),
        lambda: fc.rrf([fc.Run([[1]])], top_k=2**63),
        lambda: fc.rrf([fc.Run([[1]])], k=10**400),
        lambda: fc.rrf([fc.Run([[1]])], weights=[[1], [1, 2]]),
        lambda: fc.minmax(scores, on_constant=10**400),
        lambda: fc.ScoreFloor(10**400),
        lambda: fc.choose_threshold(scores, [1, 0], target_precision=10**400),
        lambda: fc.wilson_interval([1, 2], [1, 2, 3]),
    ):
        with pytest.raises(ValueError) as caught:
            call()
        assert isinstance(caught.value, fc.FastcalError)
