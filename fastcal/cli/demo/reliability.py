"""Screen (b): are the probabilities right?  Calibrators are fitted on train and judged on held-out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import fastcal as fc
from fastcal.cli.demo.estimates import Estimate, QueryBootstrap

if TYPE_CHECKING:
    from fastcal.cli.demo.candidates import Candidates

N_BINS = 15
ECE_RESAMPLES = 200


@dataclass(frozen=True)
class Predictor:
    """Probabilities of the held-out pairs and how right they are."""

    name: str
    probabilities: npt.NDArray[np.float32]
    ece: Estimate
    brier: Estimate


@dataclass(frozen=True)
class Reliability:
    """The four predictors, in the order they are shown, and the two fitted calibrators."""

    predictors: tuple[Predictor, ...]
    train_rate: Estimate
    platt: fc.PlattCalibrator
    isotonic: fc.IsotonicCalibrator

    def named(self, name: str) -> Predictor:
        """Return one predictor."""
        return next(predictor for predictor in self.predictors if predictor.name == name)


def reliability(train: Candidates, held_out: Candidates, seed: int) -> Reliability:
    """Fit Platt and isotonic on the train pairs and measure four predictors on the held-out pairs."""
    scores, labels = train.scores.ravel(), train.labels.ravel()
    platt, isotonic = fc.PlattCalibrator().fit(scores, labels), fc.IsotonicCalibrator().fit(scores, labels)
    rate = QueryBootstrap(len(train.labels), seed).ratio(train.labels.sum(axis=1), np.full(len(train.labels), train.labels.shape[1]), "train pairs")
    given = {
        "base rate": np.full_like(held_out.scores, rate.value),
        "raw cosine": np.clip(held_out.scores, 0, 1),
        "Platt": platt.predict(held_out.scores),
        "isotonic": isotonic.predict(held_out.scores),
    }
    return Reliability(tuple(_judged(name, p, held_out.labels, seed) for name, p in given.items()), rate, platt, isotonic)


def _judged(name: str, probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.bool_], seed: int) -> Predictor:
    ece = QueryBootstrap(len(labels), seed, ECE_RESAMPLES).reflected(_ece, labels, probabilities)
    squared = np.array([fc.metrics.brier_score(*query) for query in zip(labels, probabilities, strict=True)])
    return Predictor(name, probabilities, ece, QueryBootstrap(len(labels), seed).mean(squared))


def _ece(labels: npt.NDArray[np.bool_], probabilities: npt.NDArray[np.float32]) -> float:
    return float(fc.metrics.expected_calibration_error(labels, probabilities, n_bins=N_BINS))
