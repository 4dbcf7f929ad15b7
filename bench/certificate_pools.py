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


@dataclass(frozen=True)
class Task:
    """A pool and what is wanted of it."""

    name: str
    pool: Pool
    target: float = 0.9


def real(name, target=0.9):
    found = lists(name, "MiniLM")
    return Task(name, Pool(found.scores, found.labels), target)


def digits():
    held = load_digits()
    found = fc.Index(held.corpus).search(held.queries, 100)
    return Task("digits", Pool(found.scores, held.labels(np.arange(len(held.queries)), found.ids).astype(np.uint8)))


def indifferent(rows, hits, target, seed=0):
    """Scores that say nothing: positives wherever, just below the target in all."""
    return Task(f"no signal, {target}", pools.ranked(np.random.default_rng(seed).permutation(np.arange(rows) < hits)), target)


def tasks():
    """Real pools: the best hundred of every query by MiniLM, digits by pixels. Synthetic ones: tests/promises/pools.py."""
    yield from (real("cranfield"), real("cacm", 0.7), real("stackfaq"), real("banking77"), digits())
    yield Task("smooth", pools.logistic(20_000, 1))
    yield Task("80/20", pools.eighty_twenty(20_000, 1))
    yield Task("rare positives", pools.logistic(100_000, 1, slope=60.0, middle=0.97))
    yield Task("Beta(.01, 2)", pools.beta(1_000_000, 1))
    yield indifferent(20_000, pools.null_hits(20_000, 0.99), 0.99)


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
