"""What a profile's calibrator is chosen from: only what takes every score of the metric."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc
from fastcal.selection._candidates import candidates_for, named_candidates


@pytest.mark.parametrize(
    ("metric", "norm", "low", "high", "kinds"),
    [
        ("cosine", None, 0, 1, {"cosine"}),
        ("Cosine", None, -1, 1, {"cosine"}),
        ("cosine", None, 0, 30, set()),  # no cosines, whatever they are called
        ("dot", None, 0, 1, set()),
        ("bm25", None, 0, 1, set()),
        ("cosine", "zscore", 0, 1, set()),
        ("dot", "l2", 0, 1, {"cosine"}),
        ("dot", "minmax", 0, 1, {"prob", "cosine"}),
        ("own", None, 0, 1, {"prob", "cosine"}),
    ],
)
def test_a_profile_offers_what_takes_every_score_of_its_metric(metric, norm, low, high, kinds):
    scores = np.linspace(low, high, 9)
    found = candidates_for(metric, norm, scores, True, False) or named_candidates(None, scores, True, False)
    assert {each.input for each in found.values() if isinstance(each, fc.BetaCalibrator)} == kinds
    assert [name for name in found if "beta" not in name] == ["platt", "histogram", "venn-abers", "isotonic-strict", "isotonic"]
    assert not any(isinstance(each, fc.BetaCalibrator) for each in candidates_for("cosine", None, scores, False, False).values())


def test_a_profile_of_cosines_in_0_1_takes_negative_ones():
    rng = np.random.default_rng(0)
    scores = rng.random((300, 10))
    labels = rng.random(scores.shape) < 1 / (1 + np.exp(6 - 8 * scores))
    profile = fc.Profile.fit(scores, labels, np.arange(300), model="m", metric="cosine")
    assert scores.min() >= 0
    assert np.isfinite(profile.predict([-0.01, -1.0])).all()
