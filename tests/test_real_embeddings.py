"""Search over real text embeddings: the ids of float64 NumPy, and the same bytes on every backend."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from strategies import METRICS

import fastcal as fc
from fastcal import _backend

COLLECTIONS = ("cranfield", "stackfaq", "banking77")  # the last is large enough for an Index to make sketches of
EMBEDDINGS = ("emb", "lsa")
N_QUERIES, K = 200, 20

# One process runs every backend: what the first of them found, the others have to repeat to the bit.
_found: dict[tuple[str, str, str], dict[str, tuple[bytes, ...]]] = {}


@cache
def vectors(folder, collection, model):
    """(queries, corpus), as they were saved: float16."""
    queries, corpus = (np.load(folder / collection / f"{part}_{model}.npy") for part in ("queries", "corpus"))
    return queries[:N_QUERIES], corpus


@cache
def in_float64(folder, collection, model, metric):
    """Scores in float64 and the ids they give: rounded to float32, best first, ties by lower row."""
    queries, corpus = (rows.astype(np.float64) for rows in vectors(folder, collection, model))
    values = queries @ corpus.T
    if metric == "euclidean":
        values = np.stack([np.sqrt(((query - corpus) ** 2).sum(axis=1)) for query in queries])
    if metric == "cosine":
        scale = np.linalg.norm(queries, axis=1)[:, np.newaxis] * np.linalg.norm(corpus, axis=1)
        values = np.divide(values, scale, out=np.zeros_like(values), where=scale > 0)
    rounded = values.astype(np.float32)
    return values, np.argsort(rounded if metric == "euclidean" else -rounded, axis=1, kind="stable")[:, :K]


def same_ids(got, expected, values):
    """Ids may differ only where float64 itself cannot tell: another order of summation, another side of a rounding."""
    differ = got != expected
    assert differ.mean() < 1e-3
    one, other = np.take_along_axis(values, got, axis=1)[differ], np.take_along_axis(values, expected, axis=1)[differ]
    np.testing.assert_allclose(one, other, rtol=2.0**-23)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("model", EMBEDDINGS)
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_ids_are_those_of_float64(backend, data_dir, collection, model, metric):
    queries, corpus = vectors(data_dir, collection, model)
    values, expected = in_float64(data_dir, collection, model, metric)
    for rows in (corpus, corpus.astype(np.float32)):
        index = fc.Index(rows, metric)
        for num_threads in (1, 2, 5):
            for found in (index.search(queries, K, num_threads=num_threads), fc.topk(queries, rows, K, metric, num_threads=num_threads)):
                same_ids(found.ids, expected, values)
                np.testing.assert_allclose(found.scores, np.take_along_axis(values, found.ids, axis=1), rtol=2.0**-23, atol=1e-12)
                same_as_before((collection, model, metric), "search", (found.scores, found.ids))
    candidates = np.argsort(values[:, ::7], axis=1)[:, :30] * 7
    same_as_before((collection, model, metric), "rescore", (fc.rescore(queries, corpus, candidates, metric),))
    same_as_before((collection, model, metric), "scores", (fc.scores(queries, corpus, metric, precision="exact"),))


def same_as_before(problem, call, arrays):
    made = tuple(array.tobytes() for array in arrays)
    assert _found.setdefault(problem, {}).setdefault(call, made) == made, f"{call} on {_backend.active().isa} gives other bytes"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_document_finds_itself(backend, data_dir, collection):
    _, corpus = vectors(data_dir, collection, "emb")
    found = fc.topk(corpus[:100], corpus, 1, "euclidean")
    assert (found.scores == 0.0).all()
    assert (corpus[found.ids[:, 0]] == corpus[:100]).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("model", EMBEDDINGS)
def test_dims_of_real_vectors_are_slices(backend, data_dir, model, metric):
    queries, corpus = vectors(data_dir, "cranfield", model)
    found = fc.Index(corpus, metric, dims=64).search(queries, K)
    cut = fc.topk(queries[:, :64].astype(np.float64), corpus[:, :64].astype(np.float64), K, metric)
    assert found.scores.tobytes() == cut.scores.tobytes()
    assert found.ids.tobytes() == cut.ids.tobytes()


def test_zero_rows_of_the_lsa_model_score_zero(backend, data_dir):
    seen = 0
    for collection in COLLECTIONS:
        queries, corpus = vectors(data_dir, collection, "lsa")
        empty = np.flatnonzero(~corpus.any(axis=1))
        seen += len(empty)
        ids = np.broadcast_to(empty, (len(queries), len(empty)))
        for metric in ("cosine", "dot"):
            assert (fc.rescore(queries, corpus, ids, metric) == 0.0).all()
    assert seen > 0
