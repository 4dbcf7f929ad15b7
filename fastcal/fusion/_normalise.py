"""Scores of a run in the form in which they are combined: higher is better, normalised list by list if asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._backend.protocol import AffineRule
from fastcal._validate import lists
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.fusion._methods import Method, quoted
from fastcal.normalization import METHODS, normalize_lists, one_pass_rule
from fastcal.run import Run

Norm = str | None
Float32 = npt.NDArray[np.float32]
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


def summands(
    runs: Sequence[Run], norms: Sequence[Norm], options: Mapping[str, Any], name: str, num_threads: int
) -> tuple[list[Float32 | None], list[AffineRule | None] | None]:
    """Return what a method of scores combines: the scores of each run, and the rule by which the engine maps them first, if any."""
    scores: list[Float32 | None] = []
    rules: list[AffineRule | None] = []
    for at, (run, norm) in enumerate(zip(runs, norms, strict=True)):
        if run.scores is None:
            raise InvalidValueError(f"method {name!r} needs scores, and runs[{at}] has none; 'rrf' needs ranks only")
        if norm is None and not run.higher_is_better:
            raise InvalidValueError(f"method {name!r} needs scores for which higher is better, and runs[{at}] holds distances; pass a norm")
        mapped, rule = run.scores, None
        if norm is not None:
            try:
                rule = one_pass_rule(norm, run.higher_is_better, options)
                if rule is None:
                    mapped = normalize_lists(mapped, run.offsets, norm, higher_is_better=run.higher_is_better, num_threads=num_threads, **options)
            except InvalidValueError as error:
                raise _named(error, at, norm) from None
        scores.append(mapped)
        rules.append(rule)
    return scores, rules if any(rules) else None


def mapped_by(runs: Sequence[Run], scores: Sequence[Float32 | None], rules: Sequence[AffineRule | None], num_threads: int) -> list[Float32 | None]:
    """Return the scores that the engine combines.

    Raises
    ------
    InvalidValueError
        If a list has an infinite score, or statistics that overflow.
    """
    mapped = list(scores)
    for at, (run, values, rule) in enumerate(zip(runs, scores, rules, strict=True)):
        if rule is None or values is None:
            continue
        mapped[at] = out = np.empty_like(values)
        bad = _backend.active().affine_lists(values, run.offsets, *rule, None, out, num_threads=num_threads)
        try:
            lists.refuse_list(bad, values, run.offsets)
        except InvalidValueError as error:
            raise _named(error, at, rule[0]) from None
    return mapped


def _named(error: InvalidValueError, at: int, norm: Norm) -> InvalidValueError:
    return InvalidValueError(f"runs[{at}]: {str(error).removeprefix('scores: ')} (norm {norm!r})")
