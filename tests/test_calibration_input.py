"""What calibrators and every other consumer of scores do with unusual and with bad input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import fastcal as fc

if TYPE_CHECKING:
    from fastcal.calibration import Calibrator

pytestmark = pytest.mark.usefixtures("backend")

EVERY = [
    fc.PlattCalibrator,
    fc.IsotonicCalibrator,
    fc.TemperatureCalibrator,
    fc.BetaCalibrator,
    fc.HistogramCalibrator,
    fc.VennAbersCalibrator,
]
SCORES, LABELS = [0.1, 0.4, 0.3, 0.9], [0, 0, 1, 1]


@pytest.fixture(params=EVERY, ids=lambda cls: cls.__name__)
def fitted(request: pytest.FixtureRequest) -> Calibrator:
    return request.param().fit(SCORES, LABELS)


# -- predict -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_dtype_are_kept(fitted: Calibrator, dtype: type) -> None:
    grid = np.linspace(0, 1, 24, dtype=dtype)
    flat = fitted.predict(grid)
    assert flat.dtype == dtype
    for view in (grid.reshape(4, 6), grid.reshape(2, 3, 4), grid.reshape(4, 6).T, grid[::-2], grid[:0], grid[3].reshape(())):
        result = fitted.predict(view)
        assert result.shape == view.shape
        assert result.dtype == dtype
        assert result.tobytes() == fitted.predict(view.copy().ravel()).tobytes()
    grid.flags.writeable = False
    assert fitted.predict(grid).tobytes() == flat.tobytes()


def test_other_inputs(fitted: Calibrator) -> None:
    expected = fitted.predict(np.array([0.0, 1.0]))
    assert fitted.predict([0, 1]).tolist() == expected.tolist()
    assert fitted.predict(np.array([0.0, 1.0], dtype=">f8")).tolist() == expected.tolist()
    half = fitted.predict(np.array([0.25, 0.5], dtype=np.float16))
    assert half.dtype == np.float16
    assert half.tobytes() == fitted.predict(np.array([0.25, 0.5], dtype=np.float32)).astype(np.float16).tobytes()
    into = np.zeros(2, dtype=np.float16)
    assert fitted.predict(np.array([0.25, 0.5], dtype=np.float16), out=into) is into
    assert into.tobytes() == half.tobytes()
    misaligned = np.frombuffer(b"\0" + np.array([0.0, 1.0]).tobytes(), dtype=np.float64, offset=1)
    assert fitted.predict(misaligned).tolist() == expected.tolist()


@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_threads_do_not_matter(fitted: Calibrator, num_threads: int) -> None:
    grid = np.linspace(0, 1, 200_001, dtype=np.float32)
    assert fitted.predict(grid, num_threads=num_threads).tobytes() == fitted.predict(grid, num_threads=1).tobytes()


def test_out_is_filled_and_returned(fitted: Calibrator) -> None:
    grid = np.linspace(0, 1, 12).reshape(3, 4)
    expected = fitted.predict(grid)
    for out in (np.empty((3, 4)), np.empty((4, 3)).T, np.empty((3, 8))[:, ::2], grid.copy()):
        assert fitted.predict(grid, out=out) is out
        assert out.tolist() == expected.tolist()
    memory = np.linspace(0, 1, 13)
    shifted = fitted.predict(memory[:-1].copy())
    assert fitted.predict(memory[:-1], out=memory[1:]).tolist() == shifted.tolist()
    assert fitted.predict(grid, out=grid) is grid
    assert grid.tolist() == expected.tolist()


def test_bad_out(fitted: Calibrator) -> None:
    scores = np.zeros(3)
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        fitted.predict(scores, out=frozen)
    with pytest.raises(ValueError, match=r"must have shape \(3,\), got \(4,\)"):
        fitted.predict(scores, out=np.zeros(4))
    with pytest.raises(TypeError, match="must have dtype float64, got float32"):
        fitted.predict(scores, out=np.zeros(3, np.float32))
    with pytest.raises(TypeError, match="got list"):
        fitted.predict(scores, out=[0.0, 0.0, 0.0])  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [np.array([1, 2]), np.array([True]), np.array([None]), "0.5", ["0.5"], [True], np.array([1 + 2j]), None])
def test_scores_of_another_type(fitted: Calibrator, bad: object) -> None:
    with pytest.raises(TypeError, match=r"scores must be float32 or float64 .* got dtype"):
        fitted.predict(bad)  # type: ignore[arg-type]


# -- fit ---------------------------------------------------------------------------------------------
BAD_FITS = [
    (([0.1, 0.2], [0, 1, 1]), {}, r"labels has shape \(3,\); expected \(2,\), the shape of scores"),
    (([[0.1, 0.2]], [0, 1]), {}, r"labels has shape \(2,\); expected \(1, 2\)"),
    (([], []), {}, "scores is empty"),
    (([np.nan, np.nan], [0, 1]), {}, "nothing but NaN"),
    (([0.1, np.inf], [0, 1]), {}, r"scores\[1\] is inf"),
    (([[0.1, 0.2], [0.3, -np.inf]], [[0, 1], [0, 1]]), {}, r"scores\[1, 1\] is -inf"),
    (([0.1, 0.2], [0, 2]), {}, r"labels\[1\] is 2; expected 0 or 1"),
    (([0.1, 0.2], [0.5, 1]), {}, r"labels\[0\] is 0.5"),
    (([0.1, 0.2], [0, np.nan]), {}, r"labels\[1\] is nan"),
    (([0.1, 0.2], [0, -1]), {}, r"labels\[1\] is -1"),
    (([0.1, 0.2], [1, 1]), {}, "one class only: 2 labels, all 1"),
    (([0.1, 0.2], [0, 0]), {}, "one class only"),
    (([0.1, 0.2, np.nan], [0, 0, 1]), {}, "one class only"),
    (([0.1, 0.2], [0, 1]), {"sample_weight": [1, 0]}, "one class only"),
    (([0.1, 0.2], [0, 1]), {"sample_weight": [1]}, r"sample_weight has shape \(1,\)"),
    (([0.1, 0.2], [0, 1]), {"sample_weight": [1, -1]}, r"sample_weight\[1\] is -1.0"),
    (([0.1, 0.2], [0, 1]), {"sample_weight": [np.nan, 1]}, r"sample_weight\[0\] is nan"),
    (([0.1, 0.2], [0, 1]), {"sample_weight": [np.inf, 1]}, r"sample_weight\[0\] is inf"),
    (([0.1, 0.2], [0, 1]), {"sample_weight": [0, 0]}, "sums to 0.0"),
    (([[0.1], [0.2, 0.3]], [0, 1]), {}, "cannot be read as an array"),
    (([0.1, 0.2], [0, 1]), {"prior": 0.0}, "prior must be a number strictly between 0 and 1, got 0.0"),
    (([0.1, 0.2], [0, 1]), {"prior": float("nan")}, "prior"),
]


@pytest.mark.parametrize("cls", EVERY)
@pytest.mark.parametrize(("args", "kwargs", "message"), BAD_FITS)
def test_bad_values_in_fit(cls: type[Calibrator], args: tuple, kwargs: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        cls().fit(*args, **kwargs)
    assert isinstance(caught.value, fc.FastcalError)


@pytest.mark.parametrize("cls", EVERY)
@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((np.array([1, 2]), [0, 1]), {}, "scores must be float32 or float64 .* got dtype int64"),
        (([0.1, 0.2], ["0", "1"]), {}, "labels has dtype <U1"),
        (([0.1, 0.2], np.array([0, 1], dtype=object)), {}, "labels has dtype object"),
        (([0.1, 0.2], [0, 1]), {"sample_weight": ["a", "b"]}, "sample_weight has dtype <U1"),
        (([0.1, 0.2], [0, 1]), {"prior": "0.5"}, "prior must be a number"),
        (([0.1, 0.2], [0, 1]), {"prior": True}, "prior must be a number"),
    ],
)
def test_bad_types_in_fit(cls: type[Calibrator], args: tuple, kwargs: dict, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        cls().fit(*args, **kwargs)


@pytest.mark.parametrize("labels", [[False, False, True, True], [0.0, 0.0, 1.0, 1.0], np.array(LABELS, np.uint8), (0, 0, 1, 1)])
def test_labels_of_any_number_type(fitted: Calibrator, labels: object) -> None:
    assert type(fitted)().fit(SCORES, labels).to_dict() == fitted.to_dict()  # type: ignore[arg-type]


def test_a_failed_fit_changes_nothing(fitted: Calibrator) -> None:
    before = fitted.to_dict()
    for kwargs in ({"prior": 2.0}, {"sample_weight": [-1, 1, 1, 1]}):
        with pytest.raises(ValueError, match=r"prior|sample_weight"):
            fitted.fit([0.5, 0.6, 0.7, 0.8], LABELS, **kwargs)
    with pytest.raises(ValueError, match="base_rate"):
        fitted.adjust_prior(1.0)
    assert fitted.to_dict() == before


# -- JSON --------------------------------------------------------------------------------------------
def test_json_type_version_and_keys(fitted: Calibrator) -> None:
    good = fitted.to_dict()
    for change, message in [
        ({"type": "spline"}, "type 'spline' is not known; expected one of 'platt', 'isotonic'"),
        ({"type": ["platt"]}, "is not known"),
        ({"version": 2}, "version 2 cannot be read; expected 1"),
        ({"version": True}, "version True cannot be read; expected 1"),
        ({"extra": 1}, r"unknown \['extra'\]"),
        ({"fitted": {}}, r"missing .*'base_rate_'"),
        ({"params": {"C": 1}}, r"unknown \['C'\]"),
        ({"fitted": good["fitted"] | {"base_rate_": 1.5}}, "base_rate_"),
    ]:
        with pytest.raises(ValueError, match=message):
            fc.calibrator_from_dict(good | change)
    for bad in (None, [good], good | {"fitted": [1, 2, 3]}):
        with pytest.raises(TypeError, match="must be a mapping"):
            fc.calibrator_from_dict(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"X_thresholds_": [0.0]}, ValueError, "same number"),
        ({"X_thresholds_": [], "y_thresholds_": []}, ValueError, "at least 1"),
        ({"X_thresholds_": [1.0, 0.0]}, ValueError, "strictly increasing"),
        ({"X_thresholds_": [0.0, float("nan")]}, ValueError, "finite"),
        ({"y_thresholds_": [0.5, 0.25]}, ValueError, "rise"),
        ({"y_thresholds_": [0.5, 1.5]}, ValueError, r"\[0, 1\]"),
        ({"y_thresholds_": ["0", "1"]}, TypeError, "list of numbers"),
        ({"y_thresholds_": [False, True]}, TypeError, "list of numbers"),
    ],
)
def test_json_knots(change: dict, error: type[Exception], message: str) -> None:
    good = fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1]).to_dict()
    with pytest.raises(error, match=message):
        fc.calibrator_from_dict(good | {"fitted": good["fitted"] | change})


@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), ("1", TypeError), (None, TypeError)])
def test_json_coefficients(value: object, error: type[Exception]) -> None:
    good = fc.PlattCalibrator().fit(SCORES, LABELS).to_dict()
    with pytest.raises(error, match="a_ must be a finite number"):
        fc.calibrator_from_dict(good | {"fitted": good["fitted"] | {"a_": value}})
