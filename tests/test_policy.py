"""Bands, floors, gaps, and the policy that asks them in turn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal import Decision, Reason

pytestmark = pytest.mark.usefixtures("backend")

NAN = float("nan")


def found(rows: list[list[float]], higher_is_better: bool = True) -> fc.SearchResult:
    """A search result with ids 10, 11, ... in every row, padded where the score is NaN."""
    scores = np.array(rows, dtype=np.float32)
    ids = np.where(np.isnan(scores), -1, 10 + np.arange(scores.shape[1]))
    return fc.SearchResult(scores, ids, higher_is_better)


def identity() -> fc.IsotonicCalibrator:
    """Probability = score on [0, 1]."""
    return fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1])


# -- band --------------------------------------------------------------------------------------------
def test_band_is_inclusive_and_maps_nan_to_not_found() -> None:
    decided = fc.AbstainBand(0.3, 0.9).decide([[0.0, 0.29, 0.3], [0.9, 1.0, NAN]])
    assert decided.dtype == np.uint8
    assert decided.tolist() == [[0, 0, 1], [2, 2, 0]]


@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_band_edges_are_inclusive_in_every_dtype(low: float, high: float, single: bool) -> None:
    low, high = sorted((low, high))
    if low < high and np.float32(low) == np.float32(high):
        with pytest.raises(ValueError, match="same number in float32"):
            fc.AbstainBand(low, high)
        return
    edges = np.array([low, high], dtype=np.float32 if single else np.float64)
    assert fc.AbstainBand(low, high).decide(edges).tolist() == ([2, 2] if low == high else [1, 2])


def test_band_of_no_width_never_escalates() -> None:
    assert fc.AbstainBand(0.5, 0.5).decide([0.25, 0.5]).tolist() == [0, 2]


@pytest.mark.parametrize(("low", "high"), [(0.9, 0.3), (-0.1, 0.5), (0.5, 1.1), (NAN, 0.5), (0.5, NAN), (0.5, np.nextafter(0.5, 1))])
def test_bad_bands(low: float, high: float) -> None:
    with pytest.raises(ValueError, match=r"low|high"):
        fc.AbstainBand(low, high)


def test_band_bad_input() -> None:
    with pytest.raises(TypeError, match="low"):
        fc.AbstainBand("0.1", 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"probabilities\[0\] is 1.5"):
        fc.AbstainBand(0.3, 0.9).decide([1.5])
    with pytest.raises(TypeError, match="dtype int64"):
        fc.AbstainBand(0.3, 0.9).decide(np.array([0, 1]))


# -- floor -------------------------------------------------------------------------------------------
def test_floor_is_inclusive_and_drops_padding() -> None:
    kept = fc.ScoreFloor(0.3).apply(found([[0.9, 0.3, 0.2], [0.2, 0.1, NAN], [0.5, NAN, NAN]]))
    assert kept.offsets.tolist() == [0, 2, 2, 3]
    assert kept.ids.tolist() == [10, 11, 10]
    assert kept.scores.tolist() == np.array([0.9, 0.3, 0.5], np.float32).tolist()
    assert (kept.offsets.dtype, kept.scores.dtype, kept.ids.dtype) == (np.int64, np.float32, np.int64)
    assert kept.higher_is_better is True


def test_floor_is_a_ceiling_for_distances() -> None:
    kept = fc.ScoreFloor(0.3).apply(found([[0.1, 0.3, 0.4]], higher_is_better=False))
    assert kept.ids.tolist() == [10, 11]
    assert kept.higher_is_better is False


def test_floor_without_queries() -> None:
    kept = fc.ScoreFloor(0.3).apply(fc.SearchResult(np.empty((0, 3), np.float32), np.empty((0, 3), np.int64)))
    assert kept.offsets.tolist() == [0]
    assert len(kept) == 0


@pytest.mark.parametrize("floor", [NAN, np.inf, 1e39])
def test_bad_floors(floor: float) -> None:
    with pytest.raises(ValueError, match="floor must be a finite number within the range of float32"):
        fc.ScoreFloor(floor)


def test_floor_bad_types() -> None:
    with pytest.raises(TypeError, match="floor"):
        fc.ScoreFloor(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="result must be a SearchResult, got ndarray"):
        fc.ScoreFloor(0.3).apply(np.zeros((1, 3)))  # type: ignore[arg-type]


# -- gap ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gap(dtype: type) -> None:
    scores = np.array([[0.75, 0.5, 0.4], [0.75, 0.625, 0.1], [0.75, 0.75, NAN], [0.75, NAN, NAN], [NAN, NAN, NAN], [0.25, 0.5, 1.0]], dtype)
    assert fc.GapCheck(0.25).ambiguous(scores).tolist() == [False, True, True, False, False, False]
    assert fc.GapCheck(0.2, relative=True).ambiguous(scores).tolist() == [False, True, True, False, False, False]
    assert fc.GapCheck(1.0).ambiguous(scores[:, :1]).tolist() == [False] * 6
    assert fc.GapCheck(1.0).ambiguous(scores[:0]).tolist() == []


def test_gap_at_zero_and_infinity() -> None:
    scores = np.array([[0.0, 0.0], [0.0, -0.5], [-1.0, -1.05], [np.inf, np.inf], [np.inf, 1.0]])
    assert fc.GapCheck(0.1, relative=True).ambiguous(scores).tolist() == [True, False, True, True, False]
    assert fc.GapCheck(0.1).ambiguous(scores).tolist() == [True, False, True, True, False]


@pytest.mark.parametrize("min_gap", [0.0, -0.1, NAN, np.inf])
def test_bad_gaps(min_gap: float) -> None:
    with pytest.raises(ValueError, match="min_gap must be a positive finite number"):
        fc.GapCheck(min_gap)


def test_gap_bad_input() -> None:
    with pytest.raises(TypeError, match="relative must be True or False"):
        fc.GapCheck(0.1, relative="yes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"shape \(2,\); expected \(n_queries, k\)"):
        fc.GapCheck(0.1).ambiguous([0.5, 0.4])
    with pytest.raises(TypeError, match="dtype int64"):
        fc.GapCheck(0.1).ambiguous(np.array([[1, 2]]))
    assert fc.GapCheck(0.1, relative=np.bool_(True)).relative is True  # type: ignore[arg-type]


# -- policy ------------------------------------------------------------------------------------------
def test_every_reason() -> None:
    policy = fc.Policy(identity(), fc.AbstainBand(0.3, 0.7), fc.ScoreFloor(0.2), fc.GapCheck(0.05), on_escalate="human")
    decided = policy.decide(found([[NAN, NAN], [0.1, 0.05], [0.25, NAN], [0.5, 0.49], [0.9, 0.88], [0.9, 0.5], [0.71, 0.25]]))
    names = [Reason(code).name for code in decided.reasons]
    assert names == ["NO_CANDIDATE", "BELOW_FLOOR", "BELOW_BAND", "IN_BAND", "AMBIGUOUS", "ACCEPTED", "ACCEPTED"]
    assert decided.decisions.tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert decided.next_step.tolist() == ["", "", "", "human", "human", "", ""]
    assert decided.kept.counts().tolist() == [0, 0, 0, 2, 2, 2, 1]
    assert decided.probabilities is not None
    assert decided.probabilities.shape == (7, 2)
    assert np.isnan(decided.probabilities[0]).all()
    assert len(decided) == 7


def test_a_candidate_that_is_ruled_out_is_no_rival() -> None:
    close = found([[0.5, 0.49]])
    assert fc.Policy(gap=fc.GapCheck(0.05)).decide(close).decisions.tolist() == [Decision.ESCALATE]
    assert fc.Policy(gap=fc.GapCheck(0.05), floor=fc.ScoreFloor(0.495)).decide(close).decisions.tolist() == [Decision.ACT]


def test_policy_of_nothing_accepts_every_candidate() -> None:
    decided = fc.Policy().decide(found([[0.1, NAN], [NAN, NAN]]))
    assert decided.decisions.tolist() == [Decision.ACT, Decision.NOT_FOUND]
    assert decided.probabilities is None
    assert decided.kept.ids.tolist() == [10]
    empty = fc.Policy().decide(fc.SearchResult(np.empty((0, 3), np.float32), np.empty((0, 3), np.int64)))
    assert len(empty) == 0


def test_policy_on_distances() -> None:
    falling = fc.IsotonicCalibrator(increasing=False).fit([0.0, 1.0], [1, 0])
    policy = fc.Policy(falling, fc.AbstainBand(0.3, 0.7), fc.ScoreFloor(0.9))
    decided = policy.decide(found([[0.1, 0.95], [0.5, 0.6], [0.95, 0.99]], higher_is_better=False))
    assert decided.decisions.tolist() == [2, 1, 0]
    assert decided.kept.ids.tolist() == [10, 10, 11]
    with pytest.raises(ValueError, match="higher_is_better_=False, the result higher_is_better=True"):
        policy.decide(found([[0.9, 0.1]]))


def test_probabilities_that_are_nan_are_not_found() -> None:
    strict = fc.IsotonicCalibrator(out_of_bounds="nan").fit([0.0, 0.5], [0, 1])
    decided = fc.Policy(strict, fc.AbstainBand(0.3, 0.7)).decide(found([[0.9, 0.5], [0.9, 0.8]]))
    assert [Reason(code).name for code in decided.reasons] == ["ACCEPTED", "BELOW_BAND"]
    assert decided.kept.ids.tolist() == [11]


@given(st.lists(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), min_size=1, max_size=8))
def test_policy_is_its_parts(rows: list) -> None:
    result = found([sorted(row, reverse=True) for row in rows])
    band, floor, gap = fc.AbstainBand(0.25, 0.75), fc.ScoreFloor(0.125), fc.GapCheck(0.0625)
    decided = fc.Policy(identity(), band, floor, gap).decide(result)
    for i, row in enumerate(result.scores.tolist()):
        kept = [s for s in row if s >= 0.25]
        expected = band.decide([row[0]])[0]
        if expected == Decision.ACT and len(kept) > 1 and kept[0] - kept[1] < 0.0625:
            expected = Decision.ESCALATE
        assert decided.decisions[i] == expected
        assert decided.kept.scores[decided.kept.offsets[i] : decided.kept.offsets[i + 1]].tolist() == kept


def test_policy_bad_parts() -> None:
    with pytest.raises(ValueError, match="band cuts probabilities and needs a calibrator"):
        fc.Policy(band=fc.AbstainBand(0.3, 0.7))
    with pytest.raises(ValueError, match="'rerank', 'widen', 'human'; got 'ask'"):
        fc.Policy(on_escalate="ask")  # type: ignore[arg-type]
    for name in ("calibrator", "band", "floor", "gap"):
        with pytest.raises(TypeError, match=f"{name} must be a .*, got float"):
            fc.Policy(**{name: 0.5})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="result must be a SearchResult"):
        fc.Policy().decide([[0.5]])  # type: ignore[arg-type]
    with pytest.raises(fc.NotFittedError):
        fc.Policy(fc.PlattCalibrator()).decide(found([[0.5]]))


def test_rules_and_results_are_frozen_and_json() -> None:
    policy = fc.Policy(identity(), fc.AbstainBand(0.3, 0.7))
    decided = policy.decide(found([[0.9, NAN], [NAN, NAN]]))
    for thing, name in ((policy, "band"), (policy.band, "low"), (decided, "kept"), (fc.ScoreFloor(0.5), "floor"), (fc.GapCheck(0.5), "min_gap")):
        with pytest.raises(AttributeError):
            setattr(thing, name, None)
    plain = decided.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["decisions"] == ["ACT", "NOT_FOUND"]
    assert plain["probabilities"][1] == [None, None]


def test_an_escalation_that_nothing_can_trigger_is_refused() -> None:
    with pytest.raises(ValueError, match="on_escalate='human' has nothing to act on"):
        fc.Policy(on_escalate="human")
