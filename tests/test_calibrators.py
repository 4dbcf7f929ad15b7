"""What every calibrator promises, whatever its method."""

from __future__ import annotations

import copy
import json
import pickle
import warnings

import numpy as np
import pytest
from calibrators import CALIBRATORS, fresh, labelled_scores, sample, shifted
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcal as fc

every = pytest.mark.parametrize("template", CALIBRATORS, ids=repr)
GRID = np.linspace(0.001, 0.999, 501)


@pytest.fixture(autouse=True)
def _each_backend(backend):
    pass


@every
@settings(max_examples=8)
@given(data=labelled_scores(), random=st.randoms(use_true_random=False))
def test_order_and_repetition_of_pairs_do_not_matter(template, data, random):
    order = list(range(len(data[0])))
    random.shuffle(order)
    plain = fresh(template).fit(*data)
    again = fresh(template).fit(*(part[order] for part in data))
    repeated = fresh(template).fit(*(np.repeat(part, data[2].astype(int)) for part in data[:2]))
    # Coefficients of nearly separable data are large, and roundings are seen through them.
    np.testing.assert_allclose(again.predict(GRID), plain.predict(GRID), atol=2e-6)
    np.testing.assert_allclose(repeated.predict(GRID), plain.predict(GRID), atol=2e-6)
    assert repeated.base_rate_ == pytest.approx(plain.base_rate_)


@every
def test_padding_and_weightless_pairs_are_not_there(template):
    scores, labels = sample(100)
    plain = fresh(template).fit(scores, labels)
    padded = fresh(template).fit(np.append(scores, np.nan).reshape(1, -1), np.append(labels, -1).reshape(1, -1))
    weighted = fresh(template).fit(np.append(scores, 0.99999), np.append(labels, 0), np.append(np.ones(100), 0.0))
    assert plain.to_dict() == padded.to_dict() == weighted.to_dict()


@every
def test_fits_are_deterministic_and_rates_of_zero_are_no_noise(template):
    scores, labels = sample()
    plain = fresh(template).fit(scores, labels)
    assert fresh(template).fit(scores, labels).to_dict() == plain.to_dict()
    assert fresh(template).fit(scores, labels, label_noise=(0.0, 0.0)).to_dict() == plain.to_dict()
    assert fresh(template).fit(scores, labels, prior=0.2).to_dict() == plain.adjust_prior(0.2).to_dict()


@every
def test_probabilities_are_probabilities_and_rise(template):
    cal = fresh(template).fit(*sample())
    for dtype in (np.float32, np.float64):
        p = cal.predict(GRID.astype(dtype))
        assert p.dtype == dtype
        assert ((p >= 0) & (p <= 1)).all()
        if not isinstance(cal, fc.HistogramCalibrator):
            assert (np.diff(p) >= -1e-7).all()
    assert cal.higher_is_better_ in ({True, None} if isinstance(cal, fc.HistogramCalibrator) else {True})
    assert np.isnan(cal.predict([np.nan, 0.5])).tolist() == [True, False]


@every
def test_prior_moves_the_log_odds(template):
    scores, labels = sample()
    plain, moved = fresh(template).fit(scores, labels), fresh(template).fit(scores, labels, prior=0.01)
    rate = labels.mean()
    assert plain.base_rate_ == pytest.approx(rate)
    assert moved.base_rate_ == 0.01
    ratio = (0.01 / 0.99) / (rate / (1 - rate))
    np.testing.assert_allclose(moved.predict(GRID), shifted(plain.predict(GRID), ratio), rtol=1e-9)
    if isinstance(plain, fc.VennAbersCalibrator):
        before, after = (np.stack(cal.predict_interval(GRID)) for cal in (plain, moved))
        np.testing.assert_allclose(after, shifted(before, ratio), rtol=1e-9)
    np.testing.assert_allclose(moved.adjust_prior(plain.base_rate_).predict(GRID), plain.predict(GRID), rtol=1e-9)


@every
def test_prior_leaves_certainty_and_order_alone(template):
    cal = fresh(template).fit(*sample(2000))
    before = cal.predict(GRID)
    for rate in (1e-300, 0.3, 1 - 1e-16, 0.5, 5e-324, 1 - 2.0**-53):
        p = cal.adjust_prior(rate).predict(GRID)
        assert ((p >= 0) & (p <= 1)).all()
        if isinstance(cal, fc.IsotonicCalibrator):
            assert (p[before == 0.0] == 0.0).all()
            assert (p[before == 1.0] == 1.0).all()
            assert (np.diff(p) >= 0).all()


