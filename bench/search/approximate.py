"""For orientation only: approximate indexes, their recall, speed (one thread, one query a call) and build time."""

from __future__ import annotations

import time

import numpy as np

import fastcal as fc
from bench.search import ours

LEAVES = (1.0, 0.5, 0.1, 0.03, 0.01)  # shares of all leaves
EF = (16, 32, 64, 128, 256)


def scann_tree(corpus):
    from scann import scann_ops_pybind

    n_leaves = max(10, round(len(corpus) ** 0.5))
    builder = scann_ops_pybind.builder(corpus, 10, "dot_product")
    builder = builder.tree(num_leaves=n_leaves, num_leaves_to_search=n_leaves, training_sample_size=min(len(corpus), 250_000))
    searcher = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(100).build()
    for share in LEAVES:
        leaves = max(1, round(share * n_leaves))
        yield f"{leaves} of {n_leaves} leaves", lambda query, k, leaves=leaves: searcher.search(query, k, leaves_to_search=leaves)[0]


def hnsw(corpus):
    import hnswlib

    index = hnswlib.Index(space="ip", dim=corpus.shape[1])
    index.init_index(max_elements=len(corpus), M=16, ef_construction=100, random_seed=0)
    index.add_items(corpus, num_threads=ours.thread_settings()[-1])
    index.set_num_threads(1)

    def at(ef):
        def search(query, k):
            index.set_ef(ef)
            return index.knn_query(query, k)[0][0]

        return search

    for ef in EF:
        yield f"ef={ef}", at(ef)


def curves(corpus, queries, rounds, skipped, k=10):
    """One table: fastcal on one thread at recall 1, then each approximate setting."""
    begin = time.perf_counter()
    index = fc.Index(corpus, "dot")
    build = time.perf_counter() - begin
    truth = index.search(queries, k).ids
    families = {"fastcal Index (exact)": ([("", lambda query, k: index.search(query, k, num_threads=1).ids[0])], build)}
    for name, make in (("ScaNN tree + AH (approximate)", scann_tree), ("hnswlib (approximate)", hnsw)):
        begin = time.perf_counter()
        try:
            settings = [next(made := make(corpus))]
        except ImportError as missing:
            skipped[name] = f"not installed ({missing})"
            continue
        build = time.perf_counter() - begin
        families[name] = [*settings, *made], build
    points = [(name, label, search, build) for name, (settings, build) in families.items() for label, search in settings]
    samples = [[] for _ in points]
    for _ in range(rounds):
        for taken, (_name, _label, search, _build) in zip(samples, points, strict=True):
            begin = time.perf_counter()
            found = [search(query, k) for query in queries]
            taken.append(((time.perf_counter() - begin) / len(queries), found))
    results = [_point(name, label, build, taken, truth) for (name, label, _, build), taken in zip(points, samples, strict=True)]
    title = f"for orientation: approximate indexes, 1 query, k={k}, one thread, {len(corpus):,} x {corpus.shape[1]}"
    return {"key": "approximate", "title": title, "results": results, "checks": [], "note": "built with all threads, once"}


def _point(name, label, build, taken, truth):
    low, median, high = np.percentile([seconds for seconds, _ in taken], [25, 50, 75]).tolist()
    hits = [len(np.intersect1d(np.asarray(ids, np.int64), right)) for ids, right in zip(taken[-1][1], truth, strict=True)]
    return {
        "name": f"{name}, {label}".removesuffix(", "),
        "family": name,
        "kind": "approximate",
        "median": median,
        "iqr": high - low,
        "recall": sum(hits) / truth.size,
        "build": build,
    }
