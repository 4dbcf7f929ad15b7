"""`input=`: cosines and probabilities as log-odds, clipped at their ends, refused beyond them."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from calibrators import sample

import fastcal as fc

MAKERS = [fc.PlattCalibrator, fc.TemperatureCalibrator, functools.partial(fc.BetaCalibrator, "am")]
by_method = pytest.mark.parametrize("make", MAKERS, ids=["platt", "temperature", "beta"])
EXTREME = {"cosine": np.array([-1.0, 1.0]), "prob": np.array([0.0, 1.0])}


@by_method
def test_the_three_inputs_are_one_curve(make):
    p, labels = sample()
    scores = {"logit": np.log(p) - np.log1p(-p), "prob": p, "cosine": 2 * p - 1}
    want = make(input="logit").fit(scores["logit"], labels).predict(scores["logit"])
    for kind in ("prob", "cosine"):
        np.testing.assert_allclose(make(input=kind).fit(scores[kind], labels).predict(scores[kind]), want, rtol=1e-9)
    assert scores["logit"][3] == pytest.approx(2 * math.atanh(scores["cosine"][3]))


@by_method
@pytest.mark.parametrize("kind", ["cosine", "prob"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ends_are_finite_and_a_rounding_beyond_them_is_the_end(make, kind, dtype):
    p, labels = sample()
    scores = (p if kind == "prob" else 2 * p - 1).astype(dtype)
    cal = make(input=kind).fit(np.append(scores, EXTREME[kind].astype(dtype)), np.append(labels, [0, 1]))
    low, high = EXTREME[kind]
    ends = cal.predict(np.array([low, low - 1e-6, high, high + 1e-6, np.nan], dtype=dtype))
    assert ends[0] == ends[1]
    assert ends[2] == ends[3]
    assert np.isnan(ends[4])
    assert 0.0 < ends[0] < ends[2]
    assert ends[2] > 0.99
    below = cal.predict(np.array([0.999], dtype=dtype))[0]
    assert below < ends[2]


@by_method
def test_what_is_outside_is_named(make):
    labels = np.array([[0, 1], [0, 1]])
    cosines = np.array([[0.1, 0.2], [0.3, 1.001]])
    with pytest.raises(ValueError, match=r"scores\[1, 1\] is 1.001; expected a cosine in \[-1, 1\] \(input='cosine'\)"):
        make(input="cosine").fit(cosines, labels)
    with pytest.raises(ValueError, match=r"scores\[0\] is -0.1; expected a prob in \[0, 1\]"):
        make(input="prob").fit([-0.1, 0.5], [0, 1])
    fitted = make(input="prob").fit([0.1, 0.4, 0.3, 0.9], [0, 1, 0, 1])
    out = np.full(3, 7.0)
    with pytest.raises(ValueError, match=r"scores\[2\] is -inf"):
        fitted.predict([0.5, np.nan, -np.inf], out=out)
    assert out.tolist() == [7.0] * 3
    with pytest.raises(ValueError, match=r"scores is 1.5; expected a prob"):
        fitted.predict(1.5)
