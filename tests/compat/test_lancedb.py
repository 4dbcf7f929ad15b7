"""lancedb-rrf beside RRFReranker, on two lists (hybrid) and on several."""

import pytest
from compat.lists import check, compare, lists, ours
from hypothesis import given
from hypothesis import strategies as st

pa = pytest.importorskip("pyarrow")
rerankers = pytest.importorskip("lancedb.rerankers")


def table(entries):
    documents, scores = [document for document, _ in entries], [score for _, score in entries]
    return pa.table({"_rowid": pa.array(documents, pa.uint64()), "_score": pa.array(scores, pa.float32())})


def pairs(fused):
    return list(zip(fused["_rowid"].to_pylist(), fused["_relevance_score"].to_pylist(), strict=True))


def hybrid(drawn, k=60):
    vector, text = map(table, drawn)
    return pairs(rerankers.RRFReranker(K=k).rerank_hybrid("query", vector.rename_columns(["_rowid", "_distance"]), text))


@compare
@given(lists(max_lists=2, repeats=True), st.integers(1, 100))
def test_hybrid(drawn, k):
    check(ours(drawn, "lancedb-rrf", k=k), hybrid(drawn, k))


@compare
@given(lists(repeats=True))
def test_several_lists(drawn):
    check(ours(drawn, "lancedb-rrf"), pairs(rerankers.RRFReranker().rerank_multivector([table(entries) for entries in drawn])))
