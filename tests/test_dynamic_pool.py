"""The pool of dynamic_threshold: bands are the array in law, weights included, and their counts are exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dynamic_pools import METRICS, SETTINGS, gaussian, line, pool_of

import fastcal as fc
from fastcal.certificates._band_pool import band_pool, outline, smallest_clocks
from fastcal.labelling._ledger import Ledger


def test_clocks_have_the_mean_and_variance_of_sorted_exponentials():
    n, size = 12, 5
    drawn = np.array([smallest_clocks(n, size, np.random.default_rng(seed)) for seed in range(20_000)])
    left = n - np.arange(size)
    spread = np.sqrt(np.cumsum(1 / left**2))
    assert (np.abs(drawn.mean(0) - np.cumsum(1 / left)) < 5 * spread / math.sqrt(20_000)).all()
    np.testing.assert_allclose(drawn.std(0), spread, rtol=0.05)
    assert (np.diff(drawn) > 0).all()


def test_the_first_rows_of_every_cut_are_uniform_ordered_pairs():
    index, n, keep, trials = line(60), 60, 4, 3000
    counts = pool_of(index, [1.0], 0, keep).counts
    outer = np.flatnonzero(counts > SETTINGS["census"])
    firsts = {int(cut): np.zeros((n, n)) for cut in outer}
    for seed in range(trials):
        pool = pool_of(index, [1.0], seed, keep)
        for cut, seen in firsts.items():
            rows = pool.positions[pool.cut_of <= cut]
            seen[rows[0], rows[1]] += 1
            assert rows.size >= min(keep, counts[cut] - SETTINGS["census"])
    for cut, seen in firsts.items():
        rows = np.arange(SETTINGS["census"], counts[cut])
        assert seen.sum() == seen[np.ix_(rows, rows)].sum() == trials
        pairs = seen[np.ix_(rows, rows)][~np.eye(rows.size, dtype=bool)]
        # Chi-square statistics of the first row, and of all ordered pairs, within 5 standard deviations.
        for cells in (seen.sum(1)[rows], pairs):
            expected = trials / cells.size
            free = cells.size - 1
            assert abs(((cells - expected) ** 2 / expected).sum() - free) < 5 * math.sqrt(2 * free)


def test_a_walk_without_the_census_sees_the_head_at_random():
    index, first, trials = line(60), np.zeros(60), 2000
    for seed in range(trials):
        pool = pool_of(index, [1.0], seed, 4)
        joint = np.concatenate([pool.positions, pool.census])
        assert sorted(pool.ranks) == list(range(joint.size))
        assert (np.diff(pool.ranks[: pool.positions.size]) > 0).all()
        first[joint[np.argmin(pool.ranks)]] += 1
    assert abs(((first - trials / 60) ** 2 / (trials / 60)).sum() - 59) < 5 * math.sqrt(2 * 59)


@pytest.mark.parametrize("metric", METRICS)
def test_counts_and_members_of_cuts_are_exact(metric):
    corpus, query = gaussian(3000)
    corpus[40:60] = corpus[40]  # ties
    index, scores = fc.Index(corpus, metric), fc.scores(query, corpus, metric, precision="exact")[0]
    for keep in (7, 5000):
        pool = pool_of(index, query, 3, keep)
        better = np.greater_equal if metric != "euclidean" else np.less_equal
        assert [np.count_nonzero(better(scores, t)) for t in pool.thresholds] == pool.counts.tolist()
        assert pool.counts[-1] == 3000
        assert (np.diff(pool.counts) > 0).all()
        assert (pool.counts[pool.census.size :][1:] <= 3 * pool.counts[pool.census.size :][:-1]).all()
        first = np.array([np.flatnonzero(better(scores[row], pool.thresholds))[0] for row in pool.positions])
        np.testing.assert_array_equal(first, pool.cut_of)
        order = np.argsort(-scores if metric != "euclidean" else scores, kind="stable")
        assert pool.census.tolist() == order[: pool.census.size].tolist()
        if keep == 5000:
            assert sorted([*pool.census, *pool.positions]) == list(range(3000))


def test_a_larger_budget_keeps_the_order():
    corpus, query = gaussian(3000)
    index = fc.Index(corpus)
    few, many = pool_of(index, query, 1, 20), pool_of(index, query, 1, 60)
    np.testing.assert_array_equal(few.thresholds, many.thresholds)
    for cut in range(few.counts.size):
        mine, others = (each.positions[each.cut_of <= cut][:20] for each in (few, many))
        np.testing.assert_array_equal(mine, others)


def test_segments_and_external_ids_make_the_same_pool():
    corpus, query = gaussian(3000)
    whole, parts = fc.Index(corpus), fc.Index(corpus[:1000])
    parts.add(corpus[1000:])
    named = fc.Index(corpus, ids=np.arange(3000) * 7 + 1)
    pools = [pool_of(index, query, 5, 30) for index in (whole, parts, named)]
    for each in pools[1:]:
        np.testing.assert_array_equal(each.counts, pools[0].counts)
    np.testing.assert_array_equal(pools[1].positions, pools[0].positions)
    np.testing.assert_array_equal(pools[2].positions, pools[0].positions * 7 + 1)


def test_weighted_sampling_draws_by_bands_in_proportion():
    index, trials = line(60), 2000
    query = np.ones((1, 1), np.float32)
    known = outline(index, query, 20)
    first = np.zeros(60)
    for seed in range(trials):
        pool = band_pool(
            index, query, known, Ledger("test", "", {}, seed=seed), keep=3, probability=lambda s: np.where(s > 40, 0.999, 0.5), **SETTINGS
        )
        first[pool.positions[0]] += 1
    weight = np.zeros(60)
    weight[pool.positions] = pool.weights
    for cut in range(SETTINGS["census"], pool.counts.size):  # one weight for each band
        band = np.arange(pool.counts[cut - 1], pool.counts[cut])
        weight[band] = weight[band].max()
    assert set(weight) == {0.0, 0.25, 1.0}
    np.testing.assert_allclose(pool.totals[SETTINGS["census"] :], np.cumsum(weight)[pool.counts[SETTINGS["census"] :] - 1])
    np.testing.assert_allclose(pool.lightest[SETTINGS["census"] :], 0.25)
    expected = trials * weight / weight.sum()
    assert (np.abs(first - expected) < 5 * np.sqrt(np.maximum(expected, 1))).all()
