"""haystack-rrf and haystack-dbsf beside haystack's DocumentJoiner."""

import pytest
from compat.lists import check, compare, lists, ours, weighted
from hypothesis import given

joiners = pytest.importorskip("haystack.components.joiners")
Document = pytest.importorskip("haystack").Document


def joined(drawn, mode, weights=None):
    documents = [[Document(id=str(document), content="", score=score) for document, score in entries] for entries in drawn]
    fused = joiners.DocumentJoiner(join_mode=mode, weights=weights).run(documents)["documents"]
    return [(int(document.id), document.score) for document in fused]


def rrf(drawn, weights=None):
    return joined(drawn, "reciprocal_rank_fusion", weights)


def dbsf(drawn):
    return joined(drawn, "distribution_based_rank_fusion")


@compare
@given(lists(min_lists=1, repeats=True))
def test_rrf(drawn):
    check(ours(drawn, "haystack-rrf"), rrf(drawn))


@compare
@given(weighted())
def test_rrf_with_weights(case):
    drawn, weights = case
    check(ours(drawn, "haystack-rrf", weights=weights), rrf(drawn, weights))


@compare
@given(lists(min_lists=1, repeats=True))
def test_dbsf(drawn):
    check(ours(drawn, "haystack-dbsf"), dbsf(drawn))
