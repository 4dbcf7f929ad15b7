"""compare_runs: the values of ir-measures, and a bootstrap that covers."""

from __future__ import annotations

import itertools
import json
import sys

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal.evaluation import _bootstrap

METRICS = ("nDCG@10", "nDCG@3", "P@5", "R@10", "RR", "AP", "AP(rel=2)@4", "Success@1", "Rprec")


def collection(seed, n_queries=30, names=str):
    """(runs, qrels): distinct scores, short lists, queries that one side lacks, graded judgements."""
    rng = np.random.default_rng(seed)

    def some(least, most):
        return map(names, rng.permutation(40)[: rng.integers(least, most)].tolist())

    def run():
        scores = map(float, rng.permutation(40))
        return fc.Run.from_dict({names(query): dict(zip(some(0, 25), scores, strict=False)) for query in rng.permutation(n_queries - 1).tolist()})

    qrels = {names(query): {document: int(rng.integers(0, 3)) for document in some(1, 15)} for query in range(3, n_queries)}
    return [run(), run()], qrels | {names(1000): {names(7): 1}}


def as_strings(nested):
    return {str(query): {str(document): value for document, value in documents.items()} for query, documents in nested.items()}


# -- values --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("names", [str, int])
def test_values_are_those_of_ir_measures(metric, names):
    (a, b), qrels = collection(1, names=names)
    measure = ir_measures.parse_measure(metric)
    result = fc.compare_runs(a, b, qrels, metric, n_resamples=100)
    for run, mean, values in ((a, result.mean_a, result.values_a), (b, result.mean_b, result.values_b)):
        judged, listed = as_strings(qrels), as_strings(run.to_dict())
        assert mean == pytest.approx(ir_measures.calc_aggregate([measure], judged, listed)[measure], abs=1e-12)
        for each in ir_measures.iter_calc([measure], judged, listed):
            assert values[result.query_ids.tolist().index(each.query_id)] == each.value
    assert result.query_ids.tolist() == sorted(map(str, qrels))
    assert result.difference == pytest.approx(result.mean_a - result.mean_b)
    assert (result.metric, result.n_queries) == (str(measure), len(qrels))


def test_a_judged_query_without_an_answer_counts_as_zero():
    a = fc.Run.from_dict({"q1": {"d1": 1.0}, "q9": {"d1": 1.0}})
    b = fc.Run.from_dict({"q1": {"d1": 1.0}, "q2": {"d2": 1.0}})
    result = fc.compare_runs(a, b, {"q1": {"d1": 1}, "q2": {"d2": 1}, "q3": {"d3": 1}, "q9": {}}, "P@1")
    assert result.query_ids.tolist() == ["q1", "q2", "q3"]
    assert (result.values_a.tolist(), result.values_b.tolist()) == ([1, 0, 0], [1, 1, 0])
    assert (result.wins, result.losses, result.ties) == (0, 1, 2)
    assert result.difference == pytest.approx(-1 / 3)


def test_lists_count_in_their_own_order():
    """trec_eval would put z before a, whichever we list first; and a repeated document takes no place."""
    tied = fc.Run([[0, 1]], [[1.0, 1.0]], query_ids=["q"], doc_ids=["a", "z"])
    turned = fc.Run([[1, 0]], [[1.0, 1.0]], query_ids=["q"], doc_ids=["a", "z"])
    result = fc.compare_runs(tied, turned, {"q": {"a": 1}}, "RR")
    assert (result.mean_a, result.mean_b) == (1.0, 0.5)
    twice = fc.Run([[5, 5, 5, 3, 4]])
    assert fc.compare_runs(twice, twice, {0: {3: 1}}, "R@2").mean_a == 1.0


def test_searches_and_measure_objects():
    found = fc.SearchResult(np.array([[0.9, 0.5]], np.float32), np.array([[1, 2]]))
    result = fc.compare_runs(found, fc.Run([[2, 1]]), {0: {1: 1}}, ir_measures.RR @ 1)
    assert (result.metric, result.difference) == ("RR@1", 1.0)


def test_the_result_is_plain_json():
    (a, b), qrels = collection(2)
    result = fc.compare_runs(a, b, qrels, "AP", n_resamples=200, confidence=0.9, seed=5)
    back = json.loads(json.dumps(result.to_dict()))
    assert back["interval"] == list(result.interval)
    assert back["values_a"] == result.values_a.tolist()
    assert (back["metric"], back["confidence"], back["n_resamples"], back["seed"]) == ("AP", 0.9, 200, 5)


# -- the bootstrap ----------------------------------------------------------------------------------------
def test_every_resample_of_four_queries():
    """All 4^4 resamples are equally likely, so their quantiles and their share below zero are known."""
    values = np.array([0.3, -0.2, 0.1, -0.1])
    means = np.array([np.mean(picked) for picked in itertools.product(values, repeat=4)])
    share = np.mean(means < -1e-12) + 0.5 * np.mean(np.abs(means) < 1e-12)
    found = _bootstrap.mean_interval(values, 40_000, 0.9, seed=3)
    assert found.share_below_zero == pytest.approx(share, abs=4 * np.sqrt(0.25 / 40_000))
    low, high = np.quantile(means, [0.01, 0.99])
    assert low <= found.low < values.mean() < found.high <= high


def test_the_interval_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(0).exponential(size=60) - 0.8
    ours = _bootstrap.mean_interval(values, 40_000, 0.95, seed=1)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=40_000, method="BCa", random_state=2, vectorized=True).confidence_interval
    width = theirs.high - theirs.low
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.03 * width)


