"""Fusion on every backend, bit for bit: every value with every combination and policy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import THREADS, blank, check
from reference_fusion import natural_log
from strategies import runs, seeds

BY_RANK = ("reciprocal", "square", "power", "points")
COMBINES = ("sum", "by_weights", "mean", "geometric", "harmonic", "logistic", "min", "max", "median", "copeland")
NORMS = ("minmax", "max", "sum", "l2", "zscore", "dbsf")
PARAMETERS = {"reciprocal": (60.0, 0.0, 0.5), "power": (0.8, 0.3), "logistic": (1e-6, 0.1)}


def outputs(ids, offsets, top_k=-1, components=True):
    most, n_queries = sum(map(len, ids)), len(offsets[0]) - 1
    room = most if top_k < 0 else min(most, top_k * n_queries)
    parts = [blank(room, len(ids), dtype=np.int64), blank(room, len(ids), dtype=np.float64)] if components else [None, None]
    return [blank(n_queries + 1, dtype=np.int64), blank(room, dtype=np.int64), blank(room), *parts]


@st.composite
def plans(draw):
    """(value, combine, parameter, base, stretch, missing, fill, duplicates, ties, top_k): whatever the engine can be asked for."""
    value = draw(st.sampled_from((*BY_RANK, "score", "score", "score")))
    combine = draw(st.sampled_from(COMBINES)) if value == "score" else draw(st.sampled_from(("sum", "mean", "copeland")))
    parameter = draw(st.sampled_from(PARAMETERS.get(value, PARAMETERS.get(combine, (0.0,)))))
    stretch = value in {"reciprocal", "square"} and draw(st.booleans())
    fill = draw(st.sampled_from((0.0, 0.25, 1.0)))
    policies = [draw(st.sampled_from(names)) for names in (("skip", "min", "fill"), ("first", "max", "sum", "error"), ("source", "id", "id_desc"))]
    missing, duplicates, ties = policies
    return value, combine, parameter, draw(st.sampled_from((0.0, -1.5))), stretch, missing, fill, duplicates, ties, draw(st.sampled_from((-1, 1, 7)))


def norms_of(rng, n_runs):
    """A rule for about half of the runs, every field of it drawn."""
    fills = (0.0, 1.0, 0.25, math.inf, *([math.nan] if rng.random() < 0.1 else []))
    rules = []
    for _ in range(n_runs):
        scale = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5)][rng.integers(3)]
        constants = float(rng.choice(fills)), float(rng.choice((-math.inf, *fills)))
        rules.append((str(rng.choice(NORMS)), bool(rng.random() < 0.5), int(rng.integers(3)), 3.0, *scale, *constants))
    return [rule if rng.random() < 0.5 else None for rule in rules]


@given(case=runs(), plan=plans(), per_query=st.booleans(), components=st.booleans(), seed=seeds)
def test_fuse(backend, case, plan, per_query, components, seed):
    rng, n_runs = np.random.default_rng(seed), len(case.ids)
    scores = case.scores if plan[0] == "score" else [None] * n_runs
    if plan[1] == "logistic" and rng.random() < 0.9:
        scores = [np.clip(np.abs(run), 0, 1) for run in scores]
    norms = norms_of(rng, n_runs) if plan[0] == "score" and rng.random() < 0.7 else None
    if plan[0] == "score" and rng.random() < 0.1 and scores[-1].size:
        scores[-1] = scores[-1].copy()
        scores[-1][rng.integers(scores[-1].size)] = np.inf
    weights = rng.choice([0.0, 0.5, 1.0, 3.0], (len(case.offsets[0]) - 1, n_runs)) if per_query else case.weights[np.newaxis]
    factors = rng.random(n_runs + 1)
    check(backend, "fuse", (case.ids, scores, case.offsets, norms, weights, factors, *plan), outputs(case.ids, case.offsets, plan[-1], components))


@pytest.mark.parametrize(
    "plan",
    [
        ("score", "mean", 0.0, 0.0, False, "skip", 0.0, "sum", "source", 50),
        ("reciprocal", "sum", 60.0, 0.0, False, "skip", 0.0, "first", "source", -1),
        ("score", "sum", 0.0, 0.0, False, "min", 0.0, "max", "source", 20),
        ("score", "logistic", 1e-6, -1.0, False, "skip", 0.0, "first", "id_desc", 200),
        ("points", "copeland", 0.0, 0.0, False, "skip", 0.0, "first", "id", 3),
    ],
)
def test_many_queries_on_every_thread_count(backend, plan):
    rng = np.random.default_rng(1)
    n_queries, most = (40, 60) if plan[1] == "copeland" else (400, 400)
    offsets = [np.concatenate([[0], np.cumsum(rng.integers(0, most, n_queries))]) for _ in range(3)]
    ids = [rng.integers(0, 2 * most, run[-1]) for run in offsets]
    norms = norms_of(rng, 3) if plan[1] == "mean" else None
    scores = [np.round(rng.random(run[-1]), 2).astype(np.float32) if plan[0] == "score" else None for run in offsets]
    inputs = (ids, scores, offsets, norms, np.array([[1.0, 0.3, 2.0]]), np.ones(4), *plan)
    check(backend, "fuse", inputs, outputs(ids, offsets, plan[-1]), THREADS)


@pytest.mark.parametrize(("duplicates", "answer"), [("first", 1), ("error", 1)])
def test_the_first_bad_run_is_named_on_every_thread_count(backend, duplicates, answer):
    ids, offsets = [np.arange(3000) % 500] * 3, [np.arange(0, 3001, 10)] * 3
    scores = [np.ones(3000, np.float32) for _ in range(3)]
    scores[2][5] = scores[1][2990] = np.nan
    plan = ("score", "sum", 0.0, 0.0, False, "skip", 0.0, duplicates, "source", -1)
    assert check(backend, "fuse", (ids, scores, offsets, None, np.ones((1, 3)), np.ones(4), *plan), outputs(ids, offsets), THREADS)[0] == answer


def test_a_run_that_lists_a_document_twice_is_named(backend):
    ids, offsets = [np.array([7, 3]), np.array([3, 3])], [np.array([0, 2])] * 2
    plan = ("reciprocal", "sum", 60.0, 0.0, False, "skip", 0.0, "error", "source", -1)
    assert check(backend, "fuse", (ids, [None, None], offsets, None, np.ones((1, 2)), np.ones(3), *plan), outputs(ids, offsets))[0] == 3


def test_no_entries_and_no_queries(backend):
    ids = [np.empty(0, dtype=np.int64)] * 2
    for offsets in (np.zeros(3, dtype=np.int64), np.zeros(1, dtype=np.int64)):
        for plan in (("reciprocal", "sum", 60.0), ("points", "sum", 0.0), ("points", "copeland", 0.0)):
            inputs = (ids, [None, None], [offsets] * 2, None, np.ones((1, 2)), np.ones(3), *plan, 0.0, False, "skip", 0.0, "first", "source", -1)
            check(backend, "fuse", inputs, outputs(ids, [offsets] * 2))


@given(st.floats(1e-300, 1e300))
def test_the_logarithm_is_good_to_two_ulp(x):
    assert abs(natural_log(x) - math.log(x)) <= 2 * math.ulp(math.log(x))


@given(st.floats(0.5, 2.0))
def test_the_logarithm_is_good_to_two_ulp_near_one(x):
    assert abs(natural_log(x) - math.log(x)) <= 2 * math.ulp(math.log(x))
