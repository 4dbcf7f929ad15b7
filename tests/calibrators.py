"""One calibrator of every kind, for the promises that all of them keep, and labelled scores that suit all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import fastcal as fc

CALIBRATORS = [
    fc.PlattCalibrator(),
    fc.PlattCalibrator(input="cosine"),
    fc.IsotonicCalibrator(),
    fc.IsotonicCalibrator(strict=True, bounds="laplace"),
    fc.IsotonicCalibrator(bounds=(0.05, 0.9)),
    fc.TemperatureCalibrator(),
    fc.TemperatureCalibrator(input="prob"),
    fc.BetaCalibrator(),
    fc.BetaCalibrator("am"),
    fc.BetaCalibrator("ab", input="logit"),
    fc.HistogramCalibrator(),
    fc.HistogramCalibrator(7, strategy="uniform", smoothing=0.5),
    fc.HistogramCalibrator(5, strategy="uniform", limits=(0.0, 1.0)),
    fc.VennAbersCalibrator(),
]


def fresh(calibrator):
    """An unfitted calibrator with the same parameters."""
    return type(calibrator)(**calibrator.get_params(deep=False))


def sample(n=400, seed=0):
    """Scores in (0, 1), which every ``input=`` takes, and labels that rise with them."""
    rng = np.random.default_rng(seed)
    t = rng.normal(size=n)
    return 1 / (1 + np.exp(-t)), (rng.random(n) < 1 / (1 + np.exp(-2 * t - 0.5))).astype(int)


@st.composite
def labelled_scores(draw):
    """Scores on a grid in (0, 1) (ties happen), labels of both classes, integer weights from 1 to 4."""
    n = draw(st.integers(4, 40))
    scores = np.array(draw(st.lists(st.integers(1, 31), min_size=n, max_size=n))) / 32
    labels = np.array([0, 1, *draw(st.lists(st.integers(0, 1), min_size=n - 2, max_size=n - 2))])
    weights = np.array(draw(st.lists(st.integers(1, 4), min_size=n, max_size=n)), dtype=np.float64)
    return scores, labels, weights


def shifted(p, ratio):
    """Probabilities with their odds times `ratio`."""
    return p * ratio / (p * ratio + 1 - p)