@pytest.mark.parametrize("draw", ["normal", "exponential", "mostly zero"])
def test_the_interval_covers(draw):
    """Of 300 intervals at 90 %, 256 to 284 hold the true mean with probability .99; skewness and ties cost some points."""
    rng = np.random.default_rng(7)
    size = (300, 50)
    samples = {
        "normal": rng.normal(0.05, 0.2, size),
        "exponential": rng.exponential(0.2, size) - 0.15,
        "mostly zero": rng.choice([0.0, 0.5, -0.25], size, p=[0.7, 0.2, 0.1]) - 0.025,
    }[draw]
    intervals = [_bootstrap.mean_interval(values, 1000, 0.9, seed) for seed, values in enumerate(samples)]
    truth = 0.05
    covered = np.mean([found.low <= truth <= found.high for found in intervals])
    assert 0.83 <= covered <= 0.96


@given(st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_turning_the_comparison_turns_its_sign(seed, bootstrap_seed):
    (a, b), qrels = collection(seed, 12)
    one = fc.compare_runs(a, b, qrels, "AP", n_resamples=300, seed=bootstrap_seed)
    other = fc.compare_runs(b, a, dict(reversed(qrels.items())), "AP", n_resamples=300, seed=bootstrap_seed)
    assert other.difference == -one.difference
    assert other.interval == pytest.approx((-one.interval[1], -one.interval[0]), abs=1e-12)
    assert other.share_below_zero == pytest.approx(1 - one.share_below_zero)
    assert (other.wins, other.losses, other.ties) == (one.losses, one.wins, one.ties)
    assert one.interval[0] <= one.interval[1]
    assert one.wins + one.losses + one.ties == one.n_queries


def test_a_seed_is_one_result_whatever_the_blocks(monkeypatch):
    values = np.random.default_rng(0).normal(size=37)
    whole = _bootstrap.mean_interval(values, 1000, 0.95, seed=11)
    assert _bootstrap.mean_interval(values, 1000, 0.95, seed=12) != whole
    monkeypatch.setattr(_bootstrap, "_BLOCK", 100)
    assert _bootstrap.mean_interval(values, 1000, 0.95, seed=11) == whole


def test_a_wider_confidence_is_a_wider_interval():
    (a, b), qrels = collection(4)
    widths = [np.diff(fc.compare_runs(a, b, qrels, confidence=level).interval)[0] for level in (0.5, 0.9, 0.99)]
    assert widths == sorted(widths)


def test_no_spread():
    (a, _), qrels = collection(3)
    same = fc.compare_runs(a, a, qrels)
    assert (same.difference, same.interval, same.share_below_zero, same.ties) == (0.0, (0.0, 0.0), 0.5, same.n_queries)
    one_query = fc.compare_runs(fc.Run([[1]]), fc.Run([[2]]), {0: {1: 1}}, "P@1")
    assert (one_query.interval, one_query.share_below_zero) == ((1.0, 1.0), 0.0)


# -- bad input ---------------------------------------------------------------------------------------------
ONE = fc.Run([[1, 2]])


@pytest.mark.parametrize(
    ("qrels", "options", "error"),
    [
        ({0: {1: 1}}, {"metric": "bogus"}, "'bogus' is not a measure"),
        ({0: {1: 1}}, {"metric": "nDCG@"}, "'nDCG@' is not a measure"),
        ({0: {1: 1}}, {"confidence": 1.0}, "confidence"),
        ({0: {1: 1}}, {"n_resamples": 10}, "n_resamples must be an integer of at least 100"),
        ({0: {1: 1}}, {"seed": -1}, "seed"),
        ({}, {}, "hold no judgement"),
        ({0: {}}, {}, "hold no judgement"),
        ({"q7": {1: 1}}, {}, "a and qrels share no query: a has 0, qrels have 'q7'"),
        ({1: {1: 1}, "1": {1: 1}}, {}, "two keys of the same name"),
        ({0: {1: 1, "1": 0}}, {}, "two keys of the same name"),
    ],
)
def test_values_that_cannot_be_used(qrels, options, error):
    with pytest.raises(fc.FastcalError, match=error) as caught:
        fc.compare_runs(ONE, ONE, qrels, **options)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        ((ONE, {"q": {"d": 1.0}}, {0: {1: 1}}), {}, "b must be a Run"),
        (([[1]], ONE, {0: {1: 1}}), {}, "a must be a Run"),
        ((ONE, ONE, [(0, 1, 1)]), {}, "qrels must be a mapping"),
        ((ONE, ONE, {0: [1]}), {}, "qrels must be a mapping"),
        ((ONE, ONE, {0: {1: 0.5}}), {}, r"qrels\['0'\]\['1'\] must be an integer, got 0.5"),
        ((ONE, ONE, {0: {1: 1}}), {"metric": 10}, "metric must be a string"),
        ((ONE, ONE, {0: {1: 1}}), {"n_resamples": 1e4}, "n_resamples"),
        ((ONE, ONE, {0: {1: 1}}), {"seed": None}, "seed"),
    ],
)
def test_types_that_cannot_be_used(arguments, options, error):
    with pytest.raises(TypeError, match=error):
        fc.compare_runs(*arguments, **options)


def test_without_ir_measures_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(fc.MissingExtraError, match=r"fastcal\[metrics\]"):
        fc.compare_runs(ONE, ONE, {0: {1: 1}})
