"""certify_threshold: the lowest threshold that can be shown, with few labels, to keep its promise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction, integer, number, one_of
from fastcal.certificates._by_query import QueryFacts, query_facts
from fastcal.certificates._certificate import Certificate, certificate
from fastcal.certificates._inputs import Rows, as_rows
from fastcal.certificates._options import as_budget, exact_target, head_size, pool_floor, settled_census
from fastcal.certificates._pool import Float64, Int64, Pool, array_pool, census_size
from fastcal.certificates._prior import given_start, hopeful_start, selected, spread_weights
from fastcal.certificates._scopes import scope_of
from fastcal.certificates._walk import Rule, Walk, walk
from fastcal.errors import InvalidValueError
from fastcal.intervals.floors import sequential_floor_iid, single_look_floor_iid
from fastcal.labelling._drive import Procedure, drive
from fastcal.labelling._drive_async import drive_async
from fastcal.labelling._fingerprint import fingerprint
from fastcal.labelling._ledger import Ledger

_FIRST = {"pool": 2, "pairs": 8}  # rows of the first cut that is tested, in floors


def certify_threshold(
    scores: Any,
    labeler: Callable[[Int64], npt.ArrayLike],
    *,
    target_precision: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    scope: str = "pool",
    groups: npt.ArrayLike | None = None,
    probabilities: npt.ArrayLike | None = None,
    sampling: str = "uniform",
    second_start: float | str | None = None,
    ratio: float = 2.0,
    batch_size: int = 1,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
) -> Certificate:
    """Find the lowest threshold whose precision is certified, buying as few labels as that takes.

    With probability at least 1 - `delta` no threshold is returned whose precision is below the target. The probability is over
    the random order of labelling: nothing is assumed about scores or labels (for `scope` "pairs" it is over the draw of the
    pairs, assumed to be independent), and looking after every label costs nothing. That a threshold is returned is not promised.

    The best rows, as many as the floor, are all labelled and need no test (at most a quarter of the budget; all of one too small for
    more by uniform sampling from one start). Then nested cuts, each about `ratio` times as many rows as the one before and the last
    one all, are tested one after the other on rows in random order, with the labels they share, until one cannot be certified.

    Parameters
    ----------
    scores : array_like of float, any shape, or a Run, SearchResult or RangeResult
        NaN marks padding, which is never asked for.
    labeler : callable
        Takes distinct positions (int64) and returns 0, 1 or -1 (cannot judge: counts as 0) for each. Positions are those of
        the flat array in C order; of a Run those of ``run.ids``, see :func:`pairs`. The best rows, which are all labelled,
        come first; then as many as are needed if all are positive, at most 16 or `batch_size` (docs/labelling.md: calls).
    target_precision : float, default 0.9
        Strictly between 0 and 1; meant as its shortest decimal says, 0.9 is 9/10.
    delta : float, default 0.05
        Strictly between 0 and 1.
    budget : int, optional
        Most labels to be used, at least ``labels_floor``. By default 40 times that, or all rows.
    scope : {"pool", "pairs"}, default "pool"
        Promise about these very rows, or about future pairs drawn independently from where these came from. For pairs the
        floor is that of looking after every label: 43 at the defaults, where a pool needs 29 or fewer.
    groups : array_like of int or str, shape of `scores` or one per row, optional
        Query ids of an array of scores, for ``by_query`` and ``n_truncated``: the rows of a query are its list, which has
        ended by itself if it holds padding.
    probabilities : array_like of float, one per position, optional
        What is thought of the rows, by a calibrator that has seen none of these labels. A wrong one costs labels and never the
        promise. For `sampling` and `second_start`.
    sampling : {"uniform", "weighted"}, default "uniform"
        Weighted: rows whose probability is uncertain come up to four times as often, by sqrt(p (1 - p)).
    second_start : float or "auto", optional
        A threshold at which to begin, with delta / 2; the walk from the head, with the other half, follows only if that fails.
        "auto": the lowest one whose mean probability is half-way from the target to 1.
    ratio : float, default 2.0
        In (1, 4]. Smaller steps cost more labels and come nearer to the lowest good threshold: 2 / 1.5 / 1.25 reached .58 /
        .71 / .82 of its recall with 417 / 668 / 683 labels on digits, .73 / .78 / .82 with 317 / 684 / 704 on stackfaq, .53 /
        .62 / .70 with 603 / 777 / 865 on banking77; to certify 20,000 rows of precision .99 took 243 / 272 / 294.
    batch_size : int, default 1
        Ask for at least so many labels at a time, where answers come cheaper by the dozen; all count against the budget. It may change.
    higher_is_better : bool, default True
        False for distances; must agree with a result or run.
    seed : int, optional
        Of the order of labelling. By default the operating system draws one, which is recorded. Trying several seeds breaks the
        promise.
    state : mapping or path, optional
        Go on from here: ``.state`` of a certificate or of an exception. No label is asked for twice.
    log : path, optional
        Labels are appended to this file as they arrive; one that is there is gone on from.

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        If there is no row, a score is infinite, an option is out of range or does not go with the others, the budget is below
        the floor, or the state is of another pool, seed or settings.
    TypeError
        If an argument is of another type than described.

    Notes
    -----
    To certify a selection of k rows is to refute that K0 = ceil(target * k) - 1 of them or fewer are positive, by a test
    martingale for sampling without replacement; see :mod:`fastcal.intervals.evidence`. A bad cut is only certified if the first
    bad one is, so delta need not be divided among cuts (fixed-sequence testing). A label counts for a cut only if every row of the cut
    that comes before it is labelled.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> relevant = np.arange(2000) < 1500
    >>> scores = np.linspace(1.0, 0.0, 2000)
    >>> found = fc.certify_threshold(scores, lambda positions: relevant[positions], seed=0)
    >>> found.reason, found.n_selected, bool(relevant[scores >= found.threshold].mean() >= 0.9)
    ('certified', 1000, True)
    """
    options = _Options(
        target_precision, delta, budget, scope, groups, probabilities, sampling, second_start, ratio, batch_size, higher_is_better, seed, state, log
    )
    return drive(*_plan(scores, options), labeler)


async def certify_threshold_async(
    scores: Any,
    labeler: Callable[[Int64], Any],
    *,
    target_precision: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    scope: str = "pool",
    groups: npt.ArrayLike | None = None,
    probabilities: npt.ArrayLike | None = None,
    sampling: str = "uniform",
    second_start: float | str | None = None,
    ratio: float = 2.0,
    batch_size: int = 1,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109  (of one call of the labeler)
) -> Certificate:
    """:func:`certify_threshold` with a labeler that is awaited, in up to `concurrency` calls at a time.

    Answers are used in the order of priority, never in that of arrival, so the result is that of :func:`certify_threshold`.

    Parameters
    ----------
    scores, labeler, target_precision, delta, budget, scope, groups, probabilities, sampling, second_start, ratio, batch_size
        As in :func:`certify_threshold`; what the labeler returns is awaited.
    higher_is_better, seed, state, log
        As there.
    concurrency : int, default 4
        Calls into which one request is split.
    timeout : float, optional
        Seconds after which a call is cancelled; its positions are answered -1, cannot judge.

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError, TypeError
        As :func:`certify_threshold`.

    Examples
    --------
    >>> import asyncio, numpy as np, fastcal as fc
    >>> async def judge(positions):
    ...     return positions < 1500
    >>> found = asyncio.run(fc.certify_threshold_async(np.linspace(1.0, 0.0, 2000), judge, seed=0))
    >>> found.n_selected
    1000
    """
    options = _Options(
        target_precision, delta, budget, scope, groups, probabilities, sampling, second_start, ratio, batch_size, higher_is_better, seed, state, log
    )
    return await drive_async(*_plan(scores, options), labeler, concurrency=concurrency, timeout=timeout)


class _Options(NamedTuple):
    target_precision: float
    delta: float
    budget: int | None
    scope: str
    groups: npt.ArrayLike | None
    probabilities: npt.ArrayLike | None
    sampling: str
    second_start: float | str | None
    ratio: float
    batch_size: int
    higher_is_better: bool
    seed: int | None
    state: Any
    log: Any


def _plan(scores: Any, options: _Options) -> tuple[Procedure[Certificate], Ledger]:
    """Judge everything; return the procedure that asks for labels and the ledger that keeps them."""
    future = one_of(options.scope, "scope", tuple(_FIRST)) == "pairs"
    rule = Rule(exact_target(options.target_precision), fraction(options.delta, "delta"), integer(options.batch_size, "batch_size", least=1), future)
    ratio = number(options.ratio, "ratio", "a number in (1, 4]", lambda x: 1.0 < x <= 4.0)
    rows = as_rows(scores, options.higher_is_better, options.groups)
    weights, start = _prior(rows, rule, options)
    floor = sequential_floor_iid(float(rule.target), rule.delta) if future else pool_floor(rule.target, rule.delta, rows.scores.size)
    budget = as_budget(options.budget, floor, rows.scores.size)
    settings = {
        "target": str(rule.target),
        "delta": rule.delta,
        "scope": options.scope,
        "ratio": ratio,
        "census": _census(rows, rule, ratio, budget, start, options),
        "start": start,
        "weights": None if weights is None else fingerprint(weights),
        "higher_is_better": bool(options.higher_is_better),
    }
    ledger = Ledger(
        "certify_threshold", rows.fingerprint, settings, budget=budget, seed=options.seed, state=options.state, log=options.log, size=rows.size
    )
    pool = _arranged(rows, ledger, options, weights, start)
    return _procedure(pool, rows, ledger, rule, floor, start), ledger


def _census(rows: Rows, rule: Rule, ratio: float, budget: int, start: float | None, options: _Options) -> int:
    """Return how many of the best rows are labelled whole; those of pairs would be no random sample."""
    if rule.future:
        return 0
    size = partial(census_size, rows.scores, higher_is_better=options.higher_is_better)
    far, n = single_look_floor_iid(float(rule.target), rule.delta), rows.scores.size
    return settled_census(options.state, options.log, size, far, head_size(rule, budget, n, ratio, start))


def _arranged(rows: Rows, ledger: Ledger, options: _Options, weights: Float64 | None, start: float | None) -> Pool:
    """Put the rows into the ledger's order of labelling."""
    uniform, settings = ledger.rng("priorities").random(rows.scores.size), ledger.settings
    return array_pool(
        rows.scores,
        rows.positions,
        uniform if weights is None else -np.log1p(-uniform) / weights,
        census=settings["census"],
        ratio=settings["ratio"],
        first=_FIRST[options.scope] * single_look_floor_iid(options.target_precision, options.delta),
        keep=ledger.budget,
        higher_is_better=options.higher_is_better,
        starts=() if start is None else (start,),
        beyond=options.scope == "pairs",
        weights=weights,
    )


