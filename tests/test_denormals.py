"""A host that flushes denormals: searches and every backend method give the same bytes, and Numba warns."""

from __future__ import annotations

import numpy as np
import pytest
from float_environment import denormals_flushed
from parity import SERIAL, blank, call, compare
from strategies import METRICS, problem
from vectors import DTYPES

import fastcal as fc


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("metric", METRICS)
def test_a_host_that_flushes_denormals(backend, metric, dtype):
    queries, corpus = (rows.astype(np.float64) for rows in problem(30, 2, 3000, 33, ("denormal", "normal", "zero")))
    if dtype == "float16":
        queries, corpus = (np.where(np.abs(rows) < 1e-30, rows * 1e34, rows) for rows in (queries, corpus))
    queries, corpus = queries.astype(DTYPES[dtype]), corpus.astype(DTYPES[dtype])
    ids = np.random.default_rng(0).integers(-1, 3000, (2, 50))
    calls = [
        lambda n: tuple(fc.topk(queries, corpus, 10, metric, num_threads=n)),
        lambda n: tuple(fc.Index(corpus, metric, num_threads=n).search(queries, 10, num_threads=n)),
        lambda n: (fc.rescore(queries, corpus, ids, metric, num_threads=n),),
        lambda n: (fc.scores(queries, corpus, metric, precision="exact", num_threads=n),),
        lambda n: (fc.scores(queries, corpus, metric, num_threads=n),),
    ]
    expected = [tuple(array.tobytes() for array in run(1)) for run in calls]
    for num_threads in (1, 3):
        for run, bytes_ in zip(calls, expected, strict=True):
            with denormals_flushed():
                if backend.name == "numba":
                    with pytest.warns(fc.FloatEnvironmentWarning, match="DAZ/FTZ"):
                        run(num_threads)
                    continue
                got = run(num_threads)
            assert tuple(array.tobytes() for array in got) == bytes_
    assert [tuple(array.tobytes() for array in run(1)) for run in calls] == expected


def test_float64_that_rounds_to_denormals_under_flushing(backend):
    values = np.array([[1e-40], [2.0**-149], [2.0**-150 * 1.5], [1e-46], [-1e-39], [2.0**-126 * (1 - 2.0**-25)]])
    rounded = values.astype(np.float32)
    if backend.name == "numba":
        with denormals_flushed(), pytest.warns(fc.FloatEnvironmentWarning, match="DAZ/FTZ"):
            fc.scores(np.ones(1), values, "dot", precision="exact")
        return
    with denormals_flushed():
        as_rows = fc.scores(np.ones(1), values, "dot", precision="exact")
        as_queries = fc.scores(values, np.ones((1, 1)), "dot", precision="exact")
        found = fc.topk(values, values, 6, "euclidean")
    assert as_rows[0].tolist() == rounded[:, 0].tolist()
    assert as_queries[:, 0].tolist() == rounded[:, 0].tolist()
    expected = fc.topk(rounded, rounded, 6, "euclidean")
    assert found.scores.tobytes() == expected.scores.tobytes()
    assert found.ids.tobytes() == expected.ids.tobytes()


