"""What certify_queries is about to do: which queries place the thresholds, which are judged, and what that may cost."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction, integer, number, one_of
from fastcal.certificates._bets import Wealth, fewest_rounds
from fastcal.certificates._options import DEFAULT_BUDGET, as_budget, exact_target
from fastcal.certificates._pool import Float32
from fastcal.certificates._query_certificate import QueryCertificate, QueryTest
from fastcal.certificates._query_lists import QueryLists, cuts_of, given_cuts, query_lists
from fastcal.certificates._query_walk import QueryRule, Sheet, walk_queries
from fastcal.errors import InvalidValueError
from fastcal.labelling._drive import Procedure
from fastcal.labelling._fingerprint import fingerprint
from fastcal.labelling._ledger import Ledger

_RESERVED = 5  # one query in so many places the cuts
_ANSWERED, _AMPLE = 0.25, 3  # share of queries that answer at the first threshold tried; or, times the fewest, their number
_WHOLE = 4  # the default budget judges so many times the fewest queries at the laxest threshold
_RATIO = {"precision": 1.5, "recall": 1.1}
_EMPTY = {
    ("precision", "no_loss"): "a query whose list selects nothing counts as without loss",
    ("precision", "leave_out"): "queries whose list selects nothing are left out",
    ("recall", "no_loss"): "a query whose list holds nothing relevant counts as without loss",
    ("recall", "leave_out"): "queries whose list holds nothing relevant are left out",
}


class QueryOptions(NamedTuple):
    """As given to certify_queries."""

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


class _Setting(NamedTuple):
    """All queries, and what was decided before a label is paid."""

    lists: QueryLists
    n_reserved: int
    fewest: int
    labels_floor: int
    higher_is_better: bool


def plan_queries(run: Any, options: QueryOptions) -> tuple[Procedure[QueryCertificate], Ledger]:
    """Judge everything; return the procedure that asks for labels and the ledger that keeps them."""
    measure, target = _target(options.target_precision, options.target_recall)
    ratio = _RATIO[measure] if options.ratio is None else number(options.ratio, "ratio", "a number in (1, 4]", lambda x: 1.0 < x <= 4.0)
    skip = one_of(options.empty, "empty", ("no_loss", "leave_out")) == "leave_out"
    rule = QueryRule(measure, float(target), fraction(options.delta, "delta"), skip)
    lists = query_lists(run, options.higher_is_better)
    fixed = None if options.thresholds is None else given_cuts(options.thresholds, options.higher_is_better)
    fewest = fewest_rounds(rule.delta, rule.target)
    n_reserved, n_judged = _shares(options.n_queries, lists.n_queries, fewest, are_fixed=fixed is not None)
    # Where empty lists are left out, the first threshold has to be answered by enough queries.
    answered = min(1.0, _AMPLE * fewest / n_judged) if skip else _ANSWERED
    settings = {
        "loss": measure,
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
    ledger = Ledger("certify_queries", lists.fingerprint, settings, **kept)
    drawn = ledger.rng("queries").permutation(lists.n_queries)
    cuts = cuts_of(lists, drawn[:n_reserved], ratio, answered) if fixed is None else fixed
    order = cuts if measure == "precision" else cuts[::-1]
    sheet = Sheet(lists.taken(drawn[n_reserved : n_reserved + n_judged]), ledger, rule)
    floor, enough = _costs(sheet, order, fewest)
    ledger.budget = min(lists.values.size, enough) if options.budget is None else as_budget(options.budget, max(floor, 1), lists.values.size)
    return _certify(sheet, order, _Setting(lists, n_reserved, fewest, floor, options.higher_is_better)), ledger


def _target(target_precision: float | None, target_recall: float | None) -> tuple[str, Fraction]:
    if target_precision is not None and target_recall is not None:
        raise InvalidValueError("target_precision and target_recall are both given; expected one of them")
    if target_recall is not None:
        return "recall", exact_target(target_recall, "target_recall")
    return "precision", exact_target(0.9 if target_precision is None else target_precision)


def _shares(wanted: int | None, there_are: int, fewest: int, *, are_fixed: bool) -> tuple[int, int]:
    """Return how many queries place thresholds and how many may be judged; as many are kept for the latter as can certify."""
    n_reserved = 0 if are_fixed else max(1, min(-(-there_are // _RESERVED), there_are - fewest))
    n_judged = max(0, there_are - n_reserved)
    if wanted is not None:
        n_judged = min(n_judged, integer(wanted, "n_queries", least=1))
    if n_judged < fewest:
        beside = "" if are_fixed else ", beside one that places the thresholds unless `thresholds` are given"
        raise InvalidValueError(
            f"run has {there_are} queries, of which {n_judged} may be judged; expected at least {fewest}, the fewest that can certify"
            f" this target at this delta{beside}"
        )
    return n_reserved, n_judged


def _costs(sheet: Sheet, order: Float32, fewest: int) -> tuple[int, int]:
    """Return the fewest labels that certify the first threshold, whatever the order of queries, and a budget for the whole search."""
    if not order.size:
        return 0, 0
    first, n = float(order[0]), sheet.lists.n_queries
    seen = sheet.view(first, 0, n)
    floor = int(np.sort(seen.costs[~(seen.none & sheet.rule.skip)])[:fewest].sum())
    whole = sheet.view(float(order.min()), 0, n).costs
    mean = float(whole[whole > 0].mean()) if whole.any() else 0.0
    return floor, max(DEFAULT_BUDGET * fewest, math.ceil(_WHOLE * fewest * mean), sheet.ahead(first, 0, Wealth(1))[1])


def _certify(sheet: Sheet, order: Float32, setting: _Setting) -> Procedure[QueryCertificate]:
    tests = yield from walk_queries(sheet, order)
    passed = [test for test in tests if test.verdict == "certified"]
    last, end = passed[-1] if passed else None, tests[-1] if tests else None
    stopped = "last cut" if end is None or end is last else end.verdict
    sign, lists, ledger, rule = 1.0 if setting.higher_is_better else -1.0, setting.lists, sheet.ledger, sheet.rule
    truncated = None if last is None else lists.n_beyond(last.threshold)
    return QueryCertificate(
        threshold=None if last is None else sign * last.threshold + 0.0,
        reason="certified" if last is not None else stopped if tests else "no_cut",
        labels_used=ledger.n_used,
        labels_floor=setting.labels_floor,
        n_selected=0 if last is None else int((lists.values >= np.float32(last.threshold)).sum()),
        scope=_scope(rule, lists.n_queries, truncated),
        n_cannot_judge=ledger.n_cannot_judge,
        seed=ledger.seed,
        state=ledger.to_state(),
        loss=rule.measure,
        target=rule.target,
        delta=rule.delta,
        budget=ledger.budget,
        stopped=stopped,
        n_queries=0 if last is None else last.n_queries,
        n_reserved=setting.n_reserved,
        mean_loss=None if last is None else last.mean_loss,
        share_empty=None if last is None else last.n_empty / last.n_queries,
        mean_answered=None if last is None else _answered(last, rule),
        labels_needed=None if last is not None or end is None else end.labels_needed,
        queries_needed=None if last is not None or end is None else end.queries_needed,
        n_truncated=truncated,
        trace=tuple(_shown(test, sign) for test in tests),
        higher_is_better=setting.higher_is_better,
    )


def _answered(test: QueryTest, rule: QueryRule) -> float | None:
    """Mean of 1 - loss over the queries that have one."""
    answered = test.n_queries - test.n_empty
    total = test.mean_loss * (answered if rule.skip else test.n_queries)
    return 1 - total / answered if answered else None


def _shown(test: QueryTest, sign: float) -> QueryTest:
    return test if sign > 0 else replace(test, threshold=sign * test.threshold + 0.0)


def _scope(rule: QueryRule, n_lists: int, truncated: int | None) -> str:
    ends = "" if truncated is None else f", and {truncated} of the {n_lists} lists here end at or beyond the threshold"
    return (
        f"Over future queries, drawn like these, the mean {rule.measure} at the threshold is at least {rule.target:g}, as judged by this"
        f" labeller; {_EMPTY[rule.measure, 'leave_out' if rule.skip else 'no_loss']}; wrong in at most {100 * rule.delta:g} % of draws"
        f" of the queries. Only within lists of this retriever at this depth: rows they do not hold are not counted{ends}."
        " It is not about each query, nor about queries of another day or kind."
    )
