"""minmax and zscore: one formula per list, whatever the layout the lists come in."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastcal as fc

pytestmark = pytest.mark.usefixtures("backend")
BOTH = pytest.mark.parametrize("normalize", [fc.minmax, fc.zscore])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def expected_minmax(values, on_constant=0.0):
    wide = values.astype(np.float64)
    real = wide[~np.isnan(wide)]
    if real.size == 0:
        return values.copy()
    low, high = real.min(), real.max()
    mapped = np.full(wide.shape, on_constant) if low == high else (wide - low) / (high - low)
    return np.where(np.isnan(wide), np.nan, mapped).astype(values.dtype)


def expected_zscore(values, ddof=0):
    wide = [float(value) for value in values if not math.isnan(value)]
    if len(wide) <= ddof or min(wide) == max(wide):
        return np.where(np.isnan(values), np.nan, 0.0).astype(values.dtype)
    mean = math.fsum(wide) / len(wide)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in wide) / (len(wide) - ddof))
    return ((values.astype(np.float64) - mean) / std).astype(values.dtype)


def lists_of(dtype, *, bound=1e6, min_size=0, max_size=40):
    numbers = st.floats(-bound, bound, width=32 if dtype is np.float32 else 64) | st.just(math.nan)
    return hnp.arrays(dtype, st.integers(min_size, max_size), elements=numbers)


# -- values ------------------------------------------------------------------------------------------
@DTYPES
def test_golden_values(dtype):
    scores = np.array([0.9, 0.7, 0.2], dtype)
    np.testing.assert_allclose(fc.zscore(scores), [1.019049, 0.339683, -1.358732], atol=1e-6)
    np.testing.assert_allclose(fc.zscore(scores, ddof=1), np.array([1.019049, 0.339683, -1.358732]) * math.sqrt(2 / 3), atol=1e-6)
    np.testing.assert_allclose(fc.minmax(scores), [1.0, 5 / 7, 0.0], atol=1e-7)


@DTYPES
@pytest.mark.parametrize(
    ("scores", "minmax", "zscore"),
    [
        ([3, 3, 3], [0, 0, 0], [0, 0, 0]),
        ([7], [0], [0]),
        ([], [], []),
        ([np.nan], [np.nan], [np.nan]),
        ([np.nan, 2, np.nan, 4], [np.nan, 0, np.nan, 1], [np.nan, -1, np.nan, 1]),
        ([-0.5, -0.2, -0.8], [0.5, 1, 0], [0, math.sqrt(1.5), -math.sqrt(1.5)]),
        ([-0.0, 0.0], [0, 0], [0, 0]),
    ],
)
def test_edge_lists(scores, minmax, zscore, dtype):
    values = np.array(scores, dtype)
    np.testing.assert_allclose(fc.minmax(values), minmax, atol=1e-6)
    np.testing.assert_allclose(fc.zscore(values), zscore, atol=1e-6)
    assert not np.signbit(fc.minmax(values)[~np.isnan(values)]).any()


@pytest.mark.parametrize("on_constant", [0.5, 1, -2.0, np.float32(0.25), math.nan])
def test_on_constant_is_the_value_of_constant_lists_only(on_constant):
    scores = np.array([[3.0, 3.0, np.nan], [1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(fc.minmax(scores, on_constant=on_constant), [[on_constant, on_constant, np.nan], [0, 0.5, 1]])


def test_ddof_not_below_the_count_gives_zero():
    np.testing.assert_array_equal(fc.zscore(np.array([1.0, 2.0]), ddof=2), [0, 0])


def test_minmax_survives_a_range_that_overflows():
    np.testing.assert_array_equal(fc.minmax(np.array([-1.7e308, 0.0, 1.7e308])), [0, 0.5, 1])


@given(st.sampled_from([np.float32, np.float64]).flatmap(lists_of), st.sampled_from([0.0, 1.0]))
def test_minmax_is_its_formula(scores, on_constant):
    np.testing.assert_array_equal(fc.minmax(scores, on_constant=on_constant), expected_minmax(scores, on_constant))


@given(lists_of(np.float32), st.integers(0, 2))
def test_zscore_is_its_formula(scores, ddof):
    np.testing.assert_allclose(fc.zscore(scores, ddof=ddof), expected_zscore(scores, ddof), rtol=1e-6, atol=1e-6)


# -- properties --------------------------------------------------------------------------------------
@BOTH
@given(lists_of(np.float64, bound=1e3, min_size=2), st.floats(0.01, 100), st.floats(-100, 100))
def test_positive_affine_maps_change_nothing(normalize, scores, scale, shift):
    if np.isnan(scores).all() or np.nanmax(scores) - np.nanmin(scores) < 1e-3:
        return
    np.testing.assert_allclose(normalize(scores * scale + shift), normalize(scores), rtol=1e-6, atol=1e-6)


@BOTH
@given(lists_of(np.float64), st.randoms(use_true_random=False))
def test_permuting_a_list_permutes_its_result(normalize, scores, random):
    scores = np.round(scores)  # their sums are exact, so that only the sum of squares depends on the order
    order = list(range(scores.size))
    random.shuffle(order)
    np.testing.assert_allclose(normalize(scores[order]), normalize(scores)[order], rtol=1e-9, atol=1e-9)


# -- layouts -----------------------------------------------------------------------------------------
@BOTH
@DTYPES
@given(counts=st.lists(st.integers(0, 9), max_size=8), seed=st.integers(0, 99))
def test_ragged_lists_equal_lists_one_by_one(normalize, dtype, counts, seed):
    offsets = np.cumsum([0, *counts])
    scores = np.random.default_rng(seed).normal(size=offsets[-1]).astype(dtype)
    one_by_one = [normalize(part) for part in np.split(scores, offsets[1:])[:-1]]
    np.testing.assert_array_equal(normalize(scores, offsets=offsets), np.concatenate([np.empty(0, dtype), *one_by_one]))


@BOTH
@pytest.mark.parametrize("shape", [(0,), (5,), (0, 5), (5, 0), (3, 5), (2, 3, 4), (2, 0, 4), (1, 1, 1, 6)])
def test_shape_and_dtype_are_kept(normalize, shape):
    scores = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    result = normalize(scores)
    assert (result.shape, result.dtype) == (shape, np.float32)
    for index in np.ndindex(shape[:-1]):
        np.testing.assert_array_equal(result[index], normalize(scores[index]))


@BOTH
def test_any_layout_in_memory(normalize):
    scores = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    expected = normalize(scores)
    spread = np.zeros((6, 16), np.float32)
    spread[:, ::2] = scores
    locked = scores.copy()
    locked.flags.writeable = False
    for layout in (np.asfortranarray(scores), spread[:, ::2], locked, scores[::-1][::-1], scores.astype(">f4")):
        np.testing.assert_array_equal(normalize(layout), expected)


@BOTH
def test_accepted_types(normalize):
    assert normalize([1, 2, 4]).dtype == np.float64
    assert normalize((1.0, 2.0)).dtype == np.float64
    half = normalize(np.array([1, 2, 4], np.float16))
    np.testing.assert_array_equal(half, normalize(np.array([1, 2, 4], np.float32)).astype(np.float16), strict=True)
    assert normalize([]).dtype == np.float64
    brain = pytest.importorskip("ml_dtypes").bfloat16
    np.testing.assert_array_equal(normalize(np.array([1, 2, 4]).astype(brain)), normalize(np.array([1, 2, 4], np.float32)).astype(brain), strict=True)


@BOTH
def test_threads_do_not_change_the_result(normalize):
    scores = np.random.default_rng(0).normal(size=(64, 501)).astype(np.float32)
    one = normalize(scores, num_threads=1)
    for threads in (2, 5):
        assert normalize(scores, num_threads=threads).tobytes() == one.tobytes()


# -- out ---------------------------------------------------------------------------------------------
@BOTH
def test_out_is_filled_and_returned(normalize):
    scores = np.random.default_rng(0).normal(size=(3, 7))
    expected, before = normalize(scores), scores.copy()
    out = np.empty_like(scores)
    assert normalize(scores, out=out) is out
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(scores, before)
    assert normalize(scores, out=scores) is scores
    np.testing.assert_array_equal(scores, expected)


@BOTH
def test_out_may_overlap(normalize):
    memory = np.random.default_rng(0).normal(size=12)
    expected = normalize(memory[:10].copy())
    np.testing.assert_array_equal(normalize(memory[:10], out=memory[2:]), expected)


@BOTH
@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.empty(4), "shape"),
        (np.empty((1, 3)), "shape"),
        (np.empty(3, np.float32), "dtype float64"),
        ([0.0, 0.0, 0.0], "got list"),
        (np.empty(6)[::2], "C-contiguous"),
        (np.broadcast_to(np.float64(0), 3), "writeable"),
    ],
)
def test_bad_out(normalize, out, error):
    with pytest.raises((ValueError, TypeError), match=error):
        normalize(np.array([1.0, 2.0, 3.0]), out=out)


# -- bad input ---------------------------------------------------------------------------------------
@BOTH
@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
@DTYPES
def test_an_infinity_is_named(normalize, infinity, dtype):
    scores = np.array([[1, 2, 3], [4, infinity, np.nan]], dtype)
    with pytest.raises(ValueError, match="inf in list 1 at position 1"):
        normalize(scores)
    with pytest.raises(ValueError, match="inf in list 2 at position 0"):
        normalize(scores.reshape(-1), offsets=[0, 3, 4, 6])


@BOTH
def test_a_bad_list_is_named_in_place_too(normalize):
    scores = np.array([[1.0, 2.0], [np.inf, 0.0]])
    with pytest.raises(ValueError, match="list 1"):
        normalize(scores, out=scores)


def test_moments_that_overflow_are_an_error():
    with pytest.raises(ValueError, match=r"list 1 .* overflow float64"):
        fc.zscore(np.array([[1.0, 2.0, 3.0], [1.7e308, 1.7e308, 0.0]]))


@BOTH
@pytest.mark.parametrize(
    ("scores", "error"),
    [
        (np.array([1, 2]), "int64"),
        (np.array([True]), "bool"),
        ([True, False], "bool"),
        (["a"], "<U1"),
        (np.array([None]), "object"),
        (np.array([1j]), "complex"),
        (np.ma.masked_array([1.0], [True]), "mask"),
        (np.array([1.0], np.longdouble), "longdouble|float128"),
    ],
)
def test_bad_scores(normalize, scores, error):
    with pytest.raises(TypeError, match=error):
        normalize(scores)


@BOTH
@pytest.mark.parametrize("scores", [1.0, np.float32(2), [[1.0], [1.0, 2.0]]])
def test_bad_shapes(normalize, scores):
    with pytest.raises(ValueError, match="scores"):
        normalize(scores)


@BOTH
@pytest.mark.parametrize(
    ("offsets", "kind", "error"),
    [
        ([], ValueError, "shape"),
        ([[0, 3]], ValueError, "shape"),
        (3, ValueError, "shape"),
        ([1, 3], ValueError, "start at 0"),
        ([0, 2], ValueError, "end at 3"),
        ([0, 4], ValueError, "end at 3"),
        ([0, 2, 1, 3], ValueError, "2 followed by 1 at position 2"),
        ([0.0, 3.0], TypeError, "float64"),
        ([False, True], TypeError, "bool"),
        (np.array([0, 2**63 + 5], np.uint64), ValueError, "int64"),
    ],
)
def test_bad_offsets(normalize, offsets, kind, error):
    with pytest.raises(kind, match=error):
        normalize(np.array([1.0, 2.0, 3.0]), offsets=offsets)


@BOTH
def test_offsets_need_a_flat_array(normalize):
    with pytest.raises(ValueError, match="flat"):
        normalize(np.ones((2, 2)), offsets=[0, 4])


@pytest.mark.parametrize(("value", "kind"), [(math.inf, ValueError), (1e39, ValueError), ("0", TypeError), (None, TypeError), (True, TypeError)])
def test_bad_on_constant(value, kind):
    with pytest.raises(kind, match="on_constant"):
        fc.minmax(np.ones(3, np.float32), on_constant=value)


@pytest.mark.parametrize(("value", "kind"), [(-1, ValueError), (1.0, TypeError), (True, TypeError), (None, TypeError)])
def test_bad_ddof(value, kind):
    with pytest.raises(kind, match="ddof"):
        fc.zscore(np.ones(3), ddof=value)


@BOTH
def test_bad_num_threads(normalize):
    with pytest.raises(ValueError, match="num_threads"):
        normalize(np.ones(3), num_threads=0)
