"""normalize: what it does with NaN, constant lists and limits, and what it refuses."""

import math

import numpy as np
import pytest

import fastcal as fc
from fastcal.normalization import normalize_lists
from fastcal.normalization._lists import METHODS

pytestmark = pytest.mark.usefixtures("backend")
SCALED = ("minmax", "max", "sum", "l2", "zscore", "dbsf", "robust")
WITH_NAN = np.array([[4.0, np.nan, 2.0, 1.0], [3.0, 1.0, 2.0, 5.0], [np.nan, np.nan, np.nan, np.nan]])
NEEDED = {
    "cohort": {"cohort_scores": np.arange(9.0).reshape(3, 3)},
    "csls": {"query_means": np.zeros(3), "row_means": np.zeros((3, 4))},
}


# -- NaN ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
def test_nan(method):
    options = NEEDED.get(method, {})
    skipped = fc.normalize(WITH_NAN, method, **options)
    np.testing.assert_array_equal(np.isnan(skipped), np.isnan(WITH_NAN))
    if method not in NEEDED:
        np.testing.assert_allclose(skipped[0, [0, 2, 3]], fc.normalize(WITH_NAN[0, [0, 2, 3]], method))

    worst = fc.normalize(WITH_NAN, method, nan="worst", **options)
    np.testing.assert_array_equal(worst[0], [skipped[0, 0], np.nanmin(skipped[0]), *skipped[0, 2:]])
    np.testing.assert_array_equal(worst[1:], skipped[1:])

    spread = fc.normalize(WITH_NAN, method, nan="propagate", **options)
    assert np.isnan(spread[[0, 2]]).all()
    np.testing.assert_array_equal(spread[1], skipped[1])

    with pytest.raises(ValueError, match=r'NaN in list 0 at position 1.*nan="raise"'):
        fc.normalize(WITH_NAN, method, nan="raise", **options)


def test_nan_policies_in_place_and_beside_empty_lists():
    scores = np.array([np.nan, 1.0, 3.0, 2.0])
    fc.normalize(scores, offsets=[0, 0, 3, 3, 4, 4], nan="worst", out=scores)
    np.testing.assert_array_equal(scores, [0, 0, 1, 0])
    np.testing.assert_array_equal(fc.normalize([np.nan, 1.0, 3.0], offsets=[0, 0, 1, 3], nan="propagate"), [np.nan, 0, 1])
    assert fc.normalize([1.0, 2.0], nan="raise").tolist() == [0, 1]


# -- constant and single -------------------------------------------------------------------------------
@pytest.mark.parametrize("method", SCALED)
def test_on_constant_and_on_single(method):
    value = 0.0 if method in {"max", "l2"} else 3.0
    scores, offsets = np.array([value, value, np.nan, 7.0, 1.0, 2.0]), [0, 3, 4, 6]
    plain = fc.normalize(scores, method, offsets=offsets)
    filled = fc.normalize(scores, method, offsets=offsets, on_constant=0.25, on_single=0.75)
    np.testing.assert_array_equal(filled[:4], [0.25, 0.25, np.nan, 0.75])
    np.testing.assert_array_equal(filled[4:], plain[4:])
    kept = fc.normalize(scores, method, offsets=offsets, on_constant="keep", on_single="keep", higher_is_better=False)
    np.testing.assert_array_equal(kept[:4], [-value, -value, np.nan, -7.0])
    assert np.isnan(fc.normalize(scores, method, offsets=offsets, on_constant=math.nan)[:3]).all()


@pytest.mark.parametrize("method", SCALED)
def test_eps_and_tolerance(method):
    small = np.array([1e-7, 2e-7, 4e-7])
    np.testing.assert_array_equal(fc.normalize(small, method, tolerance=1e-6, on_constant=0.5), [0.5, 0.5, 0.5])
    plain = fc.normalize(small, method)
    assert not (plain == 0.5).all()
    np.testing.assert_array_equal(fc.normalize(small, method, eps=1e-12), plain)
    nothing = fc.normalize(np.zeros(3), method, eps=1e-9)
    assert (nothing == nothing[0]).all()
    assert np.isfinite(nothing).all()


def test_eps_is_the_least_scale_as_in_ranx():
    np.testing.assert_allclose(fc.normalize([-1.0, -2.0], "max", eps=1e-9), [-1e9, -2e9])
    np.testing.assert_allclose(fc.normalize([0.0, 1e-10], "minmax", eps=1e-9), [0, 0.1])


