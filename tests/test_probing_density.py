"""density_weighted_threshold from outside: the recipe, its trace and its words."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest

import fastcal as fc

RNG = np.random.default_rng(7)
SCORES = RNG.random(4000).astype(np.float32)
LABELS = (RNG.random(4000) < 1 / (1 + np.exp(-20 * (SCORES - 0.6)))).astype(np.uint8)


class Asked:
    """A labeler that keeps what it was asked, and may fail."""

    def __init__(self, labels=LABELS, fail_at=None):
        self.labels, self.calls, self.fail_at = labels, [], fail_at

    def __call__(self, positions):
        self.calls.append(positions)
        if len(self.calls) == self.fail_at:
            raise RuntimeError("out of coffee")
        return self.labels.reshape(-1)[positions]

    async def later(self, positions):
        await asyncio.sleep(0.001 * (positions[0] % 3))
        return self(positions)

    @property
    def positions(self):
        return np.concatenate(self.calls)


def estimate(scores=SCORES, labeler=None, **options):
    return fc.density_weighted_threshold(scores, labeler or Asked(), **({"seed": 1} | options))


def same(a, b):
    """Equal in all but the state, whose labels may come in another order."""
    strip = [{key: value for key, value in each.to_dict().items() if key != "state"} for each in (a, b)]
    return strip[0] == strip[1]


def test_the_formulas_of_the_docstring():
    tail = RNG.normal(0.2, 0.05, 500)
    found = estimate(anchor=0.5, tail_scores=[*tail, np.nan], tail_weight=0.25)
    rounded = tail.astype(np.float32).astype(np.float64)
    statistic = rounded.mean() + 3 * rounded.std()
    assert found.tail_statistic == pytest.approx(statistic, abs=1e-6)
    assert found.anchor == found.rounds[0].anchor == pytest.approx(0.75 * np.float32(0.5) + 0.25 * statistic, abs=1e-6)
    assert found.rounds[0].sigma == pytest.approx(rounded.std(), abs=1e-6)
    # Without either: the guess is from the scores, the tail their lower half.
    best = np.sort(SCORES)[::-1].astype(np.float64)
    lower = best[2000:]
    guess = (np.median(best) + best[:40].mean()) / 2
    plain = estimate()
    assert plain.anchor == pytest.approx(guess / 2 + (lower.mean() + 3 * lower.std()) / 2, abs=1e-6)
    assert plain.rounds[0].sigma == pytest.approx(lower.std(), abs=1e-6)
    assert estimate(sigma=0.03, tail_z=1.0).rounds[0].sigma == 0.03
    assert estimate(tail_z=1.0).tail_statistic == pytest.approx(lower.mean() + lower.std(), abs=1e-6)


def test_the_result_says_what_it_did():
    asked = Asked()
    found = estimate(labeler=asked)
    last = found.rounds[-1]
    assert found.threshold in SCORES
    assert found.threshold == last.threshold
    assert (found.precision, found.interval, found.effective_n) == (last.precision, last.interval, last.effective_n)
    assert found.interval == pytest.approx(fc.wilson_interval(found.precision * found.effective_n, found.effective_n), abs=0.01)
    assert last.width == found.interval[1] - found.interval[0] <= 0.10
    assert found.reason == "width"
    assert found.n_selected == found.n_selected_in_sample == np.count_nonzero(found.threshold <= SCORES)
    assert found.labels_used == asked.positions.size == sum(each.labels for each in found.rounds)
    assert np.unique(asked.positions).size == asked.positions.size
    assert [each.labels for each in found.rounds] == [100] * len(found.rounds)
    assert found.labels_floor == 1
    for before, after in zip(found.rounds, found.rounds[1:], strict=False):
        assert after.anchor == before.threshold
        assert after.sigma in {before.sigma, max(0.7 * before.sigma, found.rounds[0].sigma * 0.25)}
    for each in found.rounds:
        assert each.weight_ratio > 1
        assert 1 < each.effective_rows < SCORES.size
        assert each.fresh_interval[0] <= each.fresh_precision <= each.fresh_interval[1]
    cuts = found.candidates
    assert 17 < len(cuts) <= 34
    assert [each.n_selected for each in cuts] == [np.count_nonzero(each.threshold <= SCORES) for each in cuts]
    assert (np.diff([each.threshold for each in cuts]) < 0).all()
    assert found.threshold == [each.threshold for each in cuts if each.precision >= 0.9][-1]
    assert found.guarantee is False
    assert "no guarantee" in found.scope
    assert "Not a certificate" in found.scope
    assert found.certify_would_need["precision"] == found.precision
    assert 29 < found.certify_would_need["single_prefix"] <= found.certify_would_need["labels"] <= found.n_selected
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["rounds"][0]["anchor"] == found.anchor


def test_corrected_estimates_are_right_and_naive_ones_are_not():
    """Over 40 seeds, at the cuts they end in: the corrected precision is that of the pool, raw labels are off by more."""
    errors = {"horvitz-thompson": [], "none": []}
    fresh = {"horvitz-thompson": [], "none": []}
    for weighting, gaps in errors.items():
        for seed in range(40):
            found = estimate(seed=seed, weighting=weighting)
            gaps.append(found.precision - LABELS[found.threshold <= SCORES].mean())
            fresh[weighting] += [each.fresh_precision - LABELS[each.anchor <= SCORES].mean() for each in found.rounds]
    assert abs(np.mean(errors["horvitz-thompson"])) < 0.01
    assert np.mean(errors["none"]) < -0.03
    assert abs(np.mean(fresh["horvitz-thompson"])) < 0.01
    assert np.mean(fresh["none"]) < -0.05
    assert "biased" in estimate(weighting="none").scope
    assert "biased" not in estimate().scope


def test_distances_are_mirrored_scores():
    up, down = estimate(anchor=0.5), estimate(-SCORES, higher_is_better=False, anchor=-0.5)
    assert down.threshold == -up.threshold
    assert (down.anchor, down.tail_statistic) == (-up.anchor, -up.tail_statistic)
    for trace in ("rounds", "candidates"):
        assert [each.threshold for each in getattr(down, trace)] == [-each.threshold for each in getattr(up, trace)]
    assert (down.precision, down.n_selected, down.labels_used) == (up.precision, up.n_selected, up.labels_used)
    with pytest.raises(fc.FastcalError, match="higher_is_better"):
        estimate(fc.Run([[1, 2]], [[0.1, 0.2]], higher_is_better=False))


def test_padding_is_never_asked_and_runs_count_in_their_order():
    padded = np.full((500, 10), np.nan, np.float32)
    padded[:, :8] = SCORES.reshape(500, 8)
    labels = np.zeros((500, 10), np.uint8)
    labels[:, :8] = LABELS.reshape(500, 8)
    asked = Asked(labels)
    dense = estimate(padded, asked)
    assert (asked.positions % 10 < 8).all()
    assert dense.precision == estimate().precision
    ids = np.where(np.isnan(padded), -1, np.arange(10))
    run = fc.Run(ids, padded)
    found = estimate(run, Asked(np.array([labels[q, d] for q, d in zip(*fc.pairs(run, np.arange(4000)), strict=True)])))
    assert found.n_selected == np.count_nonzero(found.threshold <= SCORES)


def test_a_state_a_log_and_the_async_twin_end_in_the_same_place(tmp_path):
    whole = estimate(max_width=0.05)
    asked = Asked(fail_at=3)
    with pytest.raises(RuntimeError, match="coffee") as caught:
        estimate(labeler=asked, max_width=0.05, log=tmp_path / "labels.jsonl")
    state = caught.value.state
    assert len(state["labels"]) == sum(call.size for call in asked.calls[:2])
    for given in ({"state": state}, {"log": tmp_path / "labels.jsonl"}):
        again = Asked()
        resumed = estimate(labeler=again, max_width=0.05, seed=None, **given)
        assert same(resumed, whole)
        assert not np.isin(again.positions, [position for position, _ in state["labels"]]).any()
    twin = asyncio.run(fc.density_weighted_threshold_async(SCORES, Asked().later, max_width=0.05, seed=1, concurrency=7))
    assert same(twin, whole)
    for other in ({"sigma": 0.2}, {"target_precision": 0.8}, {"weighting": "none"}, {"seed": 2}, {"scores": SCORES[::-1].copy()}):
        with pytest.raises(fc.FastcalError, match="state"):
            estimate(**({"seed": None, "state": state, "max_width": 0.05} | other))


def test_budgets_rounds_and_small_pools():
    assert estimate(max_width=0.02, budget=190).labels_used == 190
    assert estimate(max_width=0.02, budget=190).reason == "budget"
    short = estimate(max_width=0.02, max_rounds=2)
    assert (short.reason, len(short.rounds)) == ("rounds", 2)
    for bad in (0, -3, 1.5, "x"):
        with pytest.raises(fc.FastcalError, match="budget must be an integer of at least 1"):
            estimate(budget=bad)
    assert estimate(budget=1).labels_used == 1
    little = estimate(sample_size=5, max_rounds=4)
    assert (little.labels_used, little.reason, little.labels_floor) == (20, "rounds", 1)
    free = estimate()
    assert same(free, estimate(budget=free.labels_used))
    assert same(free, estimate(budget=free.labels_used + 1))
    assert [each.to_dict() for each in estimate(budget=free.labels_used - 1).rounds[:-1]] == [each.to_dict() for each in free.rounds[:-1]]
    few = estimate(SCORES[:20], Asked(LABELS[:20]))
    assert few.reason == "exhausted"
    assert few.labels_used == 20
    assert few.precision == pytest.approx(LABELS[:20][SCORES[:20] >= few.threshold].mean())
    nothing = estimate(labeler=Asked(np.zeros(4000, np.uint8)))
    assert (nothing.threshold, nothing.reason, nothing.n_selected, nothing.interval) == (None, "none_qualifies", 0, (0.0, 1.0))
    assert nothing.certify_would_need["labels"] is None
    assert nothing.to_dict()["precision"] is None
    level = estimate(np.full(300, 0.5, np.float32), Asked(np.ones(300, np.uint8)))
    assert (level.threshold, level.n_selected, level.rounds[0].weight_ratio) == (0.5, 300, 1.0)


def test_labels_far_from_the_anchor_are_candidates_too():
    """The guess is so low that two sigma around it hold no good cut."""
    found = estimate(labeler=Asked((SCORES > 0.9).astype(np.uint8)), anchor=0.2, tail_weight=0.0, sigma=0.05, weight_floor=1.0, max_rounds=1)
    assert found.threshold is not None
    assert abs(found.threshold - 0.9) < 0.05
    assert found.effective_n >= 10


def test_a_result_prints_in_a_few_lines():
    for found in (estimate(), estimate(labeler=Asked(np.zeros(4000, np.uint8)))):
        assert len(repr(found)) < 1000
        assert len(str(found).splitlines()) == 3
        assert "Not a certificate" in str(found)
    assert str(estimate()).startswith("score >= 0.")
    assert str(found).startswith("no threshold is estimated to reach the target (none_qualifies)")


def test_cannot_judge_counts_as_not_relevant():
    found = estimate(labeler=lambda rows: np.full(rows.size, -1))
    assert (found.reason, found.n_cannot_judge) == ("none_qualifies", found.labels_used)


def test_a_sampled_pool_is_scaled_and_named():
    found = estimate(sampling_rate=0.05)
    assert found.n_selected == 20 * found.n_selected_in_sample == 20 * np.count_nonzero(found.threshold <= SCORES)
    assert "uniform sample (0.05) of a larger pool" in found.scope
    assert "sample" not in estimate().scope.replace("samples", "")


def test_weights_of_the_recipe_reach_no_row_far_above_the_anchor():
    """Without a floor the labels beyond the chosen cut are worth a handful, whatever was paid."""
    options = {"anchor": 0.3, "tail_weight": 0.0, "sigma": 0.05}
    floored, bare = (estimate(**options, weight_floor=floor).rounds[0] for floor in (0.2, 0.0))
    assert bare.effective_n < 5 < 20 < floored.effective_n
    assert bare.labels == floored.labels == 100
    assert same(estimate(), estimate(weight_floor=0.3))
    assert same(estimate(weighting="none"), estimate(weighting="none", weight_floor=0.0))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tail_weight": 1.5}, "tail_weight must be a number in"),
        ({"sigma": 0.0}, "sigma must be a positive finite number"),
        ({"sample_size": 0}, "sample_size must be an integer of at least 1"),
        ({"target_precision": 1.0}, "target_precision must be a number strictly between"),
        ({"max_width": 0}, "max_width must be a number strictly between"),
        ({"max_rounds": 0}, "max_rounds must be an integer of at least 1"),
        ({"weighting": "ht"}, "weighting must be one of"),
        ({"sampling_rate": 0}, "sampling_rate must be a number in"),
        ({"weight_floor": 2}, "weight_floor must be a number in"),
        ({"tail_z": np.inf}, "tail_z must be a finite number"),
        ({"tail_scores": [np.nan]}, "tail_scores are empty"),
        ({"anchor": np.nan}, "anchor must be a finite number"),
        ({"anchor": -5}, r"anchor must lie near the scores, within \[.*, got -5"),
        ({"sigma": 1e30}, "sigma must be at most .*, the range of the scores, got 1e"),
        ({"sigma": 1e-30}, "sigma=1e-30 is too narrow: around .* the weights choose among 1 rows"),
        ({"sigma": 1e-300}, "sigma=1e-300 is too narrow"),
        ({"scores": None}, "scores must be an array of float, a Run or a search result, got None"),
        ({"scores": np.array([np.nan], np.float32)}, "nothing to label"),
        ({"scores": np.array([np.inf, 1], np.float32)}, "scores hold an infinity"),
        ({"scores": np.arange(9)}, "scores must be float32"),
        ({"scores": fc.Run([[1, 2]])}, "Run without scores"),
    ],
)
def test_bad_options(options, says):
    asked = Asked()
    with pytest.raises(fc.FastcalError, match=says):
        estimate(labeler=asked, **options)
    assert not asked.calls


@pytest.mark.parametrize("answer", [lambda rows: np.ones(3), lambda rows: np.full(rows.size, 0.5), lambda rows: np.full(rows.size, np.nan)])
def test_bad_answers_carry_what_was_paid(answer):
    calls = []

    def label(rows):
        calls.append(rows)
        return LABELS[rows] if len(calls) < 3 else answer(rows)

    with pytest.raises(fc.FastcalError, match="labeler") as caught:
        estimate(labeler=label, max_width=0.05)
    assert len(caught.value.state["labels"]) == sum(call.size for call in calls[:2])


def test_the_twin_refuses_unknown_options():
    with pytest.raises(fc.FastcalError, match="ancor"):
        asyncio.run(fc.density_weighted_threshold_async(SCORES, Asked().later, ancor=0.5))
