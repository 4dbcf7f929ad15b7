"""The call of density_weighted_threshold judged, and its result put together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastcal._validate.numbers import fraction, integer, number, one_of
from fastcal.labelling._drive import Procedure
from fastcal.labelling._ledger import Ledger
from fastcal.probing._estimate import AtCut, corrected, pooled
from fastcal.probing._options import FLOOR, as_budget
from fastcal.probing._prior import Prior, ScoredPool, prior, scored_pool
from fastcal.probing._rounds import Found, Recipe, sample_rounds
from fastcal.probing._would_need import certify_would_need
from fastcal.probing.results import CandidateCut, ThresholdEstimate

_ESTIMATES = {"horvitz-thompson": corrected, "none": pooled}


def plan_rounds(
    scores: Any,
    *,
    anchor: float | None,
    tail_scores: Any,
    tail_weight: float,
    sigma: float | None,
    sample_size: int,
    target_precision: float,
    max_width: float,
    max_rounds: int,
    weighting: str,
    budget: int | None,
    seed: int | None,
    state: Any,
    log: Any,
    higher_is_better: bool,
    tail_z: float,
    weight_floor: float | None,
    sampling_rate: float,
) -> tuple[Procedure[ThresholdEstimate], Ledger]:
    pool = scored_pool(scores, higher_is_better)
    start = prior(pool.rows.scores, anchor, tail_scores, tail_weight, tail_z, sigma, higher_is_better)
    one_of(weighting, "weighting", tuple(_ESTIMATES))
    recipe = Recipe(
        start.anchor,
        start.sigma,
        _least_weight(weight_floor, weighting),
        integer(sample_size, "sample_size", least=1),
        fraction(target_precision, "target_precision"),
        fraction(max_width, "max_width"),
        integer(max_rounds, "max_rounds", least=1),
        _ESTIMATES[weighting],
    )
    rate = number(sampling_rate, "sampling_rate", "a number in (0, 1]", lambda x: 0.0 < x <= 1.0)
    settings = recipe._asdict() | {"estimate": weighting, "higher_is_better": higher_is_better}
    del settings["max_rounds"]
    ledger = Ledger(
        "density_weighted_threshold", pool.fingerprint, settings, budget=as_budget(budget), seed=seed, state=state, log=log, size=pool.size
    )

    def procedure() -> Procedure[ThresholdEstimate]:
        found = yield from sample_rounds(pool.rows, recipe, ledger)
        return _result(found, pool, recipe, start, ledger, weighting=weighting, rate=rate, sign=1 if higher_is_better else -1)

    return procedure(), ledger


def _least_weight(weight_floor: float | None, weighting: str) -> float:
    if weight_floor is None:
        return 0.0 if weighting == "none" else 0.3
    return number(weight_floor, "weight_floor", "a number in [0, 1]", lambda x: 0.0 <= x <= 1.0)


def _result(
    found: Found, pool: ScoredPool, recipe: Recipe, start: Prior, ledger: Ledger, *, weighting: str, rate: float, sign: int
) -> ThresholdEstimate:
    rows, cut = sign * pool.rows.scores, found.cut
    selected = round(cut.rows / rate)
    return ThresholdEstimate(
        threshold=float(rows[cut.rows - 1]) + 0.0 if cut.rows else None,
        reason=found.reason,
        labels_used=ledger.n_used,
        labels_floor=FLOOR,
        n_selected=selected,
        scope=_scope(len(found.rounds), rows.size, weighting, rate),
        n_cannot_judge=ledger.n_cannot_judge,
        seed=ledger.seed,
        state=ledger.to_state(),
        precision=cut.precision,
        interval=cut.interval,
        effective_n=cut.effective_n,
        anchor=sign * start.anchor,
        tail_statistic=sign * start.tail_statistic,
        weighting=weighting,
        sampling_rate=rate,
        n_selected_in_sample=cut.rows,
        rounds=tuple(replace(each, anchor=sign * each.anchor, threshold=sign * each.threshold) for each in found.rounds),
        candidates=tuple(_candidate(each, float(rows[each.rows - 1])) for each in found.candidates),
        certify_would_need=certify_would_need(cut.rows, cut.precision, recipe.target),
        higher_is_better=sign > 0,
    )


def _candidate(at: AtCut, threshold: float) -> CandidateCut:
    return CandidateCut(threshold=threshold, n_selected=at.rows, precision=at.precision, effective_n=at.effective_n, interval=at.interval)


def _scope(n_rounds: int, n_rows: int, weighting: str, rate: float) -> str:
    sampled = f", themselves a uniform sample ({rate:g}) of a larger pool, to which n_selected is scaled" if rate < 1 else ""
    naive = " Labels drawn because of their scores are pooled as if drawn blindly, so the estimate is biased." if weighting == "none" else ""
    looks = f"{n_rounds} look{'s' if n_rounds > 1 else ''}"
    return (
        f"An estimate for {n_rows} scored rows{sampled}, as judged by this labeller.{naive} The interval is no guarantee: it describes one cut fixed "
        f"beforehand, and this one was chosen among many in {looks} at the labels. Not a certificate, and not about other rows or queries."
    )
