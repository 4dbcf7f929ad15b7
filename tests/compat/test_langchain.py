"""langchain-ensemble beside EnsembleRetriever, which returns an order and no scores."""

import numpy as np
import pytest
from compat.lists import compare, lists, ours, weighted
from hypothesis import given
from hypothesis import strategies as st

ensemble = pytest.importorskip("langchain_classic.retrievers.ensemble")
Document = pytest.importorskip("langchain_core.documents").Document
BaseRetriever = pytest.importorskip("langchain_core.retrievers").BaseRetriever


class Fixed(BaseRetriever):
    entries: list

    def _get_relevant_documents(self, query, *, run_manager):
        return [Document(page_content=str(document)) for document, _ in self.entries]


def order(drawn, weights=None, c=60):
    retriever = ensemble.EnsembleRetriever(retrievers=[Fixed(entries=entries) for entries in drawn], weights=weights or [], c=c)
    return [int(document.page_content) for document in retriever.invoke("query")]


def check_order(mine, theirs):
    """Their order may differ from ours among equal float32 scores only."""
    scores = dict(mine)
    assert sorted(scores) == sorted(theirs)
    assert np.all(np.diff([scores[document] for document in theirs]) <= 0)


@compare
@given(lists(min_lists=1, repeats=True), st.integers(0, 100))
def test_ensemble(drawn, c):
    check_order(ours(drawn, "langchain-ensemble", k=c), order(drawn, c=c))


@compare
@given(weighted())
def test_ensemble_with_weights(case):
    drawn, weights = case
    check_order(ours(drawn, "langchain-ensemble", weights=weights), order(drawn, weights))


def test_a_document_repeated_in_one_list_adds_up_again():
    drawn = [[(1, 4.0), (2, 3.0), (2, 2.0), (2, 1.0)], [(1, 2.0), (3, 1.0)]]
    check_order(ours(drawn, "langchain-ensemble"), order(drawn))
    assert order(drawn)[0] == 2
    assert ours(drawn, "paper")[0][0] == 1
