"""How often each rule certifies what is not so: exact, by dynamic programming over the count of positives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dynamic_programs import (
    clopper_pearson_certifies,
    evidence_certifies,
    independent,
    pool_evidence_certifies,
    stopped,
    stopping_rate,
    wilson_certifies,
    without_replacement,
)

from fastcal.intervals import wilson_interval

EVERY_TEN = range(10, 401, 10)
DELTAS = (0.05, 0.1)


@pytest.mark.parametrize(
    ("k", "at_null", "five_fewer"),
    [
        (30, (0.025, 0.065), (0.000, 0.000)),
        (50, (0.031, 0.077), (0.000, 0.002)),
        (100, (0.039, 0.0795), (0.002, 0.006)),
        (200, (0.042, 0.089), (0.006, 0.019)),
    ],
)
def test_looking_after_every_label_of_a_pool(k, at_null, five_fewer):
    """Nearly the rate promised where the null is just true, and less below it."""
    null_hits = math.ceil(k * 9 / 10) - 1
    for i, delta in enumerate(DELTAS):
        stops = pool_evidence_certifies(k, null_hits, delta)
        rates = [stopping_rate(without_replacement(k, positives), stops, range(1, k + 1)) for positives in (null_hits, null_hits - 5)]
        assert rates == pytest.approx([at_null[i], five_fewer[i]], abs=5e-4)


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95])
def test_evidence_holds_its_level_whatever_the_pool(target):
    """Also after all labels, at every number of positives that the null allows."""
    k = 60
    null_hits = math.ceil(k * target) - 1
    for delta in (0.05, 0.2):
        stops = pool_evidence_certifies(k, null_hits, delta)
        rates = [stopping_rate(without_replacement(k, positives), stops, range(1, k + 1)) for positives in range(null_hits + 1)]
        assert max(rates) <= delta
        assert stopping_rate(without_replacement(k, k), stops, range(1, k + 1)) == pytest.approx(1.0)


def test_one_look():
    """The worst number of labels up to 400: all positive for Wilson; Clopper-Pearson keeps its promise."""
    mass, wilson, exact = np.ones(1), {delta: {} for delta in DELTAS}, {delta: {} for delta in DELTAS}
    for n in range(1, 401):
        mass = np.append(mass * 0.1, 0.0) + np.append(0.0, mass * 0.9)
        for delta in DELTAS:
            wilson[delta][n] = mass[wilson_certifies(0.9, delta)(n, np.arange(n + 1))].sum()
            if n % 11 == 0:
                exact[delta][n] = mass[clopper_pearson_certifies(0.9, delta)(n, np.arange(n + 1))].sum()
    for delta, worst, at in zip(DELTAS, (0.072, 0.206), (25, 15), strict=True):
        assert max(wilson[delta], key=wilson[delta].get) == at
        assert wilson[delta][at] == pytest.approx(worst, abs=5e-4)
        assert 0.8 * delta < max(exact[delta].values()) <= delta


def test_looking_after_every_ten_labels():
    for delta, wilson, exact, mixture, below in zip(DELTAS, (0.206, 0.388), (0.181, 0.303), (0.023, 0.051), (0.060, 0.168), strict=True):
        rates = [
            stopping_rate(independent(0.9), stops, EVERY_TEN)
            for stops in (wilson_certifies(0.9, delta), clopper_pearson_certifies(0.9, delta), evidence_certifies(0.9, delta, 400))
        ]
        assert rates == pytest.approx([wilson, exact, mixture], abs=5e-4)
        assert stopping_rate(independent(0.88), wilson_certifies(0.9, delta), EVERY_TEN) == pytest.approx(below, abs=5e-4)


def test_labelling_until_the_interval_is_narrow():
    """Ten labels at a time until the 95 % interval is at most 0.1 wide: a mild form of peeking."""

    def narrow(n, hits):
        low, high = wilson_interval(hits, n)
        return high - low <= 0.1

    def coverage(rate):
        covered = above = 0.0
        for n, hits, mass in stopped(independent(rate), narrow, range(10, 501, 10)):
            low, high = wilson_interval(hits, n)
            covered += mass[(low <= rate) & (rate <= high)].sum()
            above += mass[low > rate].sum()
        return covered, above

    rates = {rate: coverage(rate) for rate in (0.5, 0.8, 0.9, 0.93, 0.95, 0.97)}
    assert [rates[rate][0] for rate in (0.5, 0.8, 0.9)] == pytest.approx([0.955, 0.947, 0.945], abs=6e-4)
    assert rates[0.9][1] == pytest.approx(0.035, abs=5e-4)
    assert all(0.97 <= rates[rate][0] <= 0.982 for rate in (0.93, 0.95, 0.97))


def test_many_anchors_with_fresh_labels():
    """Eight anchors at precisions .89, .88, ...: one of them passes Wilson at 100 labels each in 5.8 %."""
    passes = [stopping_rate(independent(rate), wilson_certifies(0.9, 0.05), [100]) for rate in np.arange(0.82, 0.895, 0.01)]
    assert 1 - np.prod(1 - np.array(passes)) == pytest.approx(0.058, abs=5e-4)


@pytest.mark.parametrize(("delta", "medians", "by_600"), [(0.05, [43, 43, 85, 168], 0.979), (0.1, [34, 34, 56, 125], 0.991)])
def test_labels_that_a_certificate_of_ninety_percent_takes(delta, medians, by_600):
    """Median over draws at true precisions 1, .99, .97 and .95, looking after every label; and the share certified by 600 at .95."""
    stops, found = evidence_certifies(0.9, delta, 600), []
    for rate in (1.0, 0.99, 0.97, 0.95):
        certified = np.cumsum([mass.sum() for _, _, mass in stopped(independent(rate), stops, range(1, 601))])
        found.append(int(np.argmax(certified >= 0.5)) + 1)
    assert found == medians
    assert certified[-1] == pytest.approx(by_600, abs=5e-4)
