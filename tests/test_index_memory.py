"""``Index`` over a corpus that stays where it is: kept alive, shared or copied, noticed when it changes, counted."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
from parity import blank
from strategies import METRICS, problem
from vectors import BFLOAT16, DTYPES, OnlyDlpack, same_result

import fastcal as fc


def test_the_index_keeps_the_corpus_alive(backend):
    queries, corpus = problem(8, 2, 5000, 64)
    expected = fc.topk(queries, corpus, 5)
    index, memory = fc.Index(corpus), weakref.ref(corpus)
    del corpus
    gc.collect()
    assert memory() is not None
    noise = [np.full((5000, 64), i, dtype=np.float32) for i in range(5)]  # would land where the corpus was
    same_result(index.search(queries, 5), expected)
    del index, noise
    gc.collect()
    assert memory() is None


def test_the_index_keeps_foreign_memory_alive(backend, tmp_path):
    queries, corpus = problem(9, 2, 3000, 64)
    expected = fc.topk(queries, corpus, 5)
    np.save(tmp_path / "rows.npy", corpus)
    lenders = [
        lambda: OnlyDlpack(corpus.copy()),
        lambda: memoryview(corpus.copy()),
        lambda: np.load(tmp_path / "rows.npy", mmap_mode="r"),
        lambda: np.frombuffer(bytearray(corpus.tobytes()), dtype=np.float32).reshape(corpus.shape),
    ]
    for lend in lenders:
        index = fc.Index(lend())
        gc.collect()
        noise = [np.full(corpus.shape, i, dtype=np.float32) for i in range(5)]
        same_result(index.search(queries, 5), expected)
        del noise


def test_it_shares_the_memory_it_was_given(backend):
    _, corpus = problem(10, 1, 300, 16)
    for rows in (corpus, corpus[:, :12], corpus[::3], corpus[::-1], corpus.astype(np.float16), corpus.astype(BFLOAT16)):
        index, query = fc.Index(rows, "dot"), np.ones(rows.shape[1], dtype=np.float32)
        rows[7] = 100.0
        assert index.search(query, 1).ids.tolist() == [[7]]
        same_result(index.search(query, 9), fc.topk(query, rows, 9, "dot"))
        rows[7] = -100.0
        same_result(index.search(query, 9), fc.topk(query, rows, 9, "dot"))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_copy_is_independent_of_later_writes(backend, metric, dtype):
    queries, corpus = problem(11, 3, 200, 16)
    for rows in (corpus, corpus[:, 1:14], corpus[::2]):
        rows = np.array(rows).astype(DTYPES[dtype]) if dtype != "float32" else rows.copy()  # noqa: PLW2901
        mine = queries[:, : rows.shape[1]]
        index = fc.Index(rows, metric, copy=True)
        expected = fc.topk(mine, rows, 5, metric)
        rows[:] = np.nan
        same_result(index.search(mine, 5), expected)


def test_external_ids_are_copied(backend):
    _, corpus = problem(12, 1, 10, 4)
    ids = np.arange(10)
    index = fc.Index(corpus, ids=ids)
    ids[:] = 99
    assert index.search(corpus[3], 1).ids.tolist() == [[3]]


def test_a_read_only_corpus_is_not_copied(backend):
    _, corpus = problem(13, 1, 20_000, 128)
    corpus.flags.writeable = False
    fc.Index(corpus[:10])
    tracemalloc.start()
    try:
        index = fc.Index(corpus)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < index.nbytes + 20_000


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])  # float64 is copied: later writes do not reach the index
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_corpus_that_changed_is_noticed(backend, metric, dtype, bad):
    queries, corpus = problem(14, 3, 5000, 20)
    corpus[4321] *= 4.0  # long enough to be the best match by dot product as well
    corpus = corpus.astype(DTYPES[dtype])
    queries[1] = corpus[4321].astype(np.float32)  # a row that is looked at is noticed; others may never be read
    index = fc.Index(corpus, metric, ids=np.arange(5000) + 70_000)
    expected = index.search(queries, 4)
    kept = corpus[4321, 19]
    corpus[4321, 19] = bad
    out = blank(3, 4), blank(3, 4, dtype=np.int64)
    before = out[0].tobytes(), out[1].tobytes()
    for threads in (1, 3):
        with pytest.raises(fc.CorpusChangedError, match=r"row 4321\b") as caught:
            index.search(queries, 4, out=out, num_threads=threads)
        assert isinstance(caught.value, ValueError)
        assert (out[0].tobytes(), out[1].tobytes()) == before
    corpus[4321, 19] = kept
    same_result(index.search(queries, 4), expected)


def test_nbytes_counts_what_the_index_holds(backend):
    _, corpus = problem(15, 1, 100, 16)
    norms, ids, digests, rows = 100 * 8, 100 * 8, 100 * 8, corpus.nbytes
    assert fc.Index(corpus).nbytes == norms + digests
    assert fc.Index(corpus, "dot").nbytes == digests
    assert fc.Index(corpus, "euclidean", ids=np.arange(100)).nbytes == ids + digests
    assert fc.Index(corpus, "dot", copy=True).nbytes == rows + digests
    assert fc.Index(corpus, "dot", copy=True, dims=4).nbytes == rows // 4 + digests
    assert fc.Index(corpus.astype(np.float16), "dot", copy=True).nbytes == rows // 2 + digests
    assert fc.Index(corpus.astype(np.float64), "dot").nbytes == rows + digests
    assert fc.Index(corpus.astype(np.float64), "dot", copy=True).nbytes == rows + digests
    assert fc.Index(np.asfortranarray(corpus), "dot").nbytes == rows + digests
    assert fc.Index(corpus.tolist(), "dot").nbytes == rows + digests
    assert fc.Index(corpus[::2], "dot", dims=3).nbytes == digests // 2


def test_rows_that_had_to_be_gathered_count_as_held(backend):
    _, corpus = problem(16, 1, 100, 16)
    assert fc.Index(list(corpus), "dot").nbytes == corpus.nbytes + 100 * 8
