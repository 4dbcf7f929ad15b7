"""``out=``: arrays of the caller are filled and returned, and left alone by a search that fails."""

from __future__ import annotations

import numpy as np
import pytest
from parity import bits, blank
from strategies import METRICS, problem
from vectors import same_bytes, same_result

import fastcal as fc

THREADS = (1, 2, 5)


def test_out_is_filled_and_returned(backend):
    queries, corpus = problem(12, 3, 50, 8)
    ids, k = np.array([[1, 2], [3, -1], [5, 6]]), 7
    out = blank(3, 50)
    assert fc.scores(queries, corpus, out=out) is out
    same_bytes(out, fc.scores(queries, corpus))
    out = blank(3, 2)
    assert fc.rescore(queries, corpus, ids, out=out) is out
    same_bytes(out, fc.rescore(queries, corpus, ids))
    pair = blank(3, k), blank(3, k, dtype=np.int64)
    for search in (lambda out: fc.topk(queries, corpus, k, out=out), lambda out: fc.Index(corpus).search(queries, k, out=out)):
        for as_given in (pair, list(pair)):
            found = search(as_given)
            assert found.scores is pair[0]
            assert found.ids is pair[1]
            same_result(found, fc.topk(queries, corpus, k))


@pytest.mark.parametrize("part", [np.s_[:3, 2:7], np.s_[::2, :5], np.s_[1:4, 4:]], ids=str)
def test_out_may_be_part_of_a_larger_array(backend, part):
    large, large_ids = blank(6, 9), blank(6, 9, dtype=np.int64)
    out, out_ids = large[part], large_ids[part]
    queries, corpus = problem(13, out.shape[0], out.shape[1], 8)
    outside = np.ones((6, 9), dtype=bool)
    outside[part] = False
    untouched = bits(large, nan_is_nan=False)[outside], large_ids[outside]
    assert fc.scores(queries, corpus, "dot", precision="exact", out=out) is out
    same_bytes(out.copy(), fc.scores(queries, corpus, "dot", precision="exact"))
    found = fc.topk(queries, corpus, out.shape[1], "dot", out=(out, out_ids))
    assert found.scores is out
    same_result(found, fc.topk(queries, corpus, out.shape[1], "dot"))
    fc.rescore(queries, corpus, found.ids, "dot", out=out)
    same_result(found, fc.topk(queries, corpus, out.shape[1], "dot"))
    np.testing.assert_array_equal(bits(large, nan_is_nan=False)[outside], untouched[0])
    np.testing.assert_array_equal(large_ids[outside], untouched[1])


def test_out_may_be_memory_mapped(backend, tmp_path):
    queries, corpus = problem(14, 4, 30, 8)
    out = np.lib.format.open_memmap(tmp_path / "scores.npy", mode="w+", dtype=np.float32, shape=(4, 30))
    assert fc.scores(queries, corpus, out=out) is out
    out.flush()
    same_bytes(np.load(tmp_path / "scores.npy"), fc.scores(queries, corpus))


@pytest.mark.parametrize("columns", [0, 1])
def test_out_of_zero_or_one_column(backend, columns):
    queries, corpus = problem(15, 4, 30, 8)
    wide = blank(4, 6)
    out = wide[:, 2 : 2 + columns]
    assert fc.scores(queries, corpus[:columns], out=out) is out
    same_bytes(np.ascontiguousarray(out), fc.scores(queries, corpus[:columns]))


@pytest.mark.parametrize("metric", METRICS)
def test_a_failed_search_leaves_out_alone(backend, metric):
    queries, corpus = problem(16, 3, 20_000, 32)
    corpus[19_999, 31] = np.nan
    out = blank(3, 5), blank(3, 5, dtype=np.int64)
    before = out[0].tobytes(), out[1].tobytes()
    for threads in THREADS:
        with pytest.raises(ValueError, match="row 19999"):
            fc.topk(queries, corpus, 5, metric, out=out, num_threads=threads)
        assert (out[0].tobytes(), out[1].tobytes()) == before
