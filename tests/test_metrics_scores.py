"""Log loss, skill, CORP, Cllr, debiased and smooth calibration error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal import metrics

PAIRS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.4, 0.5, 0.8, 0.9, 1.0])), min_size=1, max_size=30)
RELPLOT = ((50, 1.5, 0.140642), (300, 1.0, 0.039372), (300, 1.5, 0.07343), (2000, 1.0, 0.021453), (5000, 2.0, 0.120218))
Y, Z = [0, 0, 0, 1, 1, 1], [0.4, 0.3, 0.2, 0.1, 0.5, 0.9]


def sample(n: int, seed: int = 0, power: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(0.5, 1.5, n)
    return (rng.random(n) < p**power).astype(np.uint8), p


# -- log loss and skill -------------------------------------------------------------------------------------
def test_log_loss() -> None:
    theirs = pytest.importorskip("sklearn.metrics").log_loss
    labels, p = sample(300)
    weights = np.random.default_rng(1).random(300)
    assert metrics.log_loss(labels, p, weights) == pytest.approx(theirs(labels, p, sample_weight=weights))
    assert metrics.log_loss([1], [0.0]) == pytest.approx(52 * np.log(2))
    assert metrics.log_loss([1], np.array([1.0], np.float32)) == pytest.approx(0.0, abs=1e-15)


@given(PAIRS, st.floats(0, 1))
def test_skill_is_against_the_brier_score_of_the_constant(pairs: list, rate: float) -> None:
    labels, p = np.array(pairs).T
    constant = metrics.brier_score(labels, np.full(len(p), rate))
    skill = metrics.brier_skill(labels, p, base_rate=rate)
    if constant < 1e-12:
        return
    assert skill == pytest.approx(1 - metrics.brier_score(labels, p) / constant, rel=1e-6, abs=1e-9)
    if 0 < labels.mean() < 1:
        assert metrics.brier_skill(labels, p) <= skill + 1e-9  # in hindsight the constant is at its best


def test_skill_without_a_rival_is_nan() -> None:
    assert np.isnan(metrics.brier_skill([1, 1], [0.5, 0.5]))
    assert metrics.brier_skill([1, 1], [0.5, 0.5], base_rate=0.5) == 0.0
    with pytest.raises(ValueError, match=r"base_rate must be a number in \[0, 1\], got 1.5"):
        metrics.brier_skill([1, 1], [0.5, 0.5], base_rate=1.5)


# -- CORP ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("score", "expected"), [("brier", (0.2266667, 0.1016667, 0.125, 0.25)), ("log", (0.6986228, 0.3237327, 0.3182571, 0.6931472))]
)
def test_corp_of_model_diagnostics(score: str, expected: tuple) -> None:
    split = metrics.corp_decomposition(Y, Z, score)  # type: ignore[arg-type]
    assert (split.score, split.miscalibration, split.discrimination, split.uncertainty) == pytest.approx(expected, abs=5e-8)


@pytest.mark.parametrize("score", ["brier", "log"])
@given(pairs=PAIRS, weighted=st.booleans())
def test_corp_adds_up(score: str, pairs: list, weighted: bool) -> None:
    labels, p = np.array(pairs).T
    weights = np.arange(1.0, len(p) + 1) if weighted else None
    split = metrics.corp_decomposition(labels, p, score, weights)  # type: ignore[arg-type]
    assert split.score == pytest.approx(split.miscalibration - split.discrimination + split.uncertainty, abs=1e-9)
    assert split.miscalibration >= 0
    assert 0 <= split.discrimination <= split.uncertainty + 1e-12
    squared = metrics.brier_score(labels, p, weights) if score == "brier" else metrics.log_loss(labels, p, weights)
    assert split.score == pytest.approx(squared)


def test_corp_rejects_other_scores() -> None:
    with pytest.raises(ValueError, match="'brier', 'log'; got 'crps'"):
        metrics.corp_decomposition(Y, Z, "crps")  # type: ignore[arg-type]


# -- Cllr -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("negatives", "positives", "expected"),
    [
        ([3, 3], [1 / 3, 1 / 3], 2),
        ([1 / 3, 1 / 3], [3, 3], 0.4150374992788437),
        ([1 / 3, 1 / 3], [1], 0.7075187496394219),
        ([2], [2, 2], 1.0849625007211563),
        ([8], [8] * 8, 1.6699250014423126),
        ([1, 1, 1], [1], 1),
    ],
)
def test_cllr_of_lir(negatives: list, positives: list, expected: float) -> None:
    labels = np.repeat([0, 1], [len(negatives), len(positives)])
    ratios = np.log(negatives + positives)
    assert metrics.cllr(labels, log_likelihood_ratios=ratios) == pytest.approx(expected, abs=1e-12)
    for prior in (0.5, 0.02):
        odds = ratios + np.log(prior / (1 - prior))
        assert metrics.cllr(labels, probabilities=1 / (1 + np.exp(-odds)), prior=prior) == pytest.approx(expected, abs=1e-9)


def test_cllr_min_is_reached_by_the_best_map_and_ignores_the_base_rate() -> None:
    labels, p = sample(400)
    best = metrics.cllr_min(labels, p)
    fitted = fc.IsotonicCalibrator().fit(p, labels)
    assert metrics.cllr(labels, probabilities=fitted.predict(p), prior=fitted.base_rate_) == pytest.approx(best, abs=1e-9)
    assert 0 < best < metrics.cllr(labels, probabilities=p, prior=labels.mean())
    assert metrics.cllr_min(labels, -p, higher_is_better=False) == pytest.approx(best)
    more = np.repeat(np.arange(400), np.where(labels == 1, 1, 5))
    assert metrics.cllr_min(labels[more], p[more]) == pytest.approx(best)
    assert metrics.cllr_min(labels, p, sample_weight=np.where(labels == 1, 3.0, 0.5)) == pytest.approx(best)


def test_bad_cllr() -> None:
    for arguments, message in (
        (({}), "got neither"),
        ({"log_likelihood_ratios": [0.1, 0.2], "probabilities": [0.1, 0.2], "prior": 0.5}, "got both"),
        ({"probabilities": [0.1, 0.2]}, "go together"),
        ({"log_likelihood_ratios": [0.1, 0.2], "prior": 0.5}, "go together"),
        ({"probabilities": [0.1, 0.2], "prior": 0.0}, "prior must be a number strictly between 0 and 1"),
    ):
        with pytest.raises(ValueError, match=message):
            metrics.cllr([0, 1], **arguments)
    with pytest.raises(ValueError, match="one class only"):
        metrics.cllr([1, 1], log_likelihood_ratios=[0.5, 0.5])
    with pytest.raises(TypeError, match="positional"):
        metrics.cllr([0, 1], [0.1, 0.8])  # type: ignore[misc]


# -- debiased ------------------------------------------------------------------------------------------------------
def test_norms_and_debiasing_of_verified_calibration() -> None:
    p, labels = [0.5, 0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.6, 0.6], [0, 1, 0, 1, 0, 1, 1, 1, 0]
    assert metrics.expected_calibration_error(labels, p) == pytest.approx(0.2222222, abs=5e-8)
    assert metrics.expected_calibration_error(labels, p, norm="l2") == pytest.approx(0.2236068, abs=5e-8)
    assert metrics.expected_calibration_error(labels, p, norm="max") == pytest.approx(0.25)
    square = (4 * (0.0625 - 0.25 * 0.75 / 3) + 5 * (0.04 - 0.8 * 0.2 / 4)) / 9
    assert metrics.debiased_calibration_error(labels, p, squared=True) == pytest.approx(square, abs=1e-12)
    with pytest.raises(ValueError, match="'l1', 'l2', 'max'; got 'linf'"):
        metrics.expected_calibration_error(labels, p, norm="linf")  # type: ignore[arg-type]


def test_debiasing_takes_the_noise_off() -> None:
    """The mean over 300 samples of right probabilities is 0, that of the plain square is not; single pairs in bins included."""
    rng = np.random.default_rng(0)
    plain, debiased = [], []
    for _ in range(300):
        p = rng.random(60)
        labels = rng.random(60) < p
        plain.append(metrics.expected_calibration_error(labels, p, 30, norm="l2") ** 2)
        debiased.append(metrics.debiased_calibration_error(labels, p, 30, squared=True))
    assert abs(np.mean(debiased)) < 3.5 * np.std(debiased) / np.sqrt(300)
    assert np.mean(plain) > 10 * np.std(plain) / np.sqrt(300)
    assert metrics.debiased_calibration_error([1], [0.75], squared=True) == pytest.approx(0.0625 - 0.1875)
    assert metrics.debiased_calibration_error([1], [0.75]) == 0.0


def test_debiasing_by_query_takes_more_off() -> None:
    labels, p = sample(400)
    copies = np.repeat(np.arange(400), 5)
    by_pair = metrics.debiased_calibration_error(labels[copies], p[copies], squared=True)
    by_query = metrics.debiased_calibration_error(labels[copies], p[copies], squared=True, groups=copies)
    assert by_query < by_pair
    assert abs(by_query - metrics.debiased_calibration_error(labels, p, squared=True)) < 0.2 * (by_pair - by_query)


# -- smooth --------------------------------------------------------------------------------------------------------------
def slow_smooth_error(labels: np.ndarray, p: np.ndarray) -> float:
    """The definition, with the kernel's reflections summed one by one on a grid of 2,000."""
    t = (np.arange(2000) + 0.5) / 2000

    def at(width: float) -> float:
        images = np.concatenate([side * p + 2 * k for k in range(-2, 3) for side in (1, -1)])
        residuals = np.tile((labels - p) / len(p), 10)
        return float(np.abs(np.exp(-(((t[:, None] - images) / width) ** 2) / 2) @ residuals).mean() / (width * np.sqrt(2 * np.pi)))

    low, high = 0.0, 1.0
    for _ in range(18):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle) > middle else (low, middle)
    return high