# -- limits --------------------------------------------------------------------------------------------
def test_clip_then_floor():
    scores = np.array([-3.0, 0.0, 1.0, 3.0, np.nan])
    np.testing.assert_array_equal(fc.normalize(scores, "identity", clip=(0, 2)), [0, 0, 1, 2, np.nan])
    np.testing.assert_array_equal(fc.normalize(scores, "identity", clip=(None, 1), floor=0.5), [-3, 0.5, 1, 1, np.nan])
    np.testing.assert_array_equal(fc.normalize(scores, "identity", clip=(0, None), floor=0.001), [0.001, 0.001, 1, 3, np.nan])
    assert fc.normalize(np.array([3.0, 4.0]), floor=0.001).tolist() == [0.001, 1.0]  # OpenSearch


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bounds(dtype):
    scores = np.array([[2, 4, 8], [-1, 0, 1]], dtype)
    np.testing.assert_allclose(fc.normalize(scores, bounds=(0, None)), [[0.25, 0.5, 1], [-1, 0, 1]])
    np.testing.assert_allclose(fc.normalize(scores, bounds=(None, [16, 3])), [[0, 1 / 7, 3 / 7], [0, 0.25, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(fc.normalize(scores, bounds=(0, 4), clip=(0, 1)), [[0.5, 1, 1], [0, 0, 0.25]])
    np.testing.assert_allclose(fc.normalize(scores, bounds=(0, None), higher_is_better=False), [[0.75, 0.5, 0], [2, 1, 0]])
    np.testing.assert_allclose(fc.normalize([[-2.0, -1.0]], bounds=(0, None), on_constant=0.5), [[0.5, 0.5]])  # no range above the bound


# -- bad input -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
def test_unknown_options_and_infinities_are_errors(method):
    options = NEEDED.get(method, {})
    known = METHODS[method].__kwdefaults__ or {}
    with pytest.raises(ValueError, match=rf"method '{method}' takes .*got 'bogus'"):
        fc.normalize(np.ones((3, 4)), method, bogus=1, **options)
    for name in {"bounds": (0, 1), "ddof": 1, "n_sigma": 2, "on_constant": 1.0, "ties": "min", "scale": 2.0, "top_n": 1}.items():
        if name[0] not in known:
            with pytest.raises(ValueError, match=f"got '{name[0]}'"):
                fc.normalize(np.ones((3, 4)), method, **{name[0]: name[1]}, **options)
    scores = np.ones((3, 4))
    scores[1, 2] = -np.inf
    with pytest.raises(ValueError, match="inf in list 1 at position 2"):
        fc.normalize(scores, method, **options)


@pytest.mark.parametrize(
    ("method", "options", "kind", "match"),
    [
        ("bogus", {}, ValueError, "'minmax', 'max'.*'bogus'"),
        (None, {}, ValueError, "'minmax'.*None"),
        ("minmax", {"nan": "ignore"}, ValueError, "nan must be one of"),
        ("minmax", {"higher_is_better": 1}, TypeError, "higher_is_better"),
        ("minmax", {"clip": 1}, TypeError, "clip"),
        ("minmax", {"clip": (1, 0)}, ValueError, "clip"),
        ("minmax", {"clip": (None, None)}, ValueError, "clip"),
        ("minmax", {"clip": (0, math.nan)}, ValueError, "clip"),
        ("minmax", {"floor": math.inf}, ValueError, "floor"),
        ("minmax", {"bounds": 1}, TypeError, "bounds"),
        ("minmax", {"bounds": (1, 1)}, ValueError, "bounds"),
        ("minmax", {"bounds": (None, None)}, ValueError, "bounds"),
        ("minmax", {"bounds": (0, [1, 2])}, ValueError, "bounds"),
        ("minmax", {"bounds": (0, math.nan)}, ValueError, "bounds"),
        ("minmax", {"bounds": ("0", 1)}, ValueError, "bounds"),
        ("minmax", {"on_constant": math.inf}, ValueError, "on_constant"),
        ("minmax", {"on_constant": "hold"}, TypeError, "on_constant"),
        ("minmax", {"on_single": -math.inf}, ValueError, "on_single"),
        ("minmax", {"eps": 0}, ValueError, "eps"),
        ("minmax", {"eps": 1e-9, "on_constant": 0.0}, ValueError, "eps"),
        ("minmax", {"eps": 1e-9, "tolerance": 0.0}, ValueError, "eps"),
        ("minmax", {"tolerance": -1}, ValueError, "tolerance"),
        ("zscore", {"ddof": -1}, ValueError, "ddof"),
        ("dbsf", {"n_sigma": 0}, ValueError, "n_sigma"),
        ("robust", {"quantiles": (0.75, 0.25)}, ValueError, "quantiles"),
        ("robust", {"quantiles": (0, 1.5)}, ValueError, "quantiles"),
        ("robust", {"quantiles": 0.5}, ValueError, "quantiles"),
        ("robust", {"unit_variance": 1}, TypeError, "unit_variance"),
        ("rank", {"ties": "max"}, ValueError, "ties"),
        ("borda", {"n_candidates": 2}, ValueError, "n_candidates"),
        ("borda", {"n_candidates": 4.0}, ValueError, "n_candidates"),
        ("borda", {"n_candidates": [4, 4, 4, 4]}, ValueError, "n_candidates"),
        ("atan", {"scale": 0}, ValueError, "scale"),
        ("atan", {"nonnegative": "yes"}, TypeError, "nonnegative"),
        ("sigmoid", {"scale": -1.0}, ValueError, "scale"),
        ("sigmoid", {"centre": math.nan}, ValueError, "centre"),
        ("tail", {"tail_fraction": 1.0}, ValueError, "tail_fraction"),
        ("tail", {"min_tail": 4}, ValueError, "min_tail"),
        ("cohort", {}, ValueError, "cohort_scores"),
        ("cohort", {"cohort_scores": np.ones((2, 3))}, ValueError, r"cohort_scores must have shape \(1, n_cohort\)"),
        ("cohort", {"cohort_scores": [[1.0, math.nan]]}, ValueError, "cohort_scores must be finite"),
        ("cohort", {"cohort_scores": [[1.0, 2.0]], "top_n": 3}, ValueError, "top_n"),
        ("cohort", {"cohort_scores": [[1.0, 2.0]], "ddof": 2}, ValueError, "ddof"),
        ("csls", {"query_means": [0.0]}, ValueError, "row_means"),
        ("csls", {"query_means": [0.0], "row_means": [0.0]}, ValueError, "row_means"),
    ],
)
def test_bad_calls(method, options, kind, match):
    with pytest.raises(kind, match=match):
        fc.normalize(np.array([1.0, 2.0, 4.0]), method, **options)


def test_a_cohort_that_does_not_vary_gives_zero():
    assert fc.normalize([[0.5, 0.7]], "cohort", cohort_scores=[[0.2, 0.2, 0.2]]).tolist() == [[0, 0]]


def test_normalize_lists_is_normalize():
    scores, offsets = np.array([3.0, 1.0, 2.0, 5.0]), np.array([0, 3, 4])
    for method in ("minmax", "zscore", "rank"):
        expected = fc.normalize(scores, method, offsets=offsets, higher_is_better=False)
        np.testing.assert_array_equal(normalize_lists(scores, offsets, method, higher_is_better=False), expected)
    with pytest.raises(ValueError, match="got 'k'"):
        normalize_lists(scores, offsets, "minmax", k=60)


def test_numbers_beyond_the_dtype_are_refused():
    narrow = np.array([1.0, 2.0, 3.0], np.float32)
    for options in ({"clip": (1e39, None)}, {"clip": (None, -1e39)}, {"floor": 1e39}, {"on_constant": 1e39}):
        with pytest.raises(ValueError, match="finite"):
            fc.normalize(narrow, **options)
        fc.normalize(narrow.astype(np.float64), **options)
    half = np.array([60_000.0, 1.0], np.float16)
    with pytest.raises(ValueError, match="beyond float16"):
        fc.normalize(half, "csls", query_means=[0.0], row_means=[0.0, 0.0])
    with pytest.raises(ValueError, match="beyond float32"):
        fc.normalize(narrow * 1e38, "cohort", cohort_scores=np.array([[0.0, 1e-3]]))
    for means in ({"query_means": [np.nan], "row_means": [0.0, 0.0]}, {"query_means": [0.0], "row_means": [0.0, np.inf]}):
        with pytest.raises(ValueError, match="means must be finite"):
            fc.normalize([1.0, 2.0], "csls", **means)
    padded = fc.normalize([1.0, np.nan], "csls", query_means=[0.0], row_means=[0.5, np.nan])
    assert padded[0] == 1.5
    assert np.isnan(padded[1])
