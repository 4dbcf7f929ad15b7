"""Thresholds from equal label budgets, and what labels buy: the tables of docs/certificates.md.

``python -m bench.certificates [--only TABLE ...] [--into docs/certificates.md]``; reads FASTCAL_DATA, takes some minutes.
"""

from __future__ import annotations

import math
import time
import warnings
from functools import partial
from typing import NamedTuple

import numpy as np

import fastcal as fc
from bench.certificate_pools import QUERIES, tasks, whole
from bench.pages import publish, table
from tests.promises import pools, recipes
from tests.promises.pools import Pool

BUDGET, SEEDS, MORE, FEWER, LARGE, DELTA = 500, 100, 200, 40, 200_000, 0.05


class Found(NamedTuple):
    """A threshold or None, the labels it cost, the rows that were scored or returned to get there."""

    threshold: float | None
    labels: int
    touched: int


def of_recipe(method, task, budget, seed):
    threshold, labels = method(task.pool, task.target, budget, np.random.default_rng(seed))
    return Found(threshold, labels, task.pool.scores.size)


def of_result(method, task, budget, seed, **options):
    found = method(task.pool.scores, task.pool.labeler, target_precision=task.target, budget=budget, seed=seed, **options)
    return Found(found.threshold, found.labels_used, task.pool.scores.size)


def guided(task, budget, seed, **options):
    return of_result(fc.certify_threshold, task, budget, seed, delta=DELTA, probabilities=task.probabilities, **options)


POOLED = {
    "naive": partial(of_recipe, recipes.naive),
    "SUPG": partial(of_recipe, recipes.supg),
    "density, naive": partial(of_result, fc.density_weighted_threshold, weighting="none"),
    "density, corrected": partial(of_result, fc.density_weighted_threshold),
    "certify": partial(of_result, fc.certify_threshold, delta=DELTA),
    "certify, weighted": partial(guided, sampling="weighted"),
    "certify, two starts": partial(guided, second_start="auto"),
}


def summary(found, pools_of, target):
    """Cells of one method: broken, some threshold, recall of it beside the oracle's, labels, milliseconds."""
    given = [(one, pool) for (one, _), pool in zip(found, pools_of, strict=True) if one.threshold is not None]
    broken = sum(not pool.keeps(one.threshold, target) for one, pool in given)
    recall = [pool.selected(one.threshold)[1] / best for one, pool in given if (best := reached(pool, target))]
    labels, milliseconds = [one.labels for one, _ in found], [1e3 * seconds for _, seconds in found]
    return (
        f"{broken / len(found):.2f}",
        f"{len(given) / len(found):.2f}",
        f"{np.mean(recall):.2f}" if recall else "",
        f"{np.mean(labels):.0f}, {np.quantile(labels, 0.9):.0f}",
        f"{np.median(milliseconds):.3g}",
    )


def reached(pool, target):
    """Positives at the lowest threshold that keeps the target; 0 without one."""
    best = pool.oracle(target)
    return 0 if best is None else pool.selected(best)[1]


def timed(draw, *arguments):
    """What a draw found, and seconds."""
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fc.SmallSampleWarning)
        found = draw(*arguments)
    return found, time.perf_counter() - started


def pooled():
    """All methods on all pools."""
    rows = []
    for task in tasks():
        seeds = range(SEEDS if task.pool.scores.size < LARGE else FEWER)
        best = task.pool.oracle(task.target)
        within = "nothing" if best is None else f"{task.pool.selected(best)[0]:,}"
        where = f"{task.name}: {task.pool.scores.size:,} pairs, p {task.target}; oracle {within}"
        for name, method in POOLED.items():
            found = [timed(method, task, BUDGET, seed) for seed in seeds]
            rows.append((where if name == "naive" else "", name, *summary(found, [task.pool] * len(seeds), task.target)))
            print(rows[-1], flush=True)
    return table(("pool", "method", "broken", "given", "recall / oracle", "labels: mean, p90", "ms"), rows)


# -- one query over a corpus ------------------------------------------------------------------------------------
def annular(query, budget, seed, **options):
    found = fc.annular_threshold(query.index, query.vector, query.pool.labeler, target_precision=0.9, budget=budget, seed=seed, **options)
    rows = sum(ring.distinct for ring in found.rings)
    return Found(found.threshold, found.labels_used, rows if options["source"] == "probe" else len(query.index))


def dynamic(query, budget, seed, *, started=False):
    given = {"calibrator": query.calibrator} if started else {}
    found = fc.dynamic_threshold(query.index, query.vector, query.pool.labeler, delta=DELTA, budget=budget, seed=seed, **given)
    return Found(found.threshold, found.labels_used, len(query.index))


def top_labelled(query, budget, seed):
    """The plain use of as many labels: all of the best rows; the lowest threshold with that precision among them."""
    rows = query.index.search(query.vector, budget).ids[0]
    point = fc.choose_threshold(query.pool.scores[rows], query.pool.labeler(rows), 0.9)
    return Found(None if point is None else point.threshold, rows.size, rows.size)


