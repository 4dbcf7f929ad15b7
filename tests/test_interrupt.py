"""Ctrl-C in every public call that can be long: it ends inside the call, leaves ``out`` alone, and the next call works.

No clock is read: a call that ran to its end would have written ``out``.
"""

from __future__ import annotations

import gc
import signal
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from parity import blank

import fastcal as fc
from fastcal import _backend

ONE = np.ones(2048, dtype=np.float32)
ENDLESS = np.broadcast_to(ONE, (30_000_000, 2048))  # one row, repeated: 61 G multiply-adds over 8 KiB
AFTER = 0.08
MANY = 6_000_000


@contextmanager
def ctrl_c(after=AFTER):
    """Press Ctrl-C while the body runs; the body must end in KeyboardInterrupt."""
    timer = threading.Timer(after, signal.raise_signal, [signal.SIGINT])
    # Hypothesis hooks Python code into the garbage collector: a KeyboardInterrupt raised inside it would be swallowed.
    gc.disable()
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012  (the body is the statement)
            timer.start()
            yield
            timer.cancel()
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGINT, previous)
        gc.enable()


def long_calls(num_threads):
    pair = blank(1, 10), blank(1, 10, dtype=np.int64)
    half = np.broadcast_to(ONE.astype(np.float16), ENDLESS.shape)
    index = fc.Index(ENDLESS[:60_000], num_threads=2)
    many = np.ones((1200, ONE.size), dtype=np.float32)
    wide = blank(1200, 10), blank(1200, 10, dtype=np.int64)
    options = {"num_threads": num_threads}
    return {
        "topk": (lambda: fc.topk(ONE, ENDLESS, 10, out=pair, **options), pair),
        "topk of float16": (lambda: fc.topk(ONE, half, 10, "euclidean", out=pair, **options), pair),
        "topk of many queries": (lambda: fc.topk(many, ENDLESS, 10, "dot", out=wide, **options), wide),
        "Index.search": (lambda: index.search(many, 10, out=wide, **options), wide),
        "Index.histogram": (lambda: index.histogram(many, np.linspace(-1, 1, 300), **options), ()),
        "Index.sample_bands": (lambda: index.sample_bands(many, [-1.0, 0.0, 1.0], 5, seed=0, **options), ()),
        "Index": (lambda: fc.Index(ENDLESS[:2_000_000], **options), ()),
    }


def filling_calls(num_threads):
    """Calls that write ``out`` as they go."""
    options = {"out": np.full((1, len(ENDLESS)), np.nan, dtype=np.float32), "num_threads": num_threads}
    candidates = np.zeros((1, len(ENDLESS)), np.int64)
    return {
        "scores": (lambda: fc.scores(ONE, ENDLESS, **options), options["out"]),
        "exact scores": (lambda: fc.scores(ONE, ENDLESS, precision="exact", **options), options["out"]),
        "rescore": (lambda: fc.rescore(ONE, ENDLESS[: 1 << 20], candidates, **options), options["out"]),
    }


def test_ctrl_c_in_fits_and_sweeps():
    """The weighted fits sort (score, position) pairs, the others packed ones; Numba's kernels cannot be stopped.

    Ctrl-C comes early, so that few pairs are enough for calls that are far from their end.
    """
    native = _backend.active()
    if native.name != "native":
        pytest.skip("native code only")
    rng = np.random.default_rng(0)
    scores = rng.standard_normal(MANY, dtype=np.float32)
    labels, weights = (scores > 0.5).astype(np.uint8), np.ones(MANY)
    counts = np.empty(MANY, np.float32), np.empty(MANY, np.int64), np.empty(MANY), np.empty(MANY), np.empty(MANY)
    wide, truth = scores.astype(np.float64), labels.astype(np.float64)
    knots = np.empty(MANY), np.empty(MANY)
    for call in (
        lambda: native.threshold_sweep(scores, labels, None, *counts[:4], num_threads=2),
        lambda: native.threshold_sweep(scores, labels, weights, *counts[:4], num_threads=2),
        lambda: native.threshold_rates(scores, labels, *counts, num_threads=2),
        lambda: native.isotonic_fit_labels(scores, labels, *knots, num_threads=2),
        lambda: native.isotonic_fit(wide, truth, weights, *knots),
        lambda: native.platt_fit(wide, np.where(labels, 0.9, 0.1), weights),
    ):
        with ctrl_c(after=0.01):
            call()


@pytest.mark.parametrize("num_threads", [1, 2])
def test_ctrl_c(backend, num_threads):
    expected = fc.topk(ONE, ENDLESS[:50], 10)
    fc.rescore(ONE, ENDLESS[:50], [0])
    fc.scores(ONE, ENDLESS[:50].astype(np.float16))
    for name, (call, outs) in long_calls(num_threads).items():
        before = [out.tobytes() for out in outs]
        with ctrl_c():
            call()
        assert [out.tobytes() for out in outs] == before, name
        again = fc.topk(ONE, ENDLESS[:50], 10)
        assert again.scores.tobytes() == expected.scores.tobytes()
        assert again.ids.tobytes() == expected.ids.tobytes()
    for name, (call, out) in filling_calls(num_threads).items():
        out.fill(np.nan)
        with ctrl_c():
            call()
        assert np.isnan(out).any(), name
