"""The search for the highest threshold of certified recall: labels rows of a pool, and reports what they show."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from fastcal.certificates._inputs import Rows
from fastcal.certificates._pool import Int64, Pool
from fastcal.certificates._prior import selected
from fastcal.certificates._recall_certificate import RecallCertificate, RecallStep
from fastcal.certificates._recall_facts import RecallFacts, recall_facts
from fastcal.certificates._recall_test import RecallTest
from fastcal.intervals.wilson import wilson_interval
from fastcal.labelling._drive import Procedure
from fastcal.labelling._ledger import Ledger


class RecallSearch:
    """Labels rows by priority and moves the threshold up as the evidence allows."""

    def __init__(self, pool: Pool, rows: Rows, ledger: Ledger, target: Fraction, delta: float, batch_size: int) -> None:
        self.pool, self.rows, self.ledger, self.target, self.delta, self.batch_size = pool, rows, ledger, target, delta, batch_size
        self.n_rows, last = pool.positions.size, pool.counts.size - 1  # the last cut, the whole pool, has recall 1
        self.test = RecallTest(target, delta, pool.counts[:last][::-1], self.n_rows)
        self.floor = (self.test.fewest(self.n_rows) if last else 0) or self.n_rows
        self.depths: Int64 = last - pool.cut_of
        self.hits: list[npt.NDArray[np.bool_]] = []
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
            self.hits.append(labels == 1)
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
        if self.ledger.remaining < 1 or (not self.test.n_certified and self.test.is_beyond(int(self.ledger.remaining))):
            return "budget"
        return "futility" if self._is_futile() else ""

    def _is_futile(self) -> bool:
        """Whether, while nothing is certified, even many more relevant rows than the labels suggest would ask for more labels than there are."""
        if self.test.n_certified or self.n_labels < 3 * self.floor:
            return False
        found = self.test.positives
        return self._least(found + 2 * math.sqrt(found + 1) + 2) > (self.ledger.budget or self.n_rows)

    def _least(self, found: float) -> int:
        """Labels after which u + 1 hidden rows would be seen with probability 1 - delta, where u may be missed of what `found` stands for."""
        may_miss = math.floor(found * self.n_rows / self.n_labels * (1 - self.target))
        return math.ceil(self.n_rows * -math.expm1(math.log(self.delta) / (may_miss + 1)))

    def _needed(self) -> int | None:
        """Labels with which the laxest cut would be certified, as far as one can tell."""
        more = self.test.labels_like() if self.test.positives else None
        too_few = self.ledger.budget or 0
        return None if more is None else min(self.n_rows, max(self.n_labels + more, too_few + 1, self._least(self.test.positives)))

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

    def _by_query(self, cut: RecallStep) -> tuple[RecallFacts | None, int | None]:
        """The selection query by query, and how many lists end at or beyond the threshold."""
        rows, better = self.rows, self.pool.higher_is_better
        if rows.groups is None or rows.last is None:
            return None, None
        chosen = selected(rows.scores, np.float32(cut.threshold), better)
        found = np.searchsorted(rows.positions, self.pool.positions[: self.n_labels][np.concatenate(self.hits)])
        sizes = np.bincount(rows.groups[chosen], minlength=rows.n_groups)
        facts = recall_facts(sizes, rows.groups[found], chosen[found], float(self.target))
        return facts, int(np.count_nonzero(selected(rows.last, np.float32(cut.threshold), better)))

    def _scope(self, truncated: int | None) -> str:
        ends = "" if truncated is None else f", and {truncated} of the lists end at or beyond the threshold"
        lists = "" if self.rows.last is None else f" Only within the {self.rows.n_groups} lists: rows they do not hold are not counted{ends}."
        return (
            f"Of the rows of this pool of {self.n_rows} that this labeller calls relevant, all queries together, the threshold selects at"
            f" least {float(self.target):g}; wrong in at most {100 * self.delta:g} % of random orders of labelling.{lists}"
            " It is not about relevant rows that this pool does not hold, nor each query, nor other rows, queries or labellers."
        )

    def _certificate(self, stopped: str) -> RecallCertificate:
        last, found = self._found(), self.test.positives
        facts, truncated = (None, None) if last is None else self._by_query(last)
        reason = self._reason(stopped, certified=last is not None)
        return RecallCertificate(
            threshold=None if last is None else last.threshold,
            reason=reason,
            labels_used=self.ledger.n_used,
            labels_floor=self.floor,
            n_selected=0 if last is None else last.n_rows,
            scope=self._scope(truncated),
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
            labels_needed=self._needed() if reason in {"budget", "futility"} else None,
            trace=tuple(self.trace),
            by_query=facts,
            n_truncated=truncated,
            higher_is_better=self.pool.higher_is_better,
        )
