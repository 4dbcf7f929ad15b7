"""What screen (d) shows and what it does not: every sentence follows from the intervals and from n."""

from __future__ import annotations

from collections import defaultdict
from enum import Enum
from typing import TYPE_CHECKING

from fastcal.cli.demo.estimates import FEW, Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastcal.cli.demo.transfer import Transfer

    Measure = Callable[[Transfer], Estimate]


class Contrast(Enum):
    """How a number away stands to the one at home."""

    LOWER = "lower"
    HIGHER = "higher"
    ALIKE = "alike"
    TOO_SMALL = "too small"


def contrast(home: Estimate, away: Estimate) -> Contrast:
    """Compare two intervals; an overlap shows no difference, and fewer than 30 pairs on either side show nothing."""
    if min(home.n, away.n) < FEW:
        return Contrast.TOO_SMALL
    if away.high < home.low:
        return Contrast.LOWER
    return Contrast.HIGHER if away.low > home.high else Contrast.ALIKE


def conclusions(found: Sequence[Transfer]) -> tuple[str, ...]:
    """Compare every cut at home and away, and say what follows; of a guest's cut only failures are told."""
    trips = [(home, [t for t in found if t.source == home.source and not t.at_home]) for home in found if home.at_home]
    trips = [(home, away) for home, away in trips if away]
    if not trips:
        return ()
    told = [_failure(home, away) if home.guest else _about(home, away) for home, away in trips]
    return (*filter(None, told), _moral(trips))


def _failure(home: Transfer, away: Sequence[Transfer]) -> str:
    failed = _sorted_out(home, away, _precision)[Contrast.LOWER]
    if not failed:
        return ""
    where = ", ".join(t.target for t in failed)
    return f"{_cut(home)} fails on {where}: precision {_against(home, failed, _precision)}; the intervals do not overlap."


def _about(home: Transfer, away: Sequence[Transfer]) -> str:
    by_precision = _sorted_out(home, away, _precision)
    failed = by_precision.pop(Contrast.LOWER, [])
    by_recall = _sorted_out(home, [t for t in away if t not in failed], _recall)
    first = _failure(home, failed) or f"{_cut(home)} is not shown to lose precision elsewhere."
    return " ".join([first, *_compared(home, by_precision, "precision", _precision), *_compared(home, by_recall, "recall", _recall)])


def _compared(home: Transfer, by: dict[Contrast, list[Transfer]], name: str, measure: Measure) -> list[str]:
    differ, alike, small = by[Contrast.LOWER] + by[Contrast.HIGHER], by[Contrast.ALIKE], by[Contrast.TOO_SMALL]
    sentences = []
    if differ:
        sentences.append(f"{name.capitalize()} differs: {_against(home, differ, measure)}; the intervals do not overlap.")
    if alike:
        sentences.append(f"{name.capitalize()} is not shown to differ: {_against(home, alike, measure)}; the intervals overlap.")
    if small:
        sentences.append(f"Too small to compare {name}, with fewer than {FEW}: {_sizes(home, small, measure)}.")
    return sentences


def _moral(trips: Sequence[tuple[Transfer, Sequence[Transfer]]]) -> str:
    pairs = [(home, t) for home, away in trips for t in away]
    precision = {contrast(_precision(home), _precision(t)) for home, t in pairs}
    recall = {contrast(_recall(home), _recall(t)) for home, t in pairs}
    if Contrast.LOWER in precision:
        return "So a threshold belongs to one collection and one model: choose it there."
    named = (("precision (higher away)", precision), ("recall", recall))
    differing = [name for name, cases in named if cases & {Contrast.LOWER, Contrast.HIGHER}]
    if not differing:
        return "Nothing here is shown to differ: these numbers do not tell whether a threshold carries over."
    return f"No cut is shown to lose precision away from home, so these numbers show no failed transfer. What differs: {', '.join(differing)}."


def _sorted_out(home: Transfer, away: Sequence[Transfer], measure: Measure) -> dict[Contrast, list[Transfer]]:
    by: dict[Contrast, list[Transfer]] = defaultdict(list)
    for t in away:
        by[contrast(measure(home), measure(t))].append(t)
    return by


def _against(home: Transfer, away: Sequence[Transfer], measure: Measure) -> str:
    return ", ".join([f"{measure(home).text()} at home", *(f"{measure(t).text()} on {t.target}" for t in away)])


def _sizes(home: Transfer, away: Sequence[Transfer], measure: Measure) -> str:
    if measure(home).n < FEW:
        return f"{measure(home).n} {measure(home).unit} at home"
    return ", ".join(f"{measure(t).n} {measure(t).unit} on {t.target}" for t in away)


def _cut(t: Transfer) -> str:
    return f"The cut of {t.source} (cosine >= {t.cut.cosine:.3f})"


def _precision(t: Transfer) -> Estimate:
    return t.kept.precision


def _recall(t: Transfer) -> Estimate:
    return t.kept.recall
