"""Stops a certificate at every request and goes on from what was kept: the result and the labels bought must be those of one piece."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest


class Judge:
    """Answers from an array, remembers what was asked, and raises at the n-th call."""

    def __init__(self, truth, fail_at=None):
        self.truth, self.fail_at, self.asked, self.calls = np.asarray(truth).reshape(-1), fail_at, [], 0

    def __call__(self, positions):
        self.calls += 1
        if self.calls == self.fail_at:
            raise RuntimeError("no")
        assert positions.dtype == np.int64
        self.asked += positions.tolist()
        return self.truth[positions]


def check_interruptions(certify, given, truth, path, seed, every=1, **options):
    """Interrupt at every `every`-th call, resume from the state or the log; return the uninterrupted result."""
    judge = Judge(truth)
    whole = certify(given, judge, seed=seed, **options)
    assert len(set(judge.asked)) == len(judge.asked) == whole.labels_used
    for fail_at in range(1, judge.calls + 1, every):
        first, second = Judge(truth, fail_at), Judge(truth)
        log = path / f"{fail_at}.jsonl" if fail_at % 2 else None
        with pytest.raises(RuntimeError, match="no") as caught:
            certify(given, first, seed=seed, log=log, **options)
        resume = {"log": log} if log else {"state": json.loads(json.dumps(caught.value.state))}
        assert certify(given, second, **resume, **options).to_dict() == whole.to_dict()
        assert first.asked + second.asked == judge.asked
    return whole


def check_twin(certify, twin, given, truth, **options):
    """The asynchronous twin, answered in any order of arrival, returns the same."""
    rng = np.random.default_rng(0)

    async def judge(positions):
        for _ in range(int(rng.integers(0, 4))):
            await asyncio.sleep(0)
        return np.asarray(truth).reshape(-1)[positions]

    expected = certify(given, Judge(truth), **options).to_dict()
    found = asyncio.run(twin(given, judge, concurrency=3, **options)).to_dict()
    assert sorted(found["state"].pop("labels")) == sorted(expected["state"].pop("labels"))  # recorded as they arrive
    assert found == expected
