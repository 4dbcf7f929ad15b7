"""Wilson intervals, the threshold sweep and the choice of a threshold."""

from __future__ import annotations

import json
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fastcal as fc

pytestmark = pytest.mark.usefixtures("backend")

finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
finite64 = st.floats(-1e38, 1e38, allow_nan=False)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores of either dtype, with ties, float64 scores one ulp apart and denormals."""
    scores = np.array(draw(st.lists(finite64, min_size=1, max_size=20)))
    scores = np.concatenate([scores, scores[::2], np.nextafter(scores[::3], np.inf), -scores[::4]])
    if draw(st.booleans()):
        scores = scores.astype(np.float32)
    return scores, np.array(draw(st.lists(st.integers(0, 1), min_size=len(scores), max_size=len(scores))))


def selected(scores: np.ndarray, threshold: float, higher_is_better: bool) -> np.ndarray:
    return scores >= threshold if higher_is_better else scores <= threshold


def choose(*args: object, **kwargs: object) -> fc.OperatingPoint | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fc.SmallSampleWarning)
        return fc.choose_threshold(*args, **kwargs)  # type: ignore[arg-type]


# -- intervals ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (18, 20, 0.6989663548, 0.9721335188),
        (4, 20, 0.0806576626, 0.4160174323),
        (4, 200, 0.0078044264, 0.0502870869),
        (190, 200, 0.9104218519, 0.9726173544),
        (0, 30, 0.0, 0.1135134),
        (30, 30, 0.8864866, 1.0),
        (100, 200, 0.4313609, 0.5686391),
        (19, 38, 0.348499283643951, 0.651500716356049),
    ],
)
def test_wilson_reference_values(successes: int, trials: int, low: float, high: float) -> None:
    assert fc.wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-8)


def test_wilson_one_sided_and_ends() -> None:
    assert fc.wilson_interval(100, 200, confidence=0.9)[0] == pytest.approx(0.442235, abs=5e-7)
    assert fc.wilson_interval(38, 38)[1] == 1.0
    assert fc.wilson_interval(0, 38)[0] == 0.0
    assert fc.wilson_interval(0, 0) == (0.0, 1.0)
    assert all(isinstance(limit, float) for limit in fc.wilson_interval(np.int64(3), np.float32(8)))


def test_wilson_broadcasts() -> None:
    low, high = fc.wilson_interval([[4], [18]], np.array([20, 200]))
    assert low.shape == high.shape == (2, 2)
    assert (low[1, 0], high[1, 0]) == fc.wilson_interval(18, 20)


@pytest.mark.parametrize("args", [(-1, 3), (4, 3), (np.nan, 3), (1, np.inf), (1, 3, 0.0), (1, 3, 1.0), (1, 3, 95)])
def test_wilson_bad_values(args: tuple) -> None:
    with pytest.raises(ValueError, match=r"successes|trials|confidence"):
        fc.wilson_interval(*args)


@pytest.mark.parametrize("args", [("1", 3), (True, 3), (1, 3, "0.9")])
def test_wilson_bad_types(args: tuple) -> None:
    with pytest.raises(TypeError, match=r"successes|confidence"):
        fc.wilson_interval(*args)


# -- threads -----------------------------------------------------------------------------------------
def test_results_do_not_depend_on_the_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(300_000).astype(np.float32)
    labels, groups = (rng.random(scores.size) < scores).astype(np.uint8), np.repeat(np.arange(3000), 100)

    def found(threads: int | None) -> list[bytes]:
        told = [
            fc.choose_threshold(scores, labels, 0.8, num_threads=threads),
            fc.metrics.separation(labels, scores, num_threads=threads),
            fc.metrics.risk_coverage(labels, scores, groups=groups, num_threads=threads),
            fc.metrics.transfer_matrix({"a": (scores, labels), "b": (scores[:100], labels[:100])}, 0.8, num_threads=threads),
            fc.IsotonicCalibrator().fit(scores, labels, num_threads=threads),
            fc.GroupCalibrator().fit(scores, labels, groups % 2, num_threads=threads),
        ]
        return [pickle.dumps(each.to_dict()) for each in told if each is not None]

    one = found(1)
    assert len(one) == 6
    assert found(2) == found(5) == found(None) == one


@pytest.mark.parametrize(
    "call",
    [
        fc.choose_threshold,
        lambda scores, labels, **options: fc.metrics.separation(labels, scores, **options),
        lambda scores, labels, **options: fc.metrics.risk_coverage(labels, scores, **options),
        lambda scores, labels, **options: fc.metrics.transfer_matrix({"a": (scores, labels)}, **options),
        fc.PlattCalibrator().fit,
        fc.IsotonicCalibrator().fit,
    ],
)
def test_bad_numbers_of_threads(call) -> None:
    with pytest.raises(ValueError, match="num_threads must be"):
        call([0.1, 0.9, 0.8], [0, 1, 1], num_threads=0)


# -- sweep -------------------------------------------------------------------------------------------
@settings(max_examples=100)
@given(labelled(), st.booleans(), st.randoms(use_true_random=False))
def test_every_threshold_selects_exactly_what_the_sweep_says(data: tuple, higher_is_better: bool, random: object) -> None:
    scores, labels = data
    weights = np.array([random.randint(0, 3) for _ in labels], dtype=float)  # type: ignore[attr-defined]
    assume(weights.sum() > 0)
    sweep = fc.threshold_sweep(scores, labels, sample_weight=weights, higher_is_better=higher_is_better)
    assert sweep.threshold.dtype == np.float32
    assert sweep.n_selected[-1] == len(scores)
    steps = np.diff(sweep.threshold.astype(float))
    assert ((steps < 0) if higher_is_better else (steps > 0)).all()
    for i, threshold in enumerate(sweep.threshold.tolist()):
        chosen = selected(scores, threshold, higher_is_better)
        hits, weight, positive = (weights * labels)[chosen].sum(), weights[chosen].sum(), (weights * labels).sum()
        assert sweep.n_selected[i] == chosen.sum()
        assert sweep.precision[i] == (hits / weight if weight else 0.0)
        assert sweep.recall[i] == (hits / positive if positive else 0.0)
        assert sweep.f1[i] == (2 * hits / (weight + positive) if weight else 0.0)


@settings(max_examples=100)
@given(labelled())
def test_lower_is_better_is_the_mirror_image(data: tuple) -> None:
    scores, labels = data
    up, down = fc.threshold_sweep(scores, labels), fc.threshold_sweep(-scores, labels, higher_is_better=False)
    assert (-down.threshold).tolist() == up.threshold.tolist()
    assert down.precision.tolist() == up.precision.tolist()


def test_sweep_equals_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    scores, labels, weights = rng.integers(0, 50, 500).astype(np.float32), rng.integers(0, 2, 500), rng.random(500)
    precision, recall, thresholds = metrics.precision_recall_curve(labels, scores, sample_weight=weights)
    sweep = fc.threshold_sweep(scores, labels, sample_weight=weights)
    np.testing.assert_allclose(sweep.threshold[::-1], thresholds)
    np.testing.assert_allclose(sweep.precision[::-1], precision[:-1])
    np.testing.assert_allclose(sweep.recall[::-1], recall[:-1])


@settings(max_examples=100)
@given(labelled(), st.randoms(use_true_random=False))
def test_order_and_padding_do_not_matter(data: tuple, random: object) -> None:
    scores, labels = data
    order = list(range(len(scores)))
    random.shuffle(order)  # type: ignore[attr-defined]
    padded = np.append(scores[order], np.nan).astype(scores.dtype)[:, None], np.append(labels[order], 7)[:, None]
    assert fc.threshold_sweep(*padded).to_dict() == fc.threshold_sweep(scores, labels).to_dict()


def test_sweep_accepts_a_search_result_and_compares_directions() -> None:
    result = fc.SearchResult(np.array([[0.25, 0.5, np.nan]], np.float32), np.array([[4, 2, -1]]), higher_is_better=False)
    labels = [[1, 0, 0]]
    sweep = fc.threshold_sweep(result, labels, higher_is_better=False)  # type: ignore[arg-type]
    assert (sweep.threshold.tolist(), sweep.precision.tolist()) == ([0.25, 0.5], [1.0, 0.5])
    with pytest.raises(ValueError, match="higher_is_better=False, the call says higher_is_better=True"):
        fc.choose_threshold(result, labels)  # type: ignore[arg-type]


def test_sweep_of_one_class_has_documented_values() -> None:
    none = fc.threshold_sweep([0.5, 0.25], [0, 0])
    assert none.precision.tolist() == none.recall.tolist() == none.f1.tolist() == [0.0, 0.0]
    every = fc.threshold_sweep([0.5, 0.25], [1, 1])
    assert (every.precision.tolist(), every.recall.tolist()) == ([1.0, 1.0], [0.5, 1.0])


@pytest.mark.parametrize(
    ("scores", "labels", "kwargs", "message"),
    [
        ([], [], {}, "empty"),
        ([np.nan], [1], {}, "NaN"),
        ([0.1, np.inf], [0, 1], {}, r"scores\[1\] is inf"),
        ([0.1, -1e39], [0, 1], {}, r"scores\[1\] is -1e\+39; expected a number within the range of float32"),
        ([0.1, 0.2], [0, 3], {}, r"labels\[1\] is 3"),
        ([0.1, 0.2], [0], {}, "shape"),
        ([0.1, 0.2], [0, 1], {"sample_weight": [0.0, 0.0]}, "sums to 0"),
    ],
)
def test_sweep_bad_values(scores: list, labels: list, kwargs: dict, message: str) -> None:
    for function in (fc.threshold_sweep, fc.choose_threshold):
        with pytest.raises(ValueError, match=message):
            function(scores, labels, **kwargs)


@pytest.mark.parametrize(("scores", "kwargs"), [(np.array([1, 2]), {}), ([True, False], {}), ([0.1, 0.2], {"higher_is_better": "yes"})])
def test_sweep_bad_types(scores: object, kwargs: dict) -> None:
    with pytest.raises(TypeError, match=r"scores must be float32|higher_is_better"):
        fc.threshold_sweep(scores, [0, 1], **kwargs)  # type: ignore[arg-type]


# -- choice ------------------------------------------------------------------------------------------
@settings(max_examples=100)
@given(labelled(), st.booleans(), st.floats(0.01, 1.0), st.booleans())
def test_the_chosen_threshold_reproduces_and_is_the_laxest_or_strictest(data: tuple, higher_is_better: bool, target: float, recall: bool) -> None:
    scores, labels = data
    sweep = fc.threshold_sweep(scores, labels, higher_is_better=higher_is_better)
    kwargs = {"target_recall" if recall else "target_precision": target}
    point = choose(scores, labels, higher_is_better=higher_is_better, **kwargs)
    qualifies = (sweep.recall if recall else sweep.precision) >= target
    if point is None:
        assert not qualifies.any()
        return
    chosen = selected(scores, point.threshold, higher_is_better)
    assert np.float32(point.threshold) == point.threshold
    assert point.n_selected == chosen.sum()
    assert point.precision == labels[chosen].sum() / chosen.sum()
    assert point.recall == labels[chosen].sum() / max(labels.sum(), 1)
    assert point.n_selected == sweep.n_selected[qualifies][0 if recall else -1]
    assert point.interval == fc.wilson_interval(int(labels[chosen].sum()), point.n_selected)


def test_float64_scores_stay_selected_by_the_threshold_they_gave() -> None:
    point = choose([0.9, 0.8, 0.7, 0.4], [1, 1, 0, 0], target_precision=1.0)
    assert point is not None
    assert point.threshold == pytest.approx(0.8)
    assert (np.array([0.9, 0.8, 0.7, 0.4]) >= point.threshold).tolist() == [True, True, False, False]


def test_targets() -> None:
    scores, labels = np.arange(40, 0, -1, dtype=np.float32), np.repeat([1, 0, 1, 0], [18, 2, 10, 10])
    default = fc.choose_threshold(scores, labels)
    assert default is not None
    assert (default.n_selected, default.precision, default.in_sample) == (31, 28 / 31, True)
    full = fc.choose_threshold(scores, labels, target_recall=1.0)
    assert full is not None
    assert (full.n_selected, full.threshold) == (30, 11.0)
    assert fc.choose_threshold(scores, np.zeros(40)) is None
    assert fc.choose_threshold(scores, np.zeros(40), target_recall=0.5) is None
    with pytest.raises(ValueError, match="both given"):
        fc.choose_threshold(scores, labels, 0.9, target_recall=0.5)
    for bad in (0.0, -0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="target_precision must be a number in"):
            fc.choose_threshold(scores, labels, bad)
        with pytest.raises(ValueError, match="target_recall must be a number in"):
            fc.choose_threshold(scores, labels, target_recall=bad)
    with pytest.raises(TypeError, match="target_precision"):
        fc.choose_threshold(scores, labels, "0.9")  # type: ignore[arg-type]


def test_unreachable_precision_gives_none_and_the_sweep_says_how_far_it_goes() -> None:
    scores, labels = [0.4, 0.3, 0.2, 0.1], [0, 1, 1, 0]
    assert fc.choose_threshold(scores, labels) is None
    assert fc.threshold_sweep(scores, labels).best_precision == 2 / 3


def test_small_samples_warn_at_the_call() -> None:
    with pytest.warns(fc.SmallSampleWarning, match="selects 29 pairs; below 30") as caught:
        fc.choose_threshold(np.arange(29.0), np.ones(29))
    assert caught[0].filename == __file__
    fc.choose_threshold(np.arange(30.0), np.ones(30))


def test_weights_count_in_precision_and_shrink_the_sample() -> None:
    scores, labels = np.arange(100.0), np.tile([1, 1, 1, 0], 25)
    even, uneven = np.full(100, 7.0), np.where(np.arange(100) < 50, 1.0, 9.0)
    plain = fc.choose_threshold(scores, labels, 0.7)
    same = fc.choose_threshold(scores, labels, 0.7, sample_weight=even)
    wide = fc.choose_threshold(scores, labels, 0.7, sample_weight=uneven)
    assert plain is not None
    assert same is not None
    assert wide is not None
    assert same.to_dict() == pytest.approx(plain.to_dict() | {"interval": pytest.approx(plain.interval)})
    effective = uneven.sum() ** 2 / (uneven**2).sum()
    assert wide.interval == pytest.approx(fc.wilson_interval(wide.precision * effective, effective))


def test_results_are_json() -> None:
    scores, labels = np.arange(40.0), np.arange(40) % 2
    point = choose(scores, labels, 0.5)
    assert point is not None
    for result in (point, fc.threshold_sweep(scores, labels)):
        assert json.loads(json.dumps(result.to_dict(), allow_nan=False)) == result.to_dict()
    assert set(point.to_dict()) == {"threshold", "precision", "recall", "n_selected", "interval", "in_sample", "higher_is_better"}