def spread_labelled(query, budget, seed, depth=10):
    """As many labels over the best rows of a list ten times as long."""
    rows = query.index.search(query.vector, min(depth * budget, len(query.index))).ids[0]
    rows = np.random.default_rng(seed).choice(rows, budget, replace=False)
    point = fc.choose_threshold(query.pool.scores[rows], query.pool.labeler(rows), 0.9)
    return Found(None if point is None else point.threshold, rows.size, rows.size)


PER = {
    "label the best": top_labelled,
    "naive, 10 x as deep": spread_labelled,
    "annular, probes": partial(annular, source="probe"),
    "annular, bands": partial(annular, source="band"),
    "dynamic": dynamic,
    "dynamic, two starts": partial(dynamic, started=True),
}


def per_query():
    """All methods on single queries, several draws of each."""
    rows = []
    for name, (load, budget, draws) in QUERIES.items():
        queries = load()
        cases = [(query, seed) for query in queries for seed in range(draws)]
        within = np.mean([query.pool.oracle(0.9) is not None for query in queries])
        where = f"{name}: {len(queries)} queries x {draws}, {len(queries[0].index):,} rows, {budget} labels; oracle {within:.2f}"
        for method, draw in PER.items():
            found = [timed(draw, query, budget, seed) for query, seed in cases]
            cells = summary(found, [query.pool for query, _ in cases], 0.9)
            touched = f"{np.mean([one.touched for one, _ in found]):,.0f}"
            rows.append((where if draw is top_labelled else "", method, *cells[:4], touched, cells[4]))
            print(rows[-1], flush=True)
    return table(("corpus", "method", "broken", "given", "recall / oracle", "labels: mean, p90", "rows touched", "ms"), rows)


# -- what labels buy --------------------------------------------------------------------------------------------
def costs():
    """Labels for one selection, and for the search of the lowest threshold, by true precision; medians."""
    rows = []
    for precision, expected in ((0.99, 43), (0.97, 85), (0.95, 168)):
        size, hits = 20_000, round(precision * 20_000)
        flat = Pool(np.full(size, 0.5, np.float32), (np.arange(size) < hits).astype(np.uint8))
        spread = [pools.shuffled(size, hits, seed) for seed in range(SEEDS)]
        single = np.median([bought(flat, seed) for seed in range(10 * SEEDS)])
        whole_search = np.median([bought(pool, seed) for seed, pool in enumerate(spread)])
        far = np.median([bought(pool, seed, second_start=0.0) for seed, pool in enumerate(spread)])
        bound = expected * (1 + 0.7 * math.log(size / expected))
        searched = (f"{whole_search:.0f}", f"{bound:.0f}", f"{whole_search / bound:.2f}", f"{far:.0f}", f"{far / expected:.2f}")
        rows.append((precision, expected, f"{single:.0f}", *searched))
    head = (
        "true precision",
        "n1: one selection, i.i.d.",
        "one selection",
        "whole search",
        "n1 (1 + .7 ln(N / n1))",
        "ratio",
        "second start at the end",
        "/ n1",
    )
    return table(head, rows)


def bought(pool, seed, **options):
    found = fc.certify_threshold(pool.scores, pool.labeler, budget=pool.scores.size, seed=seed, delta=DELTA, **options)
    return found.labels_used


def weights():
    """Labels to certify the whole of pools with 80 % of their rows at precision .999 and 20 % at .6."""
    rows, many = [], [pools.eighty_twenty(20_000, seed) for seed in range(SEEDS)]
    known = np.where(np.arange(20_000) < 16_000, 0.999, 0.6)
    single = [Pool(np.full(20_000, 0.5, np.float32), pool.labels) for pool in many]
    for name, options in (("uniform", {}), ("weighted", {"sampling": "weighted", "probabilities": known})):
        paid = [[bought(pool, seed, **options) for seed, pool in enumerate(given)] for given in (single, many)]
        rows.append((name, *(f"{np.median(labels):.0f}, {np.quantile(labels, 0.9):.0f}" for labels in paid)))
    return table(("sampling", "one score: labels, median and p90", "whole search"), rows)


def real_pools():
    """How often something is certified on whole real collections at the default budget, and how often that is false."""
    rows = []
    for name in ("cranfield", "digits", "stackfaq", "banking77"):
        pool = whole(name)
        found = [timed(lambda seed, pool=pool: Found(*asked(pool, seed), pool.scores.size), seed) for seed in range(MORE)]
        cells = summary(found, [pool] * MORE, 0.9)
        rows.append((name, f"{pool.scores.size:,}", f"{sum(one.threshold is not None for one, _ in found)} of {MORE}", cells[0], *cells[2:]))
    return table(("collection", "pairs", "certified", "broken", "recall / oracle", "labels: mean, p90", "ms"), rows)


def asked(pool, seed):
    found = fc.certify_threshold(pool.scores, pool.labeler, seed=seed)
    return found.threshold, found.labels_used


if __name__ == "__main__":
    publish("bench.certificates", __doc__, {"pooled": pooled, "per query": per_query, "costs": costs, "weights": weights, "real pools": real_pools})
