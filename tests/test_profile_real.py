"""Verdicts on real collections: other queries of the same one keep, other collections do not, balanced sampling is named."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest
import real_runs

import fastcal as fc

NAMES = ("cranfield", "stackfaq", "banking77")
MOST = 300  # queries of a collection, for the time it takes


@pytest.fixture(scope="module")
def collections(data_dir):
    return {name: real_runs.read(data_dir / name) for name in NAMES}


def flat(real, chosen_queries=None):
    """Scores, labels and query numbers of the MiniLM run."""
    run = real.runs["MiniLM"]
    queries = np.repeat(np.arange(len(run.query_ids)), np.diff(run.offsets))
    chosen = np.isin(queries, np.arange(MOST) if chosen_queries is None else chosen_queries)
    return run.scores[chosen].astype(np.float64), real.labels(run)[chosen], queries[chosen]


def halves(real, seed):
    n = min(MOST, len(real.fold))
    return np.array_split(np.random.default_rng(seed).permutation(n), 2)


def fit(real, chosen_queries=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fc.ProfileWarning)
        return fc.Profile.fit(*flat(real, chosen_queries), model="MiniLM", metric="cosine", calibrator=fc.PlattCalibrator(), top_k=100)


def test_held_out_queries_of_the_same_collection_keep(collections):
    """Threads and intents have queries in both halves: left out whole, they are other topics, and their scores do differ."""
    labelled, unlabelled = Counter(), Counter()
    for real in collections.values():
        for seed in range(3):
            one, other = halves(real, seed)
            profile = fit(real, one)
            scores, labels, queries = flat(real, other)
            labelled[profile.revalidate(scores, labels, query_ids=queries).verdict] += 1
            unlabelled[profile.revalidate(scores, query_ids=queries).verdict] += 1
    assert labelled["keep"] >= 7, labelled
    assert unlabelled["keep"] == 9, unlabelled


def test_another_collection_does_not_keep(collections):
    labelled, unlabelled = Counter(), Counter()
    for name, real in collections.items():
        profile = fit(real)
        for other in set(NAMES) - {name}:
            scores, labels, queries = flat(collections[other])
            labelled[profile.revalidate(scores, labels, query_ids=queries + 10**6).verdict] += 1
            unlabelled[profile.revalidate(scores, query_ids=queries + 10**6).verdict] += 1
    assert labelled["keep"] <= 1, labelled
    assert unlabelled["stop"] == 6, unlabelled


def test_balanced_pairs_are_a_prior_shift(collections):
    """Trap: 150 relevant and 150 irrelevant pairs, drawn from lists in which few are relevant."""
    for name, real in collections.items():
        one, other = halves(real, 0)
        profile = fit(real, one)
        scores, labels, queries = flat(real, other)
        rng = np.random.default_rng(0)
        chosen = np.concatenate([rng.choice(np.flatnonzero(labels == label), 150, replace=False) for label in (0, 1)])
        report = profile.revalidate(scores[chosen], labels[chosen], query_ids=queries[chosen])
        assert (report.verdict, report.prior_shift) == ("refit", True), (name, str(report))
