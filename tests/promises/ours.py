"""Trials of fastcal's own promises."""

from __future__ import annotations

import numpy as np

import fastcal as fc

from .protocol import Outcome


def judged(pool, target, certificate, *, anytime=False):
    """Outcome of a certificate; `anytime`: of whoever stops at the worst moment, so that any cut passed on the way counts."""
    passed = [test.threshold for test in certificate.trace if test.verdict == "certified"] if anytime else [certificate.threshold]
    thresholds = [threshold for threshold in passed if threshold is not None]
    return Outcome(bool(thresholds), not all(pool.keeps(threshold, target) for threshold in thresholds), certificate.labels_used)


def certify(pool, target, delta, seed, **options):
    """One call with labels for all rows within the budget, stopped at the worst moment."""
    certificate = fc.certify_threshold(
        pool.scores, pool.labeler, target_precision=target, delta=delta, seed=seed, **{"budget": pool.scores.size} | options
    )
    return judged(pool, target, certificate, anytime=True)


def some_budget(pool, target, delta, seed, **options):
    """A budget between the floor and the pool, drawn."""
    floor = fc.certify_threshold(pool.scores, np.zeros_like, target_precision=target, delta=delta, seed=0).labels_floor
    budget = int(np.random.default_rng([seed, 2]).integers(floor, pool.scores.size + 1))
    return certify(pool, target, delta, seed, budget=budget, **options)


def resumed(pool, target, delta, seed):
    """Somebody who goes on with more budget as long as nothing false is certified, and stops there."""
    state, budget, size = None, 90, pool.scores.size
    while True:
        budget = min(size, budget + max(30, size // 8))
        options = {"target_precision": target, "delta": delta, "seed": seed, "budget": budget, "state": state}
        certificate = fc.certify_threshold(pool.scores, pool.labeler, **options)
        outcome = judged(pool, target, certificate)
        if outcome.broken or budget == size:
            return outcome
        state = certificate.state


def best_of(pool, target, delta, seed, draws=5):
    """The laxest threshold of several seeds: what the state's seed is there to prevent."""
    outcomes = [certify(pool, target, delta, draws * seed + draw) for draw in range(draws)]
    return Outcome(any(o.certified for o in outcomes), any(o.broken for o in outcomes), sum(o.labels for o in outcomes))