@every
def test_json_round_trip_to_the_bit(template):
    scores, labels = sample()
    for cal in (
        fresh(template).fit(scores, labels),
        fresh(template).fit(scores.astype(np.float32), labels, prior=0.2),
        fresh(template).fit(scores, labels, np.linspace(0.1, 3.0, 400)),
    ):
        text = json.dumps(cal.to_dict(), allow_nan=False)
        again = fc.calibrator_from_dict(json.loads(text))
        assert type(again) is type(cal)
        assert again.to_dict() == cal.to_dict()
        for twin in (again, pickle.loads(pickle.dumps(cal)), copy.deepcopy(cal)):
            assert twin.predict(scores).tobytes() == cal.predict(scores).tobytes()
            assert twin.higher_is_better_ == cal.higher_is_better_


@every
def test_scikit_learn_protocol(template):
    base = pytest.importorskip("sklearn.base")
    cal = fresh(template).fit(*sample())
    twin = base.clone(cal)
    assert twin.get_params() == cal.get_params()
    with pytest.raises(fc.NotFittedError, match="fit"):
        twin.predict([0.5])
    for call in (twin.to_dict, lambda: twin.adjust_prior(0.5), lambda: twin.higher_is_better_):
        with pytest.raises(fc.NotFittedError):
            call()
    with pytest.raises(ValueError, match="no parameter 'C'"):
        cal.set_params(C=1)
    assert repr(type(template)()) == f"{type(template).__name__}()"


@every
def test_huge_weights(template):
    """Where weights dwarf every pseudo-count their scale does not matter, and huge ones overflow nowhere."""
    scores, labels = sample(100)
    heavy = fresh(template).fit(scores, labels, np.full(100, 2.0**40))
    heavier = fresh(template).fit(scores, labels, np.full(100, 2.0**1000))
    np.testing.assert_allclose(heavy.predict(GRID), heavier.predict(GRID), atol=1e-9)
    assert heavy.higher_is_better_ == heavier.higher_is_better_


@pytest.mark.parametrize("template", [*CALIBRATORS, fc.GroupCalibrator(fc.IsotonicCalibrator())], ids=repr)
def test_weights_that_are_shares_are_named_where_pairs_are_smoothed(template):
    scores, labels = sample(300)
    groups = [np.zeros(300, dtype=int)] if isinstance(template, fc.GroupCalibrator) else []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tiny = fresh(template).fit(scores, labels, *groups, sample_weight=np.full(300, 1 / 300))
    assert all("scale sample_weight to a mean near 1" in str(warning.message) and warning.filename == __file__ for warning in caught)
    one = fresh(template).fit(scores, labels, *groups, sample_weight=np.ones(300))
    if not caught:
        np.testing.assert_allclose(tiny.predict(GRID), one.predict(GRID), atol=1e-9)
    scale_free = isinstance(template, fc.IsotonicCalibrator) and template.bounds != "laplace"
    assert len(caught) == (0 if scale_free else 2)


NUMPY_PARAMS = [
    fc.HistogramCalibrator(np.int64(3), strategy="uniform", smoothing=np.float32(1), limits=(np.float32(0), np.float64(1))),
    fc.IsotonicCalibrator(increasing=np.True_, strict=np.False_, bounds=(np.float32(0.1), 0.9)),
    fc.VennAbersCalibrator(increasing=np.True_),
]


@pytest.mark.parametrize("template", NUMPY_PARAMS, ids=repr)
def test_numpy_parameters_become_plain_json(template):
    scores, labels = sample(100)
    cal = fresh(template).fit(scores, labels)
    again = fc.calibrator_from_dict(json.loads(json.dumps(cal.to_dict())))
    np.testing.assert_array_equal(again.predict(scores), cal.predict(scores))
    grouped = fc.GroupCalibrator(template, shrinkage=np.int64(3)).fit(scores, labels, np.arange(100) % 2)
    assert json.loads(json.dumps(grouped.to_dict())) == grouped.to_dict()


