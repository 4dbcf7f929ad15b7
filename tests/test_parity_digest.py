"""Digests: the definition on every backend, and which changes they must notice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import blank
from strategies import lay_out, layouts, seeds

WORD = 2**32


def digest(row):
    """docs/numerics.md on one row of bytes."""
    first = second = 0
    for i in range(0, len(row), 4):
        v = (int.from_bytes(row[i : i + 4], "little") + (i // 4 + 1) * 0x9E3779B1) * 0x85EBCA77 % WORD
        v ^= v >> 15
        first += v
        v = v * 0xC2B2AE3D % WORD
        v ^= v >> 13
        second += v
    return first % WORD | second % WORD << 32


def digests(backend, rows, num_threads=1):
    out = blank(len(rows), dtype=np.uint64)
    backend.digests(rows, out, num_threads=num_threads)
    return out


@given(seed=seeds, n_rows=st.sampled_from([1, 2, 17, 300]), width=st.integers(0, 70), dtype=st.sampled_from("BHef"), layout=layouts)
def test_digests(backend, seed, n_rows, width, dtype, layout):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (n_rows, width * np.dtype(dtype).itemsize), dtype=np.uint8).view(dtype).reshape(n_rows, width)
    rows = lay_out(rows, layout)
    expected = [digest(row.tobytes()) for row in rows]
    for threads in (1, 3):
        assert digests(backend, rows, threads).tolist() == expected


def test_large_rows_on_several_threads(backend):
    rows = np.random.default_rng(0).integers(0, 256, (37, 65536), dtype=np.uint8)
    expected = [digest(row.tobytes()) for row in rows[:2]]
    alone = digests(backend, rows)
    assert alone[:2].tolist() == expected
    for threads in (2, 5):
        assert digests(backend, rows, threads).tobytes() == alone.tobytes()
    assert digests(backend, rows[::-2], 3).tobytes() == alone[::-2].tobytes()


@pytest.mark.parametrize("filled", ["zeros", "noise"])
def test_every_flipped_bit_and_every_trade_changes_the_digest(backend, filled):
    """Each row of ``damaged`` differs from ``row`` in one bit, or by two words that traded places, or by signs."""
    rng = np.random.default_rng(1)
    row = np.zeros(96, dtype=np.uint8) if filled == "zeros" else rng.integers(0, 256, 96, dtype=np.uint8)
    flips = np.tile(row, (96 * 8, 1))
    flips.reshape(-1)[np.arange(96 * 8) * 96 + np.arange(96 * 8) // 8] ^= np.tile(1 << np.arange(8, dtype=np.uint8), 96)
    pairs = np.array([(i, j) for i in range(24) for j in range(i)])
    trades, signs = np.tile(row.view(np.uint32), (len(pairs), 1)), np.tile(row.view(np.uint32), (len(pairs), 1))
    for n, (i, j) in enumerate(pairs):
        trades[n, [i, j]] = trades[n, [j, i]]
        signs[n, [i, j]] ^= np.uint32(1 << 31)
    negated = (row.view(np.uint32) ^ np.uint32(1 << 31))[np.newaxis]
    shorter = digests(backend, row[np.newaxis, :-4])
    damaged = [flips, signs.view(np.uint8), negated.view(np.uint8), *([trades.view(np.uint8)] if filled == "noise" else [])]
    right = digests(backend, row[np.newaxis])
    assert shorter != right
    found = np.concatenate([digests(backend, rows) for rows in damaged])
    assert (found != right).all()
    assert len(np.unique(found)) == len(found)
