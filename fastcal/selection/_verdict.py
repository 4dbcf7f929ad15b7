"""The table of a comparison, the row that wins, and the sentence that says why."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastcal._backend.protocol import Array
from fastcal._clusters import Mean, mean_by_query
from fastcal.calibration._state import plain
from fastcal.metrics.brier import brier_score
from fastcal.metrics.calibration_error import expected_calibration_error
from fastcal.metrics.log_loss import losses as pair_losses
from fastcal.selection._sample import Sample
from fastcal.selection._table import BASELINE, Candidate

_Z = 1.959963984540054  # the normal quantile of 95 %


class Verdict(NamedTuple):
    """The winner's name, why, whether it beats the base rate, and all rows."""

    name: str
    reason: str
    beats_constant: bool
    table: tuple[Candidate, ...]


def judged(sample: Sample, found: dict[str, Array], params: dict[str, dict[str, Any]]) -> Verdict:
    """Compare flat out-of-fold probabilities by candidate, from simple to complex."""
    everyone = {BASELINE: _base_rates(sample)} | found
    losses = {name: pair_losses(sample.labels, p) for name, p in everyone.items()}
    codes = np.unique(sample.groups, return_inverse=True)[1]

    def above(name: str, other: str) -> Mean:
        return mean_by_query(losses[name] - losses[other], sample.weights, codes)

    best = min(found, key=lambda name: float(np.average(losses[name], weights=sample.weights)))
    constant = brier_score(sample.labels, everyone[BASELINE], sample.weights)
    table = tuple(_row(name, p, above(name, best), losses[name], constant, sample, params.get(name, {})) for name, p in everyone.items())
    chosen = next(row for row in table[1:] if row.difference <= row.standard_error)
    against = above(chosen.name, BASELINE)
    beats = against.mean + _Z * against.error < 0.0
    return Verdict(chosen.name, _reason(chosen, best, table) + _beside_constant(table[0], against, beats), beats, table)


def _row(name: str, p: Array, above: Mean, losses: Array, constant: float, sample: Sample, params: dict[str, Any]) -> Candidate:
    brier = brier_score(sample.labels, p, sample.weights)
    return Candidate(
        name=name,
        log_loss=float(np.average(losses, weights=sample.weights)),
        difference=above.mean,
        low=above.mean - _Z * above.error,
        high=above.mean + _Z * above.error,
        standard_error=above.error,
        brier=brier,
        brier_skill=1.0 - brier / constant,
        ece=expected_calibration_error(sample.labels, p, sample_weight=sample.weights),
        params={key: value if isinstance(value, str | int | float | bool | None) else repr(value) for key, value in plain(params).items()},
    )


def _base_rates(sample: Sample) -> Array:
    """The weighted share of relevant pairs in the other folds."""
    weights = np.ones(len(sample.labels)) if sample.weights is None else sample.weights
    total, positive = np.bincount(sample.folds, weights), np.bincount(sample.folds, weights * sample.labels)
    rates: Array = ((positive.sum() - positive) / (total.sum() - total))[sample.folds]
    return rates


def _reason(row: Candidate, best: str, table: tuple[Candidate, ...]) -> str:
    rivals = [rival for rival in table[1:] if rival.name != row.name]
    figure = f"{row.name}: log loss {row.log_loss:.4f} on queries left out, "
    if row.name != best:
        return f"{figure}within one standard error of the best and simpler ({best}: {_figures(row, -1)}). "
    if not rivals:
        return f"{figure}the only candidate. "
    second = min(rivals, key=lambda rival: rival.difference)
    return f"{figure}the lowest; next is {second.name} ({_figures(second)}). "


def _figures(row: Candidate | Mean, sign: int = 1) -> str:
    mean, error = (row.difference, row.standard_error) if isinstance(row, Candidate) else row
    return f"{sign * mean:+.4f}, standard error {error:.4f} by query"


def _beside_constant(constant: Candidate, against: Mean, beats: bool) -> str:
    if beats:
        return f"The constant base rate has {constant.log_loss:.4f} ({_figures(against)})."
    return (
        f"It is not better than the constant base rate, {constant.log_loss:.4f} ({_figures(against)}): "
        "these scores do not tell relevant from irrelevant pairs, and no threshold on them can be trusted."
    )
