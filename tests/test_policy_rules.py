"""Edges in both spaces, inclusive or not, at the exact boundary; one rule per class of query; the trace."""

from __future__ import annotations

import json
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal import Decision, Reason

NAN = float("nan")
float32 = st.floats(allow_nan=False, allow_infinity=False, width=32, allow_subnormal=False, min_value=-(2.0**126), max_value=2.0**126)


def found(rows, higher_is_better=True):
    scores = np.array(rows, dtype=np.float32)
    return fc.SearchResult(scores, np.where(np.isnan(scores), -1, 10 + np.arange(scores.shape[1])), higher_is_better)


def identity():
    return fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1])


# -- the exact boundary ------------------------------------------------------------------------------
@given(float32, float32, st.booleans(), st.booleans())
def test_score_band_at_the_exact_boundary(one, other, inclusive, higher_is_better):
    low, high = sorted((one, other))
    band = fc.AbstainBand(low, high, space="score", inclusive=inclusive)
    values = np.array([low, high], np.float32)
    values = np.concatenate([np.nextafter(values, np.float32(-np.inf)), values, np.nextafter(values, np.float32(np.inf))])
    lax, strict = (low, high) if higher_is_better else (high, low)
    better = {(True, True): operator.ge, (True, False): operator.gt, (False, True): operator.le, (False, False): operator.lt}[
        higher_is_better, inclusive
    ]
    expected = [int(better(v, np.float32(lax))) + int(better(v, np.float32(strict))) for v in values]
    assert band.decide(values, higher_is_better=higher_is_better).tolist() == expected
    decided = fc.Policy(band=band).decide(fc.SearchResult(values[:, None], np.zeros((6, 1), np.int64), higher_is_better))
    assert decided.decisions.tolist() == expected
    per_class = fc.Policy(band=fc.PerClass({"a": band, "b": fc.AbstainBand(0, 1, space="score", inclusive=not inclusive)}))
    result = fc.SearchResult(values[:, None], np.zeros((6, 1), np.int64), higher_is_better)
    assert per_class.decide(result, classes=["a"] * 6).decisions.tolist() == expected


@given(st.floats(0, 1), st.booleans())
def test_probability_edge_in_or_out(edge, inclusive):
    at = np.float32(edge)
    values = np.clip([np.nextafter(at, np.float32(-1)), at, np.nextafter(at, np.float32(2))], 0, 1).astype(np.float32)
    expected = [2 if (v >= at if inclusive else v > at) else 0 for v in values]
    assert fc.AbstainBand(edge, edge, inclusive=inclusive).decide(values).tolist() == expected


@given(float32, st.booleans(), st.booleans())
def test_floor_at_the_exact_boundary(floor, inclusive, higher_is_better):
    at = np.float32(floor)
    worse, better = (np.nextafter(at, np.float32(s)) for s in ((-np.inf, np.inf) if higher_is_better else (np.inf, -np.inf)))
    result = fc.SearchResult(np.array([[better, at, worse]]), np.array([[1, 2, 3]]), higher_is_better)
    expected = [1, 2] if inclusive else [1]
    assert fc.ScoreFloor(floor, inclusive=inclusive).apply(result).ids.tolist() == expected
    assert fc.Policy(floor=fc.ScoreFloor(floor, inclusive=inclusive)).decide(result).kept.ids.tolist() == expected


def test_zero_is_a_threshold_like_any_other():
    result = found([[0.0], [-0.0], [-0.5]])
    assert fc.Policy(floor=fc.ScoreFloor(0)).decide(result).decisions.tolist() == [2, 2, 0]
    assert fc.Policy(floor=fc.ScoreFloor(0, inclusive=False)).decide(result).decisions.tolist() == [0, 0, 0]


def test_nan_is_no_candidate_whatever_its_id():
    result = fc.SearchResult(np.array([[NAN, 0.5], [NAN, NAN]], np.float32), np.array([[7, 8], [7, -1]]))
    for policy in (fc.Policy(), fc.Policy(floor=fc.ScoreFloor(-9.0)), fc.Policy(band=fc.AbstainBand(-1, 0, space="score"))):
        decided = policy.decide(result)
        assert [Reason(code).name for code in decided.reasons] == ["ACCEPTED", "NO_CANDIDATE"]
        assert decided.kept.ids.tolist() == [8]


