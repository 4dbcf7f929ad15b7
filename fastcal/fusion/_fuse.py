"""Fusion of several runs into one, query by query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, cast, overload

import numpy as np
import numpy.typing as npt

from fastcal import _threads
from fastcal._backend.protocol import AffineRule, FuseDuplicates, FuseMissing
from fastcal._validate.numbers import flag, integer, one_of
from fastcal.errors import InvalidValueError
from fastcal.fusion._arguments import DUPLICATES, TIES, WEIGHT_MODES, as_aligned_runs, as_missing, as_weights
from fastcal.fusion._components import FusionComponents
from fastcal.fusion._engine import Settings, fuse_arrays
from fastcal.fusion._methods import Method, as_method, as_options
from fastcal.fusion._normalise import NormOptions, as_norms, summands
from fastcal.fusion._presets import Wish, by_preset
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Run

__all__ = ["fuse", "rrf"]

Runs = Iterable[Run | SearchResult | RangeResult]
Weights = npt.ArrayLike | Callable[[npt.NDArray[Any]], npt.ArrayLike]


def rrf(
    runs: Runs,
    k: float = 60,
    weights: Weights | None = None,
    top_k: int | None = None,
    num_threads: int | None = None,
) -> Run:
    """Reciprocal rank fusion: a document's score is the sum of ``weight / (k + rank)`` over the runs that list it.

    Ranks count from 1, so ``k=59`` gives the numbers of systems that count from 0 (Weaviate, LlamaIndex).

    Parameters
    ----------
    runs : sequence of Run, SearchResult or RangeResult
        With the same queries; queries are matched by their names, documents by id or, where the runs have
        vocabularies, by name.
    k : float, default 60
        At least 0. The smaller, the more the first ranks count.
    weights : array_like of float, shape (n_runs,) or (n_queries, n_runs), or callable, optional
        As in :func:`fuse`; 1 for each run by default.
    top_k : int, optional
        Keep this many documents per query; by default all.
    num_threads : int, optional
        See :func:`set_num_threads`. The result does not depend on it.

    Returns
    -------
    Run
        Higher is better. Equal scores are ordered by the first run that lists the document, then by id. The
        order of the queries and the first part of the vocabulary are those of the first run.

    Raises
    ------
    ValueError
        If the runs have different queries (missing ones are named) or only some have vocabularies, or if `k`,
        `weights` or `top_k` is out of range.
    TypeError
        If an entry of `runs` is not a run.

    References
    ----------
    Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods", SIGIR 2009.

    Examples
    --------
    >>> import fastcal as fc
    >>> dense, lexical = fc.Run([[1, 2]]), fc.Run([[2, 3]])
    >>> fused = fc.rrf([dense, lexical])
    >>> [(document, f"{score:.6f}") for document, score in fused.to_dict()[0].items()]
    [(2, '0.032522'), (1, '0.016393'), (3, '0.016129')]
    """
    return fuse(runs, "rrf", k=k, weights=weights, top_k=top_k, num_threads=num_threads)


@overload
def fuse(
    runs: Runs,
    method: str | None = ...,
    norm: str | Sequence[str | None] | None = ...,
    *,
    weights: Weights | None = ...,
    weight_mode: str | None = ...,
    missing: str | float | None = ...,
    duplicates: str | None = ...,
    ties: str = ...,
    top_k: int | None = ...,
    preset: str | None = ...,
    norm_options: NormOptions = ...,
    return_components: Literal[False] = ...,
    num_threads: int | None = ...,
    **method_options: Any,
) -> Run: ...
@overload
def fuse(
    runs: Runs,
    method: str | None = ...,
    norm: str | Sequence[str | None] | None = ...,
    *,
    weights: Weights | None = ...,
    weight_mode: str | None = ...,
    missing: str | float | None = ...,
    duplicates: str | None = ...,
    ties: str = ...,
    top_k: int | None = ...,
    preset: str | None = ...,
    norm_options: NormOptions = ...,
    return_components: Literal[True],
    num_threads: int | None = ...,
    **method_options: Any,
) -> tuple[Run, FusionComponents]: ...
def fuse(
    runs: Runs,
    method: str | None = None,
    norm: str | Sequence[str | None] | None = None,
    *,
    weights: Weights | None = None,
    weight_mode: str | None = None,
    missing: str | float | None = None,
    duplicates: str | None = None,
    ties: str = "source",
    top_k: int | None = None,
    preset: str | None = None,
    norm_options: NormOptions = None,
    return_components: bool = False,
    num_threads: int | None = None,
    **method_options: Any,
) -> Run | tuple[Run, FusionComponents]:
    """Fuse runs by rank or by score.

    With rank r from 1, (normalised) score s, weight w and m the number of runs that list the document:

    =================================  ==========================================================================
    "rrf" (k=60)                       sum of w / (k + r)
    "isr", "logn_isr" (sigma=0.01)     m, or ln(m + sigma), times the sum of w / r²
    "rbc" (phi=0.8)                    sum of w (1 - phi) phi^(r - 1)
    "borda"                            sum of w times the number of documents ranked no better; those that a run does
                                       not list share the points that are left
    "condorcet"                        documents beaten by (weighted) majority of the runs, draws count half
    "min", "max", "med"                least, largest, median s
    "sum" = "wsum"                     sum of w s
    "anz", "mnz", "mixed"              sum of w s, divided by m, times m, times the square root of m
    "gmnz" (gamma=1)                   sum of w s, times m^gamma
    "wmnz"                             sum of s, times the sum of w over the runs that list the document
    "mean", "gmean", "hmean"           weighted arithmetic, geometric, harmonic mean; the last two skip s <= 0
    "logodds" (prior=0.5, clip=1e-6)   s is a probability: 1 / (1 + exp(-t)), t = logit(prior) + the sum of w (logit(s)
                                       - logit(prior)): independent evidence, as naive Bayes adds it up
    =================================  ==========================================================================

    Parameters
    ----------
    runs : sequence of Run, SearchResult or RangeResult
        With the same queries; see :func:`rrf`.
    method : str, default "rrf"
        See the table. Names, formulas and defaults are those of ranx where it has the method.
    norm : str, or one for each run, optional
        For methods of scores: normalise each list first, by any method of :func:`normalize` but "cohort" and "csls".
        Distances are negated before.
    weights : array_like of float, shape (n_runs,) or (n_queries, n_runs), or callable, optional
        Not negative, in each row at least one positive; 1 for each run by default. A callable receives the names of the
        queries (their numbers if they have none) and returns such an array. "min", "max" and "med" take none.
    weight_mode : {"linear", "rank_stretch"}, default "linear"
        "rank_stretch" divides the rank by the weight instead (Qdrant): "rrf", "isr" and "logn_isr".
    missing : {"zero", "skip", "min"} or float, optional
        What a run says of a document that it does not list, for methods of scores: score 0, nothing, the least score its
        list gives a document (nothing if it is empty; repeats as `duplicates` says), or this score. By default "skip" for
        "min", "max", "med", "gmean", "hmean" and "logodds", else "zero". It changes no m. "gmean" and "hmean" take no zero.
    duplicates : {"first", "max", "sum", "error"}, default "first"
        What a document listed twice by one run is worth there: the first, largest or summed normalised score, or value of
        its ranks. The ranks of the others do not move.
    ties : {"source", "id", "id_desc", "trec"}, default "source"
        Among equal scores: the first run that lists the document, then id; id alone, ascending or descending; or document
        name, descending, as trec_eval sorts. Where documents have names, their ids are numbers by order of appearance, in
        all queries: only "trec" does not depend on the other queries of the call.
    top_k : int, optional
        Keep this many documents per query; by default all.
    preset : str, optional
        Fuse as another system does: "paper", "ranx", "qdrant-rrf", "qdrant-dbsf", "weaviate-ranked", "weaviate-relative",
        "opensearch-minmax", "opensearch-zscore", "opensearch-l2", "opensearch-rrf", "elasticsearch-linear", "haystack-rrf",
        "haystack-dbsf", "llamaindex-rrf", "llamaindex-relative", "llamaindex-dist", "langchain-ensemble", "milvus-weighted",
        "vespa-linear", "lancedb-rrf" or "mongodb-rank-fusion". docs/presets.md says which of the other arguments each one
        takes, and which habits it has.
    norm_options : mapping, or a list with one for each run, optional
        Options of the norm, such as ``{"on_constant": 1.0}``, and its `clip` and `floor`.
    return_components : bool, default False
        Also return what each run contributed.
    num_threads : int, optional
        See :func:`set_num_threads`. The result does not depend on it.
    **method_options
        Those in the table; with a preset, its own.

    Returns
    -------
    Run
        As :func:`rrf`. A fused score is rounded once to float32.
    FusionComponents
        Only with `return_components`.

    Raises
    ------
    ValueError
        As :func:`rrf`; if a method, norm, policy, preset or option is unknown or of no use to the method or the preset; if a document is listed
        twice under "error"; and for methods of scores if a run has no scores, an infinite one, distances without a norm, or
        under "logodds" a score outside [0, 1].
    TypeError
        If an entry of `runs` is not a run.

    References
    ----------
    Fox and Shaw, "Combination of multiple searches", TREC-2, 1993 (min, max, med, sum, anz, mnz). Lee, "Analyses of multiple
    evidence combination", SIGIR 1997 (gmnz). Mourao, Martins and Magalhaes, "Multimodal medical information retrieval with
    unsupervised rank fusion", 2014 (isr, logn_isr). Bailey et al., "Retrieval consistency in the presence of query
    variations", SIGIR 2017 (rbc). Aslam and Montague, "Models for metasearch", SIGIR 2001 (borda). Montague and Aslam,
    "Condorcet fusion for improved retrieval", CIKM 2002; pairwise wins are Copeland's. Wu and Crestani, "Data fusion with
    estimated weights", CIKM 2002 (wmnz, mixed).

    Examples
    --------
    >>> import fastcal as fc
    >>> dense = fc.Run([[1, 2, 4]], [[0.9, 0.7, 0.5]])
    >>> lexical = fc.Run([[2, 3]], [[12.0, 4.0]])
    >>> blend = fc.fuse([dense, lexical], "wsum", "minmax", weights=[0.75, 0.25])
    >>> blend.ids.tolist(), blend.scores.round(3).tolist()
    ([1, 2, 4, 3], [0.75, 0.625, 0.0, 0.0])
    >>> blend, parts = fc.fuse([dense, lexical], "wsum", "minmax", weights=[0.75, 0.25], return_components=True)
    >>> parts.contribution.round(3).tolist()
    [[0.75, 0.0], [0.375, 0.25], [0.0, 0.0], [0.0, 0.0]]
    >>> fc.fuse([dense, lexical], preset="qdrant-rrf", top_k=2).to_dict()[0]
    {2: 0.8333333134651184, 1: 0.5}
    """
    aligned = as_aligned_runs(runs)
    threads = _threads.resolve(num_threads)
    order = one_of(ties, "ties", TIES), -1 if top_k is None else integer(top_k, "top_k", least=1)
    shares = None if weights is None else as_weights(weights, aligned)
    scores: list[npt.NDArray[np.float32] | None] = [None] * len(aligned)
    rules: list[AffineRule | None] | None = None
    if preset is None:
        name = "rrf" if method is None else method
        known = as_method(name)
        options = as_options(name, known, method_options)
        norms = as_norms(norm, norm_options, name, known, len(aligned))
        policies = _as_policies(name, known, weights is not None, weight_mode, missing, duplicates)
        settings = Settings(name, known, options, shares, *policies, *order)
        if not known.by_rank:
            scores, rules = summands(aligned, norms, name, threads)
    else:
        others = {"weight_mode": weight_mode, "missing": missing, "duplicates": duplicates, "norm_options": norm_options}
        scores, rules, settings = by_preset(preset, aligned, Wish(method, norm, shares, method_options, others), order)
    fused, parts = fuse_arrays(aligned, scores, settings, rules=rules, components=flag(return_components, "return_components"), num_threads=threads)
    return fused if parts is None else (fused, parts)


def _as_policies(
    method: str, known: Method, weighted: bool, weight_mode: str | None, missing: str | float | None, duplicates: str | None
) -> tuple[bool, FuseMissing, float, FuseDuplicates]:
    """Return what weights do, and what becomes of missing and of repeated documents."""
    stretch = weight_mode is not None and one_of(weight_mode, "weight_mode", WEIGHT_MODES) == "rank_stretch"
    if weighted and not known.weighted:
        raise InvalidValueError(f"method {method!r} takes no weights")
    if stretch and not (weighted and known.stretches):
        raise InvalidValueError(f"weight_mode 'rank_stretch' needs weights and one of the methods 'rrf', 'isr' and 'logn_isr'; got {method!r}")
    repeated = one_of("first" if duplicates is None else duplicates, "duplicates", DUPLICATES)
    if repeated == "sum" and known.value == "points":
        raise InvalidValueError(f"method {method!r} counts documents: duplicates must be 'first', 'max' or 'error', got 'sum'")
    return stretch, *as_missing(missing, method, known), cast("FuseDuplicates", repeated)
