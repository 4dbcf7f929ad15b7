"""Search inside a real process: many Python threads, a fork, Ctrl-C, a host that flushes denormals."""

from __future__ import annotations

import gc
import os
import signal
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference
from float_environment import denormals_flushed
from parity import blank, call, check_topk, compare
from strategies import METRICS, problem

from fastcal.errors import FloatEnvironmentWarning


def test_eight_python_threads_at_once(backend):
    cases = [problem(10 + i, 1 + i, 4000 + 500 * i, 48) for i in range(8)]

    def search(case, num_threads):
        return call(backend, "topk", (*case, None, "cosine", None), (blank(len(case[0]), 10), blank(len(case[0]), 10, dtype=np.int64)), num_threads)

    serial = [search(case, 1) for case in cases]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            for case, got, expected in zip(cases, pool.map(lambda case: search(case, 3), cases), serial, strict=True):
                compare("topk", case, got, expected, "concurrently")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_searches(backend):
    queries, corpus = problem(20, 4, 20_000, 64)
    inputs, outs = (queries, corpus, None, "dot", None), (blank(4, 10), blank(4, 10, dtype=np.int64))
    expected = call(backend, "topk", inputs, outs, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 and later warn about a fork beside threads
        child = os.fork()
    if child == 0:
        status = 1
        try:
            compare("topk", inputs, call(backend, "topk", inputs, outs, 4), expected, "in the child")
            status = 0
        finally:
            os._exit(status)
    assert wait_for(child, seconds=60) == 0
    compare("topk", inputs, call(backend, "topk", inputs, outs, 4), expected, "in the parent after the fork")


def wait_for(child, seconds):
    """Exit code of the child; a child that hangs is killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        finished, status = os.waitpid(child, os.WNOHANG)
        if finished:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers on this platform")
@pytest.mark.parametrize("num_threads", [1, 2])
def test_ctrl_c_stops_a_long_search_and_leaves_the_outputs(backend, num_threads):
    row = np.ones(4096, dtype=np.float32)
    endless = np.broadcast_to(row, (20_000_000, 4096))  # one row, repeated: 82 G multiply-adds over 16 KiB
    check_topk(backend, row[np.newaxis], endless[:20], "dot", 10)
    outs = blank(1, 10), blank(1, 10, dtype=np.int64)
    before = [out.copy() for out in outs]
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    gc.disable()  # an interrupt inside a gc callback (Hypothesis installs one) would be swallowed
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            backend.topk(row[np.newaxis], endless, None, "dot", None, *outs, num_threads=num_threads)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)
        gc.enable()
    for out, old in zip(outs, before, strict=True):  # a search that ran to its end would have written them
        assert out.tobytes() == old.tobytes()
    check_topk(backend, row[np.newaxis], endless[:20], "dot", 10)


@pytest.mark.parametrize("metric", METRICS)
def test_a_host_that_flushes_denormals(backend, metric):
    queries, corpus = problem(30, 2, 3000, 33, ("denormal", "normal", "zero"))
    inputs, outs = (queries, corpus, None, metric, None), (blank(2, 10), blank(2, 10, dtype=np.int64))
    expected = call(reference, "topk", inputs, outs)
    for num_threads in (1, 3):
        with denormals_flushed():
            if backend.name == "numba":
                with pytest.warns(FloatEnvironmentWarning, match="DAZ/FTZ"):
                    call(backend, "topk", inputs, outs, num_threads)
            else:
                got = call(backend, "topk", inputs, outs, num_threads)
        if backend.name != "numba":
            compare("topk", inputs, got, expected, f"under DAZ and FTZ, {num_threads} threads")
    check_topk(backend, queries, corpus, metric, 10)


def test_a_thread_that_kept_a_flushing_environment_is_noticed():
    """Pool threads inherit the environment of the thread that created them, and keep it."""
    pool = pytest.importorskip("fastcal._backend._numba_pool")
    assert not pool.denormals_are_lost()
    with denormals_flushed(), pytest.warns(FloatEnvironmentWarning):
        pool.warn_if_denormals_are_lost()
