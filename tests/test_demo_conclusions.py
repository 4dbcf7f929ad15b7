"""What screen (d) concludes follows from the intervals and from n, and from nothing else."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("sklearn")
pytest.importorskip("bm25s")
pytest.importorskip("ir_measures")
pytest.importorskip("matplotlib")

from fastcal.cli.demo.conclusions import Contrast, conclusions, contrast
from fastcal.cli.demo.decision import Cut, Kept
from fastcal.cli.demo.estimates import Estimate
from fastcal.cli.demo.transfer import Transfer

HOME_P, LOW_P, NEAR_P, HIGH_P = (0.90, 0.88, 0.92, 500), (0.40, 0.38, 0.42, 500), (0.86, 0.80, 0.91, 500), (0.97, 0.95, 0.99, 500)
FEW_P, NO_P = (0.40, 0.20, 0.60, 29), (math.nan, math.nan, math.nan, 0)
HOME_R, LOW_R, NEAR_R = (0.30, 0.28, 0.32, 900), (0.05, 0.04, 0.06, 900), (0.29, 0.27, 0.31, 900)
NO_FAILURE = "No cut is shown to lose precision away from home, so these numbers show no failed transfer."
BELONGS = "So a threshold belongs to one collection and one model: choose it there."


def move(source, target, precision, recall, *, guest=False):
    """The cut of ``source`` on ``target``, with (value, low, high, n) of both measures."""
    p, r = Estimate(*precision, "pairs"), Estimate(*recall, "relevant pairs")
    cut = Cut(0.75, reached=True, precision=p, verdict="")
    return Transfer(source, target, cut, Kept(p, r, p, r, p), at_home=source == target, guest=guest)


def told(*away, home=(HOME_P, HOME_R)):
    return conclusions([move("a", "a", *home), *(move("a", target, *measures) for target, *measures in away)])


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (LOW_P, Contrast.LOWER),
        (HIGH_P, Contrast.HIGHER),
        (NEAR_P, Contrast.ALIKE),
        ((0.80, 0.70, 0.88, 30), Contrast.ALIKE),  # the ends touch
        ((0.80, 0.70, 0.87, 30), Contrast.LOWER),
        (FEW_P, Contrast.TOO_SMALL),
        (NO_P, Contrast.TOO_SMALL),
    ],
)
def test_two_intervals_differ_where_they_do_not_overlap_and_n_allows(away, expected):
    assert contrast(Estimate(*HOME_P, "pairs"), Estimate(*away, "pairs")) is expected


def test_a_failed_transfer_is_said_plainly_with_both_intervals():
    paragraph, moral = told(("b", LOW_P, LOW_R), ("c", NEAR_P, NEAR_R))
    assert paragraph.startswith(
        "The cut of a (cosine >= 0.750) fails on b: precision 0.900 [0.880, 0.920] at home, 0.400 [0.380, 0.420] on b; the intervals do not overlap."
    )
    assert "Precision is not shown to differ: 0.900 [0.880, 0.920] at home, 0.860 [0.800, 0.910] on c; the intervals overlap." in paragraph
    assert "Recall is not shown to differ: 0.300 [0.280, 0.320] at home, 0.290 [0.270, 0.310] on c; the intervals overlap." in paragraph
    assert moral == BELONGS


@pytest.mark.parametrize(("small", "n"), [(FEW_P, 29), (NO_P, 0)])
def test_a_small_selection_is_not_compared_and_recall_says_what_differs(small, n):
    paragraph, moral = told(("b", small, LOW_R))
    assert "fails" not in paragraph
    assert "is not shown to lose precision elsewhere." in paragraph
    assert f"Too small to compare precision, with fewer than 30: {n} pairs on b." in paragraph
    assert "Recall differs: 0.300 [0.280, 0.320] at home, 0.050 [0.040, 0.060] on b; the intervals do not overlap." in paragraph
    assert moral == f"{NO_FAILURE} What differs: recall."


def test_a_small_selection_at_home_is_compared_with_nothing():
    paragraph, moral = told(("b", LOW_P, NEAR_R), home=((0.9, 0.7, 1.0, 9), HOME_R))
    assert "Too small to compare precision, with fewer than 30: 9 pairs at home." in paragraph
    assert "Recall is not shown to differ" in paragraph
    assert moral.startswith("Nothing here is shown to differ")


def test_more_precision_away_is_a_difference_and_no_failure():
    paragraph, moral = told(("b", HIGH_P, NEAR_R))
    assert "Precision differs: 0.900 [0.880, 0.920] at home, 0.970 [0.950, 0.990] on b" in paragraph
    assert moral == f"{NO_FAILURE} What differs: precision (higher away)."


def test_of_a_guest_only_failures_are_told():
    shown = [move("a", "a", HOME_P, HOME_R), move("a", "b", NEAR_P, NEAR_R), move("a", "c", NEAR_P, NEAR_R)]
    guests = [
        move(source, target, precision, HOME_R, guest=True)
        for source, away in (("b", NEAR_P), ("c", LOW_P))
        for target, precision in ((source, HOME_P), ("a", away))
    ]
    about_a, about_c, moral = conclusions(shown + guests)
    assert about_a.startswith("The cut of a ")
    assert about_c.startswith("The cut of c (cosine >= 0.750) fails on a: ")
    assert moral == BELONGS


def test_one_collection_alone_concludes_nothing():
    assert told() == ()
