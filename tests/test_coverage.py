"""The fast part of the coverage protocol: ours keep their promise, recipes with one mistake are caught by the same count."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from promises import cells, pools, recipes
from promises.protocol import Cell, Outcome, limit, run

KEPT = {
    "curves: flat 200": 1000,
    "curves: just bad 200": 500,
    "curves: constant 400": 500,
    "curves: 5 scores of 400": 300,
    "stopping: any budget, flat 200": 300,
    "sizes: 29 rows, 0.9 positive": 500,
    "stopping: seed of the caller, 200": 300,
    "weighted: tail more often, constant 400": 100,
    "starts: second at 0.0, flat 200": 300,
    "pairs to come: 300 pairs, .8999 positive": 300,
    "dynamic: bands, constant 400": 300,
    "recall: 60 of 200, too many at the bottom": 100,
    "queries: precision, all or nothing, 60 queries": 200,
}
CAUGHT = {
    "controls: peeking Wilson, constant 400": 500,
    "controls: labels reused, just bad 200": 300,
    "controls: weights against 1 - p, just bad 1,000": 300,
    "controls: priorities of the caller's seed, 200": 200,
    "controls: naive, 200 labels, flat 2,000, target 0.9": 200,
    "controls: supg, 1,000 labels, flat 2,000, target 0.99": 300,
}


@pytest.fixture(scope="module")
def by_name():
    found = {f"{cell.part}: {cell.name}": cell for cell in cells.all_cells()}
    assert len(found) == len(cells.all_cells())
    return found


@pytest.mark.parametrize(("name", "trials"), KEPT.items())
def test_the_promise_is_kept(by_name, name, trials):
    tally = run(by_name[name], range(trials))
    assert tally.kept, tally


@pytest.mark.parametrize(("name", "trials"), CAUGHT.items())
def test_a_mistake_is_caught(by_name, name, trials):
    assert by_name[name].control
    tally = run(by_name[name], range(trials))
    assert not tally.kept, tally


def test_the_limit_is_the_binomial_quantile():
    assert [limit(2000, 0.05), limit(2000, 0.1), limit(1000, 0.05), limit(1000, 0.1)] == [138, 252, 77, 137]
    never = Cell("never", "", lambda _: Outcome(False, False, 0))
    often = Cell("often", "", lambda seed: Outcome(True, seed < 139, 1))
    assert run(never, range(2000)).kept
    assert not run(often, range(2000)).kept


@pytest.mark.parametrize("name", cells.CURVES)
def test_no_pool_of_the_protocol_keeps_the_target_as_a_whole(name):
    """Somewhere there is something false to certify; and the truth is counted as a plain loop counts it."""
    pool = cells.CURVES[name]
    assert not pool.keeps(pool.scores.min(), 0.9)
    for threshold in np.unique(pool.scores)[:: max(1, pool.scores.size // 20)]:
        above = pool.scores >= threshold
        rows, hits = int(above.sum()), int(pool.labels[above].sum())
        assert pool.selected(threshold) == (rows, hits)
        assert pool.keeps(threshold, 0.9) == (Fraction(hits, rows) >= Fraction(9, 10))
    best = pool.oracle(0.9)
    lower = pool.scores[pool.scores < (np.inf if best is None else best)]
    assert best is None or pool.keeps(best, 0.9)
    assert not any(pool.keeps(score, 0.9) for score in np.unique(lower))


def test_flat_pools_miss_the_target_by_one_row_everywhere():
    assert all(hits == pools.null_hits(k) for k, hits in enumerate(pools.flat(300).labels.cumsum(), start=1) if k > 1)
    assert [pools.null_hits(100, target) for target in (0.55, 0.9, 0.29)] == [54, 89, 28]


def test_supg_finds_what_is_there_and_pays_no_more_than_its_budget():
    rng = np.random.default_rng(0)
    good, none = pools.ranked(np.ones(5000)), pools.ranked(np.zeros(5000))
    threshold, labels = recipes.supg(good, 0.9, 1000, rng)
    assert good.selected(threshold)[0] > 4500
    assert 500 < labels <= 1000
    assert recipes.supg(none, 0.9, 1000, rng)[0] is None