def test_a_score_band_needs_no_calibrator_and_ignores_the_one_there():
    band = fc.AbstainBand(0.5, 0.8, space="score")
    rows = found([[0.9], [0.6], [0.2]])
    halved = fc.PlattCalibrator().fit([0.0, 1.0] * 4, [0, 1] * 4)
    for calibrator in (None, halved):
        decided = fc.Policy(calibrator, band).decide(rows)
        assert decided.decisions.tolist() == [2, 1, 0]
    assert decided.probabilities is not None


def test_bad_edges():
    with pytest.raises(ValueError, match="space must be one of 'probability', 'score'"):
        fc.AbstainBand(0.1, 0.2, space="cosine")
    with pytest.raises(TypeError, match="inclusive must be True or False, got 1"):
        fc.AbstainBand(0.1, 0.2, inclusive=1)
    with pytest.raises(TypeError, match="inclusive"):
        fc.ScoreFloor(0.1, inclusive="yes")
    with pytest.raises(ValueError, match="low must be a finite number within the range of float32"):
        fc.AbstainBand(-np.inf, 0.5, space="score")
    with pytest.raises(ValueError, match="higher_is_better=False is for scores"):
        fc.AbstainBand(0.1, 0.2).decide([0.1], higher_is_better=False)


# -- per class ---------------------------------------------------------------------------------------
@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), float32), min_size=1, max_size=12))
def test_per_class_equals_each_class_alone(drawn):
    classes, scores = [c for c, _ in drawn], [[s, s - 1.0] for _, s in drawn]
    result = found(scores)
    bands = {1: fc.AbstainBand(-1.0, 0.5, space="score"), 2: fc.AbstainBand(0.0, 0.0, space="score", inclusive=False)}
    floors = {1: fc.ScoreFloor(-2.0), 2: fc.ScoreFloor(0.5, inclusive=False), 3: fc.ScoreFloor(-0.25)}
    gaps, other = {1: fc.GapCheck(1.5), 3: fc.GapCheck(0.5, relative=True)}, fc.GapCheck(0.25)
    default = fc.AbstainBand(-3.0, 2.0, space="score")
    together = fc.Policy(None, fc.PerClass(bands, default), fc.PerClass(floors), fc.PerClass(gaps, other)).decide(result, classes=classes)
    for i, name in enumerate(classes):
        alone = fc.Policy(None, bands.get(name, default), floors[name], gaps.get(name, other)).decide(
            fc.SearchResult(result.scores[i : i + 1], result.ids[i : i + 1])
        )
        assert together.reasons[i] == alone.reasons[0]
        assert together.kept.ids[slice(*together.kept.offsets[i : i + 2])].tolist() == alone.kept.ids.tolist()
        assert [step.to_dict() for step in together.explain(i)] == [step.to_dict() for step in alone.explain(0)]


def test_classes_that_are_unknown_missing_or_of_no_use():
    floors = fc.PerClass({"en": fc.ScoreFloor(0.5), "de": fc.ScoreFloor(0.7)})
    two = found([[0.6], [0.6]])
    with pytest.raises(ValueError, match="class 'fr' has no rule; expected one of 'en', 'de', or give default="):
        fc.Policy(floor=floors).decide(two, classes=["en", "fr"])
    with pytest.raises(ValueError, match="classes= is missing"):
        fc.Policy(floor=floors).decide(two)
    with pytest.raises(ValueError, match="classes= has no use"):
        fc.Policy(floor=fc.ScoreFloor(0.5)).decide(two, classes=["en", "de"])
    with pytest.raises(ValueError, match=r"classes has shape \(1,\); expected \(2,\)"):
        fc.Policy(floor=floors).decide(two, classes=["en"])
    assert len(fc.Policy(floor=floors).decide(fc.SearchResult(np.empty((0, 3), np.float32), np.empty((0, 3), np.int64)), classes=[])) == 0


