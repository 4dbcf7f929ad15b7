"""The rounds of density-weighted sampling: draw around the anchor, look at candidate cuts, move there, look closer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.labelling._drive import Procedure
from fastcal.labelling._ledger import Int8, Ledger
from fastcal.probing._estimate import AtCut, Draw
from fastcal.probing._sampling import Float64, Int64, gaussian_weights, inclusion_probabilities, kish, systematic_sample
from fastcal.probing.results import DensityRound

Float32 = npt.NDArray[np.float32]

_TIGHTEN, _TIGHTEST = 0.7, 0.25  # of sigma: from round to round, and of the first one
_STEPS = np.linspace(2.0, -2.0, 17)  # of candidate cuts around the anchor, in sigma
_MOST = 256  # further candidates
NOTHING = AtCut(0, math.nan, 0.0, (0.0, 1.0))


class Rows:
    """Scored rows without padding, best first; their scores are such that higher is better."""

    def __init__(self, scores: Float32, positions: Int64) -> None:
        self._falling = np.sort(-scores)
        order = np.argsort(-scores, kind="stable")
        self.scores, self.positions = scores[order], positions[order]

    def count(self, threshold: npt.ArrayLike) -> Int64:
        """Return how many rows score at least each threshold."""
        return np.searchsorted(self._falling, np.negative(threshold), "right")

    def cuts_near(self, anchor: float, *sigmas: float) -> Int64:
        """Return how many rows each candidate cut selects, strictest first; a candidate lies at the next score above its place."""
        counts = self.count(anchor + np.multiply.outer(sigmas, _STEPS).reshape(-1))
        return np.unique(np.maximum(counts, self.count(self.scores[0])))

    def cuts_labelled(self, labels: Int8) -> Int64:
        """Return how many rows the cuts at the scores of labelled rows select; evenly chosen ones, while rows are missing."""
        counts = np.unique(self.count(self.scores[labels >= 0]))
        if (labels < 0).any() and counts.size > _MOST:
            counts = counts[np.linspace(0, counts.size - 1, _MOST).astype(np.int64)]
        return counts


class Recipe(NamedTuple):
    """The options of the rounds."""

    anchor: float
    sigma: float
    weight_floor: float
    sample_size: int
    target: float
    max_width: float
    max_rounds: int
    estimate: Callable[[list[Draw], Int8, Int64], list[AtCut]]


class Found(NamedTuple):
    """How the rounds ended, in a cut of 0 rows if none qualifies; and what the last round saw at each candidate."""

    reason: str
    cut: AtCut
    rounds: tuple[DensityRound, ...]
    candidates: list[AtCut]


class Chosen(NamedTuple):
    """A candidate cut, whether it qualifies, whether all laxer ones are known not to, and the candidates it was chosen among."""

    cut: AtCut
    qualifies: bool
    settled: bool
    among: list[AtCut]


def sample_rounds(rows: Rows, recipe: Recipe, ledger: Ledger) -> Procedure[Found]:
    """Label round after round; a procedure. Every round buys a label, for it draws among the rows that have none."""
    labels = np.full(rows.scores.size, -1, np.int8)
    draws: list[Draw] = []
    trace: list[DensityRound] = []
    anchor, sigma, reason = recipe.anchor, recipe.sigma, "rounds"
    for number in range(recipe.max_rounds):
        size = int(min(recipe.sample_size, ledger.remaining))
        if size < 1:
            reason = "budget"
            break
        weights, missing = np.zeros(labels.size), labels < 0
        weights[missing] = gaussian_weights(rows.scores[missing], anchor, sigma, recipe.weight_floor)
        draws.append((yield from _draw(rows, weights, size, ledger.rng(f"density/{number}"), labels)))
        chosen = _choose(rows, draws, labels, rows.cuts_near(anchor, sigma, recipe.sigma), recipe)
        trace.append(_round(rows, draws[-1], labels, weights, chosen, recipe, anchor=anchor, sigma=sigma))
        if (labels >= 0).all():
            reason = "exhausted"
            break
        if chosen.settled and chosen.cut.width <= recipe.max_width:
            reason = "width"
            break
        anchor = float(rows.scores[chosen.cut.rows - 1])
        sigma = max(sigma * _TIGHTEN, recipe.sigma * _TIGHTEST) if chosen.settled else sigma
    if not chosen.qualifies:
        return Found("none_qualifies", NOTHING, tuple(trace), chosen.among)
    return Found(reason, chosen.cut, tuple(trace), chosen.among)


def _draw(rows: Rows, weights: Float64, size: int, rng: np.random.Generator, labels: Int8) -> Procedure[Draw]:
    """Draw rows, buy their labels and fill them in; rows that have one weigh 0 and are certain."""
    probabilities = inclusion_probabilities(weights, size)
    drawn = systematic_sample(probabilities, rng)
    answers: Int8 = yield rows.positions[drawn]
    probabilities[labels >= 0] = 1.0
    labels[drawn] = answers == 1
    return Draw(drawn, probabilities)


def _choose(rows: Rows, draws: list[Draw], labels: Int8, near: Int64, recipe: Recipe) -> Chosen:
    """The laxest candidate that qualifies or, if none does, the one that comes closest to the target.

    Candidates are the cuts near the anchor; where none of them qualifies or every row is labelled, those at all labelled rows too.
    One qualifies if its estimate reaches the target and is worth 1 / (1 - target) trials: with fewer, only all positive would do.
    """

    def look(cuts: Int64) -> tuple[list[AtCut], list[AtCut]]:
        looked = recipe.estimate(draws, labels, cuts)
        return looked, [cut for cut in looked if cut.precision >= recipe.target and cut.effective_n >= 1 / (1 - recipe.target)]

    looked, good = look(near)
    if not good or (labels >= 0).all():
        looked, good = look(np.union1d(near, rows.cuts_labelled(labels)))
    if good:
        return Chosen(good[-1], qualifies=True, settled=good[-1].rows < looked[-1].rows or good[-1].rows == rows.scores.size, among=looked)
    best = max(looked, key=lambda cut: (-math.inf if math.isnan(cut.precision) else min(cut.precision, recipe.target), cut.rows))
    return Chosen(best, qualifies=False, settled=False, among=looked)


def _round(rows: Rows, draw: Draw, labels: Int8, weights: Float64, chosen: Chosen, recipe: Recipe, *, anchor: float, sigma: float) -> DensityRound:
    above, cut = int(rows.count(anchor)), chosen.cut
    fresh = recipe.estimate([draw], labels, np.array([above]))[0] if above else NOTHING
    drawn = weights[draw.rows]
    with np.errstate(over="ignore"):  # rows so far off that the ratio is infinite
        weight_ratio = float(drawn.max() / drawn.min())
    return DensityRound(
        anchor=anchor,
        sigma=sigma,
        labels=draw.rows.size,
        effective_n=cut.effective_n,
        weight_ratio=weight_ratio,
        effective_rows=kish(weights),
        threshold=float(rows.scores[cut.rows - 1]),
        qualifies=chosen.qualifies,
        precision=cut.precision,
        interval=cut.interval,
        width=cut.width,
        fresh_precision=fresh.precision,
        fresh_interval=fresh.interval,
    )
