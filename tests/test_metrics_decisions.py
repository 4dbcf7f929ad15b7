"""Bands, precision and recall at a threshold, risk-coverage, stability, transfer, judged@k and the summary."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal import metrics

PAIRS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=30)


def sample(n_queries: int = 60, size: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Right probabilities in rows per query, their labels and the query ids."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.7, 1.5, (n_queries, size))
    return (rng.random(p.shape) < p).astype(np.uint8), p, np.arange(n_queries)


def swayed(n_queries: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels that agree within a query, at probabilities that are right on average."""
    rng = np.random.default_rng(seed)
    p = np.repeat(rng.random((n_queries, 1)), 10, axis=1)
    return np.repeat(rng.random((n_queries, 1)) < p[:, :1], 10, axis=1).astype(np.uint8), p, np.arange(n_queries)


# -- intervals and bands ----------------------------------------------------------------------------------------
def test_intervals_of_bins_are_by_query() -> None:
    labels, p, groups = swayed(50, 0)
    by_pair, by_query = (metrics.reliability_curve(labels, p, 5, groups=g) for g in (None, groups))
    one = metrics.reliability_curve(labels[:, 0], p[:, 0], 5)
    assert (by_query.interval_high - by_query.interval_low > by_pair.interval_high - by_pair.interval_low).all()
    np.testing.assert_allclose(by_query.interval_low, one.interval_low, atol=0.02)
    np.testing.assert_array_equal(by_query.observed_rate, by_pair.observed_rate)


@pytest.mark.parametrize("swaying", [False, True])
@pytest.mark.parametrize("band", ["consistency", "bootstrap"])
def test_bands_hold_right_probabilities(swaying: bool, band: str) -> None:
    """Of the bins of 40 samples, about 95 % are inside: the rate in the band around the diagonal, the diagonal in that around the rate."""
    inside = []
    for seed in range(40):
        labels, p, groups = swayed(100, seed) if swaying else sample(seed=seed)
        curve = metrics.reliability_curve(labels, p, 5, groups=groups, band=band, n_resamples=300, seed=seed)  # type: ignore[arg-type]
        assert curve.band_low is not None
        assert curve.band_high is not None
        held = curve.observed_rate if band == "consistency" else curve.mean_predicted
        inside += ((curve.band_low <= held) & (held <= curve.band_high)).tolist()
    assert 0.88 <= np.mean(inside) <= 0.995


def test_the_consistency_band_is_binomial_and_weights_widen_it() -> None:
    p, labels = np.full(200, 0.3), np.arange(200) < 70
    curve = metrics.reliability_curve(labels, p, 1, band="consistency", n_resamples=4000)
    assert (curve.band_low[0], curve.band_high[0]) == pytest.approx((0.24, 0.365), abs=0.006)  # type: ignore[index]
    weights = np.where(np.arange(200) % 10 == 0, 10.0, 0.5)
    weighted = metrics.reliability_curve(labels, p, 1, sample_weight=weights, band="consistency", n_resamples=4000)
    half = 1.96 * np.sqrt(0.21 * (weights**2).sum()) / weights.sum()
    assert (weighted.band_low[0], weighted.band_high[0]) == pytest.approx((0.3 - half, 0.3 + half), abs=0.02)  # type: ignore[index]


def test_bands_depend_on_the_seed_alone() -> None:
    labels, p, groups = sample()
    for band in ("consistency", "bootstrap"):
        one, same, other = (metrics.reliability_curve(labels, p, groups=groups, band=band, seed=seed) for seed in (1, 1, 2))  # type: ignore[arg-type]
        assert one.to_dict() == same.to_dict()
        assert one.to_dict() != other.to_dict()
    assert metrics.reliability_curve(labels, p).to_dict()["band_low"] is None
    with pytest.raises(ValueError, match="'consistency', 'bootstrap'; got 'both'"):
        metrics.reliability_curve(labels, p, band="both")  # type: ignore[arg-type]


