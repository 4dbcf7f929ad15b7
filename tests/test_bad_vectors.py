"""Bad queries and corpora: shapes, values and dtypes that are refused, and nothing crashes."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from bad_calls import IDS, SEARCHES, WITH_CORPUS, WITH_QUERIES, C, Case, Q, build, check, rescore, scores, topk
from parity import blank
from strategies import METRICS, problem
from vectors import DTYPES

import fastcal as fc


def with_value(value, row, column=1, dtype=np.float32, rows=C):
    array = rows.astype(dtype)
    array[row, column] = value
    return array


def with_bits(pattern, row, dtype, rows=C):
    """A payload that arithmetic cannot make: a signalling NaN."""
    array = rows.astype(dtype)
    array.view(f"u{array.itemsize}")[row, 1] = pattern
    return array


class Unreadable:
    """Tensors on another device raise from ``__array__``."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


class NotAnArray:
    def __array__(self, dtype=None, copy=None):
        return 5


class BrokenCapsule:
    def __dlpack__(self, **options):
        return 5

    def __dlpack_device__(self):
        return (1, 0)


def shape_cases():
    corpus_shape, query_shape = r"corpus must have shape \(n_rows, dim\), got (shape |a single )", r"queries must have shape .*\(dim,\), got shape "
    for name, value, got in (("0-d", np.float32(1), "float"), ("1-d", C[0], r"\(4,\)"), ("3-d", C[np.newaxis], r"\(1, 5, 4\)")):
        yield Case(f"corpus {name}", WITH_CORPUS, {"corpus": value}, ValueError, corpus_shape + got)
    for name, value, got in (("0-d", np.float32(1), r"\(\)"), ("3-d", Q[np.newaxis], r"\(1, 2, 4\)"), ("4-d", Q[None, None], r"\(1, 1, 2, 4\)")):
        yield Case(f"queries {name}", WITH_QUERIES, {"queries": value}, ValueError, query_shape + got)
    for name, value in (("None", None), ("a dict", {}), ("a string", "abc"), ("a generator", iter(()))):
        yield Case(f"corpus is {name}", WITH_CORPUS, {"corpus": value}, ValueError, corpus_shape)
        yield Case(f"queries are {name}", WITH_QUERIES, {"queries": value}, ValueError, query_shape)
    same = "queries and corpus must have the same dim, got "
    yield Case("wider queries", WITH_QUERIES, {"queries": np.ones((2, 5))}, ValueError, same + "5 and 4")
    yield Case("narrower query", WITH_QUERIES, {"queries": np.ones(3)}, ValueError, same + "3 and 4")
    yield Case("no query, other dim", WITH_QUERIES, {"queries": np.ones((0, 3))}, ValueError, same + "3 and 4")
    yield Case("an empty query", WITH_QUERIES, {"queries": []}, ValueError, "dim.*got 0")
    yield Case("dims hides no mismatch", (scores, topk, rescore), {"queries": np.ones((2, 5)), "dims": 3}, ValueError, same + "5 and 4")
    yield Case("dim 0", (scores, topk, rescore), {"queries": Q[:, :0], "corpus": C[:, :0]}, ValueError, "between 1 and 65536 dimensions, got 0")
    yield Case("dim 0 of an index", (build,), {"corpus": C[:, :0]}, ValueError, "between 1 and 65536 dimensions, got 0")
    wide = {"queries": np.ones((2, 65_537), np.float16), "corpus": np.ones((5, 65_537), np.float16)}
    yield Case("dim 65,537", (scores, topk, rescore), wide, ValueError, "between 1 and 65536 dimensions, got 65537")
    yield Case("dim 65,537 of an index", (build,), {"corpus": wide["corpus"]}, ValueError, "between 1 and 65536 dimensions, got 65537")


