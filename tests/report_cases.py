"""Runs, judgements and profiles that reports are made of: one ordinary collection, and what is as small or as odd as it can be."""

from __future__ import annotations

import numpy as np

import fastcal as fc

HOSTILE = '</script><img src=x onerror="alert(1)"> |_*[a](b)'


def collection(seed=0, n_queries=60, depth=12):
    """Labelled lists: a run, its judgements (some pairs are not judged) and the labels with the unjudged ones as irrelevant."""
    rng = np.random.default_rng(seed)
    hard = rng.normal(0.0, 0.12, (n_queries, 1))
    scores = np.sort(np.clip(rng.random((n_queries, depth)) + hard, 0, 1).astype(np.float32).round(2), axis=1)[:, ::-1]
    relevant = rng.random((n_queries, depth)) < scores**2
    judged = relevant | (rng.random((n_queries, depth)) < 0.7)
    names = [f"q{i}" for i in range(n_queries)]
    run = fc.Run(np.tile(np.arange(depth), (n_queries, 1)), scores, query_ids=names, doc_ids=[f"d{i}" for i in range(depth)])
    grades = {name: {f"d{j}": int(relevant[i, j]) for j in range(depth) if judged[i, j]} for i, name in enumerate(names) if judged[i].any()}
    return run, fc.Qrels.from_dict(grades), relevant.astype(np.uint8)


def fitted(run, labels, **options):
    """A profile of other queries than those of the run: they have other names."""
    queries = np.repeat([f"train{i}" for i in range(run.n_queries)], run.counts())
    return fc.Profile.fit(run.scores, labels.reshape(-1), queries, metric="cosine", top_k=12, **{"model": "toy", **options})


def ordinary():
    """Everything there is: two thresholds, classes, another collection, an edge to escalate from."""
    run, qrels, _ = collection()
    train, _, labels = collection(1)
    profile = fitted(train, labels, calibrator=fc.PlattCalibrator(), target_precision=0.7, target_recall=0.8)
    other, judged, _ = collection(2, n_queries=30)
    options = {"target_precision": 0.7, "escalate_from": 0.25, "by": {f"q{i}": ("en", "de")[i % 2] for i in range(60)}, "name": "news"}
    return run, qrels, profile, options | {"others": {"shop": (other, judged, profile)}}


def odd():
    """Name, run, judgements, profile and options of what has little to show."""
    run, qrels, labels = collection(3, n_queries=3, depth=4)
    platt = fc.PlattCalibrator().fit(run.scores, labels.reshape(-1))
    constant = fc.Run([[0, 1]], [[0.5, 0.5]])
    yield "three queries", run, qrels, fc.Profile("m", "cosine", platt, []), {}
    judged = fc.Qrels.from_dict({"q0": {"d0": 0, "d1": 0}})
    yield "one class, few judged", run, judged, fc.Profile("m", "cosine", platt, fc.Threshold(0.99, inclusive=False)), {}
    yield "one pair", fc.Run([[0]], [[0.5]]), fc.Qrels.from_dict({0: {0: 1}}), fc.Profile("m", "cosine", platt, []), {}
    yield "constant scores and a norm", constant, fc.Qrels.from_dict({0: {0: 1, 1: 0}}), fc.Profile("m", "cosine", platt, [], norm="minmax"), {}
    far = fc.Run(run.ids, 1 - run.scores, run.offsets, higher_is_better=False, query_ids=run.query_ids, doc_ids=run.doc_ids)
    falling = fc.PlattCalibrator().fit(1 - run.scores, labels.reshape(-1))
    cut = fc.Threshold(0.4, space="score", higher_is_better=False, target_recall=0.9)
    yield "distances", far, qrels, fc.Profile("m", "euclidean", falling, cut), {"escalate_from": 0.6}
    groups = fc.GroupCalibrator().fit(run.scores, labels.reshape(-1), np.repeat(["a", "b", "b"], 4))
    yield "groups", run, qrels, fc.Profile(HOSTILE, "cosine", groups, fc.Threshold(0.5)), {"by": ["a", "b", HOSTILE], "name": HOSTILE}


ODD = {name: rest for name, *rest in odd()}
