"""Pools whose truth is known to the last row: best row first, labels beside the scores."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Pool:
    """Scores, one label each; any order of rows. A threshold is compared as it is: those of fastcal are float32 values."""

    scores: np.ndarray
    labels: np.ndarray

    @cached_property
    def _counts(self):
        """Distinct scores ascending; rows and positives at or above each."""
        distinct, at = np.unique(self.scores, return_inverse=True)
        rows = np.bincount(at.ravel(), minlength=distinct.size)
        hits = np.bincount(at.ravel(), weights=self.labels.ravel(), minlength=distinct.size).astype(np.int64)
        return distinct, rows[::-1].cumsum()[::-1], hits[::-1].cumsum()[::-1]

    def selected(self, threshold):
        """Rows at or above a threshold and the positives among them."""
        distinct, rows, hits = self._counts
        at = int(np.searchsorted(distinct, threshold))
        return (int(rows[at]), int(hits[at])) if at < distinct.size else (0, 0)

    def keeps(self, threshold, target):
        """Whether the true precision at a threshold reaches the target, in exact arithmetic; of nothing it does."""
        rows, hits = self.selected(threshold)
        return hits >= Fraction(str(target)) * rows

    def oracle(self, target):
        """The lowest threshold whose true precision reaches the target, or None."""
        distinct, rows, hits = self._counts
        goal = Fraction(str(target))
        good = np.flatnonzero(hits * goal.denominator >= rows * goal.numerator)
        return float(distinct[good[0]]) if good.size else None

    def labeler(self, positions):
        """Answer with the truth."""
        return self.labels.ravel()[positions]


def null_hits(rows, target=0.9):
    """The most positives with which so many rows miss the target."""
    goal = Fraction(str(target))
    return -(-goal.numerator * rows // goal.denominator) - 1


def ranked(labels):
    """Distinct scores, best first, every one of them a float32."""
    labels = np.asarray(labels, np.uint8)
    return Pool(np.linspace(1, 0, labels.size, dtype=np.float32), labels)


def spread(misses, rows):
    """Labels of so many rows with the misses evenly among them."""
    labels = np.ones(rows, np.uint8)
    labels[((np.arange(misses) + 0.5) * rows / max(misses, 1)).astype(int)] = 0
    return labels


def flat(rows, target=0.9):
    """Least favourable: every prefix holds the most positives with which it misses the target."""
    return ranked(np.diff([max(null_hits(k, target), 0) for k in range(rows + 1)]))


def just_bad(rows, target=0.9):
    """The upper half all positive; the whole pool one positive short."""
    upper = rows // 2
    return ranked([*np.ones(upper), *spread(rows - null_hits(rows, target), rows - upper)])


def double_bad(rows, target=0.9):
    """The best quarter all positive; the better half and the whole pool one positive short each."""
    half, quarter = rows // 2, rows // 4
    misses = half - null_hits(half, target)
    rest = rows - null_hits(rows, target) - misses
    return ranked([*np.ones(quarter), *spread(misses, half - quarter), *spread(rest, rows - half)])


def step(rows, target=0.9):
    """Just below the target up to the middle, next to nothing beyond it."""
    middle = rows // 2
    return ranked([*flat(middle, target).labels, *spread(rows - middle - 2, rows - middle)])


def cliff(rows, at, good=1.0):
    """`good` down to rank `at`, which no grid knows of; nothing beyond it."""
    return ranked([*spread(round((1 - good) * at), at), *np.zeros(rows - at)])


def waves(rows, target=0.9):
    """A bad head, a good stretch, a bad tail: in all one positive short."""
    head, tail = rows // 20, rows // 2
    misses = rows - null_hits(rows, target)
    first = min(head // 2, misses // 2)
    return ranked([*spread(first, head), *np.ones(rows - head - tail), *spread(misses - first, tail)])


def inverted(rows, target=0.9):
    """The best scores are the misses."""
    misses = rows - null_hits(rows, target)
    return ranked([*np.zeros(misses), *np.ones(rows - misses)])


def constant(rows, target=0.9):
    """One score for all."""
    return Pool(np.full(rows, 0.5, np.float32), spread(rows - null_hits(rows, target), rows))


def missed_below(rows, hits, target=0.9):
    """Recall just short of the target at every cut but the whole pool: too many positives at the very bottom."""
    below = hits - null_hits(hits, target)
    return ranked([*np.ones(hits - below), *np.zeros(rows - hits), *np.ones(below)])


def tied(rows, levels, target=0.9):
    """Few distinct scores; every boundary between them one positive short."""
    pool = flat(rows, target)
    return Pool(np.ceil(pool.scores * levels).astype(np.float32) / levels, pool.labels)


def repeated(rows, copies, target=0.9):
    """Every row of a flat pool several times under one score and one label."""
    few = flat(rows // copies, target)
    return Pool(few.scores.repeat(copies), few.labels.repeat(copies))


def crowded(rows, target=0.9):
    """A flat pool whose float64 scores lie closer together than float32 can tell."""
    few = flat(rows, target)
    return Pool(0.5 + few.scores.astype(np.float64) * 1e-7, few.labels)


def shuffled(rows, hits, seed=0):
    """So many positives, wherever."""
    return ranked(np.random.default_rng(seed).permutation(np.arange(rows) < hits))


def logistic(rows, seed, slope=12.0, middle=0.5):
    """Uniform scores, labels drawn with a probability that rises smoothly."""
    rng = np.random.default_rng(seed)
    scores = rng.random(rows, dtype=np.float32)
    return Pool(scores, (rng.random(rows) < 1 / (1 + np.exp(-slope * (scores - middle)))).astype(np.uint8))


def eighty_twenty(rows, seed, upper=0.999, lower=0.6):
    """The better 80 % of the rows at one precision, the rest at another."""
    rng = np.random.default_rng(seed)
    first = round(0.8 * rows)
    return ranked([*(rng.random(first) < upper), *(rng.random(rows - first) < lower)])


def beta(rows, seed, a=0.01, b=2.0):
    """Scores of a Beta, labels drawn with the score as their probability."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(a, b, rows).astype(np.float32)
    return Pool(scores, (rng.random(rows) < scores).astype(np.uint8))


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of queries, all with the same scores, drawn from a population whose mean of a measure is known at each depth."""

    scores: np.ndarray
    labels: np.ndarray
    means: np.ndarray

    def labeler(self, positions):
        """Answer with the truth."""
        return self.labels.ravel()[positions]


def lists_of(labels, means):
    labels = np.asarray(labels, np.uint8)
    return Lists(np.tile(np.linspace(1, 0.1, labels.shape[1], dtype=np.float32), (len(labels), 1)), labels, np.asarray(means))


def all_or_nothing(n_queries, share, seed, depth=10):
    """A query's list is all relevant, or nothing of it: mean precision `share` at every depth."""
    good = np.random.default_rng([seed, 4]).random(n_queries) < share
    return lists_of(np.repeat(good[:, None], depth, axis=1), np.full(depth, share))


def row_by_row(n_queries, share, seed, depth=10):
    """Every row is relevant with the same probability."""
    return lists_of(np.random.default_rng([seed, 5]).random((n_queries, depth)) < share, np.full(depth, share))


def one_relevant(n_queries, share, seed, depth=10):
    """One relevant row a query: in the better half with probability `share`, somewhere else otherwise; means are of recall."""
    rng, half = np.random.default_rng([seed, 6]), depth // 2
    place = np.where(rng.random(n_queries) < share, rng.integers(0, half, n_queries), rng.integers(half, depth, n_queries))
    means = np.concatenate([share * np.arange(1, half + 1) / half, share + (1 - share) * np.arange(1, depth - half + 1) / (depth - half)])
    return lists_of(place[:, None] == np.arange(depth), means)
