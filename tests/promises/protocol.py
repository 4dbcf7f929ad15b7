"""Trials of one promise, and the limit its failures must keep: docs/certificates.md says what counts as a failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import exp, lgamma, log

import numpy as np

TRIALS = 2000
DOUBT = 1e-4


@dataclass(frozen=True)
class Outcome:
    """One trial: whether something was certified, whether that was false, and what it cost."""

    certified: bool
    broken: bool
    labels: int


@dataclass(frozen=True)
class Cell:
    """One procedure on one pool; a negative control has to exceed the limit that ours keep.

    `trial` maps a seed to an Outcome. Trials are independent, and the same in every process.
    """

    name: str
    part: str
    trial: Callable[[int], Outcome]
    delta: float = 0.05
    control: bool = False


@dataclass(frozen=True)
class Tally:
    """What the trials of a cell gave."""

    cell: Cell
    trials: int
    broken: int
    certified: int
    labels: float

    @property
    def kept(self):
        """Whether failures stay within what chance allows at delta."""
        return self.broken <= limit(self.trials, self.cell.delta)

    @property
    def as_expected(self):
        """A promise is kept; a negative control is caught."""
        return self.kept != self.cell.control


def run(cell, seeds):
    """Run the trials of some seeds."""
    outcomes = [cell.trial(seed) for seed in seeds]
    broken, certified = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("broken", "certified"))
    return Tally(cell, len(outcomes), broken, certified, float(np.mean([outcome.labels for outcome in outcomes])))


@cache
def limit(trials, delta, doubt=DOUBT):
    """The most failures of a procedure that fails with probability delta, in all but a share `doubt` of the runs.

    The ``1 - doubt`` quantile of the binomial distribution.
    """
    total = 0.0
    for failures in range(trials + 1):
        chances = lgamma(trials + 1) - lgamma(failures + 1) - lgamma(trials - failures + 1)
        total += exp(chances + failures * log(delta) + (trials - failures) * log(1 - delta))
        if total >= 1 - doubt:
            return failures
    return trials
