"""Forms of queries, corpora and ids: dtypes, layouts, lists, tensors and files; they are read where they are."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from strategies import METRICS, lay_out, problem
from vectors import BFLOAT16, OnlyDlpack, integers, same_bytes, same_result

import fastcal as fc


class OnlyArray:
    """Nothing but ``__array__``, as a tensor or a data frame has it."""

    def __init__(self, array):
        self._array = array

    def __array__(self, dtype=None, copy=None):
        return self._array if dtype is None else self._array.astype(dtype)


class Subclass(np.ndarray):
    """An ndarray with opinions about indexing and arithmetic."""

    def __getitem__(self, key):
        raise AssertionError("indexed")

    def __array_ufunc__(self, *args, **kwargs):
        raise AssertionError("computed")


def every_other_column(array):
    return np.repeat(array, 2, axis=1)[:, ::2]


def off_by_one_byte(array):
    return np.frombuffer(b"\0" + array.tobytes(), dtype=array.dtype, offset=1).reshape(array.shape)


def saved(array, folder):
    path = folder / "rows.npy"
    np.save(path, array)
    return np.load(path, mmap_mode="r")


# Small integers: exact in every dtype, so that every form has the same scores.
FORMS = {
    "float16": lambda a, _: a.astype(np.float16),
    "bfloat16": lambda a, _: a.astype(BFLOAT16),
    "float64": lambda a, _: a.astype(np.float64),
    "big-endian float32": lambda a, _: a.astype(">f4"),
    "big-endian float64": lambda a, _: a.astype(">f8"),
    "big-endian float16": lambda a, _: a.astype(">f2"),
    "nested lists": lambda a, _: a.tolist(),
    "list of arrays": lambda a, _: list(a),
    "tuple of tuples": lambda a, _: tuple(map(tuple, a.tolist())),
    "memoryview": lambda a, _: memoryview(a),
    "F order": lambda a, _: np.asfortranarray(a),
    "F order bfloat16": lambda a, _: np.asfortranarray(a.astype(BFLOAT16)),
    "F order float64": lambda a, _: np.asfortranarray(a.astype(np.float64)),
    "reversed rows": lambda a, _: a[::-1].copy()[::-1],
    "reversed columns": lambda a, _: a[:, ::-1].copy()[:, ::-1],
    "every other column": lambda a, _: every_other_column(a),
    "every other column float16": lambda a, _: every_other_column(a.astype(np.float16)),
    "padded rows": lambda a, _: lay_out(a, "padded rows"),
    "padded rows bfloat16": lambda a, _: lay_out(a.astype(BFLOAT16), "padded rows"),
    "every other row": lambda a, _: lay_out(a, "every other row"),
    "read-only": lambda a, _: lay_out(a, "read-only"),
    "read-only float64": lambda a, _: lay_out(a.astype(np.float64), "read-only"),
    "read-only bfloat16": lambda a, _: lay_out(a.astype(BFLOAT16), "read-only"),
    "off by one byte": lambda a, _: off_by_one_byte(a),
    "off by one byte float16": lambda a, _: off_by_one_byte(a.astype(np.float16)),
    "off by one byte float64": lambda a, _: off_by_one_byte(a.astype(np.float64)),
    "memory-mapped": saved,
    "memory-mapped float16": lambda a, folder: saved(a.astype(np.float16), folder),
    "__array__ only": lambda a, _: OnlyArray(a),
    "__array__ only, float64": lambda a, _: OnlyArray(a.astype(np.float64)),
    "__dlpack__ only": lambda a, _: OnlyDlpack(a),
    "__dlpack__ only, float16": lambda a, _: OnlyDlpack(a.astype(np.float16)),
    "__dlpack__ only, padded rows": lambda a, _: OnlyDlpack(lay_out(a, "padded rows")),
    "subclass": lambda a, _: a.view(Subclass),
    "field of a record": lambda a, _: record_field(a),
}


def record_field(array):
    records = np.zeros(len(array), dtype=[("tag", "u1"), ("vector", "f4", (array.shape[1],))])
    records["vector"] = array
    return records["vector"]


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_the_corpus(backend, form, tmp_path):
    queries, corpus = integers()
    given = FORMS[form](corpus, tmp_path)
    for metric in METRICS:
        same_result(fc.topk(queries, given, 12, metric), fc.topk(queries, corpus, 12, metric))
        same_result(fc.Index(given, metric).search(queries, 12), fc.topk(queries, corpus, 12, metric))
        same_bytes(fc.rescore(queries, given, [[0, 69], [3, -1], [5, 5]], metric), fc.rescore(queries, corpus, [[0, 69], [3, -1], [5, 5]], metric))
        for precision in ("fast", "exact"):
            same_bytes(fc.scores(queries, given, metric, precision=precision), fc.scores(queries, corpus, metric, precision=precision))
        same_result(fc.topk(queries, given, 12, metric, dims=4), fc.topk(queries, corpus, 12, metric, dims=4))


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_the_queries(backend, form, tmp_path):
    queries, corpus = integers()
    given, index = FORMS[form](queries, tmp_path), fc.Index(corpus, "euclidean")
    same_result(fc.topk(given, corpus, 12), fc.topk(queries, corpus, 12))
    same_result(fc.topk(given, corpus, 12, dims=4), fc.topk(queries, corpus, 12, dims=4))
    same_result(index.search(given, 12), index.search(queries, 12))
    same_bytes(fc.scores(given, corpus), fc.scores(queries, corpus))
    same_bytes(fc.rescore(given, corpus, [[1], [2], [3]]), fc.rescore(queries, corpus, [[1], [2], [3]]))


def test_a_single_query_is_a_row(backend):
    queries, corpus = integers(n_queries=1)
    assert fc.scores(queries[0], corpus).shape == (1, 70)
    same_bytes(fc.scores(queries[0], corpus), fc.scores(queries, corpus))
    same_result(fc.topk(queries[0], corpus, 3), fc.topk(queries, corpus, 3))
    same_result(fc.topk(queries[0].tolist(), corpus, 3), fc.topk(queries, corpus, 3))
    same_bytes(fc.rescore(queries[0], corpus, [1, -1, 1]), fc.rescore(queries, corpus, [[1, -1, 1]]))


def test_float64_is_rounded_once_to_nearest_even(backend):
    step = 2.0**-23
    ties = np.array([[1 + step / 2], [1 + 3 * step / 2], [1 + step / 2 + 2.0**-50], [1e-46], [2.0**-150], [3 * 2.0**-150], [2.0**-149]])
    rounded = ties.astype(np.float32)
    assert rounded[:3, 0].tolist() == [1.0, 1 + 2 * step, 1 + step]
    one = np.ones(1)
    same_bytes(fc.scores(one, ties, "dot", precision="exact")[0], rounded[:, 0])
    same_bytes(fc.scores(ties, [[1.0]], "dot", precision="exact")[:, 0], rounded[:, 0])


def test_integers_of_any_width_are_ids(backend):
    queries, corpus = integers()
    expected = fc.rescore(queries, corpus, np.array([[1, 2], [3, 4], [5, 6]]))
    for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "u8", ">i4", ">i8"):
        same_bytes(fc.rescore(queries, corpus, np.array([[1, 2], [3, 4], [5, 6]], dtype=dtype)), expected)
    same_bytes(fc.rescore(queries, corpus, [[1, 2], [3, 4], [5, 6]]), expected)
    same_bytes(fc.rescore(queries, corpus, np.array([[1, 3, 5], [2, 4, 6]]).T), expected)
    for k in (np.int8(2), np.uint64(2)):
        assert fc.topk(queries, corpus, k).ids.shape == (3, 2)


def test_inputs_are_only_read(backend):
    queries, corpus = problem(9, 3, 200, 20)
    ids = np.array([[1, 2], [3, -1], [5, 6]])
    before = queries.tobytes(), corpus.tobytes(), ids.tobytes()
    for metric in METRICS:
        for array in (queries, corpus, ids):
            array.flags.writeable = False
        fc.topk(queries, corpus, 5, metric)
        fc.Index(corpus, metric).search(queries, 5)
        fc.scores(queries, corpus, metric)
        fc.rescore(queries, corpus, ids, metric)
    assert (queries.tobytes(), corpus.tobytes(), ids.tobytes()) == before


def test_a_corpus_of_repeated_or_overlapping_rows(backend):
    line = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(line, 64)
    same_result(fc.topk(line[100:164], windows, 3), fc.topk(line[100:164], windows.copy(), 3))
    assert fc.topk(line[100:164], windows, 1).ids.tolist() == [[100]]
    repeated = np.broadcast_to(line[:64], (1000, 64))
    assert fc.topk(line[:64], repeated, 3).ids.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("layout", ["plain", "dims", "padded rows", "read-only", "every other row", "float16", "bfloat16"])
def test_the_corpus_is_not_copied(backend, layout):
    corpus, dims = np.ones((32_768, 256), dtype=np.float32), None
    if layout == "dims":
        dims = 200
    elif layout in {"float16", "bfloat16"}:
        corpus = corpus.astype(BFLOAT16 if layout == "bfloat16" else layout)
    elif layout != "plain":
        corpus = lay_out(corpus, layout)
    query, ids = np.ones(256, dtype=np.float32), np.zeros((1, 10), dtype=np.int64)
    fc.topk(query, corpus[:50], 10, dims=dims)
    for call in (
        lambda: fc.topk(query, corpus, 10, dims=dims),
        lambda: fc.scores(query, corpus, dims=dims),
        lambda: fc.rescore(query, corpus, ids, dims=dims),
        lambda: fc.Index(corpus, dims=dims).search(query, 10),
    ):
        tracemalloc.start()
        try:
            call()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 6 << 20, f"{peak} bytes beside a corpus of {corpus.nbytes}"
