"""annular_threshold on fc.Index: geometry, rings, bisection, words."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest

import fastcal as fc
from fastcal.probing._probes import ring_points, unit

RNG = np.random.default_rng(5)
CORPUS = RNG.normal(size=(3000, 8)).astype(np.float32)
QUERY = RNG.normal(size=8).astype(np.float32)
COSINES = fc.scores(QUERY, CORPUS, precision="exact")[0].astype(np.float64)
INDEX = fc.Index(CORPUS)


def within(distance):
    """A labeler: a row is relevant if it lies within a distance."""
    return lambda ids: distance >= 1 - COSINES[ids]


def probe(labeler=None, index=INDEX, query=QUERY, **options):
    return fc.annular_threshold(index, query, labeler or within(0.5), **({"seed": 3} | options))


# -- geometry -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("distance", [0.0, 1e-4, 0.01, 0.35, 1.0, 1.7, 2.0])
@pytest.mark.parametrize("dim", [2, 3, 768])
def test_probes_lie_on_their_ring(distance, dim):
    query = RNG.normal(size=dim).astype(np.float32) * 1e-20
    direction = unit(query)
    points = ring_points(direction, distance, 16, np.random.default_rng(0)).astype(np.float64)
    np.testing.assert_allclose(points @ direction, 1 - distance, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-6)
    if 0.01 <= distance <= 1.7 and dim == 768:  # the rest of it points anywhere
        across = (points - np.outer(points @ direction, direction)) / np.sin(np.arccos(1 - distance))
        assert np.abs(across @ across.T - np.eye(16)).max() < 0.2


def test_an_item_inside_beats_one_on_the_ring():
    """768 dimensions, ring at cosine .6: an item at .6 scores .36 to a probe, one at .8 scores .48, each give or take .02 to .03."""
    direction, rng = np.eye(768)[0], np.random.default_rng(1)
    points = ring_points(direction, 0.4, 2000, rng).astype(np.float64)
    on_ring, inside = (points @ ring_points(direction, distance, 1, rng)[0].astype(np.float64) for distance in (0.4, 0.2))
    assert on_ring.mean() == pytest.approx(0.36, abs=0.003)
    assert inside.mean() == pytest.approx(0.48, abs=0.003)
    assert np.std(inside - on_ring) == pytest.approx(0.029, abs=0.002)
    assert np.mean(inside > on_ring) > 0.999


# -- rings --------------------------------------------------------------------------------------------
def test_rings_report_what_brute_force_finds():
    asked = []
    found = probe(lambda ids: asked.extend(ids.tolist()) or within(0.5)(ids), rings=[0.2, 0.4, 0.6])
    plain = np.argsort(-COSINES, kind="stable")[:50]
    for ring in found.rings:
        points = ring_points(unit(QUERY), ring.distance, 8, rng_of(found, ring))
        ids = fc.topk(points, CORPUS, 50).ids
        distinct = np.unique(ids)
        crust = distinct[np.abs(1 - COSINES[distinct] - ring.distance) <= 0.01]
        assert (ring.probes, ring.hits, ring.distinct, ring.distinct_in_crust) == (8, 400, distinct.size, crust.size)
        assert ring.hits_in_crust == np.isin(ids, crust).sum() >= crust.size
        assert ring.already_in_plain == pytest.approx(np.isin(distinct, plain).mean())
        assert ring.crust_in_plain == pytest.approx(np.isin(crust, plain).mean())
        assert ring.labels == min(20, crust.size)
        assert np.isin(crust, asked).sum() >= ring.labels
        assert abs(ring.distance - 0.5) <= 0.02 or ring.positives == ring.labels * (ring.distance < 0.5)
        assert ring.precision == ring.positives / ring.labels
        assert ring.interval == fc.wilson_interval(ring.positives, ring.labels)
        assert ring.score_error_max == ring.score_error_mean == 0
        assert ring.rows_in_ring is None
        assert not ring.empty
    assert len(asked) == len(set(asked)) == found.labels_used
    assert [ring.passed for ring in found.rings[:3]] == [True, True, False]


def rng_of(found, ring):
    return np.random.default_rng(np.random.SeedSequence([found.seed, *f"annular/{ring.distance!r}".encode()]))


@pytest.mark.parametrize("source", ["probe", "band"])
def test_bisection_closes_in_on_the_edge(source):
    found = probe(within(0.5), rings=[0.2, 0.4, 0.8], source=source)
    assert found.reason == "resolved"
    assert abs(found.distance - 0.5) <= 0.02
    assert found.threshold == np.float32(1 - found.distance)
    assert found.n_selected == np.count_nonzero(found.threshold <= COSINES)
    inner = max(ring.distance for ring in found.rings if ring.passed)
    outer = min(ring.distance for ring in found.rings if not ring.passed and ring.distance > inner)
    assert inner == found.distance
    assert 0 < outer - inner <= 0.01
    assert (found.guarantee, found.fallback, found.source) == (False, False, source)
    assert "Not a certificate" in found.scope
    assert "Ring precision is not the precision of everything above" in found.scope
    assert ("unknown probabilities" in found.scope) == (source == "probe")
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["rings"][0]["distance"] == 0.2


def test_a_band_is_drawn_from_all_rows_of_the_ring():
    ring = probe(rings=[0.7], source="band", labels_per_ring=10_000).rings[0]
    rows = np.flatnonzero(np.abs(1 - COSINES - 0.7) <= 0.01)
    assert ring.rows_in_ring == ring.hits_in_crust == ring.distinct_in_crust == ring.labels == rows.size
    counts = np.zeros(3000)
    for seed in range(300):
        probe(lambda ids: counts.__setitem__(ids, counts[ids] + 1) or np.ones(ids.size), rings=[0.7], source="band", seed=seed)
    assert counts.sum() == counts[rows].sum() == 300 * 20
    expected = 300 * 20 / rows.size
    assert np.sum((counts[rows] - expected) ** 2) / expected < rows.size + 5 * np.sqrt(2 * rows.size)


def test_default_rings_follow_the_plain_search():
    distances = np.sort(1 - COSINES)[:50]
    step = (distances[-1] - distances[0]) / 5
    found = probe(within(9))
    np.testing.assert_allclose([ring.distance for ring in found.rings], distances[0] + step * np.arange(9), atol=1e-6)
    assert found.rings[0].distinct_in_crust >= 1  # the best row itself
    assert (found.reason, found.distance) == ("outermost_ring", found.rings[-1].distance)
    deeper = probe(within(9), top_k=200)
    assert deeper.rings[-1].distance > found.rings[-1].distance
    assert deeper.anchor == pytest.approx(np.sort(COSINES)[-200])


def test_empty_rings_and_the_named_fallback():
    far = np.concatenate([CORPUS[:60] * 0 + QUERY, -CORPUS[:0]])
    index = fc.Index(far)
    found = fc.annular_threshold(index, QUERY, within(9), rings=[0.3, 0.5], seed=1)
    assert (found.reason, found.fallback, found.threshold, found.rings_empty) == ("empty", True, found.anchor, 2)
    assert (found.labels_used, found.n_selected, found.distance) == (0, 60, None)
    for ring in found.rings:
        assert ring.empty
        assert np.isnan(ring.precision)
        assert ring.interval == (0.0, 1.0)
    given = fc.annular_threshold(index, QUERY, within(9), rings=[0.3], anchor=0.25, seed=1)
    assert given.threshold == given.anchor == 0.25
    assert fc.annular_threshold(index, QUERY, within(9), rings=[0.3], source="band", seed=1).rings[0].rows_in_ring == 0


def test_nothing_passes_and_budgets():
    none = probe(within(-1), rings=[0.3, 0.5])
    assert (none.reason, none.threshold, none.distance, none.n_selected) == ("none_passes", None, None, 0)
    assert none.labels_floor == 1
    assert str(none).startswith("no ring passes (none_passes)")
    assert len(repr(none)) < 1000
    short = probe(rings=[0.45, 0.6, 0.7], source="band", budget=30)
    assert (short.reason, short.labels_used, [ring.labels for ring in short.rings]) == ("budget", 30, [20, 10])
    assert probe(budget=1).labels_used == 1
    for bad in (0, -1, 1.5, "x"):
        with pytest.raises(fc.FastcalError, match="budget must be an integer of at least 1"):
            probe(budget=bad)


def test_a_state_a_log_and_the_async_twin_end_in_the_same_place(tmp_path):
    options = {"rings": [0.3, 0.45, 0.6], "source": "band"}
    whole, calls = probe(**options), []

    def label(ids):
        calls.append(ids)
        if len(calls) == 3:
            raise RuntimeError("out of coffee")
        return within(0.5)(ids)

    with pytest.raises(RuntimeError, match="coffee") as caught:
        probe(label, log=tmp_path / "labels.jsonl", **options)
    state, paid = caught.value.state, np.concatenate(calls[:2])
    assert [position for position, _ in state["labels"]] == paid.tolist()
    for given in ({"state": state}, {"log": tmp_path / "labels.jsonl"}):
        again = []
        resumed = probe(lambda ids, again=again: again.extend(ids.tolist()) or within(0.5)(ids), seed=None, **given, **options)
        assert resumed.to_dict() | {"state": 0} == whole.to_dict() | {"state": 0}
        assert not np.isin(again, paid).any()

    async def later(ids):
        await asyncio.sleep(0.001 * (ids[0] % 3))
        return within(0.5)(ids)

    twin = asyncio.run(fc.annular_threshold_async(INDEX, QUERY, later, seed=3, concurrency=5, **options))
    assert twin.to_dict() | {"state": 0} == whole.to_dict() | {"state": 0}
    for other in ({"ring_tol": 0.02}, {"rings": [0.3]}, {"source": "probe"}, {"query": -QUERY}, {"index": fc.Index(CORPUS[:2999])}):
        with pytest.raises(fc.FastcalError, match="state"):
            probe(**(options | {"seed": None, "state": state} | other))


def test_external_ids_dims_and_added_rows():
    names = np.arange(3000) * 10 + 7
    named = fc.Index(CORPUS[:2000], ids=names[:2000])
    named.add(CORPUS[2000:], ids=names[2000:])
    for source in ("probe", "band"):
        plain = probe(rings=[0.3, 0.6], source=source)
        other = probe(lambda ids: within(0.5)((ids - 7) // 10), index=named, rings=[0.3, 0.6], source=source)
        assert [(ring.distinct_in_crust, ring.distinct) for ring in other.rings] == [(ring.distinct_in_crust, ring.distinct) for ring in plain.rings]
        assert other.threshold == plain.threshold
    cut = fc.Index(CORPUS, dims=4)
    full, sliced = (probe(index=cut, query=query, rings=[0.3, 0.6]) for query in (QUERY, QUERY[np.newaxis, :4]))
    assert full.to_dict() == sliced.to_dict()
    twice = fc.Index(np.repeat(CORPUS, 2, axis=0), ids=np.repeat(np.arange(3000), 2))
    doubled = probe(index=twice, rings=[0.4], source="band", labels_per_ring=50)
    assert doubled.rings[0].distinct_in_crust <= doubled.rings[0].rows_in_ring


def test_defaults_fit_a_corpus_of_a_few_rows():
    few = fc.Index(CORPUS[:7])
    for source in ("probe", "band"):
        found = fc.annular_threshold(few, QUERY, within(9), source=source, seed=1)
        assert found.labels_used > 0
        assert found.rings[0].probes == 8 * (source == "probe")
    with pytest.raises(fc.FastcalError, match="neighbours_per_probe must be at most 7"):
        fc.annular_threshold(few, QUERY, within(9), neighbours_per_probe=50)


def test_a_state_says_which_setting_differs():
    state = probe(rings=[0.3]).state
    with pytest.raises(fc.FastcalError, match=r"other settings: top_k=50 \(here 20\)$"):
        probe(rings=[0.3], top_k=20, state=state)
    with pytest.raises(fc.FastcalError, match="another pool"):
        probe(rings=[0.3], state=state, index=fc.Index(np.where(COSINES[:, None] == COSINES.max(), -CORPUS, CORPUS)))


# -- bad input ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"index": fc.Index(CORPUS, "euclidean")}, "metric 'cosine', got 'euclidean'"),
        ({"index": fc.Index(CORPUS, "dot")}, "metric 'cosine', got 'dot'"),
        ({"index": fc.Index(np.empty((0, 8), np.float32))}, "the index is empty"),
        ({"index": 3}, r"must be a fastcal.Index or have search\(queries, k\) or knn_query"),
        ({"corpus": CORPUS}, "corpus must be left out"),
        ({"query": np.zeros(8)}, "zero vector"),
        ({"query": np.ones(7)}, "same dim"),
        ({"query": np.ones((2, 8))}, "query must have shape"),
        ({"query": np.full(8, np.nan)}, "finite"),
        ({"query": np.ones(1), "index": fc.Index(np.ones((60, 1), np.float32))}, "at least 2 dimensions"),
        ({"neighbours_per_probe": 3001}, "at most 3000, the rows of the index"),
        ({"top_k": 3001}, "at most 3000"),
        ({"rings": [0.5, 2.5]}, r"rings\[1\] is 2.5"),
        ({"rings": [-0.1]}, r"rings\[0\] is -0.1"),
        ({"rings": [np.nan]}, r"rings\[0\] is nan"),
        ({"rings": [0.5, 0.4]}, "rings must be increasing"),
        ({"rings": []}, "rings are empty; expected at least one"),
        ({"rings": 0.5}, "rings must be a list"),
        ({"ring_tol": -0.01}, "ring_tol must be a number in"),
        ({"resolution": 0}, "resolution must be a number in"),
        ({"probes_per_ring": 0}, "probes_per_ring must be an integer of at least 1"),
        ({"labels_per_ring": 0}, "labels_per_ring must be an integer of at least 1"),
        ({"target_precision": 1}, "target_precision must be a number strictly between"),
        ({"source": "ring"}, "source must be one of"),
        ({"anchor": np.inf}, "anchor must be a finite number"),
    ],
)
def test_bad_options(options, says):
    calls = []
    with pytest.raises(fc.FastcalError, match=says) as caught:
        probe(lambda ids: calls.append(ids) or np.ones(ids.size), **options)
    assert not calls
    assert isinstance(caught.value, ValueError | TypeError)
