"""Fewest labels: published floors, the definition, and what a floor means."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcal.intervals.evidence import log_evidence
from fastcal.intervals.floors import sequential_floor, sequential_floor_iid, single_look_floor, single_look_floor_iid


def test_published_floors():
    pools = {k: math.ceil(k * 9 / 10) - 1 for k in (30, 50, 100, 200, 500)}
    assert [single_look_floor(k, pools[k], 0.05) for k in (50, 100, 200, 500)] == [19, 23, 26, 28]
    assert [single_look_floor(k, pools[k], 0.1) for k in (50, 100, 200, 500)] == [16, 18, 20, 21]
    assert (single_look_floor_iid(0.9, 0.05), single_look_floor_iid(0.9, 0.1)) == (29, 22)
    assert [sequential_floor(k, pools[k], 0.05) for k in (30, 50, 100, 200)] == [18, 24, 31, 36]
    assert [sequential_floor(k, pools[k], 0.1) for k in (30, 50, 100, 200)] == [16, 20, 26, 29]
    assert (sequential_floor_iid(0.9, 0.05), sequential_floor_iid(0.9, 0.1)) == (43, 34)
    assert (sequential_floor_iid(0.9, 0.05, shape=0.5), sequential_floor_iid(0.9, 0.1, shape=0.5)) == (36, 29)


@given(k=st.integers(1, 80), data=st.data(), delta=st.sampled_from(["0.5", "0.25", "0.1", "0.05", "0.001"]))
def test_floors_are_the_least(k, data, delta):
    null_hits = data.draw(st.integers(-1, k - 1))
    exact = [Fraction(math.comb(null_hits, n), math.comb(k, n)) if null_hits >= 0 else Fraction(0) for n in range(k + 1)]
    assert single_look_floor(k, null_hits, float(delta)) == next(n for n in range(k + 1) if exact[n] <= Fraction(delta))
    evidence = np.concatenate([[math.inf if null_hits < 0 else 0.0], log_evidence(np.ones(k), k, null_hits)])
    assert sequential_floor(k, null_hits, float(delta)) == np.argmax(evidence >= -math.log(float(delta)))


def test_large_pools_and_ties():
    assert single_look_floor(10**8, 10**8 - 1, 0.05) == 95 * 10**6  # one miss: found with probability n / k
    assert single_look_floor(10**8, 9 * 10**7, 0.05) == 29
    assert sequential_floor(10**12, 9 * 10**11, 0.05) == 43
    assert single_look_floor_iid(0.5, 0.25) == 2
    assert single_look_floor_iid(0.1, 0.001) == 3
    assert single_look_floor_iid(0.01, 0.9) == 1


def test_bad_input():
    for floor in (single_look_floor, sequential_floor):
        with pytest.raises(ValueError, match="no pool of 9 rows has more than 9 positives"):
            floor(9, 9, 0.05)
        with pytest.raises(ValueError, match="delta must be a number strictly between 0 and 1"):
            floor(9, 3, 0.0)
        with pytest.raises(TypeError, match="null_hits must be an integer"):
            floor(9, 3.5, 0.1)
    with pytest.raises(ValueError, match="null_rate must be"):
        sequential_floor_iid(0.0, 0.1)
