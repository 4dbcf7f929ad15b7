"""certify_recall: the highest threshold that can be shown, with few labels, to keep enough of what is relevant."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from fastcal._validate.numbers import fraction, integer, number
from fastcal.certificates._inputs import as_rows
from fastcal.certificates._options import as_budget, exact_target, pool_floor
from fastcal.certificates._pool import Int64, Pool, array_pool
from fastcal.certificates._recall_certificate import RecallCertificate, RecallStep
from fastcal.certificates._recall_test import RecallTest
from fastcal.intervals.wilson import wilson_interval
from fastcal.labelling._drive import Labeler, Procedure, drive
from fastcal.labelling._drive_async import drive_async
from fastcal.labelling._ledger import Ledger

SCOPE = (
    "These rows, as judged by this labeller: of those it calls relevant, the threshold selects the promised share."
    " Not relevant rows that are missing from this pool, not each query, not other rows, queries or labellers."
)


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
        Labels that may be used; None is 40 times the floor, at most the pool. More labels buy a stricter threshold.
    ratio : float, default 1.05
        Thresholds are tried at each distinct score, or so that one selects at most so many times as many rows as the next; in
        (1, 4].
    batch_size : int, default 20
        Labels of a request.
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
        is known to lose too many), "futility" or "budget"; of the last two ``.labels_needed`` is an estimate.

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
    # Against the pool that is all relevant; a positive outside the cut needs many more within it.
    floor = pool_floor(target, delta, rows.scores.size)
    budget = as_budget(options.budget, floor, rows.scores.size)
    better = bool(options.higher_is_better)
    settings = {"target_recall": str(target), "delta": delta, "ratio": ratio, "batch_size": size, "higher_is_better": better}
    kept = {"seed": options.seed, "state": options.state, "log": options.log, "size": rows.size}
    ledger = Ledger("certify_recall", rows.fingerprint, settings, budget=budget, **kept)
    priorities = ledger.rng("priorities").random(rows.scores.size)
    pool = array_pool(rows.scores, rows.positions, priorities, ratio=ratio, higher_is_better=better)
    return _Search(pool, ledger, target, delta, size, floor).run(), ledger


class _Search:
    """Labels rows by priority and moves the threshold up as the evidence allows."""

    def __init__(self, pool: Pool, ledger: Ledger, target: Fraction, delta: float, batch_size: int, floor: int) -> None:
        self.pool, self.ledger, self.target, self.delta, self.batch_size, self.floor = pool, ledger, target, delta, batch_size, floor
        self.n_rows, last = pool.positions.size, pool.counts.size - 1  # the last cut, the whole pool, has recall 1
        self.test = RecallTest(target, delta, pool.counts[:last][::-1], self.n_rows)
        self.depths: Int64 = last - pool.cut_of
        self.n_labels = 0
        self.trace: list[RecallStep] = []

    def run(self) -> Procedure[RecallCertificate]:
        """A procedure."""
        while not (stopped := self._stop()):
            n = int(min(self.batch_size, self.n_rows - self.n_labels, self.ledger.remaining))
            taken = slice(self.n_labels, self.n_labels + n)
            labels = yield self.pool.positions[taken]
            before = self.test.n_certified
            self.test.take(self.depths[taken], (labels == 1).astype(np.uint8))
            self.n_labels += n
            if self.test.n_certified > before:
                self.trace.append(self._step(self.test.n_certified - 1))
        return self._certificate(stopped)

    def _stop(self) -> str:
        if self.n_labels == self.n_rows:
            return "whole pool"
        if self.test.n_certified == self.test.found.size:
            return "strictest"
        if self.test.is_missed(self.test.n_certified):
            return "missed"
        if self.ledger.remaining < 1:
            return "budget"
        return "futility" if self._is_futile() else ""

    def _is_futile(self) -> bool:
        """Whether, while nothing is certified, even many more relevant rows than the labels suggest would ask for more labels than there are."""
        if self.test.n_certified or self.n_labels < 3 * self.floor:
            return False
        found = self.test.positives
        return self._needed(found + 2 * math.sqrt(found + 1) + 2) > (self.ledger.budget or self.n_rows)

    def _needed(self, found: float) -> int:
        """Labels after which u + 1 hidden rows would be seen with probability 1 - delta, where u may be missed of what `found` stands for."""
        may_miss = math.floor(found * self.n_rows / self.n_labels * (1 - self.target))
        return math.ceil(self.n_rows * -math.expm1(math.log(self.delta) / (may_miss + 1)))

    def _found(self) -> RecallStep | None:
        """The strictest certified cut that the labels do not disprove: a promise that turned out to be broken is not made."""
        good = [at for at in range(self.test.n_certified) if not self.test.is_missed(at)] if self.test.positives else []
        return self._step(good[-1]) if good else None

    def _step(self, at: int) -> RecallStep:
        cut = self.pool.counts.size - 2 - at
        above, evidence = int(self.test.found[at]), float(self.test.evidence[at])
        return RecallStep(
            labels=self.n_labels,
            threshold=float(self.pool.thresholds[cut]),
            n_rows=int(self.pool.counts[cut]),
            positives=self.test.positives,
            positives_above=above,
            log_evidence=evidence,
        )

    def _reason(self, stopped: str, *, certified: bool) -> str:
        if certified:
            return "certified"
        if not self.test.found.size:
            return "no_cut"
        if not self.test.positives:
            return "no_positives"
        return "missed" if stopped in {"whole pool", "strictest"} else stopped

    def _certificate(self, stopped: str) -> RecallCertificate:
        last, found = self._found(), self.test.positives
        return RecallCertificate(
            threshold=None if last is None else last.threshold,
            reason=self._reason(stopped, certified=last is not None),
            labels_used=self.ledger.n_used,
            labels_floor=self.floor,
            n_selected=0 if last is None else last.n_rows,
            scope=SCOPE,
            n_cannot_judge=self.ledger.n_cannot_judge,
            seed=self.ledger.seed,
            state=self.ledger.to_state(),
            target_recall=float(self.target),
            delta=self.delta,
            n_pool=self.n_rows,
            budget=self.ledger.budget,
            stopped=stopped,
            positives_found=found,
            recall_sample=None if last is None else last.positives_above / found,
            interval=None if last is None else wilson_interval(last.positives_above, found),
            labels_needed=None if last is not None or not found else self._needed(found),
            trace=tuple(self.trace),
            higher_is_better=self.pool.higher_is_better,
        )
