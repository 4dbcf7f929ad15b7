"""Scores of a run in the form in which they are combined: higher is better, normalised list by list if asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.fusion._methods import Method, quoted
from fastcal.normalization import METHODS, normalize_lists
from fastcal.run import Run

Norm = str | None
# All but those that need arrays beside the scores.
_NORMS = [name for name in METHODS if name not in {"cohort", "csls"}]


def as_norms(norm: Norm | Sequence[Norm], options: Mapping[str, Any] | None, name: str, method: Method, n_runs: int) -> list[Norm]:
    """Return one norm a run."""
    norms: list[Norm] = [norm] * n_runs if norm is None or isinstance(norm, str) else list(norm)
    if norm is None and options is None:
        return norms
    if len(norms) != n_runs:
        raise InvalidValueError(f"norm must be one name, or one for each of the {n_runs} runs; got {len(norms)}")
    for one in norms:
        if one is not None and one not in _NORMS:
            raise InvalidValueError(f"norm must be None or one of {quoted(_NORMS)}, got {one!r}")
    if method.by_rank and norm is not None:
        raise InvalidValueError(f"method {name!r} uses ranks only, so norm={norm!r} would change nothing")
    if options is not None and not isinstance(options, Mapping):
        raise InvalidTypeError(f"norm_options must be a mapping, got {type(options).__name__}")
    if options and not any(norms):
        raise InvalidValueError(f"norm_options={dict(options)!r} need a norm")
    return norms


def normalised(run: Run, at: int, norm: Norm, options: Mapping[str, Any], name: str, num_threads: int) -> npt.NDArray[np.float32]:
    """Return the scores of ``runs[at]`` for a method that combines scores."""
    where = f"runs[{at}]"
    if run.scores is None:
        raise InvalidValueError(f"method {name!r} needs scores, and {where} has none; 'rrf' needs ranks only")
    if norm is None:
        if not run.higher_is_better:
            raise InvalidValueError(f"method {name!r} needs scores for which higher is better, and {where} holds distances; pass a norm")
        return run.scores
    try:
        mapped: npt.NDArray[np.float32] = normalize_lists(
            run.scores, run.offsets, norm, higher_is_better=run.higher_is_better, num_threads=num_threads, **options
        )
    except InvalidValueError as error:
        raise InvalidValueError(f"{where}: {str(error).removeprefix('scores: ')} (norm {norm!r})") from None
    return mapped
