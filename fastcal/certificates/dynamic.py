"""dynamic_threshold: the lowest threshold of one query that can be shown to keep its promise over all rows of an index."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastcal._validate.numbers import fraction, integer, number, one_of
from fastcal.certificates._band_pool import distinct
from fastcal.certificates._certificate import Certificate, certificate
from fastcal.certificates._options import as_budget, exact_target, head_size, pool_floor, settled_census
from fastcal.certificates._pool import Pool
from fastcal.certificates._query_pool import QueryRows, rows_of
from fastcal.certificates._start import probability_of, start_at
from fastcal.certificates._walk import Rule, walk
from fastcal.errors import InvalidValueError
from fastcal.intervals.floors import single_look_floor_iid
from fastcal.labelling._drive import Labeler, Procedure, drive
from fastcal.labelling._drive_async import drive_async
from fastcal.labelling._ledger import Ledger

_LEAST_HEAD = 512


def dynamic_threshold(
    index: Any,
    query: Any,
    labeler: Labeler,
    *,
    target_precision: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    calibrator: Any = None,
    sampling: str = "uniform",
    depth: int | None = None,
    ratio: float = 2.0,
    batch_size: int = 1,
    higher_is_better: bool | None = None,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
) -> Certificate:
    """Find, with few labels, the laxest threshold of one query whose precision over all rows of an index can be certified.

    The right cut differs from query to query. Three scans give this query's distribution of scores, its best rows, and rows drawn
    uniformly from every band of scores; no score of the corpus is kept. Cuts are placed at ratio 2 in rank; the best rows are
    labelled one and all (unless a second start succeeds), and beyond them rows in a random order, until each cut is certified
    as in :func:`certify_threshold`.
    With probability at least 1 - delta over that order, whatever the labels and however the calibrator errs, there is no
    threshold in the result or what it selects has at least the target precision, as judged by the labeler.

    Parameters
    ----------
    index : Index, or an object with ``search(queries, k)`` or ``knn_query(queries, k)``
        Of an :class:`Index` the pool is every row. Of FAISS, hnswlib, usearch or an object of your own, which returns scores and
        ids best first, it is the rows it returned: the promise says nothing of those that it missed.
    query : array_like of float, shape (dim,) or (1, dim)
    labeler : callable
        Called with int64 ids, as the index returns them, in batches; returns 1 (relevant), 0, or -1 (cannot judge; counts as 0)
        for each.
    target_precision, delta : float
        Strictly between 0 and 1.
    budget : int, optional
        Labels that may be used, at least ``labels_floor``; by default 40 times that.
    calibrator : object with ``predict(scores)``, or callable ``(scores, features)``, optional
        Returns the probability of each score of this query, fitted on labels of *other* queries. It places a second start at the
        laxest cut expected half-way from the target to 1, and delta is divided between the two starts: 5 to 14 points more recall
        where many rows are relevant (decision 0013), of no use where a head of 29 rows holds all of them. `features` are the
        :func:`query_features` of the best 100 rows and the mean of all, as a dict.
    sampling : {"uniform", "weighted"}, default "uniform"
        Weighted: rows whose probability is uncertain, by the calibrator, come up to four times as often, by sqrt(p (1 - p)).
    depth : int, optional
        Take the best `depth` rows that the index returns as the pool; by default all of an :class:`Index`, 1000 of another.
    ratio : float, default 2.0
        At most so many times as many rows from one cut to the next.
    batch_size : int, default 1
        Fewest labels of a request.
    higher_is_better : bool, optional
        Direction of a foreign index's scores; by default read off their order.
    seed : int, optional
        Of the order of labelling; None draws one and records it.
    state : mapping or path, optional
        Of an interrupted call with the same arguments: its labels are not bought again.
    log : path, optional
        File to which labels are appended as they arrive, and from which a call goes on.

    Returns
    -------
    Certificate
        Its threshold is a score of this index. Where the whole of a large index is certified it is a number that every score
        reaches: -1 for cosine, about -3.4e38 for dot and 3.4e38 for euclidean. A foreign index all of whose rows are selected
        (``n_selected == n_pool``) should be asked for more.

    Raises
    ------
    ValueError
        If an option is out of range, `budget` is below the floor, two rows to be labelled share an id, rows are added to the
        index while it is scanned (later ones are not covered), a state is of something else, or the labeler's answers cannot be
        used (then with ``.state``: all labels that were paid).
    TypeError
        If `index` cannot be searched, or an argument is of another type.

    Notes
    -----
    Every certificate holds with probability 1 - delta on its own: of Q queries about delta * Q may be false. Where that will not
    do, see :func:`pooled_thresholds` and ``certify_queries``.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> corpus = np.random.default_rng(0).normal(size=(6000, 8)).astype(np.float32)
    >>> query, index = corpus[0], fc.Index(corpus, "dot")
    >>> relevant = fc.scores(query, corpus, "dot")[0] > 4
    >>> found = fc.dynamic_threshold(index, query, lambda ids: relevant[ids], seed=0)
    >>> found.reason, found.n_pool, bool(found.threshold > 3.9)
    ('certified', 6000, True)
    """
    options = _Options(target_precision, delta, budget, calibrator, sampling, depth, ratio, batch_size, higher_is_better, seed, state, log)
    return drive(*_plan(index, query, options), labeler)


async def dynamic_threshold_async(
    index: Any,
    query: Any,
    labeler: Labeler,
    *,
    target_precision: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    calibrator: Any = None,
    sampling: str = "uniform",
    depth: int | None = None,
    ratio: float = 2.0,
    batch_size: int = 1,
    higher_is_better: bool | None = None,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109
) -> Certificate:
    """Find what :func:`dynamic_threshold` finds, with a labeler that returns awaitables.

    Parameters
    ----------
    index, query, labeler, target_precision, delta, budget, calibrator, sampling, depth, ratio, batch_size, higher_is_better
        As there; `labeler` may be a coroutine function.
    seed, state, log
        As there.
    concurrency : int, default 4
        Calls of the labeler that are under way at a time; a request is divided among them.
    timeout : float, optional
        Seconds after which a call is cancelled and its rows count as "cannot judge".

    Returns
    -------
    Certificate
        The same for any `concurrency`: answers are used in the order of priority, whenever they arrive.

    Raises
    ------
    ValueError, TypeError
        As there.

    Examples
    --------
    >>> import asyncio, numpy as np, fastcal as fc
    >>> async def judge(ids):
    ...     return ids < 40
    >>> index = fc.Index(np.linspace(1, 0, 500, dtype=np.float32)[:, np.newaxis], "dot")
    >>> asyncio.run(fc.dynamic_threshold_async(index, [1.0], judge, seed=0)).reason
    'certified'
    """
    options = _Options(target_precision, delta, budget, calibrator, sampling, depth, ratio, batch_size, higher_is_better, seed, state, log)
    return await drive_async(*_plan(index, query, options), labeler, concurrency=concurrency, timeout=timeout)


class _Options(NamedTuple):
    target_precision: float
    delta: float
    budget: int | None
    calibrator: Any
    sampling: str
    depth: int | None
    ratio: float
    batch_size: int
    higher_is_better: bool | None
    seed: int | None
    state: Any
    log: Any


def _plan(index: Any, query: Any, options: _Options) -> tuple[Procedure[Certificate], Ledger]:
    """Judge everything and scan; return the procedure that asks for labels and the ledger that keeps them."""
    rule = Rule(exact_target(options.target_precision), fraction(options.delta, "delta"), integer(options.batch_size, "batch_size", least=1))
    ratio = number(options.ratio, "ratio", "a number in (1, 4]", lambda x: 1.0 < x <= 4.0)
    weighted = one_of(options.sampling, "sampling", ("uniform", "weighted")) == "weighted"
    if weighted and options.calibrator is None:
        raise InvalidValueError('sampling="weighted" needs a calibrator, which tells the rows that are uncertain')
    far = single_look_floor_iid(float(rule.target), rule.delta)
    rows = rows_of(index, query, options.depth, options.higher_is_better, max(_LEAST_HEAD, 4 * far))
    floor = pool_floor(rule.target, rule.delta, rows.n)
    budget = as_budget(options.budget, floor, rows.n)
    probability = None if options.calibrator is None else probability_of(options.calibrator, rows.profile, rows.sign)
    start = None if probability is None else start_at(rows.profile, probability, float(rule.target), 2 * far)
    settings = {
        "target": str(rule.target),
        "delta": rule.delta,
        "ratio": ratio,
        "census": settled_census(options.state, options.log, rows.census_size, far, head_size(rule, budget, rows.n, ratio, start)),
        "start": start,
        "sampling": options.sampling,
    }
    ledger = Ledger("dynamic_threshold", rows.digest, settings, budget=budget, seed=options.seed, state=options.state, log=options.log)
    shape = {"census": settings["census"], "first": 2 * far, "ratio": ratio, "keep": budget}
    pool = rows.arrange(ledger, start=start, probability=probability if weighted else None, **shape)
    distinct(pool)
    return _procedure(pool, rows, ledger, rule, floor, start), ledger


def _procedure(pool: Pool, rows: QueryRows, ledger: Ledger, rule: Rule, floor: int, start: float | None) -> Procedure[Certificate]:
    found = yield from walk(pool, ledger, rule, None if start is None else pool.cut_at(float(rows.sign) * start))
    return certificate(pool, found, ledger, rule, n_pool=rows.n, labels_floor=floor, scope=_scope(rows, rule))


def _scope(rows: QueryRows, rule: Rule) -> str:
    """Say what is covered, and end in what is not."""
    which = f"all {rows.n} rows of the index, as it was when the search began," if rows.complete else f"the {rows.n} rows that index returned"
    promise = f"The selection from {which} for this query, as judged by this labeller; wrong in at most {100 * rule.delta:g} % of random orders"
    missed = "" if rows.complete else " Rows that the index did not return are not covered."
    wrong = f"of labelling, so of Q such certificates up to {rule.delta:g} Q may be wrong"
    return f"{promise} {wrong}.{missed} It is not other queries, rows, those added since among them, or labellers."