def _procedure(pool: Pool, rows: Rows, ledger: Ledger, rule: Rule, floor: int, start: float | None) -> Procedure[Certificate]:
    first = None if start is None else pool.cut_at(start)
    found = yield from walk(pool, ledger, rule, first if first is not None and first >= 0 else None)
    threshold = None if found.cut is None else pool.thresholds[found.cut]
    truncated = None if rows.last is None or threshold is None else int(np.count_nonzero(selected(rows.last, threshold, pool.higher_is_better)))
    scope = scope_of(rule, rows.scores.size, rows.n_groups if rows.last is not None else None, truncated)
    facts = None if threshold is None else _facts(pool, rows, found, rule, threshold)
    return certificate(pool, found, ledger, rule, n_pool=rows.scores.size, labels_floor=floor, scope=scope, by_query=facts, n_truncated=truncated)


def _prior(rows: Rows, rule: Rule, options: _Options) -> tuple[Float64 | None, float | None]:
    """Return the weights of the rows and the threshold of the second start, as far as they are asked for."""
    weighted = one_of(options.sampling, "sampling", ("uniform", "weighted")) == "weighted"
    auto = isinstance(options.second_start, str) and one_of(options.second_start, "second_start", ("auto",)) == "auto"
    if (weighted or auto) != (options.probabilities is not None):
        raise InvalidValueError('probabilities go with sampling="weighted" or second_start="auto", which need them')
    if weighted and rule.future:
        raise InvalidValueError('sampling="weighted" goes with scope="pool" only')
    start = None if auto or options.second_start is None else given_start(rows, options.second_start, options.higher_is_better)
    if options.probabilities is None:
        return None, start
    probabilities = rows.beside(options.probabilities)
    if auto:
        start = hopeful_start(rows, probabilities, float(rule.target + 1) / 2, options.higher_is_better)
    return spread_weights(probabilities) if weighted else None, start


def _facts(pool: Pool, rows: Rows, found: Walk, rule: Rule, threshold: np.float32) -> QueryFacts | None:
    if rows.groups is None:
        return None
    sizes = np.bincount(rows.groups[selected(rows.scores, threshold, pool.higher_is_better)], minlength=rows.n_groups)
    head, drawn = (rows.groups[np.searchsorted(rows.positions, sample.positions)] for sample in (found.head, found.drawn))
    return query_facts(sizes, (head, found.head.positive), (drawn, found.drawn.positive, found.drawn.design), rule.target)
