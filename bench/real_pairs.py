"""Candidates of the real collections: scores, labels, and which queries belong together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

import fastcal as fc
from bench.pages import collections
from tests.real_runs import DEPTH, read

COLLECTIONS = ("cranfield", "cacm", "stackfaq", "banking77", "cosqa")
ENCODERS = ("MiniLM", "LSA", "BM25")
# Exactly one judged document per query: relevant ones among the rest were never labelled.
MARKED = {"cosqa": "cosqa (*)"}


@dataclass(frozen=True)
class Lists:
    """Scores and labels (n_queries, depth), NaN and 0 where a list is shorter; one group per query: its thread, intent or source."""

    scores: np.ndarray
    labels: np.ndarray
    groups: np.ndarray

    def __getitem__(self, queries):
        return Lists(self.scores[queries], self.labels[queries], self.groups[queries])

    def top(self, depth):
        return Lists(self.scores[:, :depth], self.labels[:, :depth], self.groups)

    def pairs(self):
        """Flat scores, labels and numbers of the queries of the pairs that are there."""
        there = ~np.isnan(self.scores)
        return self.scores[there], self.labels[there], np.nonzero(there)[0]

    def share(self):
        """Relevant pairs among those that are there."""
        return float(self.labels.sum() / np.count_nonzero(~np.isnan(self.scores)))

    def some(self, n_groups, seed):
        """The lists of some groups, drawn at random, and those of the others."""
        names = np.unique(self.groups)
        first = np.isin(self.groups, np.random.default_rng(seed).permutation(names)[:n_groups])
        return self[first], self[~first]

    def halves(self, seed):
        """The lists of one half of the groups and of the other."""
        return self.some(len(np.unique(self.groups)) // 2, seed)

    def drawn(self, n_groups, rng):
        """Positions of the queries of groups drawn with replacement, and the number of the draw of each."""
        members = [np.flatnonzero(self.groups == name) for name in rng.choice(np.unique(self.groups), n_groups)]
        return np.concatenate(members), np.repeat(np.arange(n_groups), [len(rows) for rows in members])

    def folds(self, n_splits, seed):
        """Boolean masks of the held-out queries, group by group."""
        names, codes = np.unique(self.groups, return_inverse=True)
        fold = np.random.default_rng(seed).permutation(len(names)) % n_splits
        return [fold[codes] == number for number in range(n_splits)]


@cache
def collection(name):
    """Runs and judgements."""
    return read(collections() / name)


@cache
def lists(name, encoder):
    """The best hundred of every judged query."""
    found = collection(name)
    return dense(found.runs[encoder], found.labels(found.runs[encoder]), found.qrels)


def dense(run, labels, qrels):
    """Rows of equal length from a run and a label beside each entry."""
    counts = run.counts()
    row = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(row)) - run.offsets[row]
    scores, marks = np.full((len(counts), DEPTH), np.nan, np.float32), np.zeros((len(counts), DEPTH), np.uint8)
    scores[row, place], marks[row, place] = run.scores, labels
    first = [min((d for d, grade in qrels[query].items() if grade > 0), default="") for query in run.query_ids]
    return Lists(scores, marks, np.unique(first, return_inverse=True)[1])


def title(name):
    return MARKED.get(name, name)


def balanced(sample, size, seed):
    """Scores and labels of `size` relevant and `size` irrelevant pairs, drawn at random; all of a class that has fewer."""
    scores, labels, _ = sample.pairs()
    rng = np.random.default_rng(seed)
    chosen = np.concatenate([rng.permutation(np.flatnonzero(labels == value))[:size] for value in (0, 1)])
    return scores[chosen], labels[chosen]


def natural(sample, size, seed):
    """Scores and labels of `size` pairs as they come."""
    scores, labels, _ = sample.pairs()
    chosen = np.random.default_rng(seed).permutation(len(scores))[:size]
    return scores[chosen], labels[chosen]


def ece(labels, probabilities):
    """With 15 equally filled bins."""
    return fc.metrics.expected_calibration_error(labels, probabilities, strategy="quantile")