def value_cases():
    for dtype in DTYPES:
        for bad in (np.nan, np.inf, -np.inf):
            rows, queries = with_value(bad, 3, dtype=DTYPES[dtype]), with_value(bad, 1, dtype=DTYPES[dtype], rows=Q)
            says = f"row {{}} holds {bad} in column 1; vectors must be finite"
            yield Case(f"{bad} in a {dtype} corpus", WITH_CORPUS, {"corpus": rows}, ValueError, "corpus: " + says.format(3))
            yield Case(f"{bad} in {dtype} queries", WITH_QUERIES, {"queries": queries}, ValueError, "queries: " + says.format(1))
            yield Case(f"{bad} in F-ordered {dtype}", WITH_CORPUS, {"corpus": np.asfortranarray(rows)}, ValueError, "corpus: " + says.format(3))
    for name, pattern in (("float32", 0x7F800001), ("float16", 0x7C01), ("bfloat16", 0x7F81), ("float64", 0x7FF0000000000001)):
        rows, queries = with_bits(pattern, 3, DTYPES[name]), with_bits(pattern, 1, DTYPES[name], Q)
        yield Case(f"a signalling NaN in a {name} corpus", WITH_CORPUS, {"corpus": rows}, ValueError, "corpus: row 3 holds nan in column 1")
        yield Case(f"a signalling NaN in {name} queries", WITH_QUERIES, {"queries": queries}, ValueError, "queries: row 1 holds nan in column 1")
    for value in (1e39, -3.5e38, 1.7e308):
        rows, queries = with_value(value, 3, dtype=float), with_value(value, 1, dtype=float, rows=Q)
        yield Case(
            f"{value} in the corpus",
            WITH_CORPUS,
            {"corpus": rows},
            ValueError,
            rf"corpus: row 3 holds {value!r}, which overflows float32".replace("+", r"\+"),
        )
        yield Case(
            f"{value} in the queries",
            WITH_QUERIES,
            {"queries": queries},
            ValueError,
            rf"queries: row 1 holds {value!r}, which overflows".replace("+", r"\+"),
        )
    two = with_value(np.inf, 4)
    two[2, 3] = np.nan
    yield Case("the first of two bad rows", WITH_CORPUS, {"corpus": two}, ValueError, "corpus: row 2 holds nan in column 3")
    yield Case("a bad row that no list names", (scores, topk, build), {"corpus": with_value(np.nan, 4)}, ValueError, "corpus: row 4 ")


def dtype_cases():
    floats = " must be float32, float16, bfloat16 or float64, got dtype "
    dtypes = {
        "i8": r"int64; convert them first, for example with \.astype\(np\.float32\)",
        "u1": "uint8; convert them first",
        "u2": "uint16; convert them first",
        "?": "bool; convert them first",
        "O": "object",
        "c8": "complex64",
        "c16": "complex128",
        "U3": "<U3",
        "S3": r"\|S3",
        "M8[s]": r"datetime64\[s\]",
        "m8[s]": r"timedelta64\[s\]",
        "V4": r"\|V4",
    }
    for dtype, got in dtypes.items():
        corpus, queries = np.zeros((5, 4), dtype=dtype), np.zeros((2, 4), dtype=dtype)
        yield Case(f"corpus of {dtype}", WITH_CORPUS, {"corpus": corpus}, TypeError, "corpus" + floats + got)
        yield Case(f"queries of {dtype}", WITH_QUERIES, {"queries": queries}, TypeError, "queries" + floats + got)
    others = [np.dtype(np.longdouble)] if np.dtype(np.longdouble).itemsize > 8 else []
    others += [np.dtype(getattr(ml_dtypes, name)) for name in ("float8_e5m2", "float8_e4m3fn", "int4")]
    others.append(np.dtype([("a", "f4")]))
    for dtype in others:
        corpus, queries = np.zeros((5, 4), dtype=dtype), np.zeros((2, 4), dtype=dtype)
        yield Case(f"corpus of {dtype}", WITH_CORPUS, {"corpus": corpus}, TypeError, "corpus" + floats)
        yield Case(f"queries of {dtype}", WITH_QUERIES, {"queries": queries}, TypeError, "queries" + floats)
    yield Case("integers in lists", WITH_QUERIES, {"queries": [[1, 2, 3, 4]]}, TypeError, "queries" + floats + "int64; convert them first")
    yield Case("None in a list", WITH_QUERIES, {"queries": [[1.0, None, 3.0, 4.0]]}, TypeError, "queries" + floats + "object")
    for name, mask in (("a mask", C > 0), ("no mask", False)):
        masked = np.ma.masked_array(C, mask=mask)
        yield Case(
            f"corpus with {name}", WITH_CORPUS, {"corpus": masked}, TypeError, "corpus is a masked array, whose mask would be ignored; fill it first"
        )
    yield Case("queries with a mask", WITH_QUERIES, {"queries": np.ma.masked_array(Q, mask=Q > 0)}, TypeError, "queries is a masked array")
    yield Case("ids with a mask", (rescore,), {"ids": np.ma.masked_array(IDS, mask=IDS > 0)}, TypeError, "ids is a masked array")
    ragged = [[1.0, 2.0], [3.0]]
    yield Case("ragged corpus", WITH_CORPUS, {"corpus": ragged}, ValueError, "corpus cannot be read as an array: .*inhomogeneous shape")
    yield Case("ragged queries", WITH_QUERIES, {"queries": ragged}, ValueError, "queries cannot be read as an array: .*inhomogeneous shape")
    yield Case("ragged ids", (rescore, build), {"ids": [[1, 2], [3]]}, ValueError, "ids cannot be read as an array: .*inhomogeneous shape")
    unreadable = {
        "a foreign tensor": (Unreadable(), TypeError),
        "a false array": (NotAnArray(), ValueError),
        "a broken capsule": (BrokenCapsule(), None),
    }
    for name, (value, error) in unreadable.items():
        yield Case(f"corpus: {name}", WITH_CORPUS, {"corpus": value}, error or (TypeError, ValueError), "corpus .*cannot be read as an array")
        yield Case(f"queries: {name}", WITH_QUERIES, {"queries": value}, error or (TypeError, ValueError), "queries .*cannot be read as an array")
        yield Case(f"ids: {name}", (rescore, build), {"ids": value}, error or (TypeError, ValueError), "ids .*cannot be read as an array")


