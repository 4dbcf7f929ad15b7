"""Judges what thresholds from paid labels have in common: targets, floors, budgets, what a state has settled."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from fastcal._validate import files
from fastcal._validate.numbers import fraction, integer
from fastcal.certificates._walk import null_hits
from fastcal.errors import InvalidValueError
from fastcal.intervals.floors import single_look_floor
from fastcal.labelling import _state
from fastcal.labelling._lines import JsonLines

# A search at true precision .95 takes some 25 times the floor in 20,000 rows and 35 in a million.
DEFAULT_BUDGET = 40


def exact_target(target: float, name: str = "target_precision") -> Fraction:
    """Return the rational number that a target's shortest decimal names: 0.9 is 9/10."""
    fraction(target, name)
    return Fraction(str(target))


def pool_floor(target: Fraction, delta: float, rows: int) -> int:
    """Return the fewest labels with which the whole of so many rows could be certified."""
    return single_look_floor(rows, null_hits(target, rows), delta)


def as_budget(budget: int | None, floor: int, rows: int) -> int:
    """Return the labels that may be used, by default 40 times the floor; fewer than the floor are refused."""
    if budget is None:
        return min(rows, DEFAULT_BUDGET * floor)
    given = integer(budget, "budget", least=-(2**63))
    if given < floor:
        raise InvalidValueError(f"budget must be at least {floor}, the fewest labels that can certify this target at this delta; got {given}")
    return given


def settled_census(state: Any, log: Any, size: Callable[[int], int], most: int) -> int:
    """Return how many of the best rows to label whole: as many as the state or log that is gone on from says, else ``size(most)``.

    What depended on the first budget stays as it was, but no number is taken on trust: sizes that some budget leads to are
    those that are what they allow.
    """
    headers = [] if state is None else [_state.read(state, None)[1]]
    logged = None if log is None else _state.read_log(JsonLines(files.path(log, "log"), _state.MAGIC), None)
    if logged is not None:
        headers.append(logged[0])
    found = headers[0]["settings"].get("census") if headers else None
    if type(found) is not int:
        return size(most)
    if found < 0 or size(found) != found:
        raise InvalidValueError(f"the state has census={found}; no budget leads to so many best rows of this pool to be labelled whole")
    return found
