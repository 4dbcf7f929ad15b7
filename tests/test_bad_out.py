"""Bad ``out=``: arrays that are refused, and memory that no call may write."""

from __future__ import annotations

import numpy as np
import pytest
from bad_calls import ARRAYS, IDS, SEARCHES, C, Case, Q, check, read_only
from parity import blank

import fastcal as fc


def out_cases():
    right = (2, 5)
    for value, error, says in (
        ([[0.0] * 5] * 2, TypeError, "out must be a NumPy array, got list"),
        (memoryview(blank(*right)), TypeError, "out must be a NumPy array, got memoryview"),
        (blank(*right, dtype=np.float64), TypeError, "out must have dtype float32, got float64"),
        (blank(*right, dtype=np.int32), TypeError, "out must have dtype float32, got int32"),
        (blank(*right).astype(">f4"), TypeError, "out must have dtype float32, got >f4"),
        (np.ma.masked_array(blank(*right), mask=True), TypeError, "out .*masked"),
        (blank(5, 2), ValueError, r"out must have shape \(2, 5\), got \(5, 2\)"),
        (blank(10), ValueError, r"out must have shape \(2, 5\), got \(10,\)"),
        (blank(1, *right), ValueError, r"out must have shape \(2, 5\), got \(1, 2, 5\)"),
        (read_only(blank(*right)), ValueError, "out is read-only"),
        (blank(5, 2).T, ValueError, "out must have contiguous rows"),
        (blank(2, 10)[:, ::2], ValueError, "out must have contiguous rows"),
        (blank(2, 5)[::-1], ValueError, "out must have contiguous rows that do not overlap"),
        (np.lib.stride_tricks.as_strided(blank(10), (2, 5), (4, 4)), ValueError, "out must have contiguous rows that do not overlap"),
        (np.broadcast_to(blank(5), right), ValueError, "out "),
        (np.frombuffer(bytearray(41), np.float32, offset=1, count=10).reshape(right), ValueError, "out "),
    ):
        yield Case(f"{type(value).__name__}: {says}", ARRAYS, {"out": value}, error, says)
    good, good_ids = blank(2, 3), blank(2, 3, dtype=np.int64)
    for value, error, says in (
        (good, TypeError, r"out must be a pair \(scores, ids\) of arrays, got ndarray"),
        ("ab", TypeError, "out must be a pair .*got str"),
        ((good,), TypeError, "out must be a pair"),
        ((good, good_ids, None), TypeError, "out must be a pair"),
        ((good_ids, good), TypeError, r"out\[0\] \(scores\) must have dtype float32, got int64"),
        ((good, blank(2, 3, dtype=np.int32)), TypeError, r"out\[1\] \(ids\) must have dtype int64, got int32"),
        ((good, blank(2, 3, dtype=np.uint64)), TypeError, r"out\[1\] \(ids\) must have dtype int64, got uint64"),
        ((good, [[0] * 3] * 2), TypeError, r"out\[1\] \(ids\) must be a NumPy array, got list"),
        ((good, np.ma.masked_array(good_ids)), TypeError, r"out\[1\] .*masked"),
        ((blank(2, 4), good_ids), ValueError, r"out\[0\] \(scores\) must have shape \(2, 3\), got \(2, 4\)"),
        ((good, blank(3, 2, dtype=np.int64)), ValueError, r"out\[1\] \(ids\) must have shape \(2, 3\), got \(3, 2\)"),
        ((read_only(blank(2, 3)), good_ids), ValueError, r"out\[0\] \(scores\) is read-only"),
        ((good, read_only(blank(2, 3, dtype=np.int64))), ValueError, r"out\[1\] \(ids\) is read-only"),
        ((good, blank(3, 2, dtype=np.int64).T), ValueError, r"out\[1\] \(ids\) must have contiguous rows"),
        (overlapping_pair(), ValueError, r"out\[1\] \(ids\) lies in the same memory"),
    ):
        yield Case(f"pair: {says}", SEARCHES, {"out": value}, error, says)


def overlapping_pair():
    memory = blank(60, dtype=np.uint8)
    return memory[:24].view(np.float32).reshape(2, 3), memory[8:56].view(np.int64).reshape(2, 3)


CASES = list(out_cases())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_was_got_and_what_is_expected(backend, case):
    check(case)


def test_out_that_overlaps_an_input(backend):
    memory = np.random.default_rng(0).standard_normal(400).astype(np.float32)
    before = memory.copy()
    queries, corpus, out = memory[:8].reshape(2, 4), memory[100:120].reshape(5, 4), np.s_
    for part in (out[4:14], out[95:105], out[119:129], out[100:110]):
        with pytest.raises(ValueError, match="out lies in the same memory as an input array"):
            fc.scores(queries, corpus, out=memory[part].reshape(2, 5))
        with pytest.raises(ValueError, match="out lies in the same memory as an input array"):
            fc.rescore(queries, corpus, IDS, out=memory[part].reshape(2, 5))
    pair = memory[100:106].reshape(2, 3), blank(2, 3, dtype=np.int64)
    for search_into_corpus in (lambda: fc.topk(queries, corpus, 3, out=pair), lambda: fc.Index(corpus).search(queries, 3, out=pair)):
        with pytest.raises(ValueError, match=r"out\[0\] \(scores\) lies in the same memory as an input"):
            search_into_corpus()
    ids = np.zeros((2, 5), dtype=np.int64)
    with pytest.raises(ValueError, match="out lies in the same memory as an input"):
        fc.rescore(queries, corpus, ids, out=ids.view(np.float32)[:, :5])
    assert memory.tobytes() == before.tobytes()
    apart = memory[200:210].reshape(2, 5)
    assert fc.scores(queries, corpus, out=apart) is apart


def test_nothing_is_written_through_a_read_only_view(backend):
    memory = blank(2, 3)
    view = memory.view()
    view.flags.writeable = False
    before, ids = memory.tobytes(), blank(2, 3, dtype=np.int64)
    for call in (
        lambda: fc.topk(Q, C, 3, out=(view, ids)),
        lambda: fc.Index(C).search(Q, 3, out=(view, ids)),
        lambda: fc.scores(Q, C[:3], out=view),
        lambda: fc.rescore(Q, C, IDS[:, :3], out=view),
    ):
        with pytest.raises(ValueError, match="is read-only"):
            call()
    assert memory.tobytes() == before
    assert ids.tobytes() == blank(2, 3, dtype=np.int64).tobytes()
