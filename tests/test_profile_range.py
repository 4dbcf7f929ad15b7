"""A profile of cosines takes cosines only, whichever calibrator it has."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import fastcal as fc
from fastcal.bulk import Rescorer

CURVES = {
    "platt": fc.PlattCalibrator().fit([0.1, 0.4, 0.5, 0.9], [0, 0, 1, 1]),
    "isotonic": fc.IsotonicCalibrator().fit([0.1, 0.4, 0.5, 0.9], [0, 0, 1, 1]),
    "cosine": fc.BetaCalibrator(input="cosine").fit([0.1, 0.4, 0.5, 0.9], [0, 0, 1, 1]),
}
GROUPS = fc.GroupCalibrator(shrinkage=0).fit([0.1, 0.4, 0.5, 0.9] * 2, [0, 0, 1, 1] * 2, ["a"] * 4 + ["b"] * 4)
NAN = float("nan")
CASES = [(-1.000002, True), (1.000002, True), (12.5, True), (float("inf"), True), (-1.000001, False), (1.000001, False), (NAN, False)]


def profile_of(calibrator, metric="cosine", **facts):
    return fc.Profile("m", metric, calibrator, fc.Threshold(0.5, target_precision=0.9), **facts)


def uses(profile, scores):
    """Everything that makes probabilities of scores, or judges them, by a profile."""
    lists, by = np.float32(scores).reshape(-1, 1), None
    columns = {"query_id": np.arange(len(lists)), "doc_id": np.arange(len(lists)), "score": lists[:, 0]}
    if isinstance(profile.calibrator, fc.GroupCalibrator):
        by = np.array(["a"] * len(lists))
        columns["group"] = by
    yield lambda: profile.predict(np.float32(scores), by=by)
    yield lambda: Rescorer(profile, by=None if by is None else "group")(columns)
    yield lambda: Rescorer(profile, by=None if by is None else "group", floor=0.9, top_k=1, drop_not_found=True)(columns)
    yield lambda: profile.policy().decide(fc.SearchResult(lists, np.arange(len(lists)).reshape(-1, 1)), classes=by)
    yield lambda: pickle.loads(pickle.dumps(profile.policy())).decide(fc.SearchResult(lists, np.arange(len(lists)).reshape(-1, 1)), classes=by)
    yield lambda: profile.revalidate(lists, np.arange(len(lists)).reshape(-1, 1) % 2, by=by)


@pytest.mark.parametrize(("score", "refused"), CASES)
@pytest.mark.parametrize("calibrator", [*CURVES.values(), GROUPS], ids=[*CURVES, "groups"])
def test_scores_that_no_cosine_can_be_are_refused_where_they_stand(calibrator, score, refused):
    scores = [0.2, 0.8, 0.1, score, 0.3, 7.0 if refused else 0.4]
    for use in uses(profile_of(calibrator), scores):
        if not refused:
            use()
            continue
        with pytest.raises(fc.InvalidElementError, match=r"expected a cosine in \[-1, 1\]") as told:
            use()
        assert (told.value.at, told.value.value) == (3, np.float32(score))


def test_other_metrics_and_norms_have_no_such_bounds():
    for profile in (profile_of(CURVES["platt"], "bm25"), profile_of(CURVES["platt"], norm="sigmoid")):
        for use in uses(profile, [0.2, 0.8, 12.5, -3.0]):
            use()


def test_distances_of_cosines_lie_between_0_and_2():
    falling = profile_of(fc.PlattCalibrator().fit([0.1, 0.4, 0.5, 0.9], [1, 1, 0, 0]), "Cosine")
    assert len(falling.predict([0.0, 1.0, 2.0, NAN])) == 4
    for bad in (-0.5, 2.5):
        with pytest.raises(fc.InvalidElementError, match=r"expected a cosine distance in \[0, 2\]"):
            falling.predict([0.0, bad])


def test_a_fit_refuses_them_too():
    rng = np.random.default_rng(0)
    scores = rng.random((60, 5))
    labels = rng.random((60, 5)) < scores
    scores[7, 2] = 3.0
    for calibrator in (None, fc.PlattCalibrator()):
        with pytest.raises(fc.InvalidElementError, match=r"scores\[7, 2\] is 3.0; expected a cosine") as told:
            fc.Profile.fit(scores, labels, np.arange(60), model="m", metric="cosine", calibrator=calibrator)
        assert told.value.at == 37
    fc.Profile.fit(scores, labels, np.arange(60), model="m", metric="dot", calibrator=fc.PlattCalibrator())
    with pytest.raises(fc.InvalidElementError, match="cosine distance"):
        fc.Profile.fit(scores, ~labels, np.arange(60), model="m", metric="cosine", calibrator=fc.PlattCalibrator(), higher_is_better=False)
