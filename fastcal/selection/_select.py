"""The choice between calibrators, by cross-fitted log loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._validate.arrays import float_array, kept_dtype
from fastcal.calibration._estimator import clone
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.selection._adapter import fitted
from fastcal.selection._candidates import default_candidates
from fastcal.selection._cross_fit import out_of_fold
from fastcal.selection._sample import Sample, as_sample
from fastcal.selection._table import BASELINE, Selection
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
    by: npt.ArrayLike | None = None,
) -> Selection:
    """Choose the calibrator with the lowest log loss on queries it was not fitted on, and fit it on everything.

    All candidates are cross-fitted on the same folds of whole queries (:func:`cross_fit`). RULE

    Parameters
    ----------
    scores : array_like of float, any shape
        NaN marks padding.
    labels : array_like of 0/1, shape of `scores`
    groups : array_like of int or str
        Query of each pair, in the shape of `scores`, or one per row of it.
    candidates : mapping of str to calibrator, or iterable of calibrators, optional
        From simple to complex: the order settles near-ties. Anything :func:`cross_fit` takes. By default Platt, beta
        (where all scores lie in [-1, 1]), histogram, Venn-Abers, centred isotonic and isotonic.
    n_splits, seed, sample_weight, by
        As in :func:`cross_fit`; without `by`, no candidate may be a GroupCalibrator.

    Returns
    -------
    Selection
        ``.calibrator`` fitted on everything, ``.name``, ``.reason`` in words and numbers, ``.table``,
        ``.beats_constant``, ``.probabilities`` out of fold. ``print`` shows the table.

    Raises
    ------
    ValueError
        As :func:`cross_fit`, if there is no candidate or two of the same name, one is called "constant", or a candidate
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
    named = default_candidates(sample.scores) if candidates is None else _named(candidates)
    found = {name: _probabilities(name, candidate, sample) for name, candidate in named.items()}
    verdict = judged(sample, found, {name: candidate.get_params() for name, candidate in named.items()})
    model = clone(named[verdict.name])
    fitted(model, sample)
    probabilities = np.full(values.shape, np.nan, kept_dtype(scores, values))
    probabilities[~np.isnan(values)] = found[verdict.name]
    return Selection(model, *verdict, probabilities, len(sample.labels), len(np.unique(sample.groups)), int(n_splits), int(seed))


def _named(candidates: Any) -> dict[str, Any]:
    if not isinstance(candidates, Iterable) or isinstance(candidates, str):
        raise InvalidTypeError(f"candidates must be a mapping of names to calibrators or an iterable of calibrators, got {type(candidates).__name__}")
    given = list(candidates.items() if isinstance(candidates, Mapping) else ((repr(c), c) for c in candidates))
    named = {str(name): candidate for name, candidate in given}
    if not named or len(named) < len(given):
        raise InvalidValueError(f"candidates are {[name for name, _ in given]}; expected at least one, each of its own name")
    if BASELINE in named:
        raise InvalidValueError(f"a candidate is called {BASELINE!r}, the name of the base rate's own row")
    return named


def _probabilities(name: str, candidate: Any, sample: Sample) -> Array:
    try:
        found = out_of_fold(candidate, sample)
    except Exception as error:
        error.add_note(f"while cross-fitting the candidate {name!r}")
        raise
    lost = int(np.count_nonzero(np.isnan(found)))
    if lost:
        raise InvalidValueError(
            f"candidate {name!r} gives NaN for {lost} of {len(found)} scores; expected a probability for each, as out_of_bounds='clip' gives"
        )
    return found
