"""Negative controls: walks with one mistake each, all of which the protocol has to catch."""

from __future__ import annotations

from math import log
from statistics import NormalDist

import numpy as np

from fastcal.intervals.evidence import log_evidence

from .pools import null_hits
from .protocol import Outcome

FIRST, RATIO = 32, 2


def ranks(pool):
    """Labels, best score first."""
    return pool.labels.ravel()[np.argsort(-pool.scores.ravel(), kind="stable")]


def cuts(pool):
    """Ranks at a fixed ratio, moved to the end of their ties, the whole pool last."""
    worse = np.sort(-pool.scores.ravel())
    grid = FIRST * RATIO ** np.arange(32)
    ends = np.searchsorted(worse, worse[np.append(grid[grid < worse.size], worse.size) - 1], "right")
    return np.unique(ends).tolist()


def outcome(pool, target, passed, paid):
    """Of a walk over prefixes: the last that passed is what it certifies."""
    labels = ranks(pool)
    broken = any(labels[:size].sum() <= null_hits(size, target) for size in passed[-1:])
    return Outcome(bool(passed), broken, paid)


def e_process(labels, size, target, delta):
    """First look at which the exact e-process passes."""
    return first(log_evidence(labels, size, null_hits(size, target)) >= -log(delta))


def first(passes):
    """Number of labels at the first pass, or None."""
    at = int(np.argmax(passes)) if passes.size else 0
    return at + 1 if passes.size and passes[at] else None


def wilson(labels, size, target, delta):
    """First look, one after each label, at which Wilson's one-sided lower limit reaches the target."""
    n = np.arange(1, labels.size + 1)
    rate, z2 = labels.cumsum() / n, NormalDist().inv_cdf(1 - delta) ** 2
    low = (rate + z2 / (2 * n) - np.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n)))) / (1 + z2 / n)
    return first(low >= target)


def walk(pool, target, delta, priorities, test, sizes=None):
    """Test nested prefixes one by one, each on its own rows in the order of their priorities."""
    labels, passed, paid = ranks(pool), [], np.zeros(pool.scores.size, bool)
    for size in cuts(pool) if sizes is None else sizes:
        order = np.argsort(priorities[:size])
        at = test(labels[order], size, target, delta)
        paid[order[: size if at is None else at]] = True
        if at is None:
            break
        passed.append(size)
    return passed, int(paid.sum())


def peeking(pool, target, delta, seed):
    """Wilson's interval looked at again and again."""
    return outcome(pool, target, *walk(pool, target, delta, np.random.default_rng(seed).random(pool.scores.size), wilson))


def reused(pool, target, delta, seed):
    """Every row that happens to be labelled counts for the larger prefix, whatever its priority."""
    labels, priorities = ranks(pool), np.random.default_rng(seed).random(pool.scores.size)
    paid, passed = np.zeros(labels.size, bool), []
    for size in cuts(pool):
        known, fresh = np.flatnonzero(paid[:size]), np.flatnonzero(~paid[:size])
        order = np.concatenate([known, fresh[np.argsort(priorities[fresh])]])
        evidence = log_evidence(labels[order], size, null_hits(size, target))[max(known.size - 1, 0) :]
        at = first(evidence >= -log(delta))
        paid[order if at is None else order[: max(known.size - 1, 0) + at]] = True
        if at is None:
            break
        passed.append(size)
    return outcome(pool, target, passed, int(paid.sum()))


def two_starts(pool, target, delta, seed):
    """A walk from the head and a test of the whole pool, each at all of delta."""
    priorities = np.random.default_rng(seed).random(pool.scores.size)
    near, paid = walk(pool, target, delta, priorities, e_process)
    far, paid_far = walk(pool, target, delta, priorities, e_process, [pool.scores.size])
    return outcome(pool, target, sorted([*near, *far]), paid + paid_far)


def weighted(pool, target, delta, seed, ratio=4):
    """The lower half drawn more often without replacement, and misses weighted back against a fixed 1 - target."""
    labels = ranks(pool)
    rows = labels.size
    weights = np.where(np.arange(rows) < rows // 2, 1.0, ratio)
    order = np.argsort(np.random.default_rng(seed).exponential(size=rows) / weights)
    worth = weights.mean() / weights[order]
    bet = 0.75 / (worth.max() - (1 - target))
    capital = np.log1p(bet * (1 - target - (labels[order] == 0) * worth)).cumsum()
    at = first(capital >= -log(delta))
    return outcome(pool, target, [] if at is None else [rows], rows if at is None else at)


def colliding(pool, target, delta, seed):
    """Priorities from ``default_rng(seed)``, which the caller used for the pool as well."""
    return outcome(pool, target, *walk(pool, target, delta, np.random.default_rng(seed).random(pool.scores.size), e_process, [pool.scores.size]))


def recipe(method, pool, target, delta, seed, budget):
    """A recipe that returns a threshold and what it paid."""
    threshold, paid = method(pool, target, budget, np.random.default_rng([seed, 1]))
    return Outcome(threshold is not None, threshold is not None and not pool.keeps(threshold, target), paid)
