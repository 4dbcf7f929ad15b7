"""Pictures of a single point, of long and odd names, and on axes that are not plain."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import fastcal as fc

matplotlib = pytest.importorskip("matplotlib")
from matplotlib.figure import Figure  # noqa: E402

LABELS, SCORES = [0, 1, 0, 1, 1], np.array([0.1, 0.4, 0.5, 0.6, 0.9])
DRAWN = {
    "reliability": lambda **options: fc.ReliabilityDisplay.from_predictions(LABELS, SCORES, **options),
    "separation": lambda **options: fc.SeparationDisplay.from_predictions(LABELS, SCORES, **options),
    "threshold": lambda **options: fc.ThresholdDisplay.from_predictions(LABELS, SCORES, **options),
    "risk": lambda **options: fc.RiskCoverageDisplay.from_predictions(LABELS, SCORES, **options),
    "transfer": lambda **options: fc.TransferDisplay.from_predictions({"a": (SCORES, LABELS), "b": (SCORES, LABELS)}, **options),
}


@pytest.mark.parametrize("labels", [[1], [1, 0, 0, 0]], ids=["one pair", "constant scores"])
def test_a_single_point_is_seen(labels):
    scores = np.full(len(labels), 0.7)
    threshold = fc.ThresholdDisplay.from_predictions(labels, scores)
    risk = fc.RiskCoverageDisplay.from_predictions(labels, scores)
    lines = [threshold.precision_, threshold.recall_, threshold.f1_, threshold.n_selected_, risk.line_]
    for shown in (threshold, risk):
        shown.figure_.draw_without_rendering()
    for line in lines:
        (point,) = line.get_xydata()
        assert line.get_marker() not in {"None", "", None}
        assert line.axes.bbox.contains(*line.axes.transData.transform(point)), "inside the limits"
    for band in (*threshold.bands_, risk.band_):
        assert band.get_linewidth()[0] > 1, "an area without width needs an edge"
    several = fc.ThresholdDisplay.from_predictions([0, 1], [0.2, 0.7])
    assert {several.precision_.get_marker(), several.n_selected_.get_marker()} == {"None"}
    assert several.bands_[0].get_linewidth()[0] == 0


@pytest.mark.parametrize("n", [2, 4, 9])
@pytest.mark.parametrize("length", [3, 12, 16, 40])
def test_names_of_collections_do_not_touch(n, length):
    names = [f"{i}" + "m" * (length - 1) for i in range(n)]
    shown = fc.TransferDisplay.from_predictions({name: ([0.2, 0.8], [0, 1]) for name in names})
    for _ in range(2):
        shown.figure_.draw_without_rendering()
    ticks = shown.ax_.get_xticklabels()
    assert [tick.get_text() for tick in ticks] == names
    boxes = [tick.get_window_extent() for tick in ticks]
    if ticks[0].get_rotation() == 0:
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    else:
        assert length > 3
        assert {(tick.get_rotation(), tick.get_ha()) for tick in ticks} == {(30.0, "right")}
    assert length < 16 or ticks[0].get_rotation() == 30
    assert shown.figure_.bbox.x0 <= min(box.x0 for box in boxes)
    assert shown.ax_.bbox.width > 0.9 * n * shown.figure_.dpi, "room for the numbers in the cells"


@pytest.mark.parametrize("kind", DRAWN)
def test_axes_of_subfigures_and_of_polar_plots(kind):
    figure = Figure(figsize=(9, 4))
    shown = DRAWN[kind](ax=figure.subfigures(1, 2)[1].subplots())
    assert shown.figure_ is figure
    assert shown._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(fc.FastcalError, match="of plain x and y, or None; got PolarAxes"):
        DRAWN[kind](ax=figure.add_subplot(projection="polar"))


@pytest.mark.parametrize("kind", ["reliability", "risk"])
def test_a_name_with_an_underscore_is_in_the_legend(kind):
    shown = DRAWN[kind](name="_raw")
    assert any(text.get_text().strip().startswith("_raw, ") for text in shown.ax_.get_legend().get_texts())
