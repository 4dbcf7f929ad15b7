"""certify_recall: the highest threshold that can be shown, with few labels, to keep enough of what is relevant."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastcal._validate.numbers import fraction, integer, number
from fastcal.certificates._inputs import as_rows
from fastcal.certificates._options import as_budget, exact_target
from fastcal.certificates._pool import array_pool
from fastcal.certificates._recall_certificate import RecallCertificate
from fastcal.certificates._recall_search import RecallSearch
from fastcal.labelling._drive import Labeler, Procedure, drive
from fastcal.labelling._drive_async import drive_async
from fastcal.labelling._ledger import Ledger


def certify_recall(
    scores: Any,
    labeler: Labeler,
    *,
    target_recall: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    ratio: float = 1.05,
    batch_size: int = 20,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
) -> RecallCertificate:
    """Certify the highest threshold that keeps a share of the relevant rows, with labels of few of them.

    Labels are drawn uniformly without replacement from the whole pool. With probability at least ``1 - delta`` there is no
    threshold, or what it selects holds at least `target_recall` of the relevant rows of this pool; exact for any pool, and for any
    number of looks. All thresholds share every label, and none costs a part of `delta`.

    What it takes is relevant rows among the labels: 36 of them, all above the threshold, for .9 at .05; so some
    ``36 / prevalence`` labels, whatever the scores. Where fewer than ten rows in a thousand are relevant, nothing that is rigorous
    is much cheaper than labelling the pool: a few relevant rows may hide anywhere. The procedure then stops early ("futility").

    Parameters
    ----------
    scores : array_like of float, any shape, a search result or a Run
        NaN marks padding. A Run pools its queries.
    labeler : callable
        Takes int64 positions (flat C order; CSR order of a Run) and returns for each 1 (relevant), 0, or -1: cannot judge,
        which counts as not relevant.
    target_recall, delta : float
        Strictly between 0 and 1.
    budget : int, optional
        Labels that may be used; None is 40 times the floor (36 for .9 at .05; see ``.labels_floor``), at most the pool. More labels buy
        a stricter threshold.
    ratio : float, default 1.05
        Thresholds are tried at each distinct score, or so that one selects at most so many times as many rows as the next; in
        (1, 4].
    batch_size : int, default 20
        Labels of a request; another one may go on from a `state`.
    higher_is_better : bool, default True
        False for distances; a search result or a Run says so itself, and must agree.
    seed : int, optional
        Of the order of labelling; fresh entropy if not given. Choosing the best of several seeds breaks the promise.
    state : mapping or path, optional
        ``.state`` of a result or an exception, to go on from.
    log : path, optional
        File to which each label is appended as it arrives.

    Returns
    -------
    RecallCertificate
        ``.threshold`` is None if nothing but the whole pool is certified: ``.reason`` is then "no_positives" (the labels found
        none; with all rows labelled, recall is undefined), "no_cut" (all scores are equal), "missed" (to leave out the lowest scores
        is known to lose too many), "futility" or "budget"; of the last two ``.labels_needed`` is an estimate, if there is one.

    Raises
    ------
    ValueError
        If an option is out of range, `budget` is below the floor, `state` belongs to other scores, options or another seed, or
        the labeler answers something else. What was paid is in ``.state`` of every exception.
    TypeError
        If scores are not numbers, or `labeler` is not callable.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> relevant = np.arange(2000) >= 1700
    >>> certificate = fc.certify_recall(np.arange(2000.0), lambda rows: relevant[rows], budget=500, seed=1)
    >>> certificate.reason, 300 * 0.9 <= certificate.n_selected <= 700
    ('certified', True)
    """
    procedure, ledger = _plan(scores, _Options(target_recall, delta, budget, ratio, batch_size, higher_is_better, seed, state, log))
    return drive(procedure, ledger, labeler)


async def certify_recall_async(
    scores: Any,
    labeler: Labeler,
    *,
    target_recall: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    ratio: float = 1.05,
    batch_size: int = 20,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109
) -> RecallCertificate:
    """:func:`certify_recall` with an asynchronous labeler: the same certificate, whatever the order of arrival.

    Parameters
    ----------
    scores, labeler, target_recall, delta, budget, ratio, batch_size, higher_is_better, seed, state, log
        As in :func:`certify_recall`; the labeler returns an awaitable.
    concurrency : int, default 4
        Calls under way at a time; a request of `batch_size` labels is split among them.
    timeout : float, optional
        Seconds until a call is given up; its labels are recorded as -1, cannot judge.

    Returns
    -------
    RecallCertificate

    Raises
    ------
    ValueError, TypeError
        As :func:`certify_recall`.

    Examples
    --------
    >>> import asyncio, numpy as np, fastcal as fc
    >>> async def judge(rows):
    ...     return rows >= 1700
    >>> found = fc.certify_recall_async(np.arange(2000.0), judge, budget=500, seed=1)
    >>> asyncio.run(found).reason
    'certified'
    """
    procedure, ledger = _plan(scores, _Options(target_recall, delta, budget, ratio, batch_size, higher_is_better, seed, state, log))
    return await drive_async(procedure, ledger, labeler, concurrency=concurrency, timeout=timeout)


class _Options(NamedTuple):
    target_recall: float
    delta: float
    budget: int | None
    ratio: float
    batch_size: int
    higher_is_better: bool
    seed: int | None
    state: Any
    log: Any


def _plan(scores: Any, options: _Options) -> tuple[Procedure[RecallCertificate], Ledger]:
    """Judge everything; return the procedure that asks for labels and the ledger that keeps them."""
    target, delta = exact_target(options.target_recall, "target_recall"), fraction(options.delta, "delta")
    ratio = number(options.ratio, "ratio", "a number in (1, 4]", lambda x: 1.0 < x <= 4.0)
    size = integer(options.batch_size, "batch_size", least=1)
    rows = as_rows(scores, options.higher_is_better, None)
    better = bool(options.higher_is_better)
    settings = {"target_recall": str(target), "delta": delta, "ratio": ratio, "higher_is_better": better}
    kept = {"seed": options.seed, "state": options.state, "log": options.log, "size": rows.size}
    ledger = Ledger("certify_recall", rows.fingerprint, settings, **kept)
    priorities = ledger.rng("priorities").random(rows.scores.size)
    pool = array_pool(rows.scores, rows.positions, priorities, ratio=ratio, higher_is_better=better)
    search = RecallSearch(pool, rows, ledger, target, delta, size)
    ledger.budget = as_budget(options.budget, search.floor, rows.scores.size)
    return search.run(), ledger
