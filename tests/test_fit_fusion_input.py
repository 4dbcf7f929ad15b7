"""fit_fusion and the fusions it makes: what cannot be used is an error that says why."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fastcal as fc

RUN = fc.Run([[1, 2, 3]], [[3.0, 2.0, 1.0]])
QRELS = {0: {1: 1}}


@pytest.mark.parametrize(
    ("runs", "labels", "options", "error"),
    [
        ([], QRELS, {}, "at least one run"),
        ([fc.Run([[1, 2]])], QRELS, {}, r"runs\[0\] has none"),
        ([fc.Run([[1, 2]], [[np.inf, 0]])], QRELS, {}, r"runs\[0\].*finite"),
        ([RUN, fc.Run([[1], [2]], [[1.0], [1.0]])], QRELS, {}, r"runs\[0\] lacks 1"),
        ([RUN], {"q": {1: 1}}, {}, "labels judge no query of the runs: labels have 'q', the runs '0'"),
        ([RUN], {}, {}, "labels hold no judgement"),
        ([RUN], {0: {1: 0}}, {}, "one class only: 3 pairs, 0 of them"),
        ([RUN], {0: {1: 1, 2: 1, 3: 1}}, {}, "one class only: 3 pairs, 3 of them"),
        ([RUN], QRELS, {"min_rel": 2}, "one class only"),
        ([RUN], QRELS, {"unjudged": "skip"}, "one class only: 1 pairs"),
        ([fc.Run([[]], [[]])], QRELS, {}, "one class only: 0 pairs"),
        ([RUN], QRELS, {"unjudged": "ask"}, "'irrelevant', 'skip', 'error'"),
        ([RUN], QRELS, {"l2": 0}, "l2 must be a finite number above 0"),
        ([RUN], QRELS, {"l2": math.nan}, "l2"),
        ([RUN], QRELS, {"min_rel": 0}, "min_rel"),
        ([RUN], QRELS, {"method": "bogus"}, "'logistic', 'grid'"),
        ([RUN], QRELS, {"norm": "bogus"}, "'minmax', 'max'"),
        ([RUN], QRELS, {"norm": ["zscore", None]}, "each of the 1 runs; got 2"),
        ([RUN], QRELS, {"step": 0.1}, "'logistic' takes 'min_rel'.*got 'step'"),
        ([RUN], QRELS, {"method": "grid", "l2": 1.0}, "'grid' takes 'metric', 'step'; got 'l2'"),
        ([RUN], QRELS, {"method": "grid", "step": 0.3}, "step must divide 1"),
        ([RUN], QRELS, {"method": "grid", "step": 0}, "step"),
        ([RUN], QRELS, {"method": "grid", "metric": "bogus"}, "'bogus' is not a measure"),
        ([RUN], QRELS, {"query_features": [1.0, 2.0]}, r"shape \(1,\) or \(1, n_features\)"),
        ([RUN], QRELS, {"query_features": [[math.nan]]}, "query_features of query 0 are not finite"),
        ([RUN], [[1, 0]], {}, r"labels\[0\] must have shape \(3,\)"),
        ([RUN], [[1, 0, 0]] * 2, {}, "each of the 1 runs, got 2"),
        ([RUN], [[1, 0, -2]], {}, "at least 0, or -1"),
        ([RUN, RUN], [[1, 0, 0], [1, 0, 1]], {}, "document '3' of query 0 two relevances"),
    ],
)
def test_values_that_cannot_be_used(runs, labels, options, error):
    with pytest.raises(fc.FastcalError, match=error) as caught:
        fc.fit_fusion(runs, labels, **options)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("runs", "labels", "options", "error"),
    [
        (RUN, QRELS, {}, "runs must be a sequence"),
        ([RUN, None], QRELS, {}, r"runs\[1\] must be a Run"),
        ([RUN], 5, {}, "labels must be"),
        ([RUN], [[1.0, 0.0, 0.0]], {}, r"labels\[0\] must be integers"),
        ([RUN], {0: {1: 0.5}}, {}, "must be an integer, got 0.5"),
        ([RUN], QRELS, {"norm": 5}, "norm must be"),
        ([RUN], QRELS, {"query_features": ["a"]}, "query_features must be numbers"),
        ([RUN], QRELS, {"min_rel": 1.5}, "min_rel"),
    ],
)
def test_types_that_cannot_be_used(runs, labels, options, error):
    with pytest.raises(TypeError, match=error):
        fc.fit_fusion(runs, labels, **options)


def test_a_fitted_fusion_wants_what_it_was_fitted_on():
    plain, featured = fc.fit_fusion([RUN], QRELS), fc.fit_fusion([RUN], QRELS, query_features=[1.0])
    for call, error in (
        (lambda: plain.fuse([RUN, RUN]), "runs must be 1, as in the fit, got 2"),
        (lambda: plain.fuse([RUN], query_features=[1.0]), "query_features must have 0 columns"),
        (lambda: featured.fuse([RUN]), "fitted with 1"),
        (lambda: featured.fuse([RUN], query_features=[[1.0, 2.0]]), "must have 1 columns, as in the fit; got 2"),
        (lambda: fc.fit_fusion([RUN], QRELS, method="grid").fuse([RUN] * 2), "as in the fit"),
        (lambda: plain.fuse([RUN], top_k=0), "top_k"),
    ):
        with pytest.raises(ValueError, match=error):
            call()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"type": "platt"}, "'logistic_fusion', 'linear_fusion'"),
        ({"version": 2}, "version 2"),
        ({"version": True}, "version True cannot be read; expected 1"),
        ({"weights": [1.0, 2.0]}, "norm must be one name, or one for each of the 2 runs"),
        ({"missing": [1.0, 2.0]}, r"missing must have shape \(1,\)"),
        ({"interactions": [[1.0]]}, "interactions"),
        ({"bias": math.inf}, "bias"),
        ({"weights": [math.nan]}, "weights must be finite"),
        ({"base_rate": 1.0}, "base_rate"),
        ({"extra": 1}, r"unknown \['extra'\]"),
    ],
)
def test_json_that_does_not_fit(change, error):
    state = fc.fit_fusion([RUN], QRELS).to_dict() | change
    with pytest.raises(ValueError, match=error):
        fc.fusion_from_dict(state)
    with pytest.raises(TypeError, match="mapping"):
        fc.fusion_from_dict([state])


@pytest.mark.parametrize("norm", ["zscore", None, {"zscore": 1}])
@pytest.mark.parametrize("method", ["logistic", "grid"])
def test_json_whose_norm_is_no_list(method, norm):
    state = fc.fit_fusion([RUN], QRELS, method=method).to_dict() | {"norm": norm}
    with pytest.raises(TypeError, match="norm must be a list with one entry per run"):
        fc.fusion_from_dict(state)


@pytest.mark.parametrize("norm", ["rank", "dbsf", "tail", ("minmax", "robust")])
def test_any_norm_of_fuse_serves(norm):
    rng = np.random.default_rng(5)
    runs = [fc.Run(np.tile(np.arange(20), (30, 1)), rng.normal(size=(30, 20))) for _ in range(2)]
    labels = {query: {doc: int(rng.random() < 0.3) for doc in range(20)} for query in range(30)}
    fitted = fc.fit_fusion(runs, labels, norm=norm)
    norms = (norm, norm) if isinstance(norm, str) else norm
    mapped = [fc.Run(run.ids, fc.normalize(run.scores, one, offsets=run.offsets), run.offsets) for run, one in zip(runs, norms, strict=True)]
    plain = fc.fit_fusion(mapped, labels, norm=None)
    np.testing.assert_allclose(fitted.weights, plain.weights, rtol=1e-12)
    assert fc.fusion_from_dict(fitted.to_dict()).fuse(runs).to_dict() == fitted.fuse(runs).to_dict()
