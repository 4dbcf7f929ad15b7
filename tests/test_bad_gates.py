"""Thresholds, masks and limits that cannot be meant."""

from __future__ import annotations

import numpy as np
import pytest
from strategies import problem

import fastcal as fc

QUERIES, CORPUS = problem(50, 3, 40, 8)
NAN = float("nan")

BAD = [
    ({"threshold": NAN}, ValueError, "finite number"),
    ({"threshold": 1e39}, ValueError, "range of float32"),
    ({"threshold": "0.5"}, TypeError, "float32 or float64"),
    ({"threshold": True}, TypeError, "finite number"),
    ({"threshold": [0.1, 0.2]}, ValueError, r"\(n_queries,\) = \(3,\), got shape \(2,\)"),
    ({"threshold": [0.1, NAN, 0.2]}, ValueError, "got np.float64.nan. for query 1"),
    ({"threshold": np.array([1, 2, 3])}, TypeError, "float32 or float64"),
    ({"allow": np.ones(39, bool)}, ValueError, r"got shape \(39,\)"),
    ({"allow": np.ones((2, 40), bool)}, ValueError, r"\(3, 40\), got shape \(2, 40\)"),
    ({"allow": np.ones((1, 3, 40), bool)}, ValueError, "got shape"),
    ({"allow": np.ones(40)}, TypeError, "bool mask or an array of integer ids, got dtype float64"),
    ({"allow": np.ones(40, np.uint8)}, TypeError, "a mask must be bool"),
    ({"allow": [3, 40]}, ValueError, r"allow\[1\] is 40; expected a row in \[0, 40\)"),
    ({"allow": [-1]}, ValueError, r"allow\[0\] is -1"),
    ({"allow": [[1, 2]]}, ValueError, "one list for all queries"),
    ({"allow": "all"}, TypeError, "bool mask"),
]


@pytest.mark.parametrize(("gate", "error", "message"), BAD)
def test_bad_gates(backend, gate, error, message):
    index = fc.Index(CORPUS)
    with pytest.raises(error, match=message) as caught:
        index.search(QUERIES, 3, **gate)
    assert isinstance(caught.value, fc.FastcalError)
    with pytest.raises(error, match=message):
        index.range_search(QUERIES, **{"threshold": 0.0, **gate})


def test_limits(backend):
    index = fc.Index(CORPUS)
    with pytest.raises(ValueError, match="120 rows reach the threshold, more than limit = 119"):
        index.range_search(QUERIES, -1.0, limit=119)
    assert len(index.range_search(QUERIES, -1.0, limit=120).ids) == 120
    assert len(index.range_search(QUERIES, 1.1, limit=0).ids) == 0
    for limit in (-1, 2.0, True):
        with pytest.raises((TypeError, ValueError), match="limit"):
            index.range_search(QUERIES, 0.0, limit=limit)
    index.add(CORPUS[:7])
    index.add(CORPUS[:3])
    with pytest.raises(ValueError, match="150 rows reach the threshold, more than limit = 100"):
        index.range_search(QUERIES, -1.0, limit=100)


def test_ids_of_allow_are_those_of_the_results(backend):
    names = np.arange(40) * 10 + 7
    index = fc.Index(CORPUS, ids=names)
    found = index.search(QUERIES, 5, allow=names[[4, 9, 30]])
    assert sorted(found.ids[0].tolist()) == [-1, -1, 47, 97, 307]
    assert index.search(QUERIES, 1, allow=[3, -5, 10**12]).ids.tolist() == [[-1]] * 3
    assert index.search(QUERIES, 1, allow=[]).ids.tolist() == [[-1]] * 3
    np.testing.assert_array_equal(index.search(QUERIES, 2, allow=names.astype(np.int32)).ids, index.search(QUERIES, 2).ids)


def test_a_mask_may_be_any_view(backend):
    index = fc.Index(CORPUS)
    mask = np.random.default_rng(0).random((80, 6)) < 0.5
    view = mask[::2, ::2].T
    expected = index.search(QUERIES, 5, allow=view.copy())
    assert index.search(QUERIES, 5, allow=view).ids.tolist() == expected.ids.tolist()
    odd = (mask[:40, 0].view(np.uint8) * 255).view(bool)
    assert index.search(QUERIES, 5, allow=odd).ids.tolist() == index.search(QUERIES, 5, allow=mask[:40, 0]).ids.tolist()
