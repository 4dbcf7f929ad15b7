"""What thresholds are looked for in: pools of pairs, and single queries over a corpus; every label is known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial

import numpy as np

import fastcal as fc
from bench.real_pairs import collection, collections, lists
from fastcal.cli.demo.digits import load_digits
from tests.promises import pools
from tests.promises.pools import Pool

N_QUERIES = 40


KNOWN = 300


@dataclass(frozen=True)
class Task:
    """A pool, what is wanted of it, and what a calibrator of 300 pairs from elsewhere thinks of its rows."""

    name: str
    pool: Pool
    probabilities: np.ndarray
    target: float = 0.9


def task(name, elsewhere, pool, target=0.9):
    rows = np.random.default_rng(0).choice(elsewhere.scores.size, KNOWN, replace=False)
    calibrator = fc.PlattCalibrator().fit(elsewhere.scores.ravel()[rows], elsewhere.labels.ravel()[rows])
    return Task(name, pool, calibrator.predict(pool.scores.astype(np.float64)), target)


def real(name, target=0.9):
    elsewhere, here = lists(name, "MiniLM").halves(0)
    return task(name, Pool(elsewhere.scores, elsewhere.labels), Pool(here.scores, here.labels), target)


def whole(name):
    """All lists of a real collection."""
    if name == "digits":
        return Pool(*digit_lists())
    found = lists(name, "MiniLM")
    return Pool(found.scores, found.labels)


def digit_lists():
    held = load_digits()
    found = fc.Index(held.corpus).search(held.queries, 100)
    return found.scores, held.labels(np.arange(len(held.queries)), found.ids).astype(np.uint8)


def digits():
    scores, labels = digit_lists()
    return task("digits", Pool(scores[:100], labels[:100]), Pool(scores[100:], labels[100:]))


def synthetic(name, draw, rows, target=0.9, **shape):
    return task(name, draw(rows, 2, **shape), draw(rows, 1, **shape), target)


def tasks():
    """Real pools: the best hundred of the queries of half of the topics, by MiniLM, of digits by pixels. Synthetic: tests/promises/pools.py."""
    yield from (real("cranfield"), real("cacm", 0.7), real("stackfaq"), real("banking77"), digits())
    yield synthetic("smooth", pools.logistic, 20_000)
    yield synthetic("80/20", pools.eighty_twenty, 20_000)
    yield synthetic("rare positives", pools.logistic, 100_000, slope=60.0, middle=0.97)
    yield synthetic("Beta(.01, 2)", pools.beta, 1_000_000)
    yield synthetic("no signal", lambda rows, seed: pools.shuffled(rows, pools.null_hits(rows, 0.99), seed), 20_000, 0.99)


@dataclass(frozen=True)
class Query:
    """One query over a corpus whose every row is judged; the pool has all of its rows."""

    index: fc.Index
    vector: np.ndarray
    pool: Pool
    calibrator: fc.PlattCalibrator


def over_corpus(queries, corpus, relevant):
    """The second half of the queries, at most 40; a calibrator of the first half is what may be known beforehand."""
    index, scores = fc.Index(corpus), fc.scores(queries, corpus, precision="exact")
    order = np.random.default_rng(0).permutation(len(queries))
    known, asked = order[: len(order) // 2], order[len(order) // 2 :][:N_QUERIES]
    calibrator = fc.PlattCalibrator().fit(scores[known], relevant[known])
    return [Query(index, queries[query], Pool(scores[query], relevant[query].astype(np.uint8)), calibrator) for query in asked]


def digit_queries():
    held = load_digits()
    every = held.labels(np.arange(len(held.queries)), np.arange(len(held.corpus)))
    return over_corpus(held.queries, held.corpus, every)


def text_queries(name):
    """Those with a judged document; float32 vectors."""
    folder, found = collections() / name, collection(name)
    documents = {identifier: row for row, identifier in enumerate(ids(folder / "corpus.jsonl"))}
    asked = [row for row, identifier in enumerate(ids(folder / "queries.jsonl")) if identifier in found.qrels]
    names = [identifier for identifier in ids(folder / "queries.jsonl") if identifier in found.qrels]
    relevant = np.zeros((len(asked), len(documents)), bool)
    for row, query in enumerate(names):
        relevant[row, [documents[document] for document, grade in found.qrels[query].items() if grade > 0]] = True
    queries, corpus = (np.load(folder / f"{side}_emb.npy").astype(np.float32) for side in ("queries", "corpus"))
    return over_corpus(queries[asked], corpus, relevant)


def ids(path):
    return [json.loads(line)["_id"] for line in path.read_text(encoding="utf-8").splitlines()]


def smooth_queries(rows=50_000, dim=64, n_queries=4):
    """Some 5 % of the rows are relevant, by a smooth curve of the cosine; each query has a corpus of its own. The calibrator is the curve's."""
    rng, found = np.random.default_rng(0), []
    for _ in range(n_queries):
        query, others = np.eye(1, dim)[0], rng.normal(size=(rows, dim))
        cosines = np.clip(rng.normal(0.3, 0.15, rows), -0.95, 0.95)
        others[:, 0] = 0
        others *= (np.sqrt(1 - cosines**2) / np.linalg.norm(others, axis=1))[:, None]
        corpus, vector = (others + cosines[:, None] * query).astype(np.float32), query.astype(np.float32)
        relevant = rng.random(rows) < 1 / (1 + np.exp(-30 * (cosines - 0.55)))
        scores = fc.scores(vector[np.newaxis], corpus, precision="exact")[0]
        known = rng.choice(rows, 2000, replace=False)
        calibrator = fc.PlattCalibrator().fit(scores[known], relevant[known])
        found.append(Query(fc.Index(corpus), vector, Pool(scores, relevant.astype(np.uint8)), calibrator))
    return found


# How they are loaded, labels per query, and how often each query is asked.
QUERIES = {
    "digits": (digit_queries, 100, 5),
    "banking77": (partial(text_queries, "banking77"), 100, 5),
    "stackfaq": (partial(text_queries, "stackfaq"), 100, 5),
    "smooth": (smooth_queries, 300, 25),
}
