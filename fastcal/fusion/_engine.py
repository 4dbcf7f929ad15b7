"""The seam between the arguments of :func:`fuse` and the backend: runs on common ground in, one ranked run out.

Presets and fitted fusions call :func:`fuse_arrays` with scores that they have normalised themselves::

    settings = Settings.of("wsum", weights=np.array([[0.7, 0.3]]), top_k=100)
    fused = fuse_arrays(runs, scores, settings, num_threads=_threads.resolve(None))

`runs` are what :func:`fastcal.run.align` returns: the same queries in the same order, one numbering of the documents.
``rules[r]`` is what the engine maps the lists of run r by before, in the same pass; None, of all or of one, for nothing.
``scores[r]`` belongs to ``runs[r].ids`` entry by entry, float32, higher is better; its order need not be that of the
list, whose ranks are positions. None is enough for methods that use ranks only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._backend.protocol import AffineRule, FuseDuplicates, FuseMissing, FuseTies
from fastcal._validate.elements import bad_element
from fastcal.fusion._components import FusionComponents, components_of
from fastcal.fusion._methods import METHODS, Method, as_method, as_options
from fastcal.fusion._normalise import mapped_by
from fastcal.fusion._trec_order import in_order_of_names
from fastcal.run import Run, unchecked

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Rules = list[AffineRule | None] | None


class Settings(NamedTuple):
    """How to fuse, every value judged; :meth:`of` fills in the rest.

    Attributes
    ----------
    name, method, options : the method, its name and all its options
    weights : float64, (1, n_runs) or (n_queries, n_runs), or None for 1 each
    stretch : bool, whether ranks are divided by weights
    missing, fill : "skip", "min", or "fill" with the score of a document that a run does not list
    duplicates : "first", "max", "sum" or "error"
    ties : "source", "id", "id_desc" or "trec"
    top_k : int, -1 for all
    """

    name: str
    method: Method
    options: Mapping[str, float]
    weights: Float64 | None = None
    stretch: bool = False
    missing: FuseMissing = "skip"
    fill: float = 0.0
    duplicates: FuseDuplicates = "first"
    ties: str = "source"
    top_k: int = -1

    @classmethod
    def of(cls, name: str, options: Mapping[str, float] | None = None, **rest: Any) -> Settings:
        """Return the settings of a method, by default with its own policy for missing documents."""
        method = as_method(name)
        if "missing" not in rest:
            rest["missing"], rest["fill"] = missing_policy(method, method.missing)
        return cls(name, method, as_options(name, method, options or {}), **rest)


def missing_policy(method: Method, policy: str | float) -> tuple[FuseMissing, float]:
    """Return the engine's word for a policy; a zero changes no sum."""
    if policy in ("skip", "min"):
        return ("skip", 0.0) if policy == "skip" else ("min", 0.0)
    fill = 0.0 if policy == "zero" else float(policy)
    sums = method.combine in ("sum", "by_weights", "copeland")
    return ("skip", 0.0) if sums and fill == 0.0 else ("fill", fill)


def fuse_arrays(
    runs: Sequence[Run],
    scores: Sequence[Float32 | None],
    settings: Settings,
    *,
    rules: Rules = None,
    components: bool = False,
    num_threads: int,
) -> tuple[Run, FusionComponents | None]:
    """Fuse aligned runs whose scores are normalised, or will be by `rules`.

    Raises
    ------
    InvalidValueError
        If a score is not finite (not in [0, 1] for "logodds"), or a document is listed twice under ``duplicates="error"``.
    """
    if rules is not None and components:  # which show what the scores become
        scores, rules = mapped_by(runs, scores, rules, num_threads), None
    if settings.ties == "trec":
        runs, restore = in_order_of_names(runs)
        fused, parts = _fuse(runs, scores, rules, settings, "id_desc", components, num_threads)
        return restore(fused), parts
    return _fuse(runs, scores, rules, settings, cast("FuseTies", settings.ties), components, num_threads)