CASES = [case for cases in (shape_cases, value_cases, dtype_cases) for case in cases()]
BEFORE_OUT = [case for case in [*shape_cases(), *value_cases()] if set(case.calls) & set(SEARCHES)]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_was_got_and_what_is_expected(backend, case):
    check(case)


@pytest.mark.parametrize("case", BEFORE_OUT, ids=[case.name for case in BEFORE_OUT])
def test_a_refused_search_leaves_out_alone(backend, case):
    queries = case.options.get("queries")
    n_queries = len(queries) if isinstance(queries, np.ndarray) and queries.ndim == 2 else 2
    out = blank(n_queries, 3), blank(n_queries, 3, dtype=np.int64)
    before = out[0].tobytes(), out[1].tobytes()
    for call in set(case.calls) & set(SEARCHES):
        with pytest.raises(fc.FastcalError):
            call(**case.options, out=out)
        assert (out[0].tobytes(), out[1].tobytes()) == before


def test_dims_of_an_index_that_fit_no_query(backend):
    index = fc.Index(C, dims=2)
    for width in (1, 3, 5):
        with pytest.raises(ValueError, match=rf"queries must have dim 4, or 2 if they are cut already; got {width}"):
            index.search(np.ones((1, width)), 1)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_the_first_bad_row_of_many(backend, metric, dtype):
    _, rows = problem(1, 1, 30_000, 24)
    rows[[29_999, 17_001, 17_000], [0, 23, 5]] = np.nan, np.inf, -np.inf
    rows = rows.astype(DTYPES[dtype])
    for threads in (1, 2, 5):
        for call in (
            lambda n: fc.topk(rows[0], rows, 3, metric, num_threads=n),
            lambda n: fc.scores(rows[:3], rows, metric, num_threads=n),
            lambda n: fc.scores(rows[:3], rows, metric, precision="exact", num_threads=n),
            lambda n: fc.Index(rows, metric, num_threads=n),
            lambda n: fc.rescore(rows[0], rows, np.arange(29_999, -1, -1), metric, num_threads=n),
        ):
            with pytest.raises(ValueError, match="corpus: row 17000 holds -inf in column 5"):
                call(threads)
