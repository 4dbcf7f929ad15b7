"""Scores of a run in the form in which they are combined: higher is better, normalised list by list if asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._backend.protocol import AffineRule
from fastcal._validate import lists
from fastcal.errors import InvalidElementError, InvalidTypeError, InvalidValueError
from fastcal.fusion._methods import Method, quoted
from fastcal.normalization import METHODS, normalize_lists, one_pass_rule
from fastcal.run import Run

Norm = str | None
NormOptions = Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None
Float32 = npt.NDArray[np.float32]
_OF_ALL = ("clip", "floor")
# All but those that need arrays beside the scores.
NORMS = [name for name in METHODS if name not in {"cohort", "csls"}]


def one_each(norm: Any, n_runs: int) -> list[Any]:
    """Return one entry a run of an argument that is one name (or None) for all, or a sequence."""
    if norm is None or isinstance(norm, str):
        return [norm] * n_runs
    if not isinstance(norm, Iterable):
        raise InvalidTypeError(f"norm must be None, a name, or one of them for each run; got {norm!r}")
    norms = list(norm)
    if len(norms) != n_runs:
        raise InvalidValueError(f"norm must be one name, or one for each of the {n_runs} runs; got {len(norms)}")
    return norms


def norm_of_each(norm: Norm | Sequence[Norm], n_runs: int) -> list[Norm]:
    """Return one norm a run, each None or the name of one that needs no arrays beside the scores."""
    norms = one_each(norm, n_runs)
    for one in norms:
        if one is not None and one not in NORMS:
            raise InvalidValueError(f"norm must be None or one of {quoted(NORMS)}, got {one!r}")
    return norms


def as_norms(norm: Norm | Sequence[Norm], options: NormOptions, name: str, method: Method, n_runs: int) -> list[tuple[Norm, Mapping[str, Any]]]:
    """Return one norm a run, with its options."""
    if norm is None and options is None:
        return [(None, {})] * n_runs
    norms = norm_of_each(norm, n_runs)
    if method.by_rank and norm is not None:
        raise InvalidValueError(f"method {name!r} uses ranks only, so norm={norm!r} would change nothing")
    return list(zip(norms, _as_options(options, norms), strict=True))


def _as_options(options: NormOptions, norms: Sequence[Norm]) -> list[Mapping[str, Any]]:
    """Return the options of each run's norm; `options` is a mapping for all norms, or one (or None) for each run."""
    if options is None:
        return [{}] * len(norms)
    together = isinstance(options, Mapping)
    if not together and not isinstance(options, list | tuple):
        raise InvalidTypeError(f"norm_options must be a mapping, or a list with one for each run; got {type(options).__name__}")
    each: list[Any] = [{} if norm is None else options for norm in norms] if together else [{} if one is None else one for one in options]
    if len(each) != len(norms):
        raise InvalidValueError(f"norm_options must be one mapping, or one for each of the {len(norms)} runs; got {len(each)}")
    if options and together and not any(norms):
        raise InvalidValueError(f"norm_options={options!r} need a norm")
    for norm, mine in zip(norms, each, strict=True):
        if not isinstance(mine, Mapping):
            raise InvalidTypeError(f"norm_options must hold a mapping for each run, got {type(mine).__name__}")
        if mine and norm is None:
            raise InvalidValueError(f"norm_options={dict(mine)!r} need a norm")
        known = () if norm is None else (*(METHODS[norm].__kwdefaults__ or {}), *_OF_ALL)
        if stranger := next((option for option in mine if option not in known), None):
            raise InvalidValueError(f"norm {norm!r} takes {quoted(known)}; got {stranger!r}")
    return each


def summands(
    runs: Sequence[Run], norms: Sequence[tuple[Norm, Mapping[str, Any]]], name: str, num_threads: int
) -> tuple[list[Float32 | None], list[AffineRule | None] | None]:
    """Return what a method of scores combines: the scores of each run, and the rule by which the engine maps them first, if any."""
    scores: list[Float32 | None] = []
    rules: list[AffineRule | None] = []
    for at, (run, (norm, options)) in enumerate(zip(runs, norms, strict=True)):
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
    """Return the error, now about a run."""
    error.args = (f"runs[{at}]: {str(error).removeprefix('scores: ')} (norm {norm!r})",)
    if isinstance(error, InvalidElementError):
        error.argument = f"runs[{at}]"
    return error
