"""Floors of the machine, measured in the same run: the time to read bytes, and the integer dot-product rate."""

from __future__ import annotations

import numpy as np

from bench.search.peers import workers
from bench.search.timing import Contender

PIECE = 1 << 18  # numbers a reduction sees at once: 1 MiB of float32
REDUCTIONS = {
    "dot": lambda piece: piece @ piece,
    "sum": lambda piece: piece.sum(),
    "max of the bits": lambda piece: piece.view(np.int32).max(),
}


def readers(rows, all_threads):
    """Contenders that read every float32 of `rows` once and do as little as NumPy can."""
    flat = rows.reshape(-1)

    def reader(name, reduction, threads):
        step = -(-len(flat) // threads)
        shares = [flat[begin : begin + step] for begin in range(0, len(flat), step)]

        def read(share):
            for begin in range(0, len(share), PIECE):
                reduction(share[begin : begin + PIECE])

        call = (lambda _: read(flat)) if threads == 1 else (lambda _: list(workers().map(read, shares)))
        return Contender(f"read float32 once ({name})", "part", call, threads, pools=1)

    return [reader(name, reduction, threads) for name, reduction in REDUCTIONS.items() for threads in sorted({1, all_threads})]


def numkong_int8(n_rows, n_queries, dim, all_threads):
    """int8 dot products of NumKong on rows that fit the cache; raises ImportError where it is not installed."""
    import numkong as nk

    rng = np.random.default_rng(0)
    rows = rng.integers(-127, 128, (n_rows, dim), dtype=np.int8)
    packed = nk.dots_pack(rng.integers(-127, 128, (n_queries, dim), dtype=np.int8))

    def contender(threads):
        shares = np.array_split(rows, threads)
        return Contender(
            "NumKong int8 dots_packed", "part", lambda _: list(workers().map(lambda share: nk.dots_packed(share, packed), shares)), threads, pools=1
        )

    return [contender(threads) for threads in sorted({1, all_threads})]
