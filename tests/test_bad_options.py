"""Bad numbers, ids and names: ``k``, ``dims``, ``num_threads``, ``ids``, ``metric``, ``precision`` and ``copy``."""

from __future__ import annotations

import numpy as np
import pytest
from bad_calls import EVERY_CALL, SEARCHES, C, Case, Q, build, check, rescore, scores, topk


def number_cases():
    integer = "must be an integer of at least 1, got "
    for value, error, got in (
        (0, ValueError, "0"),
        (-1, ValueError, "-1"),
        (np.int64(-3), ValueError, "-3"),
        (2.5, TypeError, "2.5 of type float"),
        (2.0, TypeError, "2.0 of type float"),
        (True, TypeError, "True of type bool"),
        (np.True_, TypeError, "True"),
        ("3", TypeError, "'3' of type str"),
        (np.float32(3), TypeError, "3.0"),
        ([3], TypeError, r"\[3\] of type list"),
        (np.array([3]), TypeError, r"array\(\[3\]\)"),
        (np.array(2.5), TypeError, "2.5"),
        (np.array(True), TypeError, "True"),
        (np.array([1, 2]), TypeError, r"array\(\[1, 2\]\)"),
    ):
        yield Case(f"k = {value!r}", SEARCHES, {"k": value}, error, f"k {integer}.*{got}")
        yield Case(f"dims = {value!r}", (scores, topk, rescore, build), {"dims": value}, error, f"dims {integer}.*{got}")
        threads = got.split(" of type ")[0]
        yield Case(
            f"num_threads = {value!r}", EVERY_CALL, {"num_threads": value}, error, f"num_threads must be an integer from 1 to 1024, got .*{threads}"
        )
    yield Case("k = None", SEARCHES, {"k": None}, TypeError, f"k {integer}None of type NoneType")
    for k in (2**62, 2**63, 10**30):
        yield Case(f"k = {k:.0e}", SEARCHES, {"k": k}, ValueError, f"k must be .*got {k}")
        yield Case(f"k = {k:.0e}, no query", SEARCHES, {"k": k, "queries": Q[:0]}, ValueError, f"k must be .*got {k}")
    for dims in (5, 2**62):
        yield Case(f"dims = {dims}", (scores, topk, rescore, build), {"dims": dims}, ValueError, f"dims must be at most .*dims = {dims} and dim = 4")
    for n in (1025, 10**9, 2**70):
        yield Case(f"num_threads = {n}", EVERY_CALL, {"num_threads": n}, ValueError, f"num_threads must be an integer from 1 to 1024, got {n}")


def id_cases():
    yield Case(
        "a row too high", (rescore,), {"ids": [[0, 1], [2, 5]]}, ValueError, r"ids\[1, 1\] is 5; expected a row in \[0, 5\), or -1 for padding"
    )
    yield Case("a row of -2", (rescore,), {"ids": [[0, -2], [2, 4]]}, ValueError, r"ids\[0, 1\] is -2; expected a row in \[0, 5\)")
    yield Case("the lowest int64", (rescore,), {"ids": [[0], [-(2**63)]]}, ValueError, r"ids\[1, 0\] is -9223372036854775808; expected")
    yield Case(
        "a row of an empty corpus", (rescore,), {"ids": [[0], [-1]], "corpus": C[:0]}, ValueError, r"ids\[0, 0\] is 0; expected a row in \[0, 0\)"
    )
    shape = r"ids must have shape \(n_queries, m\) with n_queries = 2, got shape "
    for value, got in ((3, r"\(\)"), ([0, 1], r"\(2,\)"), ([[0, 1]], r"\(1, 2\)"), ([[[0]], [[1]]], r"\(2, 1, 1\)"), ([], r"\(0,\)")):
        yield Case(f"ids = {value!r}", (rescore,), {"ids": value}, ValueError, shape + got)
    for value, got in (
        ([[0.0], [1.0]], "float64"),
        ([[True], [False]], "bool"),
        ([["1"], ["2"]], "<U1"),
        ([[2**64], [0]], "object"),
        (np.zeros((2, 1), "m8[s]"), "timedelta64"),
        (np.zeros((2, 1), "O"), "object"),
        (np.zeros((2, 1), "c8"), "complex64"),
    ):
        yield Case(f"ids of {got}", (rescore,), {"ids": value}, TypeError, f"ids must be integers, got dtype {got}")
        flat = np.asarray(value).ravel()[[0, 0, 0, 0, 1]]
        yield Case(f"external ids of {got}", (build,), {"ids": flat}, TypeError, f"ids must be integers, got dtype {got}")
    huge = np.array([0, 1, 2, 3, 2**63], dtype=np.uint64)
    yield Case("ids beyond int64", (rescore,), {"ids": np.stack([huge, huge])}, ValueError, "ids must fit int64, got 9223372036854775808")
    yield Case("external ids beyond int64", (build,), {"ids": huge}, ValueError, "ids must fit int64, got 9223372036854775808")
    shape = r"ids must have shape \(n_rows,\) = \(5,\), got shape "
    for value, got in ((np.arange(4), r"\(4,\)"), (np.arange(5)[:, None], r"\(5, 1\)"), (7, r"\(\)"), ([], r"\(0,\)")):
        yield Case(f"external ids of shape {got}", (build,), {"ids": value}, ValueError, shape + got)
    yield Case("a negative external id", (build,), {"ids": [0, 1, -1, 3, 4]}, ValueError, r"ids must not be negative .*, got -1 for row 2")


def name_cases():
    metrics = "metric must be one of 'cosine', 'dot', 'euclidean'; got "
    for value, got in (
        ("l2", "'l2'"),
        ("Cosine", "'Cosine'"),
        ("", "''"),
        (None, "None"),
        (["dot"], r"\['dot'\]"),
        ({"dot": 1}, "{'dot': 1}"),
        (b"dot", "b'dot'"),
        (0, "0"),
        (np.array("dot"), "array"),
        (np.array(["dot", "cosine"]), "array"),
    ):
        yield Case(f"metric = {value!r}", (scores, topk, rescore, build), {"metric": value}, ValueError, metrics + got)
    precisions = "precision must be one of 'fast', 'exact'; got "
    for value, got in (("Fast", "'Fast'"), (None, "None"), (1, "1"), (["fast"], r"\['fast'\]"), ({}, "{}"), (np.array("fast"), "array")):
        yield Case(f"precision = {value!r}", (scores,), {"precision": value}, ValueError, precisions + got)
    for value in (1, None, "yes", np.array([True, False])):
        yield Case(f"copy = {value!r}", (build,), {"copy": value}, TypeError, "copy must be True or False, got ")


CASES = [case for cases in (number_cases, id_cases, name_cases) for case in cases()]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_was_got_and_what_is_expected(backend, case):
    check(case)