def test_auroc_interval_by_query() -> None:
    """It covers the area between two normals, 1 - Phi(-1 / sqrt 2) = .7602, in 200 samples with effects of queries; ties and turns agree."""
    held, widths = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        labels = np.tile([1, 0, 0, 0, 0], (40, 1))
        found = metrics.separation(labels, labels + rng.normal(size=labels.shape), groups=np.arange(40))
        held.append(found.auroc_interval[0] <= 0.7602 <= found.auroc_interval[1])
        widths.append(found.auroc_interval[1] - found.auroc_interval[0])
    assert 0.9 <= np.mean(held) <= 0.99
    assert np.mean(widths) < 0.2
    perfect = metrics.separation([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    assert perfect.auroc_interval == pytest.approx(fc.wilson_interval(3, 3))


# -- precision and recall at a threshold ----------------------------------------------------------------------------
@given(PAIRS, st.integers(-1, 7), st.booleans())
def test_precision_and_recall_by_counting(pairs: list, cut: int, higher_is_better: bool) -> None:
    labels, scores, groups = np.array(pairs).T
    found = metrics.precision_recall_at(labels, scores.astype(float), cut, groups=groups, higher_is_better=higher_is_better)
    chosen = scores >= cut if higher_is_better else scores <= cut
    assert found.n_selected == chosen.sum()
    assert found.precision == pytest.approx(labels[chosen].mean() if chosen.any() else 0)
    assert found.recall == pytest.approx(labels[chosen].sum() / labels.sum() if labels.any() else 0)
    assert found.n_groups == len(set(groups))
    for value, (low, high) in ((found.precision, found.precision_interval), (found.recall, found.recall_interval)):
        assert low - 1e-12 <= value <= high + 1e-12
        assert low < high
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()


def test_intervals_at_a_threshold_are_wilson_and_grow_with_queries() -> None:
    labels, p, groups = swayed(40, 1)
    by_pair, by_query = (metrics.precision_recall_at(labels, p, 0.5, groups=g) for g in (None, groups))
    assert by_pair.precision_interval == fc.wilson_interval(labels[p >= 0.5].sum(), (p >= 0.5).sum())
    assert by_query.precision_interval[1] - by_query.precision_interval[0] > 2 * (by_pair.precision_interval[1] - by_pair.precision_interval[0])
    point = fc.choose_threshold(p, labels, 0.6, groups=groups)
    assert point is not None
    assert point.interval == metrics.precision_recall_at(labels, p, point.threshold, groups=groups).precision_interval
    with pytest.raises(ValueError, match="threshold must be a number, got nan"):
        metrics.precision_recall_at([0], [0.5], np.nan)


# -- risk and coverage ---------------------------------------------------------------------------------------------------
@given(PAIRS)
def test_risk_coverage_by_counting(pairs: list) -> None:
    labels, scores, groups = np.array(pairs).T
    curve = metrics.risk_coverage(labels, scores.astype(float))
    for coverage, risk, cut in zip(curve.coverage, curve.risk, curve.threshold, strict=True):
        assert coverage == pytest.approx((scores >= cut).mean())
        assert risk == pytest.approx(1 - labels[scores >= cut].mean())
    assert (curve.n, curve.n_groups) == (len(labels), len(labels))
    grouped = metrics.risk_coverage(labels, scores.astype(float), groups=groups)
    assert (grouped.n, grouped.n_groups) == (len(labels), len(set(groups)))
    for found, given_ in ((curve, None), (grouped, groups)):
        for low, high, cut in zip(found.risk_low, found.risk_high, found.threshold, strict=True):
            precision = metrics.precision_recall_at(labels, scores.astype(float), float(cut), groups=given_).precision_interval
            assert (1 - high, 1 - low) == pytest.approx(precision)
    assert curve.aurc == pytest.approx(np.sum(np.diff(curve.coverage, prepend=0) * curve.risk))
    by_query = metrics.risk_coverage(labels, scores.astype(float), per="query", groups=groups)
    best = {q: scores[groups == q].max() for q in set(groups)}
    wrong = {q: 1 - labels[(groups == q) & (scores == best[q])].mean() for q in best}
    for coverage, risk, cut in zip(by_query.coverage, by_query.risk, by_query.threshold, strict=True):
        answered = [q for q in best if best[q] >= cut]
        assert coverage == pytest.approx(len(answered) / len(best))
        assert risk == pytest.approx(np.mean([wrong[q] for q in answered]))
    low, high = fc.wilson_interval(by_query.risk[-1] * len(best), len(best))
    assert (by_query.risk_low[-1], by_query.risk_high[-1]) == pytest.approx((low, high))
    assert (by_query.n, by_query.n_groups, by_query.per) == (len(labels), len(best), "query")


def test_bad_risk_coverage() -> None:
    with pytest.raises(ValueError, match="needs groups"):
        metrics.risk_coverage([1], [0.5], per="query")
    with pytest.raises(ValueError, match="every query counts once"):
        metrics.risk_coverage([1], [0.5], per="query", groups=[1], sample_weight=[1.0])
    with pytest.raises(ValueError, match="'pair', 'query'; got 'row'"):
        metrics.risk_coverage([1], [0.5], per="row")  # type: ignore[arg-type]


# -- stability ---------------------------------------------------------------------------------------------------------------
def languages(shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    scores, names = rng.random((120, 5)), np.repeat(["de", "en"], 60)
    edge = np.where(names == "de", 0.5, 0.5 + shift)[:, None]
    return (rng.random(scores.shape) < np.where(scores > edge, 0.95, 0.05)).astype(np.uint8), scores, names, np.arange(120)


@pytest.mark.parametrize("target", [None, 0.8])
@pytest.mark.parametrize("higher_is_better", [True, False])
def test_stability(target: float | None, higher_is_better: bool) -> None:
    sign = 1 if higher_is_better else -1
    for shift, verdict in ((0.0, "one global threshold is enough"), (0.3, "thresholds differ between classes")):
        labels, scores, names, groups = languages(shift)
        found = metrics.threshold_stability(labels, sign * scores, names, groups=groups, target_precision=target, higher_is_better=higher_is_better)
        assert found.verdict == verdict
        for row, name in zip(found.rows, ("de", "en"), strict=True):
            mine = names == name
            assert (row.name, row.n, row.n_relevant, row.n_groups) == (name, 300, labels[mine].sum(), 60)
            assert row.low <= row.threshold <= row.high
            if target is None:
                sweep = fc.threshold_sweep(sign * scores[mine], labels[mine], higher_is_better=higher_is_better)
                assert row.threshold == sweep.threshold[sweep.f1.argmax()]
            else:
                point = fc.choose_threshold(sign * scores[mine], labels[mine], target, higher_is_better=higher_is_better)
                assert point is not None
                assert (row.threshold, row.precision, row.recall) == pytest.approx((point.threshold, point.precision, point.recall))
            at = metrics.precision_recall_at(labels[mine], sign * scores[mine], found.threshold, higher_is_better=higher_is_better)
            assert (row.global_precision, row.global_recall) == pytest.approx((at.precision, at.recall))


def test_a_class_that_no_cut_serves_has_an_infinite_threshold() -> None:
    found = metrics.threshold_stability([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], ["a", "a", "b", "b"], target_precision=0.9)
    assert (found.rows[0].threshold, found.rows[0].recall) == (np.inf, 0.0)
    assert found.to_dict()["rows"][0]["threshold"] is None
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()


# -- transfer -------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("calibrated", [False, True])
def test_transfer_applies_each_rule_everywhere(calibrated: bool) -> None:
    parts = {name: languages(shift)[:2][::-1] for name, shift in (("faq", 0.0), ("code", 0.3))}
    calibrator = fc.PlattCalibrator() if calibrated else None
    found = metrics.transfer_matrix(parts, 0.8, calibrator=calibrator)
    for i, (scores, labels) in enumerate(parts.values()):
        rule = fc.PlattCalibrator().fit(scores, labels).predict if calibrated else np.asarray
        point = fc.choose_threshold(scores, labels, 0.8)
        assert point is not None
        assert found.threshold[i] == (0.8 if calibrated else point.threshold)
        for j, (others, relevant) in enumerate(parts.values()):
            at = metrics.precision_recall_at(relevant, rule(others), found.threshold[i])
            assert (found.precision[i, j], found.recall[i, j], found.n_selected[i, j]) == pytest.approx((at.precision, at.recall, at.n_selected))
            assert (found.precision_low[i, j], found.precision_high[i, j]) == pytest.approx(at.precision_interval)
    assert found.precision[0, 1] < 0.8 <= found.precision[0, 0]
    assert not hasattr(calibrator, "base_rate_")


def test_bad_collections() -> None:
    for given_, error in (({}, ValueError), ({"a": ([0.5],)}, ValueError), ([1], TypeError), ({1: ([0.5], [1])}, TypeError)):
        with pytest.raises(error, match="collections"):
            metrics.transfer_matrix(given_)  # type: ignore[arg-type]
    hopeless = metrics.transfer_matrix({"a": ([0.1, 0.2], [0, 0]), "b": ([0.1, 0.2], [0, 1])})
    assert hopeless.to_dict()["precision"] == [[None, None], [0.0, 1.0]] or np.isnan(hopeless.precision[0]).all()
    assert hopeless.to_dict()["threshold"][0] is None


# -- judged@k ---------------------------------------------------------------------------------------------------------------------
def test_judged_at_k_is_that_of_ir_measures() -> None:
    measures = pytest.importorskip("ir_measures")
    rng = np.random.default_rng(0)
    run = {f"q{q}": {f"d{d}": float(-i) for i, d in enumerate(rng.permutation(30)[: rng.integers(1, 12)])} for q in range(20)}
    qrels = {q: {f"d{d}": int(rng.integers(-1, 3)) for d in rng.permutation(30)[:15]} for q in run}
    found = metrics.judged_at_k(fc.Run.from_dict(run), fc.Qrels.from_dict(qrels), 5)
    for name, values in (("Judged@5", found.judged), ("P@5", found.precision_irrelevant)):
        theirs = {m.query_id: m.value for m in measures.iter_calc([measures.parse_measure(name)], qrels, run)}
        assert values.tolist() == pytest.approx([theirs[q] for q in run])
    for q, value in zip(run, found.precision_judged, strict=True):
        known = [qrels[q][d] > 0 for d in list(run[q])[:5] if d in qrels[q]]
        assert value == pytest.approx(np.mean(known)) if known else np.isnan(value)


# -- summary -----------------------------------------------------------------------------------------------------------------------
def test_the_summary_is_the_metrics_beside_the_constant() -> None:
    labels, p, groups = sample()
    found = metrics.calibration_summary(labels, p, groups=groups, base_rate=0.5, n_resamples=200)
    constant = np.full(p.shape, 0.5)
    assert found.ece == metrics.expected_calibration_error(labels, p)
    assert found.debiased_calibration_error == metrics.debiased_calibration_error(labels, p, groups=groups)
    assert found.constant_ece == pytest.approx(metrics.expected_calibration_error(labels, constant))
    assert found.brier_skill == pytest.approx(1 - metrics.brier_score(labels, p) / metrics.brier_score(labels, constant))
    assert found.auroc == pytest.approx(metrics.separation(labels, p).auroc)
    assert (found.n, found.n_groups, found.base_rate) == (600, 60, pytest.approx(labels.mean()))
    estimate = metrics.bootstrap(metrics.expected_calibration_error, labels, p, groups=groups, n_resamples=200)
    assert found.ece_interval == (estimate.low, estimate.high)
    for metric, interval in ((metrics.brier_score, found.brier_interval), (metrics.log_loss, found.log_loss_interval)):
        assert interval == metrics.bootstrap(metric, labels, p, groups=groups, n_resamples=200).interval
    blind = metrics.calibration_summary(labels, p, groups=groups, n_resamples=200)
    assert (blind.constant_ece, blind.constant_in_sample, found.constant_in_sample) == (0.0, True, False)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()


def test_the_summary_of_right_probabilities_is_debiased_beside_an_ece_of_noise() -> None:
    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        p = rng.random((50, 10))
        found.append(metrics.calibration_summary(rng.random((50, 10)) < p, p, groups=np.arange(50), n_resamples=100, strategy="quantile", n_bins=10))
    assert np.mean([each.ece for each in found]) > 0.03
    assert np.median([each.debiased_calibration_error for each in found]) < 0.015


def test_a_summary_of_one_query_of_one_class() -> None:
    found = metrics.calibration_summary([1, 1], [0.75, 0.75], groups=[3, 3])
    assert found.to_dict() | {"log_loss": None} == {
        "ece": 0.25, "debiased_calibration_error": 0.0, "ece_interval": [None, None],
        "constant_ece": 0.0, "constant": 1.0, "constant_in_sample": True, "brier": 0.0625,
        "brier_skill": None, "log_loss": None, "auroc": None, "n": 2, "n_groups": 1, "base_rate": 1.0,
        "brier_interval": [None, None], "log_loss_interval": [None, None],
    }  # fmt: skip
