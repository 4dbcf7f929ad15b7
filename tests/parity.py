"""``check``: one operation on one backend and in ``reference.py``, compared bit for bit."""

from __future__ import annotations

import numpy as np
import reference

THREADS = (1, 2, 3, 5, 8)
SERIAL = {
    "platt_fit",
    "isotonic_fit",
    "venn_abers_fit",
    "log_evidence",
    "log_evidence_iid",
    "log_tail_sums",
    "number_rows",
    "sift_rows",
    "exact_moments",
}
# The answer counts the entries written; what lies behind them is not part of the result.
COUNTED = {"isotonic_fit", "isotonic_fit_labels", "threshold_sweep", "threshold_rates", "top_rows"}
# NaN written by these is the padding constant; elsewhere NaN is NaN whatever its payload.
PADDED = {"topk", "rescore", "sample_bands"}
# Outputs stay untouched when a bad row is found.
UNTOUCHED = {"topk", "histogram", "sample_bands"}


def blank(*shape, dtype=np.float32):
    """An output array whose old content would show."""
    out = np.empty(shape, dtype=dtype)
    out.view(np.uint8).fill(0xA5)
    return out


def call(engine, op, inputs, outs, num_threads=1):
    """Run ``op`` on copies of ``outs``; returns the answer and the filled copies."""
    filled = [None if out is None else out.copy() for out in outs]
    threads = {} if op in SERIAL else {"num_threads": num_threads}
    return getattr(engine, op)(*inputs, *filled, **threads), filled


def bits(array, *, nan_is_nan):
    """The array as unsigned integers, NaN replaced by one value if all NaN are the same."""
    array = np.ascontiguousarray(array)
    if array.dtype.kind != "f":
        return array
    raw = array.view(f"u{array.itemsize}").copy()
    if nan_is_nan:
        raw[np.isnan(array)] = 1
    return raw


def compare(op, inputs, got, expected, where):
    """Assert that two (answer, outs) pairs are the same, as far as the Protocol defines them."""
    assert got[0] == expected[0], f"{op} {where}: returned {got[0]}, expected {expected[0]}"
    partly_written = op not in COUNTED | UNTOUCHED and expected[0] is not None and expected[0] >= 0
    if partly_written:
        return
    outs = zip(got[1], expected[1], strict=True)
    if op in COUNTED:
        outs = [(a[: expected[0]], b[: expected[0]]) for a, b in outs]
    elif op == "fuse":
        (offsets, *lists), (expected_offsets, *expected_lists) = got[1], expected[1]
        np.testing.assert_array_equal(offsets, expected_offsets, err_msg=f"fuse offsets {where}")
        outs = [(a[: offsets[-1]], b[: offsets[-1]]) for a, b in zip(lists, expected_lists, strict=True) if a is not None]
    for a, b in outs:
        nan_is_nan = op not in PADDED
        np.testing.assert_array_equal(bits(a, nan_is_nan=nan_is_nan), bits(b, nan_is_nan=nan_is_nan), err_msg=f"{op} {where}")


def check(backend, op, inputs, outs, threads=(1, 3), oracle=reference):
    """Assert that ``backend`` gives the reference's answer and bytes for every number of threads; returns the reference's."""
    expected = call(oracle, op, inputs, outs)
    for num_threads in threads if op not in SERIAL else (1,):
        compare(op, inputs, call(backend, op, inputs, outs, num_threads), expected, f"on {backend.name}:{backend.isa}, {num_threads} threads")
    return expected


def check_topk(backend, queries, corpus, metric, k, *, ids=None, norms=None, threads=(1, 3)):
    outs = blank(len(queries), k), blank(len(queries), k, dtype=np.int64)
    return check(backend, "topk", (queries, corpus, norms, metric, ids), outs, threads)