def mixed(rng, size, dtype, unit=None):
    """Numbers of both signs a thousand times below ``unit`` (else the least normal number) to a thousand times above, some twice."""
    unit = np.finfo(dtype).tiny if unit is None else unit
    values = (rng.standard_normal(size) * rng.choice([unit / 1000, unit / 4, unit, 4 * unit, 1000 * unit], size)).astype(dtype)
    values[rng.permutation(size)[: size // 4]] = rng.choice(values, size // 4)
    return values


def method_calls():
    """(method, dtype, inputs, outs) of the backend methods beside the searches: denormals come in, or arise, or go out."""
    rng, size = np.random.default_rng(5), 6000
    counts = blank(size, dtype=np.int64), blank(size, dtype=np.float64), blank(size, dtype=np.float64)
    labels, weights = (rng.random(size) < 0.5).astype(np.float64), np.abs(mixed(rng, size, np.float64))
    steep = rng.standard_normal(size)
    targets = np.where(rng.random(size) < 1.0 / (1.0 + np.exp(-steep)), 0.9, 0.1)
    yield "platt_fit", np.float64, (steep * 4e-308, targets, np.ones(size)), []  # not smaller: the slope has to be finite
    yield "isotonic_fit", np.float64, (mixed(rng, size, np.float64), labels, weights), [blank(size, dtype=np.float64) for _ in "xy"]
    for dtype in (np.float32, np.float64):
        scores, out, lists = mixed(rng, size, dtype), blank(size, dtype=dtype), np.array([0, 7, 7, 1000, size])
        knots_x = np.unique(mixed(rng, 60, dtype).astype(np.float64))
        knots_y = np.sort(np.abs(mixed(rng, knots_x.size, dtype).astype(np.float64)))
        yield "threshold_sweep", dtype, (scores, labels.astype(np.uint8), weights), [out, *counts]
        yield "isotonic_fit_labels", dtype, (scores, labels.astype(np.uint8)), [blank(size, dtype=np.float64) for _ in "xy"]
        yield "isotonic_predict", dtype, (scores, knots_x, knots_y), [out]
        yield "platt_predict", dtype, (scores, -0.5 / float(np.finfo(dtype).tiny), 0.25), [out]
        yield "order_lists", dtype, (scores, lists), [blank(size, dtype=np.int64)]
        yield "rank_lists", dtype, (scores, lists, True, "average", None), [out]
        for kind in ("minmax", "max", "sum", "dbsf"):
            yield f"affine_lists {kind}", dtype, (scores, lists, kind, True, 0, 3.0, 0.0, 0.0, 0.5, -np.inf, None), [out]
        deviations = scores if dtype is np.float32 else mixed(rng, size, dtype, 1e-155)  # float64: the squares are denormals
        for kind in ("zscore", "l2"):
            yield f"affine_lists {kind}", dtype, (deviations, lists, kind, True, 1, 3.0, 0.0, 0.0, 0.0, -np.inf, None), [out]
    mapped = [("minmax", True, 0, 3.0, 0.0, 0.0, 0.0, -np.inf), None, ("zscore", False, 1, 3.0, 0.0, 0.0, 0.0, -np.inf)]
    fusions = [("score", None, [1.0, 0.5, 0.3]), ("score", mapped, [1e-38, 0.5, 0.3]), ("reciprocal", None, [3e-38, 1e-38, 5e-40])]
    for value, norms, run_weights in fusions:
        runs = [rng.permutation(400)[:300] for _ in run_weights]
        scores = [mixed(rng, 300, np.float32) if value == "score" else None for _ in runs]
        plan = (value, "sum", 60.0, 0.0, False, "skip", 0.0, "first", "source", -1)
        inputs = (runs, scores, [np.array([0, 100, 300])] * 3, norms, np.array([run_weights]), np.ones(4), *plan)
        outs = [blank(3, dtype=np.int64), blank(900, dtype=np.int64), blank(900), None, None]
        yield f"fuse {value}{' of norms' if norms else ''}", np.float32, inputs, outs


METHOD_CALLS = list(method_calls())


@pytest.mark.parametrize(("method", "dtype", "inputs", "outs"), METHOD_CALLS, ids=[f"{case[0]}-{case[1].__name__}" for case in METHOD_CALLS])
def test_backend_methods_under_flushing(backend, method, dtype, inputs, outs):
    op = method.partition(" ")[0]
    expected = call(backend, op, inputs, outs)
    for num_threads in (1,) if op in SERIAL else (1, 3):
        with denormals_flushed():
            if backend.name == "numba":
                with pytest.warns(fc.FloatEnvironmentWarning, match="DAZ/FTZ"):
                    call(backend, op, inputs, outs, num_threads)
                continue
            got = call(backend, op, inputs, outs, num_threads)
        if op == "platt_fit":
            assert np.array(got[0]).tobytes() == np.array(expected[0]).tobytes()
        else:
            compare(op, inputs, got, expected, f"under DAZ and FTZ, {num_threads} threads")


@pytest.mark.parametrize("metric", METRICS)
def test_segments_gates_and_bands_on_a_host_that_flushes(backend, metric):
    """What is merged, rounded and compared outside the core: denormal scores, thresholds and edges keep their order."""
    if backend.name == "numba":
        pytest.skip("Numba reads zeros, and warns; see above")
    corpus = np.arange(1, 41, dtype=np.float32)[:, np.newaxis] * np.float32(1e-42)
    query = np.ones((1, 1), np.float32) if metric != "euclidean" else np.zeros((1, 1), np.float32)
    whole, parts = fc.Index(corpus, metric), fc.Index(corpus[:10].copy(), metric)
    parts.add(corpus[10:].copy())
    edges = np.array([5e-42, 1.5e-41, 2.5e-41], np.float32)
    wide = edges.astype(np.float64)
    cuts = [(float(edge), np.array([float(edge)]), edges[i : i + 1]) for i, edge in enumerate(edges)]

    def answers(index):
        yield index.search(query, 40)
        for cut in cuts:
            for threshold in cut:
                yield index.search(query, 3, threshold=threshold)
                yield index.range_search(query, threshold)
        yield index.histogram(query, wide)
        yield index.sample_bands(query, edges, 3, seed=1)

    def plain(results):
        names = ("scores", "ids", "offsets", "counts")
        return [[getattr(r, n).tobytes() for n in names if isinstance(getattr(r, n, None), np.ndarray)] or r.tobytes() for r in results]

    expected = plain(answers(whole))
    with denormals_flushed():
        got, merged = plain(answers(whole)), plain(answers(parts))
    assert got == expected
    assert merged == expected
