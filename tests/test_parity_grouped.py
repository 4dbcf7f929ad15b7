"""Rows that belong to groups on every backend: their numbers, the best of each group, exact moments."""

from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from parity import blank, call, check
from strategies import seeds

TEXTS = ["", "a", "ab", "b", "é", "z" * 30, "z" * 31, "\U0001f600", "query-000001", "query-000002", "query-0000012"]


def texts_of(texts, wide=np.int64, skip=0):
    """A buffer of texts in which they do not begin at 0."""
    encoded = [b"x" * skip, *(text.encode() for text in texts)]
    offsets = np.cumsum([len(each) for each in encoded]).astype(wide)
    return np.frombuffer(b"".join(encoded) + b"rest", np.uint8), offsets


@st.composite
def keys(draw, n):
    """(values, offsets) of n rows: integers of any spread, sorted or not, or texts."""
    rng, kind = np.random.default_rng(draw(seeds)), draw(st.sampled_from(["few", "dense", "wide", "texts"]))
    if kind == "texts":
        found = rng.choice(TEXTS, n)
        found = np.sort(found) if draw(st.booleans()) else found
        return texts_of(found.tolist(), draw(st.sampled_from([np.int32, np.int64])), draw(st.integers(0, 3)))
    spread = {"few": 3, "dense": n + 1, "wide": 2**62}[kind]
    found = rng.integers(-spread, spread, n)
    found[rng.random(n) < 0.5] = draw(st.sampled_from([found[0] if n else 0, -(2**63), 2**63 - 1]))
    return np.sort(found) if draw(st.booleans()) else found, None


@given(data=st.data(), n=st.integers(0, 60))
def test_number_rows(backend, data, n):
    inputs = data.draw(keys(n))
    outs = [blank(n, dtype=np.int32), blank(n, dtype=np.int32)]
    (got, (codes, firsts)), (size, (expected, expected_firsts)) = (call(engine, "number_rows", inputs, outs) for engine in (backend, reference))
    assert got == size
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_array_equal(firsts[:size], expected_firsts[:size])


@pytest.mark.parametrize("kind", ["dense", "wide", "texts"])
def test_number_many_rows(backend, kind):
    rng = np.random.default_rng(0)
    queries = rng.integers(0, 5000, 300_000)
    offsets, values = None, queries
    if kind == "wide":
        values = rng.integers(-(2**62), 2**62, 5000)[queries]
    elif kind == "texts":
        values, offsets = texts_of([f"q{query:05}" for query in queries.tolist()])
    outs = [blank(len(queries), dtype=np.int32), blank(len(queries), dtype=np.int32)]
    size, (codes, firsts) = call(backend, "number_rows", (values, offsets), outs)
    _, expected_firsts, expected = np.unique(queries if kind == "texts" else values, return_index=True, return_inverse=True)
    assert size == len(expected_firsts)
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_array_equal(firsts[:size], expected_firsts)


def floats(rng, n):
    """Float32 with ties, zeros of both signs, denormals, infinities and NaN."""
    pool = np.array([0.0, -0.0, 1e-45, -1e-45, 0.25, -0.25, 0.5, 3e38, np.inf, -np.inf, np.nan], np.float32)
    return np.where(rng.random(n) < 0.5, rng.choice(pool, n), rng.standard_normal(n).astype(np.float32)).astype(np.float32)


@given(data=st.data(), n=st.integers(0, 80), seed=seeds)
def test_top_rows(backend, data, n, seed):
    rng, groups = np.random.default_rng(seed), data.draw(st.integers(1, 6))
    codes = rng.integers(0, groups, n).astype(np.int32)
    codes = np.sort(codes) if data.draw(st.booleans()) else codes
    keep = rng.random(n) < 0.7 if data.draw(st.booleans()) else None
    on, scores = (rng.integers(0, 3, n).astype(np.float32) if data.draw(st.booleans()) else floats(rng, n) for _ in range(2))
    most = data.draw(st.sampled_from([1, 2, 7, 2**31 - 1]))
    inputs = (codes, groups, on, scores, data.draw(st.booleans()), keep, *data.draw(keys(n)), most)
    check(backend, "top_rows", inputs, [blank(n, dtype=np.int32)])


