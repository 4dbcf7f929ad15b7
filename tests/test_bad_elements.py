"""The error about one element says which argument holds it, where, and what it is, however the work was cut into parts."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import fastcal as fc
from fastcal.bulk import QueryStatistics, Rescorer

N = 40
AT = 29
QUERIES = np.repeat(np.arange(10), 4)
LABELS = np.tile([1, 0, 0, 1], 10)
LOW = np.linspace(0.0, 1.0, N).reshape(10, 4)
BETA = fc.BetaCalibrator(input="prob")


def scores(value, dtype=np.float64, padding=(3, 8, 17)):
    """Rows of scores, one of them `value`, with padding before it."""
    made = LOW.astype(dtype)
    made.flat[list(padding)], made.flat[AT] = np.nan, value
    return made


def fitted(calibrator, **more):
    return fc.Profile("m", "own", calibrator.fit(LOW.ravel(), LABELS), [], **more)


def grouped():
    return fc.GroupCalibrator(BETA).fit(LOW.ravel(), LABELS, QUERIES % 2)


def columns(value, **more):
    return {"query_id": QUERIES, "doc_id": np.arange(N), "score": scores(value, np.float32).ravel(), **more}


OFFSETS = np.arange(0, N + 1, 4)
CALLS = {
    "normalize": (lambda: fc.normalize(scores(np.inf), "minmax"), "scores", np.inf),
    "nan='raise'": (lambda: fc.normalize(scores(np.nan, padding=()), "minmax", nan="raise"), "scores", np.nan),
    "fit": (lambda: BETA.fit(scores(1.5), LABELS.reshape(10, 4)), "scores", 1.5),
    "infinite": (lambda: fc.PlattCalibrator().fit(scores(-np.inf), LABELS.reshape(10, 4)), "scores", -np.inf),
    "label": (lambda: fc.PlattCalibrator().fit(LOW.ravel(), np.where(np.arange(N) == AT, 2, LABELS)), "labels", 2),
    "predict": (lambda: fitted(BETA).predict(scores(1.5)), "scores", 1.5),
    "predict by group": (lambda: grouped().predict(scores(1.5), QUERIES.reshape(10, 4) % 2), "scores", 1.5),
    "out of bounds": (lambda: fitted(fc.IsotonicCalibrator(out_of_bounds="raise")).predict(scores(1.5)), "scores", 1.5),
    "folds": (lambda: fc.cross_fit(BETA, scores(1.5), LABELS.reshape(10, 4), np.arange(10)), "scores", 1.5),
    "folds of groups": (
        lambda: fc.cross_fit(fc.GroupCalibrator(BETA), scores(1.5), LABELS.reshape(10, 4), np.arange(10), by=np.arange(10) % 2),
        "scores",
        1.5,
    ),
    "a fold asks": (
        lambda: fc.cross_fit(fc.IsotonicCalibrator(out_of_bounds="raise"), scores(1.5), LABELS.reshape(10, 4), np.arange(10)),
        "scores",
        1.5,
    ),
    "revalidate": (lambda: fitted(BETA).revalidate(scores(1.5)), "scores", 1.5),
    "certify": (lambda: fc.certify_threshold(scores(np.inf), lambda at: at, target_precision=0.9), "scores", np.inf),
    "metric": (lambda: fc.metrics.precision_recall_at(LABELS.reshape(10, 4), scores(np.inf), 0.5), "scores", np.inf),
    "probability": (lambda: fc.metrics.brier_score(LABELS.reshape(10, 4), scores(1.5)), "probabilities", 1.5),
    "fuse": (lambda: fc.fuse([run(0.5), run(np.inf)], "sum"), "runs[1]", np.inf),
    "fuse normed": (lambda: fc.fuse([run(0.5), run(np.inf)], "sum", "minmax"), "runs[1]", np.inf),
    "rescorer": (lambda: Rescorer(fitted(BETA))(columns(1.5)), "scores", 1.5),
    "rescorer with a floor": (lambda: Rescorer(fitted(BETA), floor=0.9)(columns(1.5)), "scores", 1.5),
    "rescorer by group": (lambda: Rescorer(fitted_groups(), by="group", floor=0.9)(columns(1.5, group=QUERIES % 2)), "scores", 1.5),
    "rescorer with a floor, in bounds": (
        lambda: Rescorer(fitted(fc.IsotonicCalibrator(out_of_bounds="raise")), floor=0.9)(columns(1.5)),
        "scores",
        1.5,
    ),
    "rescorer with a norm": (lambda: Rescorer(fitted(BETA, norm="minmax"))(columns(np.inf)), "score", np.inf),
    "statistics": (lambda: QueryStatistics("zscore").update(columns(np.inf)), "score", np.inf),
}


def run(value):
    return fc.Run(np.tile(np.arange(4), 10), scores(value, np.float32, padding=()).ravel(), OFFSETS)


def fitted_groups():
    return fc.Profile("m", "own", grouped(), [])


@pytest.mark.parametrize("name", CALLS)
def test_it_is_known_exactly(name):
    call, argument, value = CALLS[name]
    with pytest.raises(fc.InvalidElementError) as caught:
        call()
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (error.argument, type(error.at)) == (argument, int)
        np.testing.assert_equal(float(error.value), float(value))
        assert str(error).rstrip(")").endswith((error.reason.rstrip(")"), "(norm 'minmax'"))
    assert re.search(r"\[29\] is|\[7, 1\] is|position 29[ ;]|row 29,|list 7 at position [01][ ,;]", str(caught.value))
    if argument.startswith("runs"):  # a run puts each list in its order
        assert run(np.inf).scores[caught.value.at] == np.inf
    else:
        assert caught.value.at == AT
