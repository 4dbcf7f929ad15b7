"""llamaindex-rrf, -relative and -dist beside QueryFusionRetriever."""

import pytest
from compat.lists import check, compare, lists, ours, weighted
from hypothesis import given

retrievers = pytest.importorskip("llama_index.core.retrievers")
schema = pytest.importorskip("llama_index.core.schema")
MockLLM = pytest.importorskip("llama_index.core.llms").MockLLM


class Fixed(retrievers.BaseRetriever):
    def __init__(self, entries):
        self.entries = entries
        super().__init__()

    def _retrieve(self, query_bundle):
        return nodes(self.entries)


def nodes(entries):
    return [schema.NodeWithScore(node=schema.TextNode(text=f"text {document}", id_=str(document)), score=score) for document, score in entries]


def retriever(drawn, mode, weights=None, num_queries=1):
    return retrievers.QueryFusionRetriever(
        [Fixed(entries) for entries in drawn],
        llm=MockLLM(),
        mode=mode,
        similarity_top_k=10**6,
        num_queries=num_queries,
        use_async=False,
        retriever_weights=weights,
    )


def pairs(fused):
    return [(int(found.node.node_id), found.score) for found in fused]


def fused(drawn, mode, weights=None):
    return pairs(retriever(drawn, mode, weights).retrieve("query"))


@compare
@given(lists(min_lists=1))
def test_rrf(drawn):
    check(ours(drawn, "llamaindex-rrf"), fused(drawn, "reciprocal_rerank"))


@compare
@given(weighted(min_lists=1))
def test_relative(case):
    drawn, weights = case
    check(ours(drawn, "llamaindex-relative"), fused(drawn, "relative_score"))
    check(ours(drawn, "llamaindex-relative", weights=weights), fused(drawn, "relative_score", weights))


@compare
@given(weighted(min_lists=1))
def test_dist(case):
    drawn, weights = case
    check(ours(drawn, "llamaindex-dist"), fused(drawn, "dist_based_score"))
    check(ours(drawn, "llamaindex-dist", weights=weights), fused(drawn, "dist_based_score", weights))


@compare
@given(lists(min_lists=4, max_lists=4))
def test_several_queries_are_several_runs_with_the_weights_repeated(drawn):
    answers = {(f"query {at // 2}", at % 2): nodes(entries) for at, entries in enumerate(drawn)}
    theirs = retriever(drawn[:2], "relative_score", [0.75, 0.25], num_queries=2)._relative_score_fusion(answers)
    check(ours(drawn, "llamaindex-relative", weights=[0.75, 0.25, 0.75, 0.25]), pairs(theirs))
