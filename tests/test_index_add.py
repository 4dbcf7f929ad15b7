"""``Index.add``: rows that come in pieces are found as if they had come at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from strategies import METRICS, problem
from vectors import same_result

import fastcal as fc


def grown(corpus, metric, cuts, ids=None, **options):
    pieces = np.split(corpus, cuts)
    names = [None] * len(pieces) if ids is None else np.split(ids, cuts)
    index = fc.Index(pieces[0], metric, ids=names[0], **options)
    for piece, name in zip(pieces[1:], names[1:], strict=True):
        first = len(index)
        assert index.add(piece, ids=name) == range(first, first + len(piece))
    return index


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("named", [False, True])
def test_pieces_are_the_whole(backend, metric, named):
    rng = np.random.default_rng(5)
    queries, corpus = problem(40, 5, 7000, 24, ("normal", "duplicate", "integers", "any norm"))
    ids = rng.permutation(7000) * 3 if named else None
    whole = fc.Index(corpus, metric, ids=ids)
    thresholds = whole.search(queries, 20).scores[:, -1]
    for cuts in ([], [0], [10], [4000, 4001, 4002, 6500], [1, 2, 3, 4, 5, 2100, 4300]):
        index = grown(corpus, metric, cuts, ids)
        assert len(index) == 7000
        for k in (1, 10, 7005):
            same_result(index.search(queries, k), whole.search(queries, k))
        mask = rng.random(7000) < 0.3
        wanted = np.flatnonzero(mask)[:50] if ids is None else ids[mask][:50]
        masks = rng.random((5, 7000)) < 0.5
        for gate in ({"threshold": thresholds}, {"allow": mask}, {"allow": wanted}, {"threshold": thresholds, "allow": masks}):
            same_result(index.search(queries, 30, **gate), whole.search(queries, 30, **gate))
        found, expected = (i.range_search(queries, thresholds, allow=mask) for i in (index, whole))
        assert found.offsets.tolist() == expected.offsets.tolist()
        assert found.ids.tolist() == expected.ids.tolist()
        assert found.scores.tobytes() == expected.scores.tobytes()


def test_small_pieces_are_joined(backend):
    queries, corpus = problem(41, 3, 300, 8)
    index = grown(corpus, "cosine", range(1, 300))
    assert len(index._segments) <= 10
    same_result(index.search(queries, 12), fc.topk(queries, corpus, 12))
    before = len(index._segments)
    assert index.add(corpus[:0]) == range(300, 300)
    assert len(index._segments) == before


def test_into_an_empty_index_and_in_other_dtypes(backend):
    queries, corpus = problem(42, 3, 90, 8)
    index = fc.Index(corpus[:0], "dot", dims=6)
    index.add(corpus[:30])
    index.add(corpus[30:60, :6].astype(np.float64))
    index.add(corpus[60:].astype(np.float16))
    mixed = np.concatenate([corpus[:60], corpus[60:].astype(np.float16).astype(np.float32)])
    same_result(index.search(queries, 7), fc.topk(queries[:, :6], mixed[:, :6], 7, "dot"))


def test_nothing_is_added_by_a_failed_call(backend):
    _, corpus = problem(43, 1, 20, 8)
    plain, named = fc.Index(corpus), fc.Index(corpus, ids=np.arange(20))
    bad = corpus.copy()
    bad[7, 2] = np.nan
    for call, message in [
        (lambda: plain.add(bad), "row 7 holds nan"),
        (lambda: plain.add(corpus, ids=np.arange(20)), "left out"),
        (lambda: named.add(corpus), "ids must be given"),
        (lambda: named.add(corpus, ids=np.arange(19)), "n_rows"),
        (lambda: plain.add(corpus[:, :5]), r"shape \(n, 8\)"),
        (lambda: plain.add(corpus[0]), r"shape \(n, 8\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError):
        plain.add(corpus.astype(np.int64))
    assert len(plain) == len(named) == 20


def test_running_searches_keep_their_snapshot(backend):
    queries, corpus = problem(44, 2, 6000, 16)
    index, stop = fc.Index(corpus[:3000]), threading.Event()
    expected = {n: fc.topk(queries, corpus[:n], 5).ids.tolist() for n in range(3000, 6001, 250)}

    def search():
        while not stop.is_set():
            assert index.search(queries, 5).ids.tolist() in expected.values()
        return True

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(search) for _ in range(3)]
        for first in range(3000, 6000, 250):
            index.add(corpus[first : first + 250])
        stop.set()
        assert all(future.result() for future in running)
    same_result(index.search(queries, 5), fc.topk(queries, corpus, 5))
