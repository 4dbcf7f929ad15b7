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
    from fastcal.cli.demo.experiment import Findings

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#9AA0A6", "#30343B"
BEFORE_AND_AFTER = ("before: raw cosine", "after: Platt and isotonic")
SCORE_BINS = 60


def reliability_diagram(f: Findings) -> bytes:
    """Draw observed share of relevant pairs against stated probability, before and after, with pairs per bin above."""
    figure = _figure(9.6, 5.6)
    for axes, title, names in zip(figure.subplots(1, 2, sharey=True), BEFORE_AND_AFTER, (("raw cosine",), ("Platt", "isotonic")), strict=True):
        for predictor in (f.reliability.named(name) for name in names):
            _reliability(axes, predictor, f)
        axes.set_title(title, color=INK, fontsize=11, pad=54)
        axes.label_outer()
    queries, pairs = f.searched.held_out.labels.shape
    figure.suptitle(f"{f.name}: reliability on held-out pairs (n = {queries * pairs:,} pairs of {queries:,} queries)", color=INK, fontsize=12)
    figure.supxlabel(f"bars: 95 % intervals by query; hollow: bins with fewer than {FEW} pairs", color=INK, fontsize=8.5)
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


def _reliability(axes: Any, predictor: Predictor, f: Findings) -> None:
    labels = f.searched.held_out.labels
    name = f"{predictor.name}: ECE {predictor.ece.value:.3f}, Brier {predictor.brier.value:.3f}"
    groups = np.arange(len(labels))
    fc.ReliabilityDisplay.from_predictions(labels, predictor.probabilities, n_bins=N_BINS, groups=groups, min_count=FEW, name=name, ax=axes)


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