@pytest.mark.parametrize("power", [1.0, 4.0, 0.2])
def test_smooth_ece_by_its_definition(power: float) -> None:
    labels, p = sample(40, seed=2, power=power)
    assert metrics.smooth_ece(labels, p) == pytest.approx(slow_smooth_error(labels, p), abs=1e-5)


def test_smooth_ece_of_relplot() -> None:
    """relplot.smECE with the reflected kernel, whose bandwidth is a multiple of 1 / 1024."""
    for n, power, theirs in RELPLOT:
        assert metrics.smooth_ece(*sample(n, 0, power)) == pytest.approx(theirs, abs=1.2e-3)


def test_smooth_ece_of_constants_and_weights() -> None:
    for constant in (0.0, 0.3, 1.0):
        assert metrics.smooth_ece([0, 1, 1, 1], np.full(4, constant)) == pytest.approx(abs(0.75 - constant), abs=1e-6)
    assert metrics.smooth_ece([0, 1], [0.0, 1.0]) == 0.0
    labels, p = sample(80)
    times = np.arange(80) % 4
    repeated = metrics.smooth_ece(np.repeat(labels, times), np.repeat(p, times))
    assert metrics.smooth_ece(labels, p, times * 1e-200) == pytest.approx(repeated, abs=1e-9)
