"""Intervals of the demo: resampled by query, honest at 0 and 1 and on few pairs, mirrored for ECE."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("sklearn")
pytest.importorskip("bm25s")
pytest.importorskip("ir_measures")
pytest.importorskip("matplotlib")

import fastcal as fc
from fastcal.cli.demo import candidates, reliability
from fastcal.cli.demo.digits import load_digits
from fastcal.cli.demo.estimates import QueryBootstrap, share


def test_rates_of_zero_and_one_keep_an_honest_interval():
    bootstrap = QueryBootstrap(4, seed=0)
    certain = bootstrap.ratio(np.array([3, 0, 2, 0]), np.array([3, 0, 2, 0]), "pairs")
    assert (certain.value, certain.n) == (1.0, 5)
    assert (certain.low, certain.high) == pytest.approx(fc.wilson_interval(2, 2))
    never = bootstrap.ratio(np.zeros(4, int), np.array([3, 1, 2, 1]), "pairs")
    assert (never.low, never.high) == pytest.approx(fc.wilson_interval(0, 4))
    nothing = bootstrap.ratio(np.zeros(4, int), np.zeros(4, int), "pairs")
    assert math.isnan(nothing.value)
    assert nothing.full() == "nothing to measure, n = 0 pairs"
    assert math.isnan(share(0, 0, "queries").value)


def test_resampling_by_query_is_wider_than_by_pair_when_queries_differ():
    hits = np.repeat([0, 50], 20)
    by_query = QueryBootstrap(40, seed=1).ratio(hits, np.full(40, 50), "pairs")
    by_pair = share(1000, 2000, "pairs")
    assert by_query.value == by_pair.value == 0.5
    assert by_query.high - by_query.low > 3 * (by_pair.high - by_pair.low)


def percentiles(numerator, denominator, seed, n_resamples=1000):
    """The plain percentile interval of the ratio, query by query."""
    draws = np.random.default_rng(seed).integers(0, len(numerator), (n_resamples, len(numerator)))
    return np.quantile([numerator[rows].sum() / denominator[rows].sum() for rows in draws if denominator[rows].sum()], [0.025, 0.975])


@pytest.mark.parametrize(
    ("hits", "pairs"),
    [
        ([2, 1, 0, 3], [3, 1, 1, 4]),  # 6 of 9, all queries contributing
        ([6, 0, 0, 0, 0], [6, 0, 2, 0, 1]),  # clustered: resampling is the wider one below
        ([1] * 14 + [0] * 15, [1] * 29),  # the largest sample that is still small
    ],
)
def test_an_interval_on_fewer_than_30_pairs_contains_both_the_resampled_one_and_wilson(hits, pairs):
    hits, pairs = np.array(hits), np.array(pairs)
    found = QueryBootstrap(len(hits), seed=3).ratio(hits, pairs, "pairs")
    low, high = percentiles(hits, pairs, 3)
    wilson = fc.wilson_interval(int(hits.sum()), int(pairs.sum()))
    assert (found.low, found.high) == pytest.approx((min(low, wilson[0]), max(high, wilson[1])))
    assert found.full() == f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}], n = {pairs.sum()} pairs"


def test_an_interval_on_30_pairs_is_the_resampled_one():
    hits, pairs = np.array([1] * 15 + [0] * 15), np.ones(30, int)
    found = QueryBootstrap(30, seed=3).ratio(hits, pairs, "pairs")
    assert (found.low, found.high) == pytest.approx(percentiles(hits, pairs, 3))


def test_the_interval_of_an_inflated_statistic_is_mirrored_and_cut_at_zero():
    labels, stated = np.array([[1.0], [2.0], [6.0]]), np.zeros((3, 1))
    draws = np.random.default_rng(5).integers(0, 3, (1000, 3))
    low, high = np.quantile([labels[rows].mean() for rows in draws], [0.025, 0.975])
    found = QueryBootstrap(3, seed=5).reflected(lambda given, _: float(given.mean()), labels, stated)
    assert (found.value, found.low, found.high) == pytest.approx((3, 6 - high, 6 - low))
    assert high - 3 != pytest.approx(3 - low)
    cut = QueryBootstrap(3, seed=5).reflected(lambda given, _: float(given.mean() ** 3), labels, stated)
    assert cut.low == 0


def test_the_interval_of_ece_is_the_mirrored_one():
    searched = candidates.search(load_digits(), 0)
    labels, measured = searched.held_out.labels.astype(float), reliability.reliability(searched.train, searched.held_out, 0)
    draws = np.random.default_rng(0).integers(0, len(labels), (200, len(labels)))
    for predictor in measured.predictors:
        stated = predictor.probabilities.astype(float)
        bins = np.clip(np.ceil(stated * 15).astype(int) - 1, 0, 14)
        by_query = np.array([np.bincount(b, weights=gap, minlength=15) for b, gap in zip(bins, labels - stated, strict=True)])
        resampled = [np.abs(by_query[rows].sum(axis=0)).sum() / labels.size for rows in draws]
        value = np.abs(by_query.sum(axis=0)).sum() / labels.size
        low, high = np.quantile(resampled, [0.025, 0.975])
        expected = value, max(0, 2 * value - high), max(0, 2 * value - low)
        assert (predictor.ece.value, predictor.ece.low, predictor.ece.high) == pytest.approx(expected, abs=1e-6)
