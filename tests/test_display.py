"""The pictures show the numbers of the metrics: what the artists hold is read back and compared."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import fastcal as fc
from fastcal import metrics
from fastcal._validate.scores import pairs
from fastcal.display._axes import LOOKS, MOST_POINTS, thinned
from fastcal.metrics._rate_bands import rate_bands

matplotlib = pytest.importorskip("matplotlib")
from matplotlib.figure import Figure  # noqa: E402

RNG = np.random.default_rng(5)
QUERIES = np.arange(40)
SCORES = RNG.random((40, 12)).astype(np.float32)
LABELS = (RNG.random((40, 12)) < SCORES**2).astype(np.uint8)
WEIGHTS = RNG.integers(0, 4, (40, 12)).astype(np.float64)
SCORES[3, 9:] = np.nan
DISTANCES = fc.SearchResult(-SCORES, np.where(np.isnan(SCORES), -1, np.arange(12)), higher_is_better=False)
COLLECTIONS = {"a": (SCORES, LABELS, QUERIES), "b": (SCORES / 2, LABELS, QUERIES), "c": (SCORES, 1 - LABELS, QUERIES)}


def outline(filled):
    """Lower and upper limits of a fill_between, by x."""
    (path,) = filled.get_paths()
    x, y = path.vertices.T
    values = np.unique(x)
    return values, np.array([y[x == value].min() for value in values]), np.array([y[x == value].max() for value in values])


# -- what is drawn is what was measured -----------------------------------------------------------------------
@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_reliability(strategy):
    options = {"n_bins": 8, "strategy": strategy, "sample_weight": WEIGHTS, "groups": QUERIES, "band": "bootstrap"}
    shown = fc.ReliabilityDisplay.from_predictions(LABELS, SCORES, name="raw", min_count=50, **options)
    curve = metrics.reliability_curve(LABELS, SCORES, **options)
    enough = curve.count >= 50
    assert 0 < np.count_nonzero(enough) <= len(curve)
    for line, kept in ((shown.line_, enough), (shown.few_, ~enough)):
        np.testing.assert_array_equal(line.get_xdata(), curve.mean_predicted[kept])
        np.testing.assert_array_equal(line.get_ydata(), curve.observed_rate[kept])
    for bar, x, low, high in zip(shown.intervals_.get_segments(), curve.mean_predicted, curve.interval_low, curve.interval_high, strict=True):
        np.testing.assert_array_equal(bar, [[x, low], [x, high]])
    x, low, high = outline(shown.band_)
    np.testing.assert_array_equal(x, curve.mean_predicted)
    np.testing.assert_array_equal((low, high), (curve.band_low, curve.band_high))
    counts = shown.counts_.get_data()
    np.testing.assert_array_equal(counts.values[~np.isnan(counts.values)], curve.count)
    assert set(counts.edges) == {*curve.lower_edge, *curve.upper_edge}
    assert shown.line_.get_label() == f"raw, n = {curve.count.sum():,} pairs"


def test_reliability_leaves_empty_bins_out_of_the_strip():
    shown = fc.ReliabilityDisplay.from_predictions([0, 1, 1], [0.05, 0.06, 0.95], n_bins=10, ref_line=False)
    counts = shown.counts_.get_data()
    np.testing.assert_array_equal(counts.values, [2, np.nan, 1])
    np.testing.assert_array_equal(counts.edges, [0.0, 0.1, 0.9, 1.0])
    assert shown.ref_line_ is None
    assert fc.ReliabilityDisplay(shown.curve).plot(counts=False).counts_ is None


def test_separation():
    shown = fc.SeparationDisplay.from_predictions(LABELS, DISTANCES, higher_is_better=False, sample_weight=WEIGHTS, threshold=-0.5, name="raw")
    found = metrics.separation(LABELS, DISTANCES, higher_is_better=False, sample_weight=WEIGHTS)
    for steps, heights in ((shown.relevant_, found.relevant_share), (shown.irrelevant_, found.irrelevant_share)):
        np.testing.assert_array_equal(steps.get_data().values, heights)
        np.testing.assert_array_equal(steps.get_data().edges, found.edges)
        assert heights.sum() == pytest.approx(1.0)
    assert shown.overlap_.get_data().values.sum() == pytest.approx(found.overlap)
    assert list(shown.threshold_.get_xdata()) == [-0.5, -0.5]
    assert found.verdict in shown.ax_.get_title()
    assert shown.relevant_.get_label() == f"relevant, n = {found.n_relevant:,} pairs"
    inside = ~np.isnan(SCORES)
    assert (found.n, found.n_relevant) == (np.count_nonzero(inside), LABELS[inside].sum())
    assert fc.SeparationDisplay(found).plot(verdict=False).ax_.get_title() == ""
    by_query = fc.SeparationDisplay.from_predictions(LABELS, SCORES, groups=np.arange(len(LABELS)) % 7).separation
    assert by_query.auroc_interval == metrics.separation(LABELS, SCORES, groups=np.arange(len(LABELS)) % 7).auroc_interval
    assert by_query.auroc_interval != metrics.separation(LABELS, SCORES).auroc_interval
    turned = fc.SeparationDisplay.from_predictions(LABELS, -SCORES)
    assert "reversed" in turned.separation.note
    assert turned.ax_.get_title().endswith(f"{turned.separation.verdict}\n{turned.separation.note}")


def test_thresholds():
    point = fc.choose_threshold(SCORES, LABELS, 0.6)
    shown = fc.ThresholdDisplay.from_predictions(LABELS, SCORES, groups=QUERIES, point=point)
    sweep = fc.threshold_sweep(SCORES, LABELS)
    for line, values in ((shown.precision_, sweep.precision), (shown.recall_, sweep.recall), (shown.f1_, sweep.f1)):
        np.testing.assert_array_equal(line.get_xdata(), sweep.threshold)
        np.testing.assert_array_equal(line.get_ydata(), values)
    np.testing.assert_array_equal(shown.n_selected_.get_ydata(), sweep.n_selected)
    assert f"n = {point.n_selected:,}" in shown.point_.get_label()
    at = metrics.precision_recall_at(LABELS, SCORES, float(sweep.threshold[40]), groups=QUERIES)
    for band, interval in zip(shown.bands_, (at.precision_interval, at.recall_interval), strict=True):
        x, low, high = outline(band)
        place = int(np.flatnonzero(x == sweep.threshold[40])[0])
        assert (low[place], high[place]) == pytest.approx(interval)
    bare = fc.ThresholdDisplay(sweep).plot(counts=False)
    assert bare.bands_ == ()
    assert bare.n_selected_ is None
    assert bare.point_ is None


@pytest.mark.parametrize("per", ["pair", "query"])
def test_risk_coverage(per):
    shown = fc.RiskCoverageDisplay.from_predictions(LABELS, SCORES, per=per, groups=QUERIES, name="raw")
    curve = metrics.risk_coverage(LABELS, SCORES, per=per, groups=QUERIES)
    np.testing.assert_array_equal(shown.line_.get_xdata(), curve.coverage)
    np.testing.assert_array_equal(shown.line_.get_ydata(), curve.risk)
    assert f"AURC {curve.aurc:.3f}, n = {'477 pairs' if per == 'pair' else '40 queries'}" in shown.line_.get_label()
    assert shown.ref_line_.get_ydata()[0] == curve.risk[-1]
    _, low, high = outline(shown.band_)
    assert (low <= curve.risk + 1e-12).all()
    assert (curve.risk <= high + 1e-12).all()
    if per == "query":
        assert (low[-1], high[-1]) == pytest.approx(fc.wilson_interval(curve.risk[-1] * 40, 40))
    else:
        precision = metrics.precision_recall_at(LABELS, SCORES, float(curve.threshold[-1]), groups=QUERIES).precision_interval
        assert (1 - high[-1], 1 - low[-1]) == pytest.approx(precision)
    again = fc.RiskCoverageDisplay(curve).plot(ref_line=False)
    assert again.ref_line_ is None
    np.testing.assert_array_equal(outline(again.band_)[1:], (low, high))


@pytest.mark.parametrize("rate", ["precision", "recall"])
def test_transfer(rate):
    shown = fc.TransferDisplay.from_predictions(COLLECTIONS, 0.75, rate=rate, name="raw")
    found = metrics.transfer_matrix(COLLECTIONS, 0.75)
    values = getattr(found, rate)
    assert np.isnan(values).any()
    assert not np.isnan(values).all()
    np.testing.assert_array_equal(shown.im_.get_array().filled(np.nan), values)
    for i, j in np.ndindex(values.shape):
        first, *_, last = shown.text_[i, j].get_text().split("\n")
        assert first == ("-" if np.isnan(values[i, j]) else f"{values[i, j]:.2f}")
        assert last == f"n = {found.n_selected[i, j]:,}"
    assert "out of reach" in [tick.get_text().split("\n")[1] for tick in shown.ax_.get_yticklabels()]


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("groups", [None, QUERIES], ids=["by pair", "by query"])
@pytest.mark.parametrize("higher", [True, False])
def test_bands_are_the_intervals_of_every_single_cut(weights, groups, higher):
    scores = np.round(SCORES, 2) * (1 if higher else -1)
    sweep = fc.threshold_sweep(scores, LABELS, sample_weight=weights, higher_is_better=higher)
    bands = np.array(rate_bands(pairs(scores, LABELS, weights, groups), sweep.threshold, higher))
    for place, cut in enumerate(sweep.threshold):
        at = metrics.precision_recall_at(LABELS, scores, float(cut), groups=groups, sample_weight=weights, higher_is_better=higher)
        np.testing.assert_allclose(bands[:, place], (*at.precision_interval, *at.recall_interval), atol=1e-9)


# -- the convention ------------------------------------------------------------------------------------------------
DRAWN = {
    "reliability": lambda **options: fc.ReliabilityDisplay.from_predictions(LABELS, SCORES, **options),
    "separation": lambda **options: fc.SeparationDisplay.from_predictions(LABELS, SCORES, **options),
    "threshold": lambda **options: fc.ThresholdDisplay.from_predictions(LABELS, SCORES, **options),
    "risk": lambda **options: fc.RiskCoverageDisplay.from_predictions(LABELS, SCORES, **options),
    "transfer": lambda **options: fc.TransferDisplay.from_predictions(COLLECTIONS, **options),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_convention(kind):
    axes = Figure().subplots()
    shown = DRAWN[kind](ax=axes, name="first")
    assert shown.ax_ is axes
    assert shown.figure_ is axes.figure
    assert shown.plot() is shown
    assert shown.ax_ is not axes
    assert shown._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(fc.FastcalError, match="ax must be a matplotlib Axes"):
        DRAWN[kind](ax="nonsense")
    with pytest.raises(fc.FastcalError, match="got dict"):
        type(shown)({})


@pytest.mark.parametrize("kind", DRAWN)
def test_text_is_inside_the_figure(kind):
    figure = DRAWN[kind](name="first").figure_
    figure.draw_without_rendering()
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.get_figwidth()
    assert box.y1 <= figure.get_figheight()


def test_no_state_is_left_behind():
    """Neither a pyplot figure nor a changed default, and pyplot is not even imported."""
    code = """
        import sys, matplotlib, numpy as np, fastcal as fc
        before = matplotlib.rcParams.copy()
        y, s = np.array([0, 1, 0, 1]), np.array([.1, .9, .4, .6])
        for kind in (fc.ReliabilityDisplay, fc.SeparationDisplay, fc.ThresholdDisplay, fc.RiskCoverageDisplay):
            kind.from_predictions(y, s)._repr_png_()
        fc.TransferDisplay.from_predictions({"a": (s, y)})._repr_png_()
        assert "matplotlib.pyplot" not in sys.modules
        assert all(matplotlib.rcParams[name] == before[name] for name in before if name != "backend")  # looking at that imports pyplot
    """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], check=True, timeout=120)


def test_pyplot_figures_are_left_to_pyplot(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    try:
        assert fc.ReliabilityDisplay.from_predictions(LABELS, SCORES, ax=axes)._repr_png_() is None
    finally:
        plt.close(figure)


def test_curves_on_one_axes_differ_without_colour():
    first = fc.ReliabilityDisplay.from_predictions(LABELS, SCORES, name="a")
    others = [fc.ReliabilityDisplay.from_predictions(LABELS, SCORES**p, name=str(p), ax=first.ax_) for p in range(2, 7)]
    lines = [shown.line_ for shown in (first, *others)]
    assert len({line.get_marker() for line in lines}) == len(LOOKS) == len(lines)
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == len(lines)
    assert len(first.ax_.child_axes) == 1, "one strip for all"
    assert sum(line.get_label() == "calibrated" for line in first.ax_.lines) == 1
    assert fc.ReliabilityDisplay.from_predictions(LABELS, SCORES, color="black").line_.get_color() == "black"


def test_long_curves_are_thinned_to_exact_points():
    scores = RNG.random(20_000).astype(np.float32)
    labels = RNG.random(20_000) < scores
    shown, sweep = fc.ThresholdDisplay.from_predictions(labels, scores), fc.threshold_sweep(scores, labels)
    x, y = shown.precision_.get_xdata(), shown.precision_.get_ydata()
    assert len(x) <= MOST_POINTS
    kept = thinned(len(sweep))
    assert kept[0] == 0
    assert kept[-1] == len(sweep) - 1
    assert (np.diff(kept[:50]) == 1).all()
    np.testing.assert_array_equal(y, sweep.precision[kept])
    assert (len(thinned(MOST_POINTS)), thinned(1).tolist()) == (MOST_POINTS, [0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DRAWN["reliability"](min_count=0), "min_count must be"),
        (lambda: DRAWN["reliability"](counts=1), "counts must be True or False"),
        (lambda: DRAWN["reliability"](n_bins=0), "n_bins must be"),
        (lambda: fc.ReliabilityDisplay.from_predictions([], np.zeros(0)), "probabilities is empty"),
        (lambda: fc.SeparationDisplay.from_predictions([0, 1], [np.nan, np.nan]), "nothing but NaN"),
        (lambda: DRAWN["separation"](threshold="x"), "threshold must be"),
        (lambda: DRAWN["threshold"](point=0.5), "point must be a OperatingPoint"),
        (lambda: DRAWN["risk"](per="document"), "per must be one of"),
        (lambda: DRAWN["transfer"](rate="f1"), "rate must be one of"),
        (lambda: fc.TransferDisplay.from_predictions({1: COLLECTIONS["a"]}), "got the key 1"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(fc.FastcalError, match=message):
        call()
