"""Venn-Abers fit and prediction beside the package venn-abers (`pip install venn-abers`)."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc

N_CALIBRATION, N = 50_000, 1_000_000


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    logits = rng.normal(-1.0, 1.5, N_CALIBRATION)
    labels = (rng.random(N_CALIBRATION) < 1.0 / (1.0 + np.exp(-logits))).astype(np.int64)
    return 1.0 / (1.0 + np.exp(-0.7 * logits)), labels, 1.0 / (1.0 + np.exp(-0.7 * rng.normal(-1.0, 1.5, N)))


def peer(scores, labels):
    """A fitted predictor of the package, which takes the probabilities of both classes; rounding scores is faster, and wrong by up to 0.03."""
    venn_abers = pytest.importorskip("venn_abers")
    predictor = venn_abers.VennAbers()
    predictor.fit(np.column_stack([1.0 - scores, scores]), labels)
    return predictor


@pytest.mark.parametrize("name", ["fastcal", "venn-abers"])
def bench_venn_abers_fit(measure, data, name):
    scores, labels, _ = data
    work = {"fastcal": lambda: fc.VennAbersCalibrator().fit(scores, labels), "venn-abers": lambda: peer(scores, labels)}
    measure(f"Venn-Abers, fit on {N_CALIBRATION:,}", work[name], rounds=3)


@pytest.mark.parametrize("name", ["fastcal", "fastcal, interval", "venn-abers"])
def bench_venn_abers_predict(measure, data, name):
    scores, labels, asked = data
    ours = fc.VennAbersCalibrator().fit(scores, labels)
    theirs = peer(scores, labels) if name == "venn-abers" else None
    both = np.column_stack([1.0 - asked, asked])
    work = {
        "fastcal": lambda: ours.predict(asked),
        "fastcal, interval": lambda: ours.predict_interval(asked),
        "venn-abers": lambda: theirs.predict_proba(both),
    }
    measure(f"Venn-Abers, {N:,} scores after {N_CALIBRATION:,}", work[name], rounds=3)