@pytest.mark.parametrize(
    ("cal", "change"),
    [
        (fc.PlattCalibrator("cosine"), {"input": "logit"}),
        (fc.IsotonicCalibrator(), {"increasing": False}),
        (fc.VennAbersCalibrator(), {"increasing": False}),
        (fc.IsotonicCalibrator(bounds=(0.1, 0.9)), {"bounds": np.array([0.1, 0.8])}),
        (fc.GroupCalibrator(fc.BetaCalibrator()), {"calibrator__input": "cosine"}),
        (fc.GroupCalibrator(), {"shrinkage": 0}),
    ],
    ids=repr,
)
def test_a_parameter_that_changes_after_the_fit_asks_for_another(cal, change):
    scores, labels = sample(100)
    groups = [np.arange(100) % 2] if isinstance(cal, fc.GroupCalibrator) else []
    cal = copy.deepcopy(fresh(cal)).fit(scores, labels, *groups)
    same = cal.predict(scores, *groups)
    assert cal.set_params(**cal.get_params()).predict(scores, *groups).tobytes() == same.tobytes()
    cal.set_params(**change)
    for call in (lambda: cal.predict(scores, *groups), cal.to_dict, lambda: cal.adjust_prior(0.5)):
        with pytest.raises(fc.NotFittedError, match="or its parameters were changed since; call fit"):
            call()


@pytest.mark.parametrize(
    ("cal", "message"),
    [
        (fc.PlattCalibrator(input="distance"), "input must be one of 'logit', 'cosine', 'prob'"),
        (fc.TemperatureCalibrator(input=None), "input must be one of"),
        (fc.BetaCalibrator("bm"), "parameters must be one of 'abm', 'am', 'ab'"),
        (fc.HistogramCalibrator(0), "n_bins"),
        (fc.HistogramCalibrator(strategy="kmeans"), "strategy"),
        (fc.HistogramCalibrator(smoothing=-1), "smoothing"),
        (fc.HistogramCalibrator(limits=(0, 1)), "for uniform bins"),
        (fc.HistogramCalibrator(strategy="uniform", limits=(1, 0)), "low < high"),
        (fc.HistogramCalibrator(strategy="uniform", limits=0.5), "limits must be two numbers"),
        (fc.IsotonicCalibrator(strict=1), "strict must be True or False"),
        (fc.IsotonicCalibrator(bounds="elub"), "bounds must be None, 'laplace'"),
        (fc.IsotonicCalibrator(bounds=np.array([0.0, 1.0])), "bounds must be None, 'laplace'"),
        (fc.HistogramCalibrator(strategy="uniform", limits=np.array([0.0, 1.0])), "limits must be two numbers"),
        (fc.IsotonicCalibrator(bounds=(0.9, 0.1)), "low < high"),
        (fc.IsotonicCalibrator(bounds=(0.1, 1.1)), "bounds must be two numbers"),
        (fc.VennAbersCalibrator(increasing="no"), "increasing"),
    ],
    ids=repr,
)
def test_unusable_parameters(cal, message):
    with pytest.raises(fc.FastcalError, match=message):
        cal.fit(*sample(20))


@every
@given(probability=st.floats(0.001, 1.0))
@settings(max_examples=10)
def test_threshold_for_is_where_predict_reaches_the_probability(template, probability):
    cal = fresh(template).fit(*sample())
    if cal.higher_is_better_ is None:
        with pytest.raises(ValueError, match="both rise and fall"):
            cal.threshold_for(probability)
        return
    asked = np.linspace(0.0, 1.0, 4001)
    threshold = cal.threshold_for(probability)
    if threshold is None:
        assert (cal.predict(asked) < probability).all()
        return
    np.testing.assert_array_equal(asked >= threshold, cal.predict(asked) >= probability)
    if np.isfinite(threshold):
        assert cal.predict(threshold) >= probability > cal.predict(np.nextafter(threshold, -np.inf))


def test_threshold_for_of_falling_constant_and_bounded_curves():
    falling = fc.IsotonicCalibrator("raise", increasing=False).fit([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0])
    assert (falling.threshold_for(1.0), falling.threshold_for(0.5)) == (2.0, 2.5)
    assert fc.PlattCalibrator().fit([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0]).threshold_for(0.5) == pytest.approx(2.5)
    constant = fc.PlattCalibrator().fit([0.5] * 4, [0, 1, 0, 1])
    assert (constant.threshold_for(0.5), constant.threshold_for(0.51)) == (-np.inf, None)
    for way, expected in (("clip", (-np.inf, np.inf)), ("nan", (1.0, 4.0)), ("raise", (1.0, 4.0))):
        both = [fc.IsotonicCalibrator(way, increasing=up).fit([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 1][:: 2 * up - 1]) for up in (True, False)]
        assert tuple(cal.threshold_for(0.5) for cal in both) == expected
    for bad in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match="probability must be a number above 0"):
            constant.threshold_for(bad)
