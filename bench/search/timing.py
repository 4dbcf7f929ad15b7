"""Contenders of one work, timed round by round so that a noisy moment of the machine hits all alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
from threadpoolctl import ThreadpoolController

import fastcal as fc

SHORTEST_SAMPLE = 5e-3  # seconds; shorter work is repeated within a sample
SETTLE = 5e-3  # idle OpenMP workers spin for some milliseconds after a call: wait until they sleep
LONG, WORTH_MEASURING = 0.1, 1.5  # a thread setting is dropped if it takes this long and this many times its name's best in the warm-up
TIE = 1e-6  # float32 sums of unit vectors differ by less
LEAST_AGREEMENT = 0.999


@dataclass(frozen=True)
class Contender:
    """``call`` takes a batch of queries and returns ids (a ``part``: whatever it likes).

    Kinds: ``ours``; ``peer`` (exact); ``inexact`` (a peer that may err); ``part`` (a part of the work, or a floor).
    Native thread pools (BLAS, OpenMP) are held to ``pools`` threads, which is ``threads`` unless it says otherwise.
    """

    name: str
    kind: str
    call: Callable
    threads: int = 1
    pools: int | None = None
    context: Callable[[], AbstractContextManager] = nullcontext


class Truth:
    """What fastcal finds without an index."""

    def __init__(self, corpus, batches, k, metric="dot"):
        self.corpus, self.batches, self.metric = corpus, batches, metric
        self.found = [fc.topk(queries, corpus, k, metric) for queries in batches]

    def agreement(self, answers, kind):
        """Share of ids that are right: ours to the bit, in order; a peer's up to ties within float32 rounding."""
        if kind == "ours":
            return float(np.mean([np.array_equal(ids, found.ids) for ids, found in zip(answers, self.found, strict=True)]))
        return float(np.mean([self._share(*each) for each in zip(self.batches, answers, self.found, strict=True)]))

    def _share(self, queries, ids, found):
        ids = np.sort(np.asarray(ids, np.int64).reshape(found.ids.shape), axis=1)
        scores = fc.rescore(queries, self.corpus, ids, self.metric)
        doubled = np.pad(ids[:, 1:] == ids[:, :-1], ((0, 0), (1, 0)))
        return ((scores >= found.scores[:, -1:] - TIE) & ~doubled).mean()


def measure(contenders, batches, rounds, truth=None):
    """Median seconds of one call, for each name at its best thread setting; fastest first."""
    pools = ThreadpoolController()
    trials = [_warm(pools, contender, batches) for contender in contenders]
    best = {}
    for contender, (seconds, _) in zip(contenders, trials, strict=True):
        best[contender.name] = min(best.get(contender.name, math.inf), seconds)
    runs = [
        (contender, seconds, answers, [])
        for contender, (seconds, answers) in zip(contenders, trials, strict=True)
        if seconds <= max(LONG, WORTH_MEASURING * best[contender.name])
    ]
    for _ in range(rounds):
        for contender, seconds, _answers, samples in runs:
            samples.append(_sample(pools, contender, batches, seconds))
    tried = {name: sorted({c.threads for c in contenders if c.name == name}) for name in best}
    results = {}
    for contender, _seconds, answers, samples in sorted(runs, key=lambda run: np.median(run[3])):
        if contender.name not in results:
            results[contender.name] = _result(contender, samples, answers, truth, tried[contender.name])
    return list(results.values())


def held(pools, contender):
    """Hold BLAS and OpenMP to the contender's thread setting."""
    return pools.limit(limits=contender.pools or contender.threads)


def _warm(pools, contender, batches):
    with held(pools, contender), contender.context():
        answers, seconds = [], 0.0
        for queries in batches:
            begin = time.perf_counter()
            answers.append(contender.call(queries))
            seconds = time.perf_counter() - begin
    return seconds, answers


def _sample(pools, contender, batches, seconds):
    repeats = max(1, math.ceil(SHORTEST_SAMPLE / (seconds * len(batches))))
    with held(pools, contender), contender.context():
        time.sleep(SETTLE)
        if seconds < 10 * SHORTEST_SAMPLE:
            contender.call(batches[-1])
        begin = time.perf_counter()
        for _ in range(repeats):
            for queries in batches:
                contender.call(queries)
        return (time.perf_counter() - begin) / (repeats * len(batches))


def _result(contender, samples, answers, truth, tried):
    low, median, high = np.percentile(samples, [25, 50, 75]).tolist()
    checked = truth is not None and contender.kind != "part"
    return {
        "name": contender.name,
        "kind": contender.kind,
        "threads": contender.threads,
        "tried": tried,
        "median": median,
        "iqr": high - low,
        "samples": samples,
        "agreement": truth.agreement(answers, contender.kind) if checked else None,
    }


def disagrees(result):
    """Whether an exact contender found other rows: its time does not count."""
    return result["kind"] in {"ours", "peer"} and result["agreement"] is not None and result["agreement"] < LEAST_AGREEMENT