def _fuse(
    runs: Sequence[Run], scores: Sequence[Float32 | None], rules: Rules, settings: Settings, ties: FuseTies, components: bool, num_threads: int
) -> tuple[Run, FusionComponents | None]:
    first, method, n_runs = runs[0], settings.method, len(runs)
    ids, offsets, top_k = [run.ids for run in runs], [run.offsets for run in runs], settings.top_k
    bounds = np.empty(first.offsets.size, np.int64)
    most = 0
    for array in ids:
        most += array.size
    if top_k >= 0:
        most = min(most, top_k * (bounds.size - 1))
    fused_ids, fused_scores = np.empty(most, np.int64), np.empty(most, np.float32)
    entries, terms = (np.empty((most, n_runs), np.int64), np.empty((most, n_runs))) if components else (None, None)
    bad = _backend.active().fuse(
        ids,
        list(scores),
        offsets,
        rules,
        _ones(n_runs) if settings.weights is None else settings.weights,
        _ones(n_runs + 1)[0] if method.factor is None else _factors(settings.name, n_runs, tuple(settings.options.values())),
        method.value,
        method.combine,
        0.0 if method.parameter is None else settings.options[method.parameter],
        0.0 if method.base is None else _log_odds(settings.options[method.base]),
        settings.stretch,
        settings.missing,
        settings.fill,
        settings.duplicates,
        ties,
        top_k,
        bounds,
        fused_ids,
        fused_scores,
        entries,
        terms,
        num_threads,
    )
    if bad >= 0:
        _refuse(bad, runs, scores if rules is None else mapped_by(runs, scores, rules, num_threads), method)
    kept = int(bounds[-1])
    if kept < most:
        fused_ids, fused_scores = fused_ids[:kept], fused_scores[:kept]
    fused_ids.setflags(write=False)
    fused_scores.setflags(write=False)
    bounds.setflags(write=False)
    fused = unchecked(fused_ids, fused_scores, bounds, higher_is_better=True, query_ids=first.query_ids, doc_ids=first.doc_ids)
    if entries is None or terms is None:
        return fused, None
    return fused, components_of(runs, scores, entries[:kept], terms[:kept], np.diff(bounds))


@lru_cache(maxsize=64)
def _ones(n_runs: int) -> Float64:
    return np.ones((1, n_runs))


@lru_cache(maxsize=256)
def _factors(name: str, n_runs: int, options: tuple[float, ...]) -> Float64:
    """Return what the sum of a document listed by m = 0, 1, ..., n_runs runs is multiplied by."""
    method, factor = METHODS[name], METHODS[name].factor
    given = dict(zip(method.options, options, strict=True))
    return np.array([1.0, *(1.0 if factor is None else factor(m, given) for m in range(1, n_runs + 1))])


def _log_odds(p: float) -> float:
    return math.log(p / (1.0 - p))


def _refuse(bad: int, runs: Sequence[Run], scores: Sequence[Float32 | None], method: Method) -> None:
    """Raise for the first run with a bad score (`bad` < n_runs) or with a document listed twice (`bad` - n_runs)."""
    at = bad % len(runs)
    run, values = runs[at], scores[at]
    rows = np.repeat(np.arange(run.n_queries), run.counts())
    if bad < len(runs) and values is not None:
        odds = method.combine == "logistic"
        wrong = ~((values >= 0) & (values <= 1)) if odds else ~np.isfinite(values)
        expected = "probabilities in [0, 1], as calibrators give" if odds else "finite scores"
    else:
        order = np.lexsort((run.ids, rows))
        same = (run.ids[order][1:] == run.ids[order][:-1]) & (rows[order][1:] == rows[order][:-1])
        wrong = np.zeros(run.ids.size, bool)
        wrong[order[1:][same]] = True
        expected = "each document at most once in a list, with duplicates='error'"
    place = int(wrong.argmax())
    row = int(rows[place])
    value: Any = run.ids[place] if values is None or bad >= len(runs) else values[place]
    got = value if isinstance(value, np.floating) else f"document {value} again"
    found = f"runs[{at}]: got {got} in list {row} at position {place - run.offsets[row]}; "
    raise bad_element(found, f"expected {expected}", f"runs[{at}]", place, value)
