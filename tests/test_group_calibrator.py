"""GroupCalibrator: its limits are separate fits and the pooled fit, between them every group is drawn to the others."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc

METHODS = [
    fc.PlattCalibrator(),
    fc.IsotonicCalibrator(),
    fc.IsotonicCalibrator(strict=True, bounds="laplace"),
    fc.BetaCalibrator(),
    fc.TemperatureCalibrator(input="prob"),
    fc.HistogramCalibrator(4, strategy="uniform"),
    fc.VennAbersCalibrator(),
]
LANGUAGES = np.array(["de", "en", "fr"])


def sample(n=600, seed=0, apart=1.0):
    """Scores in (0, 1); the three languages have different curves, and sizes of 1 : 9 : 90."""
    rng = np.random.default_rng(seed)
    language = rng.choice(3, n, p=[0.01, 0.09, 0.9])
    scores = rng.uniform(0.02, 0.98, n)
    slope, middle = 8.0, 0.6 + apart * np.array([0.2, -0.3, 0.0])[language]
    return scores, (rng.random(n) < 1 / (1 + np.exp(-slope * (scores - middle)))).astype(int), LANGUAGES[language]


def grid():
    return np.linspace(0.0, 1.0, 101)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_without_shrinkage_each_group_has_its_own_fit(method):
    scores, labels, languages = sample()
    cal = fc.GroupCalibrator(method, shrinkage=0).fit(scores, labels, languages)
    for language in LANGUAGES:
        own = languages == language
        alone = type(method)(**method.get_params()).fit(scores[own], labels[own])
        np.testing.assert_array_equal(cal.predict(grid(), np.full(101, language)), alone.predict(grid()))
    assert {row.own_weight for row in cal.groups_} == {1.0}
    assert not hasattr(method, "base_rate_")


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_with_infinite_shrinkage_all_groups_have_the_pooled_fit(method):
    scores, labels, languages = sample()
    pooled = type(method)(**method.get_params()).fit(scores, labels).predict(grid())
    for shrinkage in (math.inf, len(scores)):  # the others never count for more than they are
        cal = fc.GroupCalibrator(method, shrinkage=shrinkage).fit(scores, labels, languages)
        for language in [*LANGUAGES, "never seen"]:
            np.testing.assert_array_equal(cal.predict(grid(), np.full(101, language)), pooled)


def test_between_them_the_others_count_as_shrinkage_pairs_of_the_rarer_class():
    scores, labels, languages = sample()
    weights = np.random.default_rng(1).integers(0, 3, len(scores)).astype(float)
    cal = fc.GroupCalibrator(shrinkage=20).fit(scores, labels, languages, weights)
    for row in cal.groups_:
        own = languages == row.label
        others = min(weights[~own & (labels == y)].sum() for y in (0, 1))
        rare = min(weights[own & (labels == y)].sum() for y in (0, 1))
        share = min(1.0, 20 / others)
        assert (row.n, row.positives) == (weights[own].sum(), weights[own & (labels == 1)].sum())
        assert row.own_weight == pytest.approx(rare / (rare + share * others))
        by_hand = fc.PlattCalibrator().fit(scores, labels, np.where(own, 1.0, share) * weights)
        np.testing.assert_array_equal(cal.predict(grid(), np.full(101, row.label)), by_hand.predict(grid()))


def test_a_growing_group_leaves_the_pooled_fit():
    scores, labels, languages = sample(4000)

    def distance(m):
        cal = fc.GroupCalibrator(shrinkage=m).fit(scores, labels, languages)
        return np.abs(cal.predict(grid(), np.full(101, "de")) - cal.pooled_.predict(grid())).mean()

    far = [distance(m) for m in (0, 1, 3, 10, 30, 100, 300, math.inf)]
    assert far == sorted(far, reverse=True)
    assert far[-1] == 0.0
    assert far[0] > 0.05


@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize("shrinkage", [0, 3, 30])
def test_probabilities_rise_with_the_score_within_each_group(method, shrinkage):
    if isinstance(method, fc.HistogramCalibrator):
        pytest.skip("bins are not made to rise")
    cal = fc.GroupCalibrator(method, shrinkage=shrinkage).fit(*sample())
    for language in [*LANGUAGES, "never seen"]:
        assert (np.diff(cal.predict(grid(), np.full(101, language))) >= 0).all()
    assert cal.higher_is_better_ is True


@pytest.mark.parametrize("only", [0, 1])
def test_a_group_of_one_class(only):
    scores, labels, languages = sample()
    labels[languages == "de"] = only
    separate = fc.GroupCalibrator(shrinkage=0).fit(scores, labels, languages)
    assert separate.groups_[0].own_weight == 0.0
    np.testing.assert_array_equal(separate.predict(grid(), np.full(101, "de")), separate.pooled_.predict(grid()))
    drawn = fc.GroupCalibrator(shrinkage=30).fit(scores, labels, languages)
    moved = drawn.predict(grid(), np.full(101, "de")) - drawn.pooled_.predict(grid())
    assert (moved > 0 if only else moved < 0).any()
    assert np.mean(moved) * (1 if only else -1) > 0


def test_one_group_is_the_plain_calibrator():
    scores, labels, _ = sample()
    cal = fc.GroupCalibrator().fit(scores, labels, np.zeros(len(scores), dtype=int))
    np.testing.assert_array_equal(cal.predict(grid(), np.zeros(101, dtype=int)), fc.PlattCalibrator().fit(scores, labels).predict(grid()))
    assert cal.groups_ == (type(cal.groups_[0])(0, 600.0, float(labels.sum()), 1.0),)


def test_shrinkage_helps_small_groups():
    """Held-out log loss of the smallest group over 30 draws: drawn to the others beats both limits."""

    def loss(p, y):
        return -np.mean(np.where(y > 0, np.log(p), np.log1p(-p)))

    held, truth, names = sample(30_000, 99, apart=0.5)
    de = names == "de"
    found = {m: [] for m in (0, 30, math.inf)}
    for seed in range(30):
        data = sample(2000, seed, apart=0.5)
        for m, losses in found.items():
            losses.append(loss(fc.GroupCalibrator(shrinkage=m).fit(*data).predict(held[de], names[de]), truth[de]))
    separate, drawn, pooled = (float(np.mean(losses)) for losses in found.values())
    assert drawn < separate
    assert drawn < pooled


def test_unknown_groups():
    cal = fc.GroupCalibrator(unknown="raise").fit(*sample())
    with pytest.raises(ValueError, match=r"group 'xx' was not fitted; expected one of \['de', 'en', 'fr'\]"):
        cal.predict([0.5, 0.5], ["de", "xx"])
    assert cal.set_params(unknown="pooled").predict([0.5], ["xx"]) == cal.pooled_.predict([0.5])
    with pytest.raises(TypeError, match="groups holds 3; expected labels like 'de'"):
        cal.predict([0.5], [3])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_padding_shape_dtype_and_out(dtype):
    scores, labels, languages = sample()
    plain = fc.GroupCalibrator().fit(scores, labels, languages)
    padded = fc.GroupCalibrator().fit(
        np.append(scores, np.nan).reshape(1, -1), np.append(labels, 9).reshape(1, -1), np.append(languages, "it").reshape(1, -1)
    )
    assert padded.to_dict() == plain.to_dict()  # a group of padding only is no group
    asked = np.array([[0.1, np.nan, 0.9], [0.2, 0.5, np.nan], [0.4, 0.4, 0.4]], dtype=dtype)
    per_row = plain.predict(asked, LANGUAGES)
    assert (per_row.shape, per_row.dtype) == (asked.shape, dtype)
    np.testing.assert_array_equal(per_row, plain.predict(asked, np.repeat(LANGUAGES[:, np.newaxis], 3, axis=1)))
    for row, language in enumerate(LANGUAGES):
        np.testing.assert_array_equal(per_row[row], plain.calibrators_[language].predict(asked[row]))
    out = np.empty_like(asked)
    assert plain.predict(asked, LANGUAGES, out, num_threads=2) is out
    np.testing.assert_array_equal(out, per_row)
    np.testing.assert_array_equal(plain.predict(asked, LANGUAGES, asked), per_row)
    np.testing.assert_array_equal(asked, per_row)
    assert plain.predict(np.empty((0, 4)), np.empty(0, dtype=np.str_)).shape == (0, 4)


def test_prior_moves_all_groups_by_the_same_log_odds():
    def logit(p):
        return np.log(p) - np.log1p(-p)

    scores, labels, languages = sample()
    cal = fc.GroupCalibrator().fit(scores, labels, languages)
    moved = fc.GroupCalibrator().fit(scores, labels, languages, prior=0.01)
    shift = logit(0.01) - logit(labels.mean())
    for language in [*LANGUAGES, "never seen"]:
        at = np.full(101, language)
        np.testing.assert_allclose(logit(moved.predict(grid(), at)), logit(cal.predict(grid(), at)) + shift, atol=1e-9)
    assert moved.base_rate_ == 0.01
    assert logit(moved.calibrators_["en"].base_rate_) == pytest.approx(logit(cal.calibrators_["en"].base_rate_) + shift)
    with pytest.raises(ValueError, match="prior"):
        fc.GroupCalibrator().fit(scores, labels, languages, prior=1.0)


def test_priors_at_the_ends_of_float64():
    scores, labels, languages = sample()
    cal = fc.GroupCalibrator(shrinkage=1).fit(scores, labels, languages)
    for rate in (5e-324, 1 - 2.0**-53, 0.3):
        p = cal.adjust_prior(rate).predict(scores, languages)
        assert ((p >= 0) & (p <= 1)).all()
        assert all(0 < member.base_rate_ < 1 for member in cal.calibrators_.values())
    expected = fc.GroupCalibrator(shrinkage=1).fit(scores, labels, languages, prior=0.3).predict(scores, languages)
    np.testing.assert_allclose(p, expected, rtol=1e-9)


def test_a_fit_that_fails_changes_nothing_and_names_the_group():
    scores, labels, languages = sample()
    cal = fc.GroupCalibrator(shrinkage=0).fit(scores, labels, languages)
    before = cal.to_dict()
    tight = scores.copy()
    tight[languages == "en"] = np.where(labels[languages == "en"] > 0, 5e-324, 0.0)
    with pytest.raises(ValueError, match="rescale") as caught:
        cal.fit(tight, labels, languages)
    assert caught.value.__notes__ == ["while fitting group 'en'"]
    assert cal.to_dict() == before


def test_label_noise_is_handed_on():
    scores, labels, languages = sample()
    cal = fc.GroupCalibrator(shrinkage=math.inf).fit(scores, labels, languages, label_noise=(0.1, 0.0))
    alone = fc.PlattCalibrator().fit(scores, labels, label_noise=(0.1, 0.0))
    assert cal.base_rate_ == alone.base_rate_
    np.testing.assert_array_equal(cal.predict(grid(), np.full(101, "de")), alone.predict(grid()))


@pytest.mark.parametrize("method", [*METHODS, None], ids=repr)
@pytest.mark.parametrize("labels_of", [str, int])
def test_plain_json_brings_back_the_same_bits(method, labels_of):
    scores, labels, languages = sample()
    groups = languages if labels_of is str else np.searchsorted(LANGUAGES, languages)
    cal = fc.GroupCalibrator(method, shrinkage=math.inf if method is None else 7, unknown="raise").fit(scores, labels, groups, prior=0.03)
    text = json.dumps(cal.to_dict(), allow_nan=False)
    again = fc.calibrator_from_dict(json.loads(text))
    assert json.dumps(again.to_dict(), allow_nan=False) == text
    np.testing.assert_array_equal(again.predict(scores, groups), cal.predict(scores, groups))
    assert (again.groups_, again.shrinkage, again.unknown, again.base_rate_) == (cal.groups_, cal.shrinkage, cal.unknown, 0.03)


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda d: d["fitted"].pop("pooled_"), "missing"),
        (lambda d: d["fitted"]["groups_"].append(d["fitted"]["groups_"][0]), "distinct"),
        (lambda d: d["fitted"]["groups_"][0].update(label=1.5), "label must be"),
        (lambda d: d["fitted"]["groups_"][0].update(label=3), "one kind"),
        (lambda d: d["fitted"]["groups_"][0].update(own_weight=2), "own_weight"),
        (lambda d: d["fitted"]["groups_"][0].update(calibrator=dict(d)), "a group cannot hold groups"),
        (lambda d: d["fitted"].update(groups_=[]), "at least one group"),
        (lambda d: d["fitted"]["groups_"][0].update(calibrator=fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1]).to_dict()), "as pooled_ is"),
        (lambda d: d["fitted"]["groups_"][0]["calibrator"]["params"].update(input="prob"), "as pooled_ is"),
        (lambda d: d["params"].update(shrinkage=-1), "shrinkage"),
        (lambda d: d.update(version=2), "version 2 cannot be read"),
    ],
)
def test_damaged_json_is_an_error(damage, match):
    d = json.loads(json.dumps(fc.GroupCalibrator().fit(*sample()).to_dict()))
    damage(d)
    with pytest.raises(fc.FastcalError, match=match):
        fc.calibrator_from_dict(d)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"shrinkage": -1}, ValueError, "shrinkage must be a number of at least 0"),
        ({"shrinkage": math.nan}, ValueError, "shrinkage"),
        ({"shrinkage": "auto"}, TypeError, "shrinkage"),
        ({"unknown": "zero"}, ValueError, "unknown must be one of 'pooled', 'raise'"),
        ({"calibrator": "platt"}, TypeError, "calibrator must be a calibrator of one group"),
        ({"calibrator": fc.GroupCalibrator()}, TypeError, "calibrator must be a calibrator of one group"),
    ],
)
def test_bad_parameters(options, error, match):
    with pytest.raises(error, match=match):
        fc.GroupCalibrator(**options).fit(*sample())


def test_bad_calls():
    scores, labels, languages = sample()
    with pytest.raises(fc.NotFittedError, match="GroupCalibrator is not fitted"):
        fc.GroupCalibrator().predict(scores, languages)
    with pytest.raises(ValueError, match="groups has shape"):
        fc.GroupCalibrator().fit(scores, labels, languages[:-1])
    with pytest.raises(ValueError, match="one class only"):
        fc.GroupCalibrator().fit(scores, np.zeros_like(labels), languages)
    with pytest.raises(ValueError, match="out must have shape"):
        fc.GroupCalibrator().fit(scores, labels, languages).predict(scores, languages, np.empty(3))


@given(st.lists(st.tuples(st.integers(-8, 8), st.booleans(), st.integers(0, 2)), min_size=4, max_size=30), st.sampled_from([0, 0.5, 5, math.inf]))
def test_the_order_of_pairs_and_the_names_of_groups_do_not_matter(pairs, shrinkage):
    scores, labels, groups = (np.array(part) for part in zip(*[(0, True, 0), (1, False, 1), *pairs], strict=True))
    one = fc.GroupCalibrator(fc.IsotonicCalibrator(), shrinkage=shrinkage).fit(scores / 8, labels, groups)
    order = np.random.default_rng(len(pairs)).permutation(len(scores))
    other = fc.GroupCalibrator(fc.IsotonicCalibrator(), shrinkage=shrinkage).fit(
        scores[order] / 8, labels[order], np.array(["c", "b", "a"])[groups[order]]
    )
    for group, name in enumerate("cba"):
        if group in groups:
            found = one.predict(np.linspace(-1, 1, 17), np.full(17, group))
            np.testing.assert_allclose(other.predict(np.linspace(-1, 1, 17), np.full(17, name)), found, atol=1e-9)
