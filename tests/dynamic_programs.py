"""Exact error rates of sequential procedures: the distribution of the count of positives is carried from label to label."""

from __future__ import annotations

import math

import numpy as np

from fastcal.intervals import clopper_pearson_interval, wilson_interval
from fastcal.intervals.evidence import log_evidence, log_evidence_iid


def stopping_rate(steps, stops, looks):
    """Probability of having stopped by the last look.

    ``steps(n, hits)`` is the chance that the next label after n is positive, for every count of positives 0..n;
    ``stops(n, hits)`` says for which counts the procedure stops at a look after n labels. `looks` rise.
    """
    return sum(float(mass.sum()) for _, _, mass in stopped(steps, stops, looks))


def stopped(steps, stops, looks):
    """Yield (n, hits, probability of stopping at that look with those counts) for every look."""
    due, alive = set(looks), np.ones(1)
    for n in range(max(due)):
        up = alive * steps(n, np.arange(n + 1))
        alive = np.append(alive - up, 0.0) + np.append(0.0, up)
        if n + 1 in due:
            hits = np.arange(n + 2)
            now = stops(n + 1, hits)
            yield n + 1, hits[now], alive[now]
            alive = np.where(now, 0.0, alive)


def independent(rate):
    """Labels of one rate."""
    return lambda _n, hits: np.full(hits.size, rate)


def without_replacement(population, positives):
    """Labels of a pool in random order."""
    return lambda n, hits: np.clip((positives - hits) / (population - n), 0.0, 1.0)


def wilson_certifies(target, delta):
    return lambda n, hits: wilson_interval(hits, n, 1 - 2 * delta)[0] >= target


def clopper_pearson_certifies(target, delta):
    return lambda n, hits: clopper_pearson_interval(hits, n, 1 - 2 * delta)[0] >= target


def evidence_certifies(target, delta, most):
    """At most `most` labels."""
    return certifies(lambda labels, start: log_evidence_iid(labels, target, start=start), most, delta)


def pool_evidence_certifies(population, null_hits, delta):
    return certifies(lambda labels, start: log_evidence(labels, population, null_hits, start=start), population, delta)


def certifies(evidence, most, delta):
    """Whether evidence reaches 1 / delta, by a table over misses and hits: it depends on the counts alone."""
    table = np.full((most + 1, most + 1), -np.inf)
    for misses in range(most + 1):
        labels = np.repeat(np.array([0, 1], np.uint8), [misses, most - misses])
        first = max(misses - 1, 0)
        values = evidence(labels, first)
        table[misses, first + 1 - misses :][: values.size] = values
    return lambda n, hits: table[n - hits, hits] >= -math.log(delta)
