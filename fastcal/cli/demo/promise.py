"""Screen (f): how often a threshold chosen on 300 labels keeps its promise, and a certified one, over many draws of labels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import fastcal as fc
from fastcal.cli.demo.decision import TARGET
from fastcal.cli.demo.estimates import Estimate, share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastcal.cli.demo.candidates import Candidates

    Draw = Callable[["Pairs", int], tuple[float | None, int]]

LABELS = 300
DRAWS = 200
DELTA = 0.05


@dataclass(frozen=True)
class Pairs:
    """Scores and labels of candidates, flat."""

    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.bool_]

    def judge(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Answer as a labeler does."""
        return self.labels[positions]

    def truth(self, threshold: float) -> tuple[float, float]:
        """Return precision and recall at a threshold, from all labels."""
        above = self.scores >= np.float32(threshold)
        hits = np.count_nonzero(self.labels & above)
        return hits / np.count_nonzero(above), hits / np.count_nonzero(self.labels)


@dataclass(frozen=True)
class Spread:
    """The mean over draws and the middle nine tenths of them; NaN of no draws."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise one value per draw."""
        return cls(float(np.mean(values)), *map(float, np.quantile(values, [0.05, 0.95]))) if len(values) else cls(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Outcome:
    """What the thresholds of all draws were worth.

    Attributes
    ----------
    broken, nothing : Estimate
        Share of the draws with a threshold whose true precision is below the target, and of those without a threshold.
    precision, recall : Spread
        The truth about the thresholds there were.
    labels : Spread
        Labels paid.
    """

    broken: Estimate
    nothing: Estimate
    precision: Spread
    recall: Spread
    labels: Spread


@dataclass(frozen=True)
class Promise:
    """Both ways to a threshold on the same pairs, and the most recall that any threshold with the target precision has."""

    n_pairs: int
    chosen: Outcome
    certified: Outcome
    within_reach: float


def promise(candidates: Candidates, seed: int) -> Promise:
    """Draw labels again and again, choose and certify a threshold with them, and look at the truth."""
    pairs = Pairs(candidates.scores.ravel(), candidates.labels.ravel())
    sweep = fc.threshold_sweep(pairs.scores, pairs.labels)
    reached = sweep.recall[sweep.precision >= TARGET]
    return Promise(pairs.scores.size, _outcome(pairs, _choose, seed), _outcome(pairs, _certify, seed), float(reached.max(initial=0.0)))


def _choose(pairs: Pairs, seed: int) -> tuple[float | None, int]:
    rows = np.random.default_rng(seed).choice(pairs.scores.size, min(LABELS, pairs.scores.size), replace=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fc.SmallSampleWarning)
        point = fc.choose_threshold(pairs.scores[rows], pairs.judge(rows), TARGET)
    return None if point is None else point.threshold, rows.size


def _certify(pairs: Pairs, seed: int) -> tuple[float | None, int]:
    budget = min(LABELS, pairs.scores.size)
    found = fc.certify_threshold(pairs.scores, pairs.judge, target_precision=TARGET, delta=DELTA, budget=budget, seed=seed)
    return found.threshold, found.labels_used


def _outcome(pairs: Pairs, draw: Draw, seed: int) -> Outcome:
    drawn = [draw(pairs, DRAWS * seed + number) for number in range(DRAWS)]
    truth = [pairs.truth(threshold) for threshold, _ in drawn if threshold is not None]
    return Outcome(
        broken=share(sum(precision < TARGET for precision, _ in truth), DRAWS, "draws"),
        nothing=share(DRAWS - len(truth), DRAWS, "draws"),
        precision=Spread.of([precision for precision, _ in truth]),
        recall=Spread.of([recall for _, recall in truth]),
        labels=Spread.of([labels for _, labels in drawn]),
    )
