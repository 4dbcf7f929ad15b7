"""Fusion beside a Python dict and ranx, whose conversion of dicts is left out; Run objects are made before, too.

ranx is no dependency of anything here: without it its rows are skipped. Its first run compiles for minutes.
"""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc

WEIGHTS = [0.5, 0.3, 0.2]


def lists_of(n_queries, n_lists, length):
    """Ids and scores of ranked lists, (n_queries, length) each; a third of the documents of a query is in each list."""
    rng = np.random.default_rng(0)
    ids = [np.stack([rng.permutation(3 * length)[:length] for _ in range(n_queries)]) for _ in range(n_lists)]
    return ids, [-np.sort(-rng.random((n_queries, length), dtype=np.float32)) for _ in ids]


def dict_rrf(lists, k=60.0):
    fused = {}
    for ids in lists:
        for rank, doc in enumerate(ids, start=1):
            fused[doc] = fused.get(doc, 0.0) + 1.0 / (k + rank)
    return sorted(fused.items(), key=lambda entry: -entry[1])


def dict_wsum(lists):
    fused = {}
    for (ids, scores), weight in zip(lists, WEIGHTS, strict=False):
        low, span = min(scores), (max(scores) - min(scores)) or 1.0
        for doc, score in zip(ids, scores, strict=True):
            fused[doc] = fused.get(doc, 0.0) + weight * (score - low) / span
    return sorted(fused.items(), key=lambda entry: -entry[1])


@pytest.fixture(scope="module")
def batch():
    return lists_of(1000, 3, 1000)


@pytest.fixture(scope="module")
def ranx_runs(batch):
    ranx = pytest.importorskip("ranx")
    return ranx, [
        ranx.Run({str(q): {str(d): s for d, s in zip(i, v, strict=True)} for q, (i, v) in enumerate(zip(ids.tolist(), scores.tolist(), strict=True))})
        for ids, scores in zip(*batch, strict=True)
    ]


@pytest.mark.parametrize("norm", [None, "minmax"])
@pytest.mark.parametrize("name", ["fastcal", "python-dict"])
def bench_one_query(measure, name, norm):
    ids, scores = lists_of(1, 2, 100)
    runs = [fc.Run(i, s) for i, s in zip(ids, scores, strict=True)]
    plain = [(i[0].tolist(), s[0].tolist()) for i, s in zip(ids, scores, strict=True)]

    def ours():
        return fc.rrf(runs) if norm is None else fc.fuse(runs, "wsum", norm, weights=WEIGHTS[:2])

    def theirs():
        return dict_rrf([i for i, _ in plain]) if norm is None else dict_wsum(plain)

    one = ours if name == "fastcal" else theirs
    work = "rrf" if norm is None else "minmax + wsum"
    measure(f"{work}, 100 calls of 1 query x 2 lists x 100", lambda: [one() for _ in range(100)])


@pytest.mark.parametrize("preset", ["weaviate-relative", "qdrant-dbsf", "opensearch-zscore"])
def bench_one_query_preset(measure, preset):
    runs = [fc.Run(i, s) for i, s in zip(*lists_of(1, 2, 100), strict=True)]
    measure(f"{preset}, 100 calls of 1 query x 2 lists x 100", lambda: [fc.fuse(runs, preset=preset) for _ in range(100)])


@pytest.mark.parametrize("form", ["ids", "ids and scores", "dict"])
def bench_one_run(measure, form):
    """What a service pays to make a run of one list of 100."""
    (ids,), (scores,) = lists_of(1, 1, 100)
    names = {"q": {f"d{i}": s for i, s in zip(ids[0].tolist(), scores[0].tolist(), strict=True)}}
    make = {"ids": lambda: fc.Run(ids), "ids and scores": lambda: fc.Run(ids, scores), "dict": lambda: fc.Run.from_dict(names)}[form]
    measure(f"Run of 1 x 100 from {form}, 100 times", lambda: [make() for _ in range(100)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["fastcal", "python-dict", "ranx"])
def bench_rrf_batch(measure, request, batch, name):
    runs, plain = [fc.Run(*pair) for pair in zip(*batch, strict=True)], [ids.tolist() for ids in batch[0]]
    work = {"fastcal": lambda: fc.rrf(runs), "python-dict": lambda: [dict_rrf(query) for query in zip(*plain, strict=True)]}
    if name == "ranx":
        ranx, theirs = request.getfixturevalue("ranx_runs")
        work[name] = lambda: ranx.fuse(theirs, norm=None, method="rrf")
    measure("rrf, 1,000 queries x 3 lists x 1,000", work[name], rounds=7 if name == "fastcal" else 3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["fastcal", "ranx"])
def bench_minmax_wsum_batch(measure, request, batch, name):
    runs = [fc.Run(*pair) for pair in zip(*batch, strict=True)]
    work = {"fastcal": lambda: fc.fuse(runs, "wsum", "minmax", weights=WEIGHTS)}
    if name == "ranx":
        ranx, theirs = request.getfixturevalue("ranx_runs")
        work[name] = lambda: ranx.fuse(theirs, norm="min-max", method="wsum", params={"weights": WEIGHTS})
    measure("minmax + wsum, 1,000 queries x 3 lists x 1,000", work[name], rounds=7 if name == "fastcal" else 3)


@pytest.mark.parametrize("method", ["rrf", "mnz", "med", "gmean", "logodds", "borda", "condorcet"])
def bench_methods(measure, batch, method):
    queries = 50 if method == "condorcet" else 1000
    runs = [fc.Run(ids[:queries], scores[:queries]) for ids, scores in zip(*batch, strict=True)]
    measure(f"fuse, {queries} queries x 3 lists x 1,000: {method}", lambda: fc.fuse(runs, method))