def test_bad_rules_per_class():
    with pytest.raises(ValueError, match="rules is empty"):
        fc.PerClass({})
    with pytest.raises(TypeError, match=r"class must be a str or an int, got 0\.5"):
        fc.PerClass({0.5: fc.ScoreFloor(0.5)})
    with pytest.raises(TypeError, match="the rule of default is a GapCheck"):
        fc.PerClass({"a": fc.ScoreFloor(0.5)}, fc.GapCheck(0.5))
    with pytest.raises(TypeError, match="the rule of 'a' is a float"):
        fc.PerClass({"a": 0.5})
    with pytest.raises(ValueError, match="one space"):
        fc.PerClass({"a": fc.AbstainBand(0.1, 0.2)}, fc.AbstainBand(0.1, 0.2, space="score"))
    with pytest.raises(TypeError, match="floor must be a ScoreFloor or a PerClass of them, got a PerClass of GapCheck"):
        fc.Policy(floor=fc.PerClass({"a": fc.GapCheck(0.5)}))


def test_the_groups_of_a_group_calibrator_are_the_classes():
    scores, labels, by = [0.1, 0.2, 0.6, 0.7, 0.3, 0.4, 0.8, 0.9] * 4, [0, 0, 1, 1] * 8, (["de"] * 4 + ["en"] * 4) * 4
    grouped = fc.GroupCalibrator(shrinkage=0).fit(scores, labels, by)
    policy = fc.Policy(grouped, fc.AbstainBand(0.5, 0.5))
    result = found([[0.5, 0.1], [0.5, 0.1]])
    decided = policy.decide(result, classes=["de", "en"])
    assert decided.decisions.tolist() == [2, 0]
    np.testing.assert_array_equal(decided.probabilities[1], grouped.calibrators_["en"].predict(result.scores[1]))
    with pytest.raises(ValueError, match="classes= is missing"):
        policy.decide(result)


# -- the trace ---------------------------------------------------------------------------------------
def test_each_reason_has_its_trace():
    policy = fc.Policy(identity(), fc.AbstainBand(0.3, 0.7), fc.ScoreFloor(0.2), fc.GapCheck(0.0625), on_escalate="human")
    decided = policy.decide(found([[NAN, NAN], [0.125, 0.0625], [0.25, NAN], [0.5, 0.46875], [0.875, 0.84375], [0.875, 0.5], [0.75, NAN]]))
    traces = [[(step.rule, step.outcome) for step in decided.explain(i)] for i in range(7)]
    some, floor, band = ("candidates", "passed"), ("floor", "passed"), ("band", "passed")
    assert traces == [
        [("candidates", "NO_CANDIDATE"), ("decision", "NOT_FOUND")],
        [some, ("floor", "BELOW_FLOOR"), ("decision", "NOT_FOUND")],
        [some, floor, ("band", "BELOW_BAND"), ("decision", "NOT_FOUND")],
        [some, floor, ("band", "IN_BAND"), ("decision", "ESCALATE")],
        [some, floor, band, ("gap", "AMBIGUOUS"), ("decision", "ESCALATE")],
        [some, floor, band, ("gap", "passed"), ("decision", "ACT")],
        [some, floor, band, ("gap", "passed"), ("decision", "ACT")],
    ]
    _, floor_step, band_step, gap_step, decision = decided.explain(4)
    assert floor_step.numbers == {"best_score": 0.875, "floor": float(np.float32(0.2)), "inclusive": True, "reached_by": 2}
    assert band_step.numbers["best_probability"] == 0.875
    assert gap_step.numbers == {"best": 0.875, "second": 0.84375, "gap": 0.03125, "min_gap": 0.0625, "relative": False}
    assert decision.numbers == {"next_step": "human"}
    plain = decided.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["steps"][4][3]["outcome"] == "AMBIGUOUS"
    with pytest.raises(ValueError, match="query below 7, got 7"):
        decided.explain(7)


def test_the_trace_of_distances_names_the_smallest():
    falling = fc.IsotonicCalibrator(increasing=False).fit([0.0, 1.0], [1, 0])
    decided = fc.Policy(falling, fc.AbstainBand(0.3, 0.7), fc.ScoreFloor(0.9)).decide(found([[0.25, 0.95]], higher_is_better=False))
    candidates, floor, band, decision = decided.explain(0)
    assert (candidates.numbers["best_score"], floor.numbers["reached_by"], band.numbers["best_probability"]) == (0.25, 1, 0.75)
    assert decision.outcome == Decision.ACT.name
