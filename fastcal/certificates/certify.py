"""certify_threshold: the lowest threshold that can be shown, with few labels, to keep its promise."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import flag, fraction, integer, number
from fastcal._validate.scores import directed_scores
from fastcal.certificates._certificate import Certificate, certificate
from fastcal.certificates._pool import Floats, Int64, array_pool, census_size
from fastcal.certificates._walk import Rule, null_hits, walk
from fastcal.errors import InvalidValueError
from fastcal.intervals.floors import single_look_floor, single_look_floor_iid
from fastcal.labelling._drive import Procedure, drive
from fastcal.labelling._fingerprint import fingerprint
from fastcal.labelling._ledger import Ledger

_DEFAULT_BUDGET = 40


def certify_threshold(
    scores: Any,
    labeler: Callable[[Int64], npt.ArrayLike],
    *,
    target_precision: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    ratio: float = 2.0,
    batch_size: int = 1,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
) -> Certificate:
    procedure, ledger = _plan(scores, target_precision, delta, budget, ratio, batch_size, higher_is_better, seed, state, log)
    return drive(procedure, ledger, labeler)


def _plan(
    scores: Any,
    target_precision: float,
    delta: float,
    budget: int | None,
    ratio: float,
    batch_size: int,
    higher_is_better: bool,
    seed: int | None,
    state: Any,
    log: Any,
) -> tuple[Procedure[Certificate], Ledger]:
    rule = Rule(exact_target(target_precision), fraction(delta, "delta"), integer(batch_size, "batch_size", least=1))
    width = number(ratio, "ratio", "a number in (1, 4]", lambda x: 1.0 < x <= 4.0)
    values = float_array(directed_scores(scores, higher_is_better), "scores")
    flat = values.reshape(-1)
    positions = np.flatnonzero(~np.isnan(flat))
    kept = flat[positions]
    floor = labels_floor(rule.target, rule.delta, kept.size)
    most = as_budget(budget, floor, kept.size)
    census = census_size(kept, single_look_floor_iid(float(rule.target), rule.delta), most // 4, higher_is_better=higher_is_better)
    settings = {"target": str(rule.target), "delta": rule.delta, "ratio": width, "batch_size": rule.batch_size, "census": census}
    ledger = Ledger("certify_threshold", fingerprint(values), settings, budget=most, seed=seed, state=state, log=log, size=flat.size)
    priorities = ledger.rng("priorities").random(kept.size)
    pool = array_pool(kept, positions, priorities, census=census, ratio=width, first=2 * floor, keep=most, higher_is_better=higher_is_better)

    def procedure() -> Procedure[Certificate]:
        found = yield from walk(pool, ledger, rule)
        return certificate(pool, found, ledger, rule, n_pool=kept.size, labels_floor=floor, scope=POOL_SCOPE)

    return procedure(), ledger


POOL_SCOPE = "These rows, as judged by this labeller. Not other rows, queries or labellers."


def exact_target(target: float) -> Fraction:
    """Return the rational number that a target's shortest decimal names: 0.9 is 9/10."""
    fraction(target, "target_precision")
    return Fraction(str(target))


def labels_floor(target: Fraction, delta: float, rows: int) -> int:
    """Return the fewest labels with which the whole of so many rows could be certified; 1 for none."""
    return single_look_floor(rows, null_hits(target, rows), delta) if rows else 1


def as_budget(budget: int | None, floor: int, rows: int) -> int:
    """Return the labels that may be used; refuses fewer than the floor."""
    if budget is None:
        return min(rows, _DEFAULT_BUDGET * floor)
    if integer(budget, "budget", least=-(2**62)) < floor:
        raise InvalidValueError(f"budget must be at least {floor}, the fewest labels that can certify this target at this delta; got {budget}")
    return int(budget)
