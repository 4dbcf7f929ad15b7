"""Weights of a fusion from labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import integer, number, one_of
from fastcal.errors import InvalidValueError
from fastcal.fusion import norm_of_each
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Qrels, Run, align
from fastcal.trained_fusion import _grid, _newton
from fastcal.trained_fusion._inputs import as_query_features, as_scored_runs, document_names, normalised, query_names
from fastcal.trained_fusion._labels import UNJUDGED, as_qrels_of, relevances
from fastcal.trained_fusion._linear import LinearFusion
from fastcal.trained_fusion._logistic import LogisticFusion
from fastcal.trained_fusion._pairs import Pairs, union

_Float64 = npt.NDArray[np.float64]
_Qrels = Mapping[str, Mapping[str, int]]

_OPTIONS: dict[str, dict[str, Any]] = {
    "logistic": {"min_rel": 1, "unjudged": "irrelevant", "query_features": None, "l2": 1.0},
    "grid": {"metric": "nDCG@10", "step": 0.1},
}


def fit_fusion(
    runs: Iterable[Run | SearchResult | RangeResult],
    labels: Qrels | Mapping[Any, Mapping[Any, int]] | Sequence[npt.ArrayLike],
    *,
    method: str = "logistic",
    norm: str | Sequence[str | None] | None = "zscore",
    num_threads: int | None = None,
    **method_options: Any,
) -> LogisticFusion | LinearFusion:
    """Fit the weights of a fusion to labels.

    "logistic" fits a logistic regression to every document that some run lists for a judged query: on its score in
    each run that lists it, and on the fact that a run does not. A fused score is the probability of relevance among
    such documents, not among the whole corpus. "grid" tries every weighted sum with weights 0, `step`, ..., 1 of sum
    1 and keeps the one with the best metric; its scores are no probabilities.

    Parameters
    ----------
    runs : sequence of Run, SearchResult or RangeResult
        With scores and the same queries; see :func:`rrf`.
    labels : Qrels, mapping of the form ``{query: {document: relevance}}``, or one array of int or bool per run
        An array holds the relevance of each entry of ``runs[i].ids``, -1 where it was not judged. Names are
        compared as strings. Queries without any judgement are left out, so ``labels`` can name the training
        queries alone while `runs` hold all of them.
    method : {"logistic", "grid"}, default "logistic"
    norm : str or None, or a sequence of these, one per run; default "zscore"
        How each list is normalised first, by any norm of :func:`fuse`. None keeps the scores, negated if they are distances: "logistic" does not
        mind their scale, and their level tells good lists from bad ones; "grid" needs runs on one scale.
    num_threads : int, optional
        See :func:`set_num_threads`. The result does not depend on it.
    **method_options
        For "logistic": `min_rel`, an integer, the least relevance that counts as relevant, default 1; `unjudged`,
        what a listed document of a judged query without a judgement is: "irrelevant" (default, as in trec_eval),
        "skip" (left out) or "error"; `query_features`, an array of shape (n_queries,) or (n_queries, n_features) in
        the query order of the first run, default None: every coefficient becomes affine in them, so that for
        instance short queries can lean on the lexical run; `l2` > 0, default 1.0: the prior of each coefficient but
        the intercept is normal with variance 1 / l2, on standardised scores and features.
        For "grid": `metric`, a measure of ir-measures (extra ``metrics``), default "nDCG@10"; `step`, a
        divisor of 1, default 0.1.

    Returns
    -------
    LogisticFusion or LinearFusion
        Fitted; ``.fuse(runs)`` applies it, ``.to_dict()`` is plain JSON for :func:`fusion_from_dict`.

    Raises
    ------
    ValueError
        If the runs do not fit together or one lacks scores, no query is judged, the labels hold one class, a
        document is unjudged under "error", or an option is unknown, of no use to the method or out of range.
    TypeError
        If an argument is of another type than described.
    MissingExtraError
        For "grid" without ir-measures.

    Examples
    --------
    >>> import fastcal as fc
    >>> dense = fc.Run([[1, 2, 3], [4, 5, 6]], [[0.9, 0.5, 0.4], [0.8, 0.6, 0.3]])
    >>> lexical = fc.Run([[1, 3], [5, 4]], [[9.0, 4.0], [7.0, 6.0]])
    >>> fitted = fc.fit_fusion([dense, lexical], {0: {1: 1, 2: 0}, 1: {4: 1}})
    >>> fitted.n_pairs, round(fitted.base_rate, 3), bool(fitted.weights[0] > fitted.weights[1])
    (6, 0.333, True)
    """
    chosen = one_of(method, "method", tuple(_OPTIONS))
    options = _as_options(chosen, method_options)
    listed = as_scored_runs(runs)
    norms = tuple(norm_of_each(norm, len(listed)))
    qrels = _judged(as_qrels_of(labels, listed), listed[0])
    if chosen == "grid":
        return _grid.search(listed, qrels, norms, options["metric"], options["step"], num_threads)
    return _fit_logistic(align(listed), qrels, norms, num_threads=num_threads, **options)


def _judged(qrels: _Qrels, first: Run) -> _Qrels:
    """Return the judgements of the queries of the runs."""
    names = set(map(str, query_names(first)))
    found = {query: documents for query, documents in qrels.items() if query in names}
    if not found:
        raise InvalidValueError(f"labels judge no query of the runs: labels have {_shown(qrels)}, the runs {_shown(names)}")
    return found


def _fit_logistic(
    runs: list[Run],
    qrels: _Qrels,
    norm: tuple[str | None, ...],
    *,
    min_rel: int,
    unjudged: str,
    query_features: Any,
    l2: float,
    num_threads: int | None,
) -> LogisticFusion:
    features = np.empty((runs[0].n_queries, 0)) if query_features is None else as_query_features(query_features, runs[0].n_queries)
    pairs, labels = _labelled(union(runs), qrels, runs[0], min_rel, unjudged)
    scores = [normalised(run, each, num_threads) for run, each in zip(runs, norm, strict=True)]
    columns, centres, scales = _columns(scores, pairs)
    factors, means, spreads = _factors(features, pairs.rows)
    theta = _newton.fit(_newton.Design(columns, factors, pairs.rows), labels, l2)
    theta[1:] /= spreads[:, np.newaxis]
    raw = _unstandardised(theta, centres, scales)
    weights, missing = np.split(raw[0, 1:], 2)
    return LogisticFusion(norm, float(raw[0, 0]), weights, missing, means, raw[1:], float(labels.mean()), labels.size)


def _labelled(pairs: Pairs, qrels: _Qrels, first: Run, min_rel: int, unjudged: str) -> tuple[Pairs, npt.NDArray[np.bool_]]:
    """Return the pairs to fit and whether each is relevant; both classes are there."""
    found, of_judged_query = relevances(qrels, first, pairs)
    known = found != UNJUDGED
    if unjudged == "error" and (open_ := of_judged_query & ~known).any():
        at = int(open_.argmax())
        query, document = query_names(first)[pairs.rows[at]], document_names(first, pairs.ids[at : at + 1])[0]
        raise InvalidValueError(f"{np.count_nonzero(open_)} documents of judged queries are not judged, such as {document!r} of query {query!r}")
    kept = known if unjudged == "skip" else of_judged_query
    labels = (known & (found >= min_rel))[kept]
    if labels.all() or not labels.any():
        raise InvalidValueError(f"labels hold one class only: {labels.size} pairs, {np.count_nonzero(labels)} of them relevant (min_rel={min_rel})")
    return pairs.only(kept), labels


def _columns(scores: list[npt.NDArray[np.float32]], pairs: Pairs) -> tuple[_Float64, _Float64, _Float64]:
    """Return ones, standardised scores (0 where a run does not list the pair) and missing indicators; and centres and scales."""
    n_runs = len(scores)
    columns = np.zeros((1 + 2 * n_runs, pairs.rows.size))
    centres, scales = np.zeros(n_runs), np.ones(n_runs)
    columns[0] = 1.0
    for r, (values, places) in enumerate(zip(scores, pairs.places, strict=True)):
        there = places >= 0
        listed = values[places[there]].astype(np.float64)
        if listed.size:
            centres[r], scales[r] = _centre_and_scale(listed)
        columns[1 + r, there] = (listed - centres[r]) / scales[r]
        columns[1 + n_runs + r] = ~there
    return columns, centres, scales


def _factors(features: _Float64, rows: npt.NDArray[np.int64]) -> tuple[_Float64, _Float64, _Float64]:
    """Return ones and the features of each query, standardised over the queries that are fitted; their means and scales."""
    fitted = features[np.unique(rows)]
    judged = [_centre_and_scale(column) for column in fitted.T]
    means, spreads = np.array(judged).reshape(-1, 2).T
    return np.vstack([np.ones(len(features)), ((features - means) / spreads).T]), means, spreads


def _centre_and_scale(values: _Float64) -> tuple[float, float]:
    """Return mean and standard deviation; a constant has scale 1."""
    return float(values.mean()), float(values.std()) if values.min() < values.max() else 1.0


def _unstandardised(theta: _Float64, centres: _Float64, scales: _Float64) -> _Float64:
    """Return coefficients of plain scores: w (s - c) / a = (w / a) s - w c / a, which bias and missing make up for."""
    bias, weights, missing = theta[:, :1], theta[:, 1 : 1 + scales.size] / scales, theta[:, 1 + scales.size :]
    shift = weights * centres
    return np.hstack([bias - shift.sum(axis=1, keepdims=True), weights, missing + shift])


def _as_options(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every option of the method, given or by default."""
    known = _OPTIONS[method]
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise InvalidValueError(f"method {method!r} takes {', '.join(map(repr, known))}; got {unknown!r}")
    judged = {name: _JUDGES[name](value) for name, value in given.items() if name in _JUDGES}
    return {**known, **given, **judged}


_JUDGES: dict[str, Callable[[Any], Any]] = {
    "min_rel": lambda value: integer(value, "min_rel", least=1),
    "unjudged": lambda value: one_of(value, "unjudged", ("irrelevant", "skip", "error")),
    "l2": lambda value: number(value, "l2", "a finite number above 0", lambda x: 0 < x < math.inf),
    "step": lambda value: number(value, "step", "a number in (0, 1]", lambda x: 0 < x <= 1),
}


def _shown(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names)[:3])) or "none"
