"""certify_queries: a threshold whose precision or recall, averaged over future queries, is certified."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction, integer, number, one_of
from fastcal.certificates._options import as_budget, exact_target
from fastcal.certificates._pool import Float32, Int64
from fastcal.certificates._query_certificate import QueryCertificate, QueryTest
from fastcal.certificates._query_lists import QueryLists, cuts_of, given_cuts, query_lists
from fastcal.certificates._query_walk import QueryRule, walk_queries
from fastcal.errors import InvalidValueError
from fastcal.intervals.floors import single_look_floor_iid
from fastcal.labelling._drive import Labeler, Procedure, drive
from fastcal.labelling._drive_async import drive_async
from fastcal.labelling._fingerprint import fingerprint
from fastcal.labelling._ledger import Ledger

_RESERVED = 5  # one query in so many places the cuts
_ANSWERED, _AMPLE = 0.25, 3  # share of queries that answer at the first threshold tried; or, times the floor, their number
_RATIO = {"precision": 1.5, "recall": 1.1}
_EMPTY = {
    ("precision", "no_loss"): "; a query whose list selects nothing counts as without loss",
    ("precision", "leave_out"): "; queries whose list selects nothing are left out",
    ("recall", "no_loss"): "; a query whose list holds nothing relevant counts as without loss",
    ("recall", "leave_out"): "; queries whose list holds nothing relevant are left out",
}


def certify_queries(
    run: Any,
    labeler: Labeler,
    *,
    target_precision: float | None = None,
    target_recall: float | None = None,
    delta: float = 0.05,
    budget: int | None = None,
    n_queries: int | None = None,
    empty: str = "no_loss",
    thresholds: npt.ArrayLike | None = None,
    ratio: float | None = None,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
) -> QueryCertificate:
    """Certify a threshold by its precision or recall averaged over queries (Learn then Test).

    The queries are taken for independent draws of those to come. With probability at least ``1 - delta`` over them there is no
    threshold, or the mean over future queries of the precision (or recall) of their lists at it reaches the target. The mean: some
    queries fare worse, and nothing is said of any one. :func:`certify_threshold` and :func:`certify_recall` speak of the pairs of
    this pool instead; pairs of one query are not independent, so they say nothing of other queries.

    Each judged query gives one loss, a fraction. Queries are judged whole and in random order until bets against the loss have
    multiplied by ``1 / delta``; the number of looks costs nothing. Thresholds are tried one by one, the strictest first
    for precision and the laxest first for recall, until one fails; a threshold uses all labels of those before it again.

    Parameters
    ----------
    run : Run, search result, or array_like of float, shape (n_queries, m)
        The list of each query, empty ones included. NaN marks padding.
    labeler : callable
        Takes int64 positions (CSR order of a Run, flat C order of an array) and returns for each 1 (relevant), 0, or -1:
        cannot judge, which counts as not relevant.
    target_precision, target_recall : float, optional
        Strictly between 0 and 1. Neither means ``target_precision=0.9``. Recall is that within a query's list, which is judged
        whole.
    delta : float, default 0.05
    budget : int, optional
        Labels, that is rows judged; None is 40 times the floor.
    n_queries : int, optional
        The most queries that may be judged for one threshold; None is all.
    empty : "no_loss" or "leave_out"
        What a query counts as whose list selects nothing (for recall: holds nothing relevant). With "no_loss" a threshold that
        answers few queries may pass however bad its answers: see ``.share_empty`` and ``.mean_answered``. With "leave_out" the
        mean promised is that of the other queries.
    thresholds : array_like of float, optional
        What to try; fixed without a look at these queries. By default the lists of one query in five place them, and those
        queries are not judged.
    ratio : float, optional
        Of the rows of those queries that neighbouring thresholds select, at most; in (1, 4]. None is 1.5 for precision, and for
        recall 1.1, as thresholds cost no label there.
    higher_is_better : bool, default True
        False for distances; must agree with a run or search result.
    seed : int, optional
        Of the order of queries; fresh entropy if not given. Choosing the best of several seeds breaks the promise.
    state : mapping or path, optional
        ``.state`` of a result or an exception, to go on from.
    log : path, optional
        File to which each label is appended as it arrives.

    Returns
    -------
    QueryCertificate
        ``.threshold`` is None if the first one fails: ``.reason`` is then "futility", "budget", "queries" (too few of them) or
        "no_cut" (no list places one).

    Raises
    ------
    ValueError
        If an option is out of range, both targets are given, there are fewer queries or labels than the floor, `state` belongs
        to something else, or the labeler answers something else. What was paid is in ``.state`` of every exception.
    TypeError
        If `run` has no scores, or `labeler` is not callable.

    References
    ----------
    Angelopoulos, Bates, Candes, Jordan, Lei (2021), "Learn then Test", arXiv 2110.01052; Waudby-Smith & Ramdas (2020),
    "Estimating means of bounded random variables by betting", arXiv 2010.09686.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> scores = np.tile(np.linspace(1, 0, 5), (100, 1)) + np.random.default_rng(0).normal(0, 0.01, (100, 5))
    >>> certificate = fc.certify_queries(scores, lambda rows: rows % 5 < 3, seed=1)
    >>> certificate.reason, 0.3 < certificate.threshold < 0.6
    ('certified', True)
    """
    targets, limits = (target_precision, target_recall, delta), (budget, n_queries)
    procedure, ledger = _plan(run, _Options(*targets, *limits, empty, thresholds, ratio, higher_is_better, seed, state, log))
    return drive(procedure, ledger, labeler)


async def certify_queries_async(
    run: Any,
    labeler: Labeler,
    *,
    target_precision: float | None = None,
    target_recall: float | None = None,
    delta: float = 0.05,
    budget: int | None = None,
    n_queries: int | None = None,
    empty: str = "no_loss",
    thresholds: npt.ArrayLike | None = None,
    ratio: float | None = None,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109
) -> QueryCertificate:
    """:func:`certify_queries` with an asynchronous labeler: the same certificate, whatever the order of arrival.

    Parameters
    ----------
    run, labeler, target_precision, target_recall, delta, budget, n_queries, empty, thresholds, ratio, higher_is_better, seed, state, log
        As in :func:`certify_queries`; the labeler returns an awaitable.
    concurrency : int, default 4
        Calls under way at a time; a request is split among them.
    timeout : float, optional
        Seconds until a call is given up; its labels are recorded as -1, cannot judge.

    Returns
    -------
    QueryCertificate

    Raises
    ------
    ValueError, TypeError
        As :func:`certify_queries`.

    Examples
    --------
    >>> import asyncio, numpy as np, fastcal as fc
    >>> async def judge(rows):
    ...     return rows % 2 == 0
    >>> asyncio.run(fc.certify_queries_async(np.tile([0.9, 0.1], (60, 1)), judge, thresholds=[0.5], seed=1)).threshold
    0.5
    """
    targets, limits = (target_precision, target_recall, delta), (budget, n_queries)
    procedure, ledger = _plan(run, _Options(*targets, *limits, empty, thresholds, ratio, higher_is_better, seed, state, log))
    return await drive_async(procedure, ledger, labeler, concurrency=concurrency, timeout=timeout)


class _Options(NamedTuple):
    target_precision: float | None
    target_recall: float | None
    delta: float
    budget: int | None
    n_queries: int | None
    empty: str
    thresholds: npt.ArrayLike | None
    ratio: float | None
    higher_is_better: bool
    seed: int | None
    state: Any
    log: Any


def _plan(run: Any, options: _Options) -> tuple[Procedure[QueryCertificate], Ledger]:
    """Judge everything; return the procedure that asks for labels and the ledger that keeps them."""
    loss, target = _target(options.target_precision, options.target_recall)
    ratio = _RATIO[loss] if options.ratio is None else number(options.ratio, "ratio", "a number in (1, 4]", lambda x: 1.0 < x <= 4.0)
    skip = one_of(options.empty, "empty", ("no_loss", "leave_out")) == "leave_out"
    rule = QueryRule(loss, float(1 - target), fraction(options.delta, "delta"), skip)
    lists = query_lists(run, options.higher_is_better)
    fixed = None if options.thresholds is None else given_cuts(options.thresholds, options.higher_is_better)
    n_reserved = 0 if fixed is not None else -(-lists.n_queries // _RESERVED)
    least = single_look_floor_iid(float(target), rule.delta)
    n_judged = _n_judged(options.n_queries, lists.n_queries, n_reserved, least)
    # Where empty lists are left out, the first threshold has to be answered by enough queries.
    answered = min(1.0, _AMPLE * least / n_judged) if skip else _ANSWERED
    floor = least if loss == "precision" else max(1, int(np.sort(np.diff(lists.offsets))[:least].sum()))
    settings = {
        "loss": loss,
        "target": str(target),
        "delta": rule.delta,
        "empty": options.empty,
        "ratio": ratio,
        "thresholds": None if fixed is None else fixed.tolist(),
        "lists": fingerprint(lists.offsets),
        "answered": answered,
        "higher_is_better": bool(options.higher_is_better),
    }
    kept = {"seed": options.seed, "state": options.state, "log": options.log, "size": lists.size}
    ledger = Ledger("certify_queries", lists.fingerprint, settings, budget=as_budget(options.budget, floor, lists.values.size), **kept)
    drawn = ledger.rng("queries").permutation(lists.n_queries)
    cuts = cuts_of(lists, drawn[:n_reserved], ratio, answered) if fixed is None else fixed
    return _certify(lists, drawn[n_reserved : n_reserved + n_judged], cuts, ledger, rule, floor, n_reserved, options.higher_is_better), ledger


def _target(target_precision: float | None, target_recall: float | None) -> tuple[str, Fraction]:
    if target_precision is not None and target_recall is not None:
        raise InvalidValueError("target_precision and target_recall are both given; expected one of them")
    if target_recall is not None:
        return "recall", exact_target(target_recall, "target_recall")
    return "precision", exact_target(0.9 if target_precision is None else target_precision)


def _n_judged(wanted: int | None, there_are: int, n_reserved: int, least: int) -> int:
    free = there_are - n_reserved
    n = free if wanted is None else min(free, integer(wanted, "n_queries", least=1))
    if n < least:
        raise InvalidValueError(
            f"run has {there_are} queries, of which {n} may be judged; expected at least {least}, the fewest that can certify"
            " this target at this delta"
        )
    return n


def _certify(
    lists: QueryLists, judged: Int64, cuts: Float32, ledger: Ledger, rule: QueryRule, floor: int, n_reserved: int, higher_is_better: bool
) -> Procedure[QueryCertificate]:
    order = cuts if rule.loss == "precision" else cuts[::-1]
    tests = yield from walk_queries(lists, judged, order, ledger, rule)
    passed = [test for test in tests if test.verdict == "certified"]
    last = passed[-1] if passed else None
    stopped = "last cut" if len(passed) == len(tests) else tests[-1].verdict
    sign = 1.0 if higher_is_better else -1.0
    return QueryCertificate(
        threshold=None if last is None else sign * last.threshold + 0.0,
        reason="certified" if last is not None else stopped if tests else "no_cut",
        labels_used=ledger.n_used,
        labels_floor=floor,
        n_selected=0 if last is None else int((lists.values >= np.float32(last.threshold)).sum()),
        scope=_scope(rule),
        n_cannot_judge=ledger.n_cannot_judge,
        seed=ledger.seed,
        state=ledger.to_state(),
        loss=rule.loss,
        target=float(Fraction(ledger.settings["target"])),
        delta=rule.delta,
        budget=ledger.budget,
        stopped=stopped,
        n_queries=0 if last is None else last.n_queries,
        n_reserved=n_reserved,
        mean_loss=None if last is None else last.mean_loss,
        share_empty=None if last is None else last.n_empty / last.n_queries,
        mean_answered=None if last is None else _answered(last, rule),
        trace=tuple(_shown(test, sign) for test in tests),
        higher_is_better=higher_is_better,
    )


def _answered(test: QueryTest, rule: QueryRule) -> float | None:
    """Mean of 1 - loss over the queries that have one."""
    answered = test.n_queries - test.n_empty
    total = test.mean_loss * (answered if rule.skip else test.n_queries)
    return 1 - total / answered if answered else None


def _shown(test: QueryTest, sign: float) -> QueryTest:
    return test if sign > 0 else replace(test, threshold=sign * test.threshold + 0.0)


def _scope(rule: QueryRule) -> str:
    empty = _EMPTY[rule.loss, "leave_out" if rule.skip else "no_loss"]
    return (
        f"The mean over future queries, drawn like these, of the {rule.loss} at the threshold within lists of this retriever at this"
        f" depth, as judged by this labeller{empty}. Not every query, not the queries of another day or kind, not what the lists miss."
    )
