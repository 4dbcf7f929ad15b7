"""The exact peers: each ``make(corpus)`` returns ``search(queries, k, threads) -> ids`` of the best inner products.

All rows are unit vectors, so the order by cosine or Euclidean distance is the same. A peer that is not installed raises
ImportError when it is made.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

BLOCK_SCORES = 1 << 22  # scores a thread holds at once


@cache
def workers():
    return ThreadPoolExecutor(os.cpu_count())


def best_of(scores, k):
    """Positions of the k highest of each row, in any order."""
    return (
        np.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:] if k < scores.shape[1] else np.tile(np.arange(scores.shape[1]), (len(scores), 1))
    )


def in_blocks(n_rows, n_queries, k, threads, score):
    """Best k of all rows; ``score(begin, end)`` gives (n_queries, end - begin) and runs in `threads` Python threads."""
    step = max(k, min(math.ceil(n_rows / threads), max(1, BLOCK_SCORES // n_queries)))
    spans = [(begin, min(begin + step, n_rows)) for begin in range(0, n_rows, step)]

    def block(span):
        scores = score(*span)
        best = best_of(scores, k)
        return np.take_along_axis(scores, best, 1), best + span[0]

    if len(spans) == 1:
        return _sorted(score(0, n_rows), k)
    parts = list(map(block, spans) if threads == 1 else workers().map(block, spans))
    scores, ids = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
    return np.take_along_axis(ids, _sorted(scores, k), 1)


def _sorted(scores, k):
    """Positions of the k highest of each row, best first."""
    best = best_of(scores, k)
    return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1), 1)


def faiss_flat(corpus):
    import faiss

    index = faiss.IndexFlatIP(corpus.shape[1])
    index.add(corpus)
    return lambda queries, k, threads: index.search(queries, k)[1]


def numpy_blocks(corpus):
    def search(queries, k, threads):
        return in_blocks(len(corpus), len(queries), k, threads, lambda begin, end: queries @ corpus[begin:end].T)

    return search


def numpy_matmul(corpus):
    out = np.empty(0, np.float32)

    def product(queries, k, threads):
        nonlocal out
        if out.size < len(queries) * len(corpus):
            out = np.empty(len(queries) * len(corpus), np.float32)
        np.matmul(queries, corpus.T, out=out[: len(queries) * len(corpus)].reshape(len(queries), len(corpus)))

    return product


def usearch_exact(corpus):
    from usearch.index import MetricKind, search

    return lambda queries, k, threads: search(corpus, queries, k, MetricKind.IP, exact=True, threads=threads).keys


def numkong(corpus):
    import numkong as nk

    def search(queries, k, threads):
        if len(queries) == 1:  # faster than packing for one query
            score = lambda begin, end: np.asarray(nk.dot(queries, corpus[begin:end])).reshape(1, -1)  # noqa: E731
        else:
            packed = nk.dots_pack(queries, dtype="f32")
            score = lambda begin, end: np.asarray(nk.dots_packed(corpus[begin:end], packed)).T  # noqa: E731
        return in_blocks(len(corpus), len(queries), k, threads, score)

    return search


def sklearn_brute(corpus):
    from sklearn.neighbors import NearestNeighbors

    neighbours = NearestNeighbors(algorithm="brute", metric="sqeuclidean").fit(corpus)

    def search(queries, k, threads):
        neighbours.n_jobs = threads
        return neighbours.kneighbors(queries, k, return_distance=False)

    return search


def scann_brute(corpus, quantize=False):
    from scann import scann_ops_pybind

    searcher = scann_ops_pybind.builder(corpus, 10, "dot_product").score_brute_force(quantize=quantize).build()

    def search(queries, k, threads):
        if threads == 1:
            return searcher.search_batched(queries, k)[0]
        searcher.set_num_threads(threads)
        return searcher.search_batched_parallel(queries, k, batch_size=math.ceil(len(queries) / threads))[0]

    return search


def scann_int8(corpus):
    return scann_brute(corpus, quantize=True)


@dataclass(frozen=True)
class Peer:
    """``copies``: bytes needed while it is built, per byte of the corpus. ``own_threads``: it is threaded by us, native pools stay at one."""

    name: str
    make: Callable
    kind: str = "peer"
    copies: float = 0.0
    own_threads: bool = False


PEERS = (
    Peer("FAISS IndexFlatIP", faiss_flat, copies=1.0),
    Peer("NumPy matmul + argpartition", numpy_blocks, own_threads=True),
    Peer("NumPy matmul alone", numpy_matmul, "part"),
    Peer("usearch exact", usearch_exact),
    Peer("NumKong + argpartition", numkong, own_threads=True),
    Peer("scikit-learn brute", sklearn_brute),
    Peer("ScaNN brute force float32", scann_brute, copies=1.0),
    Peer("ScaNN brute force int8 (not exact)", scann_int8, "inexact", copies=1.25),
)
FEW = ("FAISS", "NumPy", "ScaNN brute force float32")
