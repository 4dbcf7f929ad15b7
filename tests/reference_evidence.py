"""Evidence of docs/numerics.md: its operations in Python floats, and the exact sums they stand for."""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb

import numpy as np
from reference_fusion import natural_log

_HUGE = 2.0**900
_LOG_HUGE = 900.0 * (float.fromhex("0x1.62e42fee00000p-1") + float.fromhex("0x1.a39ef35793c76p-33"))


def log_of_sum(front, ratio):
    total, scaled, i = 1.0, 0.0, 0.0
    term = ratio(i)
    while term > total * 2.0**-60:
        total += term
        if total > _HUGE:
            total, term, scaled = total / _HUGE, term / _HUGE, scaled + _LOG_HUGE
        i += 1.0
        term *= ratio(i)
    return natural_log(front * total) + scaled


def after_each(labels, start, out, value):
    hits = np.cumsum(labels, dtype=np.int64).tolist()
    for i in range(start, len(hits)):
        out[i - start] = value(hits[i], i + 1 - hits[i])


def log_evidence(labels, population, null_hits, start, out):
    null_misses = population - null_hits

    def value(hits, misses):
        if hits > null_hits:
            return math.inf
        if misses >= null_misses:
            return -math.inf
        more, rest = float(null_hits + 1 - hits), float(null_misses - misses)
        front = (float(null_hits + 1) * rest) / ((more * float(misses + 1)) * float(null_misses))
        return log_of_sum(front, lambda i: ((float(hits) - i) * ((rest - 1.0) - i)) / (((more + 1.0) + i) * (float(misses + 2) + i)))

    after_each(labels, start, out, value)


def log_evidence_iid(labels, null_rate, shape, start, out):
    def value(hits, misses):
        weight = shape + float(misses)
        return log_of_sum(shape / weight, lambda i: ((float(hits) - i) * (1.0 - null_rate)) / (null_rate * ((weight + 1.0) + i)))

    after_each(labels, start, out, value)


def log_tail_sums(hits, bad, good, misses, out):
    for j in range(len(out)):
        h, b, g, m = (float(values[j]) for values in (hits, bad, good, misses))
        out[j] = log_of_sum(1.0, lambda i, h=h, b=b, g=g, m=m: ((h - i) * (b - i)) / ((g + i) * (m + i)))


def exact_evidence(hits, n, k, null_hits):
    """The mixture of likelihood ratios as its definition has it: a Fraction, or inf."""
    if hits > null_hits:
        return math.inf
    null = Fraction(comb(k - n, null_hits - hits), comb(k, null_hits)) if null_hits - hits <= k - n else Fraction(0)
    other = sum(Fraction(comb(k - n, K - hits), comb(k, K)) for K in range(null_hits + 1, k + 1) if 0 <= K - hits <= k - n)
    return other / (k - null_hits) / null if null and other else Fraction(0)


def exact_evidence_iid(hits, n, null_rate):
    """Uniform prior: the beta integral of integer parameters as a binomial sum."""
    p, q = Fraction(null_rate), 1 - Fraction(null_rate)
    at_most = sum(comb(n + 1, x) * p**x * q ** (n + 1 - x) for x in range(hits + 1))
    return at_most / (comb(n, hits) * p**hits * q ** (n - hits)) / ((n + 1) * q)
