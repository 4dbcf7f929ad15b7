"""Every cell of the protocol."""

from __future__ import annotations

from functools import partial

import numpy as np

from . import controls, ours, pools, recipes
from .pools import null_hits, ranked
from .protocol import Cell

TARGET = 0.9
DELTAS = (0.05, 0.1, 0.2)
SIZES = (5, 29, 50, 200, 10_000)

# One positive short somewhere, in every shape that a walk may meet.
CURVES = {
    "flat 200": pools.flat(200),
    "flat 2,000": pools.flat(2000),
    "just bad 200": pools.just_bad(200),
    "just bad 1,000": pools.just_bad(1000),
    "two bad cuts 2,048": pools.double_bad(2048),
    "step 400": pools.step(400),
    "cliff 83 of 400": pools.cliff(400, 83),
    "cliff 700 of 2,000": pools.cliff(2000, 700, good=0.98),
    "waves 400": pools.waves(400),
    "inverted 400": pools.inverted(400),
    "constant 400": pools.constant(400),
    "constant 1,000": pools.constant(1000),
    "5 scores of 400": pools.tied(400, 5),
    "50 scores of 2,000": pools.tied(2000, 50),
    "10 copies of 200": pools.repeated(2000, 10),
    "200 within 1e-7": pools.crowded(200),
}
# Where the worst rates are.
WORST = ("flat 200", "just bad 1,000", "constant 400")


def on(procedure, pool, target, delta, seed, **options):
    """One trial on one pool, or on the pool that a function makes of the seed."""
    return procedure(pool(seed) if callable(pool) else pool, target, delta, seed, **options)


def cell(part, name, procedure, pool, delta=0.05, *, target=TARGET, control=False, **options):
    trial = partial(on, procedure, pool, target, delta, **options)
    return Cell(f"{name}, delta {delta}" if delta != 0.05 else name, part, trial, delta, control)


def of_prevalence(rows, share, seed):
    """Positives wherever; of nine tenths one is short."""
    hits = null_hits(rows) if share == 0.9 else round(share * rows)
    return ranked(np.random.default_rng([seed, 3]).permutation(np.arange(rows) < hits))


def of_caller(rows, seed):
    """A pool made with ``default_rng(seed)``, the seed that is then given to the procedure: one positive short."""
    return ranked(np.random.default_rng(seed).random(rows).argsort().argsort() < null_hits(rows))


def certify_cells():
    """certify_threshold as it is."""
    for name, pool in CURVES.items():
        for delta in DELTAS if name in WORST else DELTAS[:1]:
            yield cell("curves", name, ours.certify, pool, delta)
    for rows in SIZES:
        for share in (0, 0.001, 0.1, 0.9, 1):
            yield cell("sizes", f"{rows:,} rows, {share:g} positive", ours.certify, partial(of_prevalence, rows, share), budget=min(rows, 1000))
    for name in WORST:
        yield cell("stopping", f"any budget, {name}", ours.some_budget, CURVES[name])
        yield cell("stopping", f"going on with more, {name}", ours.resumed, CURVES[name])
        yield cell("stopping", f"ratio 1.5, {name}", ours.certify, CURVES[name], ratio=1.5)
    yield cell("curves", "distances, just bad 200", ours.distances, CURVES["just bad 200"])
    yield cell("curves", "distances, 5 scores of 400", ours.distances, CURVES["5 scores of 400"])
    yield cell("stopping", "seed of the caller, 200", ours.certify, partial(of_caller, 200))


def option_cells():
    """Weights and second starts by guesses that may be wrong; pairs to come."""
    for name, budget in (("flat 200", 200), ("constant 400", 400), ("two bad cuts 2,048", 500)):
        yield cell("weighted", f"tail more often, {name}", ours.guessed, CURVES[name], guess="tail", sampling="weighted", budget=budget)
    for guess in ("truth", "opposite", "nothing"):
        yield cell("weighted", f"by {guess}, constant 400", ours.guessed, CURVES["constant 400"], guess=guess, sampling="weighted")
        yield cell("weighted", f"by {guess}, just bad 200", ours.guessed, CURVES["just bad 200"], guess=guess, sampling="weighted")
    for name, start in (("two bad cuts 2,048", 0.0), ("flat 2,000", 0.5), ("flat 200", 0.0), ("just bad 1,000", 0.0)):
        yield cell("starts", f"second at {start}, {name}", ours.certify, CURVES[name], second_start=start)
    yield cell("starts", "auto, just bad 1,000", ours.guessed, CURVES["just bad 1,000"], guess="tail", second_start="auto")
    for delta in DELTAS:
        yield cell("pairs to come", "300 pairs, .8999 positive", ours.future, 300, delta, share=0.8999)
    yield cell("pairs to come", "2,000 pairs, .89 positive", ours.future, 2000, share=0.89)


