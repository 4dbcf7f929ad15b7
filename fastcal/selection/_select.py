"""The choice between calibrators, by cross-fitted log loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._validate.arrays import float_array, kept_dtype
from fastcal.calibration._estimator import clone
from fastcal.calibration._label_noise import LabelNoise, judged_noise
from fastcal.errors import InvalidValueError
from fastcal.selection._adapter import fitted, takes_label_noise
from fastcal.selection._candidates import named_candidates
from fastcal.selection._cross_fit import out_of_fold
from fastcal.selection._sample import Sample, as_sample
from fastcal.selection._table import Selection
from fastcal.selection._verdict import judged


def select_calibrator(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    candidates: Mapping[str, Any] | Iterable[Any] | None = None,
    *,
    n_splits: int = 5,
    seed: int = 0,
    sample_weight: npt.ArrayLike | None = None,
    label_noise: tuple[float, float] | None = None,
    by: npt.ArrayLike | None = None,
    higher_is_better: bool = True,
) -> Selection:
    """Choose the calibrator with the lowest log loss on queries it was not fitted on, and fit it on everything.

    All candidates are cross-fitted on the same folds of whole queries (:func:`cross_fit`). The simplest
    candidate whose log loss is within one standard error of the lowest is taken, the error being that of the difference, by
    query (the one-standard-error rule: Breiman et al. 1984; measured in docs/decisions/0009-choosing-a-calibrator.md).
    Log loss clips probabilities at 2.2e-16, so that a wrong claim of 0 or 1 costs 36 nats.

    Parameters
    ----------
    scores : array_like of float, any shape
        NaN marks padding.
    labels : array_like of 0/1, shape of `scores`
    groups : array_like of int or str
        Query of each pair, in the shape of `scores`, or one per row of it.
    candidates : mapping of str to calibrator, or iterable of calibrators, optional
        From simple to complex: the order settles near-ties. Anything :func:`cross_fit` takes. By default "platt", "beta"
        (scores read as probabilities, where all lie in [0, 1]), "beta-cosine" (read as cosines, in [-1, 1]), "histogram",
        "venn-abers", "isotonic-strict" (centred, Laplace bounds) and "isotonic"; with `by` also "platt-by-group" and
        "isotonic-strict-by-group".
    n_splits, seed, sample_weight, by
        As in :func:`cross_fit`; `by` is for candidates that are a GroupCalibrator, which need it.
    label_noise : (float, float), optional
        The labeller's rates, as in the calibrators' ``fit``: curves of the true labels are fitted and compared by the log loss of
        the labels as seen, whose chance at a probability p is ``false_positive + (1 - false_positive - false_negative) p``.
        Candidates that cannot be fitted so (Venn-Abers, other libraries') are left out, and ``.reason`` names them.
    higher_is_better : bool, default True
        False for distances: the default candidates fall with the score, and there is no beta.

    Returns
    -------
    Selection
        ``.calibrator`` fitted on everything, ``.name``, ``.reason`` in words and numbers, ``.table``,
        ``.beats_constant``, ``.probabilities`` out of fold. ``print`` shows the table. With `label_noise` the probabilities are
        those of the true labels, and every figure in the table is that of the labels as seen.

    Raises
    ------
    ValueError
        As :func:`cross_fit`, if there is no candidate (left) or two of the same name, one is called "constant", or a candidate
        gives NaN for a score.
    TypeError
        As :func:`cross_fit`, or if `candidates` is neither a mapping nor an iterable.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> rng = np.random.default_rng(0)
    >>> scores = rng.random((200, 5))
    >>> labels = rng.random((200, 5)) < scores
    >>> picked = fc.select_calibrator(scores, labels, np.arange(200), [fc.PlattCalibrator(), fc.IsotonicCalibrator()])
    >>> picked.name, picked.beats_constant
    ('PlattCalibrator()', True)
    """
    values = float_array(scores, "scores")
    sample = as_sample(values.astype(np.float64, copy=False), labels, groups, n_splits, seed, sample_weight, by)
    noise = judged_noise(label_noise)
    offered = named_candidates(candidates, sample.scores, higher_is_better, by is not None)
    named = _able(offered, noise)
    found = {name: _probabilities(name, candidate, sample, noise) for name, candidate in named.items()}
    seen = found if noise is None else {name: noise.seen(p) for name, p in found.items()}
    verdict = judged(sample, seen, {name: candidate.get_params() for name, candidate in named.items()})
    verdict = verdict._replace(reason=verdict.reason + _about_noise(noise, offered.keys() - named.keys()))
    model = clone(named[verdict.name])
    fitted(model, sample, noise)
    probabilities = np.full(values.shape, np.nan, kept_dtype(scores, values))
    probabilities[~np.isnan(values)] = found[verdict.name]
    return Selection(model, *verdict, probabilities, len(sample.labels), len(np.unique(sample.groups)), int(n_splits), int(seed))


def _able(named: dict[str, Any], noise: LabelNoise | None) -> dict[str, Any]:
    """Return the candidates that can be fitted so."""
    able = {name: candidate for name, candidate in named.items() if noise is None or takes_label_noise(candidate)}
    if not able:
        raise InvalidValueError(f"label_noise is understood by none of {list(named)}; give one of fastcal's calibrators other than Venn-Abers")
    return able


def _about_noise(noise: LabelNoise | None, left_out: set[str]) -> str:
    if noise is None:
        return ""
    names = f"; left out, for they cannot be corrected: {', '.join(sorted(left_out))}" if left_out else ""
    return f" Figures are of the labels as seen, with label_noise={tuple(noise)}{names}."


def _probabilities(name: str, candidate: Any, sample: Sample, noise: LabelNoise | None) -> Array:
    try:
        found = out_of_fold(candidate, sample, noise)
    except Exception as error:
        error.add_note(f"while cross-fitting the candidate {name!r}")
        raise
    lost = int(np.count_nonzero(np.isnan(found)))
    if lost:
        raise InvalidValueError(
            f"candidate {name!r} gives NaN for {lost} of {len(found)} scores; expected a probability for each, as out_of_bounds='clip' gives"
        )
    return found
