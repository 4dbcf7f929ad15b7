"""Screen (c): a cut for precision 0.9 chosen on train, what it keeps on held-out queries, and what a policy decides with it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import fastcal as fc
from fastcal.cli.demo.estimates import Estimate, QueryBootstrap, share

if TYPE_CHECKING:
    from fastcal.cli.demo.candidates import Candidates

TARGET = 0.9
MIN_SELECTED = 30
EVEN_CHANCE = 0.5
CASES = (fc.Decision.ACT, fc.Decision.ESCALATE, fc.Decision.NOT_FOUND)


@dataclass(frozen=True)
class Cut:
    """A cosine chosen on train, and what fastcal says about separating the train pairs by any cut.

    ``reached`` is False where no cut with 30 selected pairs has the target precision.
    """

    cosine: float
    reached: bool
    precision: Estimate
    verdict: str


@dataclass(frozen=True)
class Kept:
    """What a cut keeps of the held-out candidates; recall counts every relevant document, found or not."""

    precision: Estimate
    recall: Estimate
    precision_pairs: Estimate
    recall_pairs: Estimate
    answered: Estimate


@dataclass(frozen=True)
class Decisions:
    """What the band and the policy decide on held-out queries, and how often the best document was relevant.

    Attributes
    ----------
    low, high : float
        The band, in probabilities; ``high`` is None where nothing may act.
    documents, queries : dict of Decision to Estimate
        Share of the candidates, and of the queries by their best document.
    best_relevant : dict of Decision to Estimate
        How often that best document is relevant; under NOT_FOUND it was rejected all the same.
    """

    low: float
    high: float | None
    documents: dict[fc.Decision, Estimate]
    queries: dict[fc.Decision, Estimate]
    best_relevant: dict[fc.Decision, Estimate]


def choose_cut(train: Candidates, seed: int) -> Cut:
    """Take the lowest cosine with precision 0.9 on train, or else the cut of the best precision."""
    scores, labels = train.scores.ravel(), train.labels.ravel()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fc.SmallSampleWarning)
        point = fc.choose_threshold(scores, labels, TARGET)
    reached = point is not None and point.n_selected >= MIN_SELECTED
    cosine = point.threshold if point is not None and reached else _best_cut(fc.threshold_sweep(scores, labels))
    verdict = fc.metrics.separation(labels, scores).verdict
    return Cut(cosine, reached, kept_by(cosine, train, seed).precision, verdict)


def kept_by(cut: float, candidates: Candidates, seed: int) -> Kept:
    """Apply a cosine cut."""
    above = candidates.scores >= np.float32(cut)
    selected, right = above.sum(axis=1), (above & candidates.labels).sum(axis=1)
    bootstrap = QueryBootstrap(len(above), seed)
    total = int(candidates.n_relevant.sum())
    return Kept(
        precision=bootstrap.ratio(right, selected, "pairs"),
        recall=bootstrap.ratio(right, candidates.n_relevant, "relevant pairs"),
        precision_pairs=share(int(right.sum()), int(selected.sum()), "pairs"),
        recall_pairs=share(int(right.sum()), total, "relevant pairs"),
        answered=share(int((selected > 0).sum()), len(above), "queries"),
    )


def decide(platt: fc.PlattCalibrator, cut: Cut, held_out: Candidates, seed: int) -> Decisions:
    """Act at the chosen cut, escalate down to an even chance; nothing acts where the target was out of reach."""
    high = float(platt.predict(np.array([cut.cosine], dtype=np.float32))[0]) if cut.reached else None
    low = EVEN_CHANCE if high is None else min(EVEN_CHANCE, high)
    band = fc.AbstainBand(low, 1.0 if high is None else high)
    documents = band.decide(platt.predict(held_out.scores))
    queries = fc.Policy(calibrator=platt, band=band).decide(held_out.found).decisions
    best = held_out.labels[:, 0]
    bootstrap, depth = QueryBootstrap(len(documents), seed), np.full(len(documents), documents.shape[1])
    return Decisions(
        low=low,
        high=high,
        documents={case: bootstrap.ratio((documents == case).sum(axis=1), depth, "pairs") for case in CASES},
        queries={case: share(int((queries == case).sum()), len(queries), "queries") for case in CASES},
        best_relevant={case: share(int(best[queries == case].sum()), int((queries == case).sum()), "queries") for case in CASES},
    )


def _best_cut(sweep: fc.Sweep) -> float:
    enough = sweep.n_selected >= min(MIN_SELECTED, sweep.n_selected[-1])
    return float(sweep.threshold[enough][np.argmax(sweep.precision[enough])])
