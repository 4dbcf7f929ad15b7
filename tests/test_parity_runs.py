"""Lists judged, sorted and written: every backend gives the same bytes."""

import itertools

import numpy as np
import pytest
from float_environment import denormals_flushed
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal import _backend


def lists_of(entries, cuts):
    ids = np.array([i for i, _ in entries], np.int64)
    scores = np.array([s for _, s in entries], np.float32)
    return ids, scores, np.sort(np.array([0, *[min(cut, ids.size) for cut in cuts], ids.size], np.int64))


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2, 7, -1, -2]), st.sampled_from([2.0, 1.0, 1.0, 0.5, -0.0, 0.0, np.nan, np.inf])), max_size=8),
    st.lists(st.integers(0, 8), max_size=3),
    st.booleans(),
)
def test_list_faults(backend, entries, cuts, higher):
    ids, scores, offsets = lists_of(entries, cuts)
    worse = (lambda a, b: a < b) if higher else (lambda a, b: a > b)
    pairs = [(scores[i], scores[i + 1]) for a, b in itertools.pairwise(offsets) for i in range(a, b - 1)]
    by_id = 1 * (-1 in ids) + 2 * (-2 in ids)
    expected = by_id + 4 * bool(np.isnan(scores).any()) + 8 * any(worse(a, b) for a, b in pairs)
    assert backend.list_faults(ids, scores, offsets, higher_is_better=higher) == expected
    assert backend.list_faults(ids, None, offsets, higher_is_better=higher) == by_id


@given(
    st.lists(st.tuples(st.integers(0, 9), st.floats(width=32, allow_nan=False)), max_size=40),
    st.lists(st.integers(0, 40), max_size=4),
    st.booleans(),
)
def test_sort_lists(backend, entries, cuts, higher):
    ids, scores, offsets = lists_of(entries, cuts)
    out_ids, out_scores = np.empty_like(ids), np.empty_like(scores)
    backend.sort_lists(ids, scores, offsets, out_ids, out_scores, higher_is_better=higher, num_threads=2)
    expected = [
        entry
        for a, b in itertools.pairwise(offsets)
        for entry in sorted(zip(ids[a:b].tolist(), scores[a:b].tolist(), strict=True), key=lambda e: -e[1] if higher else e[1])
    ]
    assert list(zip(out_ids.tolist(), out_scores.tolist(), strict=True)) == expected


@pytest.mark.parametrize("higher", [True, False])
def test_sort_lists_where_denormals_are_flushed(backend, higher):
    """Nothing is lost natively; Numba says so."""
    scores = np.array([1e-40, 3e-40, 2e-40], np.float32)
    outs = np.empty(3, np.int64), np.empty(3, np.float32)

    def work():
        backend.sort_lists(np.arange(3), scores, np.array([0, 3]), *outs, higher_is_better=higher, num_threads=1)

    with denormals_flushed():
        if backend.name == "numba":
            with pytest.warns(fc.FloatEnvironmentWarning, match="DAZ/FTZ"):
                work()
            return
        work()
    assert outs[0].tolist() == ([1, 2, 0] if higher else [0, 2, 1])


def written(backend, scores, num_threads):
    ids = np.arange(scores.size) % 3
    offsets = np.array([0, scores.size // 3, scores.size // 3, scores.size])
    named = backend.trec_writer("q\nü\nw\n".encode(), "a\nbb\n€\n".encode(), b"tag")
    plain = backend.trec_writer(b"1\n2\n3\n", None, b"tag")
    return [
        writer.lines(ids, scores, offsets, begin, end, num_threads=num_threads)
        for writer in (named, plain)
        for begin, end in ((0, scores.size), (scores.size // 2, scores.size), (1, 1))
    ]


def test_written_lines(backend):
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 2**32, 9000, dtype=np.uint32).view(np.float32)
    scores = np.concatenate(
        [scores[~np.isnan(scores)], np.ldexp(np.float32(1), np.arange(-149, 128)), (10.0 ** np.arange(-6, 18)).astype(np.float32)]
    )
    expected = written(_backend.by_id("numba"), scores, 1)
    for num_threads in (1, 3):
        assert written(backend, scores, num_threads) == expected
    fields = [line.split() for line in expected[0].decode().splitlines()]
    assert np.array([field[4] for field in fields]).astype(np.float32).tobytes() == scores.tobytes()
    third = scores.size // 3
    assert [int(field[3]) for field in fields] == [*range(1, third + 1), *range(1, scores.size - third + 1)]
    assert [field[0] for field in fields] == ["q"] * third + ["w"] * (scores.size - third)
    assert expected[0].endswith(expected[1])
