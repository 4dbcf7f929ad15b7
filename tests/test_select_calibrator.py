"""select_calibrator: what it compares, what it takes, and what it says about it."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fastcal as fc

DEFAULTS = ["platt", "beta", "beta-cosine", "histogram", "venn-abers", "isotonic-strict", "isotonic"]


def sample(curve, n_queries=300, k=10, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.random((n_queries, k))
    return scores, (rng.random((n_queries, k)) < curve(scores)).astype(int), np.arange(n_queries)


def logistic(scores):
    return 1 / (1 + np.exp(-8 * (scores - 0.6)))


def step(scores):
    return np.where(scores < 0.35, 0.02, np.where(scores < 0.8, 0.45, 0.55))


def useless(scores):
    return np.full(scores.shape, 0.3)


def test_the_rows_are_the_metrics_of_the_cross_fitted_probabilities():
    scores, labels, queries = sample(logistic)
    weights = np.random.default_rng(1).uniform(0.5, 2, scores.shape)
    candidates = {"platt": fc.PlattCalibrator(), "iso": fc.IsotonicCalibrator(strict=True)}
    picked = fc.select_calibrator(scores, labels, queries, candidates, n_splits=4, seed=3, sample_weight=weights)
    assert [row.name for row in picked.table] == ["constant", "platt", "iso"]
    losses = {}
    for row in picked.table[1:]:
        p = fc.cross_fit(candidates[row.name], scores, labels, queries, n_splits=4, seed=3, sample_weight=weights)
        clipped = np.clip(p, 2.0**-52, 1 - 2.0**-52)
        losses[row.name] = -np.where(labels, np.log(clipped), np.log1p(-clipped))
        assert row.log_loss == pytest.approx(np.average(losses[row.name], weights=weights))
        assert row.brier == pytest.approx(fc.metrics.brier_score(labels, p, weights))
        assert row.brier_skill == pytest.approx(1 - row.brier / picked.table[0].brier)
        assert row.ece == pytest.approx(fc.metrics.expected_calibration_error(labels, p, sample_weight=weights))
        assert row.params == candidates[row.name].get_params()
    best, other = sorted(picked.table[1:], key=lambda row: row.log_loss)
    assert (best.difference, best.low, best.high, best.standard_error) == (0, 0, 0, 0)
    d, error = by_query(losses[other.name] - losses[best.name], weights)
    assert (other.difference, other.standard_error) == pytest.approx((d, error))
    assert (other.low, other.high) == pytest.approx((d - 1.96 * error, d + 1.96 * error), abs=1e-6)


def by_query(values, weights):
    """Weighted mean and its standard error over rows, by the jackknife: which agrees to terms of 1/n."""
    mean = np.average(values, weights=weights)
    n = len(values)
    left_out = [np.average(np.delete(values, q, axis=0), weights=np.delete(weights, q, axis=0)) for q in range(n)]
    jackknife = np.sqrt((n - 1) / n * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    residuals = (weights * (values - mean)).sum(axis=1)
    exact = np.sqrt(n / (n - 1) * (residuals @ residuals)) / weights.sum()
    assert exact == pytest.approx(jackknife, rel=0.01)
    return mean, exact


def test_the_constant_row_is_the_base_rate_of_the_other_folds():
    scores, labels, queries = sample(logistic, 40)
    row = fc.select_calibrator(scores, labels, queries, [fc.PlattCalibrator()]).table[0]
    flat = fc.cross_fit(Constant(), scores, labels, queries)
    assert row.brier == pytest.approx(fc.metrics.brier_score(labels, flat))
    assert (row.brier_skill, row.params) == (0.0, {})


class Constant:
    def get_params(self, deep=True):
        return {}

    def fit(self, X, y):
        self.rate_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.rate_)


def test_a_logistic_curve_is_left_to_platt():
    picked = fc.select_calibrator(*sample(logistic, seed=1))
    assert picked.name == "platt"
    assert [row.name for row in picked.table] == ["constant", *DEFAULTS]
    assert picked.beats_constant
    platt = picked.table[1]
    best = min(picked.table[1:], key=lambda row: row.log_loss)
    assert platt.difference <= platt.standard_error
    if best.name == "platt":
        assert "the lowest; next is" in picked.reason
    else:
        assert f"within one standard error of the best and simpler ({best.name}: {-platt.difference:+.4f}" in picked.reason
    assert f"The constant base rate has {picked.table[0].log_loss:.4f}" in picked.reason


def test_a_step_is_left_to_a_method_without_a_shape():
    picked = fc.select_calibrator(*sample(step, 1000))
    assert picked.name in {"histogram", "venn-abers", "isotonic-strict", "isotonic"}
    rows = {row.name: row for row in picked.table}
    assert rows["platt"].difference > 2 * rows["platt"].standard_error
    for row in picked.table[1:]:  # every simpler one loses more than its standard error
        if row.name == picked.name:
            break
        assert row.difference > row.standard_error


def test_the_first_of_near_equals_is_taken():
    data = sample(logistic)
    one, other = fc.PlattCalibrator(), fc.TemperatureCalibrator()
    twins = {"a": one, "b": one, "c": other}
    picked = fc.select_calibrator(*data, twins)
    assert picked.name == "a"
    assert fc.select_calibrator(*data, dict(reversed(twins.items()))).name == "b"


def test_useless_scores_are_called_useless():
    picked = fc.select_calibrator(*sample(useless))
    assert not picked.beats_constant
    assert "It is not better than the constant base rate" in picked.reason
    assert "do not tell relevant from irrelevant" in picked.reason
    assert max(abs(row.brier_skill) for row in picked.table[:2]) < 0.01


def test_the_chosen_calibrator_is_fitted_on_everything():
    scores, labels, queries = sample(logistic)
    scores = scores.astype(np.float32)
    scores[0, 3:] = np.nan
    weights = np.random.default_rng(1).uniform(0.5, 2, scores.shape)
    picked = fc.select_calibrator(scores, labels, queries, {"p": fc.PlattCalibrator()}, sample_weight=weights)
    assert picked.calibrator.to_dict() == fc.PlattCalibrator().fit(scores, labels, weights).to_dict()
    assert (picked.probabilities.shape, picked.probabilities.dtype) == (scores.shape, np.float32)
    expected = fc.cross_fit(fc.PlattCalibrator(), scores.astype(float), labels, queries, sample_weight=weights)
    np.testing.assert_array_equal(picked.probabilities, expected.astype(np.float32))
    assert (picked.n_pairs, picked.n_groups, picked.n_splits, picked.seed) == (2993, 300, 5, 0)
    assert "the only candidate" in picked.reason


def test_distances_fall():
    scores, labels, queries = sample(logistic)
    picked = fc.select_calibrator(1 - scores, labels, queries, higher_is_better=False)
    names = [row.name for row in picked.table[1:]]
    assert names == [name for name in DEFAULTS if "beta" not in name]
    upright = {row.name: row.log_loss for row in fc.select_calibrator(scores, labels, queries).table}
    for row in picked.table:
        assert row.log_loss == pytest.approx(upright[row.name], rel=1e-3)
    assert picked.calibrator.higher_is_better_ is False


@pytest.mark.parametrize(("low", "high", "missing"), [(-1, 1, {"beta"}), (0, 30, {"beta", "beta-cosine"})])
def test_beta_is_asked_where_its_input_makes_sense(low, high, missing):
    scores, labels, queries = sample(logistic, 60)
    picked = fc.select_calibrator(low + (high - low) * scores, labels, queries)
    assert [row.name for row in picked.table[1:]] == [name for name in DEFAULTS if name not in missing]


def test_groups_of_a_calibrator_compete_with_the_pooled_one():
    scores, labels, queries = sample(logistic, 400)
    language = queries % 2
    labels[language == 1] = 1 - labels[language == 1]
    candidates = {"pooled": fc.PlattCalibrator(), "by language": fc.GroupCalibrator()}
    picked = fc.select_calibrator(scores, labels, queries, candidates, by=language)
    assert picked.name == "by language"
    assert list(picked.calibrator.calibrators_) == [0, 1]
    assert not fc.select_calibrator(scores, labels, queries, {"pooled": fc.PlattCalibrator()}).beats_constant
    grouped = fc.select_calibrator(scores, labels, queries, by=language)
    assert [row.name for row in grouped.table[1:]] == [*DEFAULTS, "platt-by-group", "isotonic-strict-by-group"]
    assert grouped.name == "platt-by-group"
    with pytest.raises(ValueError, match="by= is what a GroupCalibrator tells apart"):
        fc.select_calibrator(scores, labels, queries, [fc.PlattCalibrator()], by=language)
    with pytest.raises(ValueError, match="needs by=") as caught:
        fc.select_calibrator(scores, labels, queries, candidates)
    assert caught.value.__notes__ == ["while cross-fitting the candidate 'by language'"]


def test_scikit_learn_candidates():
    linear_model = pytest.importorskip("sklearn.linear_model")
    scores, labels, queries = sample(logistic)
    picked = fc.select_calibrator(scores, labels, queries, [linear_model.LogisticRegression(C=1e-3), linear_model.LogisticRegression(C=1e6)])
    assert picked.name == repr(linear_model.LogisticRegression(C=1e6))
    assert picked.to_dict()["calibrator"] is None
    json.dumps(picked.to_dict(), allow_nan=False)


def test_plain_json_and_print():
    picked = fc.select_calibrator(*sample(logistic, 60))
    d = json.loads(json.dumps(picked.to_dict(), allow_nan=False))
    assert [row["name"] for row in d["table"]] == ["constant", *DEFAULTS]
    assert (d["name"], d["reason"], d["n_groups"]) == (picked.name, picked.reason, 60)
    again = fc.calibrator_from_dict(d["calibrator"])
    np.testing.assert_array_equal(again.predict([0.1, 0.9]), picked.calibrator.predict([0.1, 0.9]))
    lines = str(picked).splitlines()
    assert len(lines) == 1 + 8 + 1
    assert [line for line in lines if line.startswith("* ")] == [line for line in lines[1:-1] if line[2:].startswith(picked.name + " ")]


@pytest.mark.parametrize(
    ("candidates", "error", "match"),
    [
        ([], ValueError, "expected at least one"),
        ([fc.PlattCalibrator(), fc.PlattCalibrator()], ValueError, "each of its own name"),
        ({"constant": fc.PlattCalibrator()}, ValueError, "a candidate is called 'constant'"),
        ("platt", TypeError, "mapping of names to calibrators or an iterable"),
        (fc.PlattCalibrator(), TypeError, "mapping of names to calibrators or an iterable"),
        ([3], TypeError, "needs get_params, fit and predict; got 3"),
        ({"i": fc.IsotonicCalibrator("nan")}, ValueError, "candidate 'i' gives NaN for [0-9]+ of 600 scores"),
    ],
)
def test_bad_candidates(candidates, error, match):
    with pytest.raises(error, match=match):
        fc.select_calibrator(*sample(logistic, 60), candidates)


def test_bad_direction():
    data = sample(logistic, 60)
    with pytest.raises(ValueError, match="that fall by themselves, as Platt and histogram do, or with increasing=False"):
        fc.select_calibrator(*data, [fc.PlattCalibrator()], higher_is_better=False)
    with pytest.raises(TypeError, match="higher_is_better must be True or False"):
        fc.select_calibrator(*data, higher_is_better=1)


@pytest.mark.parametrize("dtype", [np.float64])
def test_of_real_scores_by_real_queries(data_dir, dtype):
    """MiniLM on cranfield: some calibrator beats the base rate, and cross-fitted probabilities are calibrated."""
    from real_runs import read

    real = read(data_dir / "cranfield")
    run = real.runs["MiniLM"]
    labels, queries = real.labels(run), fc.pairs(run, np.arange(run.ids.size))[0].astype(str)
    picked = fc.select_calibrator(run.scores.astype(dtype), labels, queries)
    rows = {row.name: row for row in picked.table}
    assert picked.beats_constant
    assert rows[picked.name].brier_skill > 0.1
    assert rows[picked.name].ece < 0.01
    assert rows["isotonic"].log_loss > rows["isotonic-strict"].log_loss  # certain and wrong
    assert fc.metrics.expected_calibration_error(labels, picked.probabilities) == pytest.approx(rows[picked.name].ece)


def test_label_noise_is_fitted_and_compared_as_the_labeller_sees_it():
    scores, labels, queries = sample(logistic, n_queries=1500)
    rng, noise = np.random.default_rng(5), (0.1, 0.25)
    seen = np.where(rng.random(scores.shape) < np.where(labels == 1, noise[1], noise[0]), 1 - labels, labels)
    told = fc.select_calibrator(scores, seen, queries, label_noise=noise)
    untold = fc.select_calibrator(scores, seen, queries)
    assert [row.name for row in told.table] == ["constant", *(name for name in DEFAULTS if name != "venn-abers")]
    assert told.reason.endswith(
        " Figures are of the labels as seen, with label_noise=(0.1, 0.25); left out, for they cannot be corrected: venn-abers."
    )
    assert abs(told.calibrator.predict(scores).mean() - labels.mean()) < 0.01 < abs(untold.calibrator.predict(scores).mean() - labels.mean())
    assert abs(told.probabilities - logistic(scores)).mean() < 0.02
    expected = fc.cross_fit(fc.PlattCalibrator(), scores, seen, queries, label_noise=noise)
    called = noise[0] + (1 - sum(noise)) * expected
    row = told.table[1]
    assert row.log_loss == pytest.approx(fc.metrics.log_loss(seen, called))
    assert row.brier == pytest.approx(fc.metrics.brier_score(seen, called))
    assert row.ece == pytest.approx(fc.metrics.expected_calibration_error(seen, called))
    assert told.table[0].log_loss == pytest.approx(fc.metrics.log_loss(seen, np.full(seen.shape, seen.mean())), abs=1e-4)
    assert told.calibrator.to_dict() == fc.PlattCalibrator().fit(scores, seen, label_noise=noise).to_dict()
    grouped = {"a": fc.GroupCalibrator(fc.VennAbersCalibrator()), "b": fc.VennAbersCalibrator()}
    with pytest.raises(ValueError, match=r"label_noise is understood by none of \['a', 'b'\]"):
        fc.select_calibrator(scores, seen, queries, grouped, label_noise=noise, by=queries % 2)


def test_numpy_parameters_stand_in_the_table_as_numbers():
    scores, labels, queries = sample(logistic, n_queries=30)
    picked = fc.select_calibrator(scores, labels, queries, [fc.HistogramCalibrator(np.int64(3))], n_splits=3)
    assert json.loads(json.dumps(picked.to_dict()))["table"][1]["params"]["n_bins"] == 3
