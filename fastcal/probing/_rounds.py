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


class Recipe(NamedTuple):
    """The options of the rounds."""

    anchor: float
    sigma: float
    weight_floor: float
    sample_size: int
    target: float
    max_width: float
    max_rounds: int
    estimate: Callable[[list[Draw], Int64], list[AtCut]]


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
    """Label round after round; a procedure."""
    known: dict[int, int] = {}
    draws: list[Draw] = []
    trace: list[DensityRound] = []
    anchor, sigma, reason = recipe.anchor, recipe.sigma, "rounds"
    for number in range(recipe.max_rounds):
        size = int(min(recipe.sample_size, ledger.remaining))
        if size < 1:
            reason = "budget"
            break
        weights = gaussian_weights(rows.scores, anchor, sigma, recipe.weight_floor)
        draw, bought = yield from _draw(rows, weights, size, ledger.rng(f"density/{number}"), known)
        draws.append(draw)
        chosen = _choose(rows, draws, rows.cuts_near(anchor, sigma, recipe.sigma), recipe)
        trace.append(_round(rows, draw, weights, chosen, recipe, anchor=anchor, sigma=sigma, bought=bought))
        if chosen.settled and chosen.cut.width <= recipe.max_width:
            reason = "width"
            break
        if len(known) == rows.scores.size:
            reason = "exhausted"
            break
        anchor = float(rows.scores[chosen.cut.rows - 1])
        sigma = max(sigma * _TIGHTEN, recipe.sigma * _TIGHTEST) if chosen.settled else sigma
    if not chosen.qualifies:
        return Found("none_qualifies", NOTHING, tuple(trace), chosen.among)
    return Found(reason, chosen.cut, tuple(trace), chosen.among)


def _draw(rows: Rows, weights: Float64, size: int, rng: np.random.Generator, known: dict[int, int]) -> Procedure[tuple[Draw, int]]:
    """Draw rows and buy the answers that are not in hand."""
    probabilities = inclusion_probabilities(weights, size)
    drawn = systematic_sample(probabilities, rng)
    new = np.array([row for row in drawn.tolist() if row not in known], np.int64)
    if new.size:
        answers: Int8 = yield rows.positions[new]
        known.update(zip(new.tolist(), (answers == 1).tolist(), strict=True))
    labels = np.array([known[row] for row in drawn.tolist()], np.uint8)
    return Draw(drawn, labels, probabilities), new.size


def _choose(rows: Rows, draws: list[Draw], cuts: Int64, recipe: Recipe) -> Chosen:
    """The laxest candidate whose estimate reaches the target or, if none does, the best one."""
    looked = recipe.estimate(draws, cuts)
    good = [cut for cut in looked if cut.precision >= recipe.target]
    if good:
        return Chosen(good[-1], qualifies=True, settled=good[-1].rows < cuts[-1] or good[-1].rows == rows.scores.size, among=looked)
    best = max(looked, key=lambda cut: (-math.inf if math.isnan(cut.precision) else cut.precision, -cut.rows))
    return Chosen(best, qualifies=False, settled=False, among=looked)


def _round(rows: Rows, draw: Draw, weights: Float64, chosen: Chosen, recipe: Recipe, *, anchor: float, sigma: float, bought: int) -> DensityRound:
    above, cut = int(rows.count(anchor)), chosen.cut
    fresh = recipe.estimate([draw], np.array([above]))[0] if above else NOTHING
    drawn = weights[draw.rows]
    with np.errstate(over="ignore"):  # rows so far off that the ratio is infinite
        weight_ratio = float(drawn.max() / drawn.min())
    return DensityRound(
        anchor=anchor,
        sigma=sigma,
        drawn=draw.rows.size,
        labels=bought,
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