def dynamic_cells():
    """The walk over samples of score bands, from the head and, with half of delta each, from afar as well."""
    for name, budget in (("flat 200", 200), ("just bad 1,000", 400), ("constant 400", 400), ("5 scores of 400", 400)):
        yield cell("dynamic", f"bands, {name}", ours.dynamic, CURVES[name], budget=budget)
    for lists in (4, 20):
        yield cell("dynamic", f"{lists} lists pooled, 400", ours.pooled, pools.shuffled(400, null_hits(400)), n_lists=lists)
    for name, budget in (("flat 2,000", 1000), ("two bad cuts 2,048", 1000)):
        yield cell("dynamic", f"two starts, {name}", ours.dynamic, CURVES[name], budget=budget, start=0.99)
    for name, budget in (("flat 2,000", 400), ("constant 1,000", 400), ("two bad cuts 2,048", 400)):
        yield cell("dynamic", f"weighted, {name}", ours.dynamic, CURVES[name], budget=budget, start=0.99, sampling="weighted")


def recall_cells():
    """Recall of a pool."""
    for delta in DELTAS:
        yield cell("recall", "60 of 200, too many at the bottom", ours.recall, pools.missed_below(200, 60), delta)
    for rows, hits in ((400, 40), (400, 200)):
        yield cell("recall", f"{hits} of {rows:,}, too many at the bottom", ours.recall, pools.missed_below(rows, hits), ratio=1.5)
    for name, pool in (("100 of 400 anywhere", pools.shuffled(400, 100)), *((name, CURVES[name]) for name in ("5 scores of 400", "inverted 400"))):
        yield cell("recall", name, ours.recall, pool, ratio=1.1)


def query_cells():
    """Means over future queries, of which those given are a sample."""
    for name, draw in (("all or nothing", pools.all_or_nothing), ("row by row", pools.row_by_row)):
        for delta in DELTAS[:2]:
            yield cell("queries", f"precision, {name}, 200 queries", ours.queries, partial(draw, 200, 0.8999), delta)
    yield cell("queries", "precision, all or nothing, 60 queries", ours.queries, partial(pools.all_or_nothing, 60, 0.8999))
    yield cell("queries", "recall, one relevant row, 300 queries", ours.queries, partial(pools.one_relevant, 300, 0.8999), loss="recall")


def control_cells():
    """Mistakes that have to be caught by the same protocol, on the pools above."""
    for name in ("constant 400", "just bad 1,000"):
        yield cell("controls", f"peeking Wilson, {name}", controls.peeking, CURVES[name], control=True)
    yield cell("controls", "labels reused, just bad 1,000", controls.reused, CURVES["just bad 1,000"], control=True)
    yield cell("controls", "labels reused, just bad 200", controls.reused, CURVES["just bad 200"], control=True)
    yield cell("controls", "two starts at full delta, two bad cuts 2,048", controls.two_starts, CURVES["two bad cuts 2,048"], control=True)
    yield cell("controls", "weights against 1 - p, just bad 1,000", controls.weighted, CURVES["just bad 1,000"], control=True)
    yield cell("controls", "priorities of the caller's seed, 200", controls.colliding, partial(of_caller, 200), control=True)
    yield cell("controls", "best of 5 seeds, constant 400", ours.best_of, CURVES["constant 400"], control=True)
    for method, budget, name, target in (
        (recipes.naive, 200, "flat 2,000", TARGET),
        (recipes.naive, 200, "just bad 1,000", TARGET),
        (recipes.unweighted, 400, "just bad 400", TARGET),
        (recipes.supg, 1000, "flat 2,000", 0.99),
    ):
        pool = getattr(pools, name.rpartition(" ")[0].replace(" ", "_"))(int(name.rpartition(" ")[2].replace(",", "")), target)
        trial = partial(controls.recipe, method)
        label = f"{method.__name__}, {budget:,} labels, {name}, target {target}"
        yield cell("controls", label, trial, pool, target=target, control=True, budget=budget)


def all_cells():
    return [*certify_cells(), *option_cells(), *dynamic_cells(), *recall_cells(), *query_cells(), *control_cells()]
