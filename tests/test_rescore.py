"""``rescore``: exact scores of chosen rows, and of those alone."""

from __future__ import annotations

import numpy as np
import pytest
from strategies import METRICS, problem
from vectors import BFLOAT16, PADDING_BITS, integers, same_bytes

import fastcal as fc


@pytest.mark.parametrize("metric", METRICS)
def test_rescore_picks_from_the_exact_scores(backend, metric):
    queries, corpus = problem(17, 4, 300, 33)
    ids = np.random.default_rng(0).integers(-1, 300, (4, 500))
    got = fc.rescore(queries, corpus, ids, metric)
    exact = fc.scores(queries, corpus, metric, precision="exact")
    for i in range(4):
        same_bytes(got[i][ids[i] >= 0], exact[i][ids[i][ids[i] >= 0]])
        assert (got[i][ids[i] < 0].view(np.uint32) == PADDING_BITS).all()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_rescore_judges_only_the_rows_it_reads(backend, dtype):
    queries, corpus = integers()
    corpus[5, 2], corpus[9, 0] = np.nan, np.inf
    corpus = corpus.astype(BFLOAT16 if dtype == "bfloat16" else dtype)
    assert np.isfinite(fc.rescore(queries, corpus, [[0, 1], [4, 6], [8, 10]])).all()
    with pytest.raises(ValueError, match=r"row 5 holds nan in column 2"):
        fc.rescore(queries, corpus, [[0, 9], [4, 6], [8, 5]])
