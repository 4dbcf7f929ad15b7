"""qdrant-rrf and qdrant-dbsf beside the fusion of qdrant-client's local mode."""

import pytest
from compat.lists import check, compare, lists, ours, weighted
from hypothesis import given
from hypothesis import strategies as st

fusion = pytest.importorskip("qdrant_client.hybrid.fusion")
models = pytest.importorskip("qdrant_client.http.models")


def points(drawn):
    return [[models.ScoredPoint(id=document, version=0, score=score) for document, score in entries] for entries in drawn]


def pairs(fused):
    return [(point.id, point.score) for point in fused]


def rrf(drawn, k=None, weights=None):
    return pairs(fusion.reciprocal_rank_fusion(points(drawn), limit=10**6, ranking_constant_k=k, weights=weights))


def dbsf(drawn):
    return pairs(fusion.distribution_based_score_fusion(points(drawn), limit=10**6))


@compare
@given(lists(repeats=True), st.none() | st.integers(1, 100))
def test_rrf(drawn, k):
    check(ours(drawn, "qdrant-rrf", **({} if k is None else {"k": k})), rrf(drawn, k))


@compare
@given(weighted())
def test_weights_stretch_the_ranks(case):
    drawn, weights = case
    check(ours(drawn, "qdrant-rrf", weights=weights), rrf(drawn, weights=weights))


@compare
@given(lists(repeats=True))
def test_dbsf(drawn):
    check(ours(drawn, "qdrant-dbsf"), dbsf(drawn))
