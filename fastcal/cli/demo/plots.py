"""Two pictures per collection: the reliability diagram before and after, and the scores of relevant and irrelevant pairs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

import fastcal as fc
from fastcal._extras import require
from fastcal.cli.demo.decision import TARGET
from fastcal.cli.demo.estimates import FEW
from fastcal.cli.demo.hardcoded import CUT
from fastcal.cli.demo.reliability import N_BINS, Predictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcal.cli.demo.experiment import Findings

BLUE, ORANGE, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#9AA0A6", "#30343B"
STYLE = {
    "raw cosine": (ORANGE, "o"),
    "Platt": (BLUE, "o"),
    "isotonic": (GREEN, "s"),
}
SCORE_BINS = 60


def reliability_diagram(f: Findings) -> bytes:
    """Draw observed share of relevant pairs against stated probability, before and after, with pairs per bin below."""
    figure = _figure(9.6, 5.6)
    axes = figure.subplots(2, 2, sharex=True, sharey="row", gridspec_kw={"height_ratios": (4, 1)})
    for column, (title, names) in enumerate((("before: raw cosine", ("raw cosine",)), ("after: Platt and isotonic", ("Platt", "isotonic")))):
        _reliability_column(axes[:, column], title, [f.reliability.named(name) for name in names], f)
    axes[0, 0].set_ylabel("observed share of relevant pairs")
    axes[1, 0].set_ylabel("pairs")
    queries, pairs = f.searched.held_out.labels.shape
    figure.suptitle(f"{f.name}: reliability on held-out pairs (n = {queries * pairs:,} pairs of {queries:,} queries)", color=INK, fontsize=12)
    figure.supxlabel(f"bars: 95 % Wilson, pairs taken as independent; faint: bins with fewer than {FEW} pairs", color=INK, fontsize=8.5)
    return _png(figure)


def score_histogram(f: Findings) -> bytes:
    """Draw how the cosines of relevant and irrelevant candidates are spread: each group summing to 1, and as numbers of pairs."""
    candidates = f.searched.held_out
    scores = candidates.scores.astype(np.float64)
    edges = np.linspace(min(float(scores.min()), CUT - 0.02), max(float(scores.max()), CUT + 0.02), SCORE_BINS + 1)
    figure = _figure(9.6, 6.0)
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 2)})
    for name, mask, colour in (("irrelevant", ~candidates.labels, GREY), ("relevant", candidates.labels, BLUE)):
        group = scores[mask]
        upper.hist(
            group, edges, weights=np.full(len(group), 1 / max(1, len(group))), color=colour, alpha=0.55, label=f"{name}, n = {len(group):,} pairs"
        )
        lower.hist(group, edges, color=colour, alpha=0.55)
    for axes in (upper, lower):
        axes.axvline(CUT, color=ORANGE, linestyle="--", linewidth=1.6, label=f"hard-coded {CUT}")
        axes.axvline(f.cut.cosine, color=INK, linewidth=1.6, label=_cut_label(f))
        _tidy(axes)
    upper.set_ylabel("share of each group")
    lower.set(ylabel="pairs", yscale="log", xlabel="cosine")
    upper.set_title(f"{f.name}: cosines of the top {scores.shape[1]} documents of each of {len(scores):,} held-out queries", color=INK, fontsize=12)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return _png(figure)


def _cut_label(f: Findings) -> str:
    return (
        f"chosen on train for precision {TARGET}: {f.cut.cosine:.3f}"
        if f.cut.reached
        else f"precision {TARGET} out of reach; best cut {f.cut.cosine:.3f}"
    )


def _reliability_column(axes: Sequence[Any], title: str, predictors: Sequence[Predictor], f: Findings) -> None:
    upper, lower = axes
    upper.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label="perfectly calibrated")
    for predictor in predictors:
        _curve(upper, predictor, f)
    upper.set_title(title, color=INK, fontsize=11)
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    upper.legend(loc="upper left", frameon=False, fontsize=9)
    edges = np.linspace(0, 1, N_BINS + 1)
    colours = [STYLE[predictor.name][0] for predictor in predictors]
    lower.hist([predictor.probabilities.ravel() for predictor in predictors], edges, color=colours, alpha=0.75)
    lower.set_yscale("log")
    lower.set_xlabel("stated probability")
    _tidy(upper)
    _tidy(lower)


def _curve(axes: Any, predictor: Predictor, f: Findings) -> None:
    colour, marker = STYLE[predictor.name]
    curve = fc.metrics.reliability_curve(f.searched.held_out.labels.ravel(), predictor.probabilities.ravel(), n_bins=N_BINS)
    spread = np.maximum(0, [curve.observed_rate - curve.interval_low, curve.interval_high - curve.observed_rate])
    label = f"{predictor.name}: ECE {predictor.ece.value:.3f}, Brier {predictor.brier.value:.3f}"
    common = {"color": colour, "marker": marker, "markersize": 4.5, "elinewidth": 0.9, "capsize": 2}
    for bins, look in ((curve.count >= FEW, {"linewidth": 1.5, "label": label}), (curve.count < FEW, {"linestyle": "none", "alpha": 0.25})):
        axes.errorbar(curve.mean_predicted[bins], curve.observed_rate[bins], yerr=spread[:, bins], **common, **look)


def _figure(width: float, height: float) -> Any:
    return require("matplotlib.figure", "demo").Figure(figsize=(width, height), layout="constrained")


def _tidy(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#E3E6EA", linewidth=0.7)
    axes.set_axisbelow(True)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()
