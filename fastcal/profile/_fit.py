"""Everything a profile records, from labelled pairs in one go."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._clusters import numbered
from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import flag, fraction, integer
from fastcal._validate.scores import Pairs, pairs
from fastcal.calibration._inputs import check_metric
from fastcal.calibration._odds import logit, shifted
from fastcal.errors import InvalidTypeError, InvalidValueError, ProfileWarning
from fastcal.metrics import calibration_summary
from fastcal.profile import _fields
from fastcal.profile._queries import QueryHashes
from fastcal.profile._recalibration import Codes, Float64
from fastcal.profile._reference import Reference
from fastcal.profile._threshold import ENOUGH, Threshold
from fastcal.selection import select_calibrator
from fastcal.selection._candidates import candidates_for
from fastcal.selection._folds import fold_of_pairs
from fastcal.selection._held_out_threshold import measured
from fastcal.thresholds import threshold_sweep

_MEASURED = {"thresholds", "base_rate", "n_pairs", "n_queries", "diagnostics", "reference", "queries", "library_version"}
_FACTS = ("model", "metric", "revision", "task", "stage", "norm", "modality", "dims", "corpus", "created")


def fitted(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    query_ids: npt.ArrayLike,
    *,
    calibrator: Any,
    targets: list[dict[str, Any]],
    prior: float | None,
    sample_weight: npt.ArrayLike | None,
    by: npt.ArrayLike | None,
    top_k: int | None,
    n_splits: int,
    seed: int,
    higher_is_better: bool,
    metric: str,
    norm: str | None,
) -> dict[str, Any]:
    """Return the arguments of a profile that are measured."""
    target = None if prior is None else fraction(prior, "prior")
    values = float_array(scores, "scores")
    depth = _depth(values.shape, top_k)
    rising = flag(higher_is_better, "higher_is_better")
    check_metric(values, metric, norm, rising)
    given = None if calibrator is None else {type(calibrator).__name__: calibrator}
    candidates = given or candidates_for(metric, norm, values, rising, by is not None)
    how: dict[str, Any] = {"n_splits": n_splits, "seed": seed, "sample_weight": sample_weight, "by": by}
    chosen = select_calibrator(scores, labels, query_ids, candidates, higher_is_better=rising or candidates is not None, **how)
    if not rising:
        _require_fall(chosen.calibrator)
    sample = pairs(scores, labels, sample_weight, query_ids)
    assert sample.groups is not None
    codes, n_queries = numbered(sample.groups, len(sample.labels))
    rate = float(np.average(sample.labels, weights=sample.weights))
    held_out = chosen.probabilities[~np.isnan(chosen.probabilities)].astype(np.float64)
    if target is not None:
        chosen.calibrator.adjust_prior(target)
        held_out, sample = shifted(held_out, logit(target) - logit(rate)), _reweighted(sample, target, rate)
    folds = fold_of_pairs(sample.labels, codes, np.ones(len(codes), np.bool_), n_splits, seed)
    cuts = []
    for each in targets:  # no comprehension: its frame would count among those that a warning skips
        cuts.append(_cut(held_out, sample, codes, folds, each))  # noqa: PERF401
    return {
        "calibrator": chosen.calibrator,
        "thresholds": list(dict.fromkeys(cut for cut in cuts if cut is not None)),
        "base_rate": rate,
        "top_k": depth,
        "n_pairs": len(sample.labels),
        "n_queries": n_queries,
        "diagnostics": {
            "held_out": calibration_summary(sample.labels, held_out, groups=codes, sample_weight=sample.weights).to_dict(),
            "n_splits": n_splits,
            "seed": seed,
            "prior": target,
            "selection": {"name": chosen.name, "reason": chosen.reason, "beats_constant": bool(chosen.beats_constant)},
        },
        "reference": Reference.of(sample.scores.astype(np.float64), sample.weights, codes),
        "queries": QueryHashes.of(query_ids),
    }


def as_targets(target_precision: Any, target_recall: Any) -> list[dict[str, Any]]:
    """Return one choose_threshold target per wish; neither means precision 0.9, as there."""
    if target_precision is None and target_recall is None:
        target_precision = 0.9
    found = [{"target_precision": value} for value in _several(target_precision, "target_precision")]
    return found + [{"target_recall": value} for value in _several(target_recall, "target_recall")]


def _several(value: Any, name: str) -> list[float]:
    if value is None:
        return []
    found = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    judged = [getattr(Threshold(0.5, **{name: each}), name) for each in found]
    if len(set(judged)) < len(judged):
        raise InvalidValueError(f"{name} holds the same target twice: {judged}")
    return judged


def _depth(shape: tuple[int, ...], top_k: int | None) -> int | None:
    """Return the depth of the lists: as told, or the columns of scores (n_queries, k)."""
    if top_k is None:
        return shape[1] if len(shape) == 2 else None
    depth = integer(top_k, "top_k", least=1)
    if len(shape) == 2 and shape[1] > depth:
        raise InvalidValueError(f"top_k={depth}, but scores holds {shape[1]} per query; fit on scores[:, :{depth}]")
    return depth


def _reweighted(sample: Pairs, prior: float, rate: float) -> Pairs:
    """Weigh the classes so that the share of relevant pairs is the prior: precision, recall and the scores are then those of use."""
    factor = np.where(sample.labels > 0, prior / rate, (1.0 - prior) / (1.0 - rate))
    return sample._replace(weights=factor if sample.weights is None else sample.weights * factor)


def _require_fall(calibrator: Any) -> None:
    """Refuse a curve that rises with distances; a constant one has no direction."""
    if calibrator.higher_is_better_ is True:
        raise InvalidValueError(
            "probabilities rise with the scores and higher_is_better=False says distances; is the direction, or are labels, turned round?"
        )


def _cut(held_out: Float64, sample: Pairs, codes: Codes, folds: Codes, target: dict[str, Any]) -> Threshold | None:
    """Choose a threshold on all out-of-fold probabilities, and measure the choice: each fold is cut where the other folds say."""
    kind, least = next(iter(target.items()))
    wish = f"{kind}={least:g}"
    found = measured(sample._replace(scores=held_out, groups=codes), folds, target)
    if found is None:
        best = threshold_sweep(held_out, sample.labels, sample_weight=sample.weights).best_precision
        _warn(f"no threshold reaches {wish}: the best precision on held-out queries is {best:.3f}; the profile has none for this target")
        return None
    threshold, at = found
    name = kind.removeprefix("target_")
    reached, (low, high) = (at.precision, at.precision_interval) if name == "precision" else (at.recall, at.recall_interval)
    if at.n_selected == 0 or high < least:
        does = f"reaches {name} {reached:.3f} [{low:.3f}, {high:.3f}]" if at.n_selected else "selects nothing"
        _warn(f"the threshold for {wish} {does} on queries it was not chosen on; the profile has none for this target")
        return None
    if at.n_selected < ENOUGH:
        _warn(f"the threshold for {wish} selects {at.n_selected} held-out pairs; below {ENOUGH} its precision says little")
    return Threshold(
        threshold,
        **target,
        precision=float(at.precision),
        recall=float(at.recall),
        interval=(float(at.precision_interval[0]), float(at.precision_interval[1])),
        n_selected=int(at.n_selected),
        held_out=True,
    )


def _warn(message: str) -> None:
    warnings.warn(message, ProfileWarning, stacklevel=5)


def judged_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Refuse, before anything is fitted, what the constructor would refuse after it; a corpus becomes its fingerprint."""
    measured = sorted(_MEASURED & set(facts))
    if measured:
        raise InvalidValueError(f"fit measures {', '.join(measured)} itself; give it to the constructor or leave it out")
    for name in facts:
        if name not in _FACTS:
            raise InvalidTypeError(f"fit has no argument {name!r}; expected one of {', '.join(_FACTS)}")
    return {name: _fields.created(value) if name == "created" else _fields.field(name, value) for name, value in facts.items()}


def require_query_ids(query_ids: Any) -> None:
    """Refuse pairs without their queries."""
    if query_ids is None:
        raise InvalidTypeError("query_ids is None; expected the query of each pair: held-out figures leave whole queries out")
