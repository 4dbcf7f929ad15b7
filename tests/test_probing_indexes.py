"""annular_threshold on indexes of others, and what probing finds on real collections."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fastcal as fc

RNG = np.random.default_rng(11)
CORPUS = RNG.normal(size=(1200, 16)).astype(np.float32)
CORPUS /= np.linalg.norm(CORPUS, axis=1, keepdims=True)
QUERY = 3 * RNG.normal(size=16).astype(np.float32)
COSINES = fc.scores(QUERY, CORPUS, precision="exact")[0].astype(np.float64)
OPTIONS = {"rings": [0.3, 0.45, 0.6], "neighbours_per_probe": 30, "seed": 2}


def relevant(ids):
    return COSINES[ids] >= 0.5


class Tuples:
    """Answers (scores, ids), as FAISS does, and says nothing of a metric."""

    def __init__(self, corpus):
        self.corpus = corpus

    def search(self, queries, k):
        return tuple(fc.topk(queries, self.corpus, k))


class Results(Tuples):
    def search(self, queries, k):
        return fc.topk(queries, self.corpus, k)


def faiss(corpus, kind="IndexFlatIP"):
    index = getattr(pytest.importorskip("faiss"), kind)(corpus.shape[1])
    index.add(corpus)
    return index


def hnswlib(corpus, space="cosine"):
    index = pytest.importorskip("hnswlib").Index(space, corpus.shape[1])
    index.init_index(len(corpus), ef_construction=400, M=32, random_seed=1)
    index.add_items(corpus, num_threads=1)
    index.set_ef(len(corpus))  # as good as exact
    return index


def usearch(corpus, metric="cos", dtype="f32"):
    index = pytest.importorskip("usearch.index").Index(
        ndim=corpus.shape[1], metric=metric, dtype=dtype, connectivity=32, expansion_search=len(corpus)
    )
    index.add(np.arange(len(corpus)), corpus, threads=1)
    return index


@pytest.mark.parametrize("build", [faiss, hnswlib, usearch, Tuples, Results], ids=lambda build: build.__name__)
def test_every_index_gives_what_ours_gives(build):
    ours = fc.annular_threshold(fc.Index(CORPUS), QUERY, relevant, **OPTIONS)
    found = fc.annular_threshold(build(CORPUS), QUERY, relevant, corpus=CORPUS, **OPTIONS)
    assert (found.threshold, found.reason, found.n_selected) == (ours.threshold, ours.reason, ours.n_selected)
    for ring, twin in zip(found.rings, ours.rings, strict=True):
        assert 0 < ring.score_error_mean <= ring.score_error_max < 1e-5 or isinstance(build(CORPUS), Tuples)
        skip = {"score_error_max", "score_error_mean"}
        assert {key: value for key, value in ring.to_dict().items() if key not in skip} == {k: v for k, v in twin.to_dict().items() if k not in skip}


def test_distances_of_another_metric_are_refused():
    for index in (faiss(CORPUS, "IndexFlat"), hnswlib(CORPUS), usearch(CORPUS)):
        assert fc.annular_threshold(index, QUERY, relevant, corpus=CORPUS, **OPTIONS).labels_used
    import faiss as library

    index = library.IndexFlat(16, library.METRIC_L1)
    index.add(CORPUS)
    for other in (index, usearch(CORPUS, "pearson")):
        with pytest.raises(fc.FastcalError, match="rings are cosine distances"):
            fc.annular_threshold(other, QUERY, relevant, corpus=CORPUS)


UNIT_ROWS = {
    "faiss": faiss,
    "hnswlib": lambda c: hnswlib(c, "ip"),
    "usearch": lambda c: usearch(c, "ip"),
    "faiss l2": lambda c: faiss(c, "IndexFlatL2"),
    "hnswlib l2": lambda c: hnswlib(c, "l2"),
    "usearch l2": lambda c: usearch(c, "l2sq"),
}


@pytest.mark.parametrize("build", UNIT_ROWS.values(), ids=UNIT_ROWS)
def test_inner_products_and_squared_distances_need_unit_rows(build):
    ours = fc.annular_threshold(fc.Index(CORPUS), QUERY, relevant, **OPTIONS)
    same = fc.annular_threshold(build(CORPUS), QUERY, relevant, corpus=CORPUS, **OPTIONS)
    assert (same.threshold, [ring.distinct for ring in same.rings]) == (ours.threshold, [ring.distinct for ring in ours.rings])
    assert 0 < max(ring.score_error_max for ring in same.rings) < 1e-5
    with pytest.raises(fc.FastcalError, match=r"row \d+ of corpus has norm 2"):
        fc.annular_threshold(build(2 * CORPUS), QUERY, relevant, corpus=2 * CORPUS, **OPTIONS)


def test_short_answers_are_padding():
    index = pytest.importorskip("faiss").index_factory(16, "IVF30,Flat", 0)
    index.train(CORPUS)
    index.add(CORPUS)
    assert (index.search(CORPUS[:1], 200)[1] == -1).any()
    found = fc.annular_threshold(index, QUERY, relevant, corpus=CORPUS, **(OPTIONS | {"neighbours_per_probe": 200}))
    assert all(ring.distinct <= ring.hits < 8 * 200 for ring in found.rings)


def test_an_index_of_few_bits_is_found_out():
    found = fc.annular_threshold(usearch(CORPUS, dtype="i8"), QUERY, relevant, corpus=CORPUS, **OPTIONS)
    assert all(1e-4 < ring.score_error_mean < ring.score_error_max < 0.1 for ring in found.rings)


class Odd(Tuples):
    def search(self, queries, k):
        return np.linspace(1, 0, k), np.arange(k)  # of one query, whatever is asked


class Faulty(Tuples):
    """Fails at the fourth search, after a ring was paid for."""

    calls = 0

    def search(self, queries, k):
        self.calls += 1
        if self.calls == 4:
            raise OSError("gone")
        return super().search(queries, k)


class Nothing(Tuples):
    def search(self, queries, k):
        return np.full((len(queries), k), np.nan), np.full((len(queries), k), -1)


def test_what_cannot_be_used_says_so():
    def call(index, **options):
        return fc.annular_threshold(index, QUERY, relevant, **(OPTIONS | options))

    for index, options, says in (
        (Tuples(CORPUS), {}, r"corpus must be given with .*Tuples"),
        (faiss(CORPUS), {"corpus": CORPUS[:-1]}, "corpus has 1199 rows and the index 1200"),
        (Tuples(CORPUS), {"corpus": CORPUS[0]}, r"corpus must have shape \(n_rows, dim\)"),
        (Tuples(CORPUS), {"corpus": CORPUS, "source": "band"}, r"expected a fastcal Index, got \S+\.Tuples"),
        (Tuples(CORPUS), {"corpus": CORPUS[:100]}, r"returned id \d+; its ids must be row numbers of corpus, which has 100"),
        (faiss(CORPUS), {"corpus": CORPUS[:, :8]}, "corpus has 8 dimensions and the index 16"),
        (hnswlib(CORPUS), {}, "corpus must be given with hnswlib.Index"),
        (Odd(CORPUS), {"corpus": CORPUS}, r"ids \(1, 30\) for 8 queries"),
        (Nothing(CORPUS), {"corpus": CORPUS}, "returned no row for the query"),
        (Tuples(CORPUS), {"corpus": CORPUS, "neighbours_per_probe": 1201}, "at most 1200"),
    ):
        with pytest.raises(fc.FastcalError, match=says):
            call(index, **options)
    with pytest.raises(OSError, match="gone") as caught:
        call(Faulty(CORPUS), corpus=CORPUS)
    assert caught.value.state["labels"]


# -- real collections: the numbers of docs/decisions/0012-probing.md ---------------------------------------
def test_probing_finds_what_the_plain_search_finds(data_dir):
    folder = data_dir / "cranfield"
    corpus, queries = (np.load(folder / name).astype(np.float32) for name in ("corpus_emb.npy", "queries_emb.npy"))
    index = fc.Index(corpus)
    rings = []
    for query in range(0, len(queries), 15):
        found = fc.annular_threshold(index, queries[query], lambda ids: np.zeros(ids.size), seed=query)
        rings.append(
            [
                (ring.hits, ring.hits_in_crust, ring.distinct_in_crust, ring.crust_in_plain, exact(index, queries[query], ring.distance))
                for ring in found.rings
            ]
        )
        assert json.dumps(found.to_dict(), allow_nan=False)
    hits, inside, crust, plain, true = np.moveaxis(np.array(rings, np.float64), 2, 0)
    assert crust.sum() <= inside.sum() < 0.1 * hits.sum()  # of what comes back, on the ring
    assert np.nanmin(plain[:, :5]) == 1  # all that is new within the list: nothing
    assert np.nanmax(plain[:, 6:]) == 0
    assert crust[:, 8].sum() / true[:, 8].sum() < 0.5  # of the ring, beyond the list


def exact(index, query, distance):
    """Rows within the crust of a ring."""
    return int(index.histogram(query, [0.99 - distance, 1.01 - distance])[0, 0])