@pytest.mark.parametrize("levels", [2, 50, None])
@pytest.mark.parametrize("clustered", [True, False])
def test_many_top_rows(backend, clustered, levels):
    rng, n = np.random.default_rng(1), 20_000
    codes = rng.choice(40, n, p=np.r_[[0.5], np.full(39, 0.5 / 39)]).astype(np.int32)
    codes = np.sort(codes) if clustered else codes
    on = floats(rng, n) if levels is None else rng.integers(0, levels, n).astype(np.float32)
    scores, docs = rng.integers(0, 500, n).astype(np.float32), rng.permutation(n) - 5
    for array in (codes, on, scores, docs):
        array.flags.writeable = False
    order = np.lexsort((docs, -scores, -on, codes))
    order = order[~np.isnan(on[order])]
    starts = np.searchsorted(codes[order], codes[order])
    for most in (1, 100):
        expected = order[np.arange(len(order)) - starts < most]
        for num_threads in (1, 3):
            inputs = (codes, 40, on, scores, True, None, docs, None, most)
            size, (rows,) = call(backend, "top_rows", inputs, [blank(n, dtype=np.int32)], num_threads)
            np.testing.assert_array_equal(rows[:size], expected)


@given(n=st.integers(0, 150), seed=seeds, depth=st.sampled_from([1, 2, 5]), up=st.booleans())
def test_sift_rows(backend, n, seed, depth, up):
    rng = np.random.default_rng(seed)
    codes, places = rng.integers(0, 4, n).astype(np.int32), np.array([2, -1, 0, 1])
    on, scores = (rng.integers(-3, 4, n).astype(np.float32) if rng.random() < 0.5 else floats(rng, n) for _ in range(2))
    state = depth, np.zeros(3, np.uint64), np.zeros((3, depth + max(1, depth // 2)), np.uint64), np.zeros(3, np.int32)
    wanted = rng.random(n) < 0.8
    expected, found, left = wanted.copy(), wanted.copy(), 0
    for part in np.array_split(np.arange(n), 3):  # the state goes from call to call
        some = found[part]
        left += backend.sift_rows(codes[part], on[part], scores[part], up, places, some, *state)
        found[part] = some
    assert reference.sift_rows(codes, on, scores, up, places, expected, *state) == left
    np.testing.assert_array_equal(found, expected)
    _, bars, keys, sizes = state
    assert all(bars[q] == 0 or np.sort(keys[q, : sizes[q]])[-depth] >= bars[q] for q in range(3))


@given(data=st.data(), n=st.integers(0, 60), seed=seeds)
def test_exact_moments(backend, data, n, seed):
    rng, groups = np.random.default_rng(seed), data.draw(st.integers(1, 5))
    scores = floats(rng, n)
    if not data.draw(st.booleans()):
        scores[np.isinf(scores)] = -3.4028235e38
    outs = [blank(groups, dtype=np.int64), blank(groups), blank(groups)]
    outs += [blank(groups, words, dtype=np.uint64) if data.draw(st.booleans()) else None for words in (6, 10)]
    inputs = (rng.integers(0, groups, n).astype(np.int32), scores)
    answer, filled = call(reference, "exact_moments", inputs, outs)
    got, found = call(backend, "exact_moments", inputs, outs)
    assert got == answer
    if answer < 0:
        for a, b in zip(found, filled, strict=True):
            assert a is b is None or a.tobytes() == b.tobytes()


def test_moments_of_many_extremes_carry(backend):
    scores = np.tile(np.array([3.4028235e38, 3.4028235e38, -1e-45], np.float32), 1000)
    outs = [blank(1, dtype=np.int64), blank(1), blank(1), blank(1, 6, dtype=np.uint64), blank(1, 10, dtype=np.uint64)]
    check(backend, "exact_moments", (np.zeros(len(scores), np.int32), scores), outs)
