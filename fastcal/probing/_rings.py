"""Rings around one query: probe, keep what lies in the crust, label, and close in on the outermost one that passes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.index import Index
from fastcal.intervals.wilson import wilson_interval
from fastcal.labelling._drive import Procedure
from fastcal.labelling._ledger import Int8, Ledger
from fastcal.probing._probes import Float32, Float64, ring_points
from fastcal.probing._searchers import Int64, Searcher
from fastcal.probing.results import Ring


class Plan(NamedTuple):
    """The query, its own search, and the options of the rings."""

    query: Float32
    direction: Float64
    plain: Int64  # ids its own search returns, ascending
    rings: list[float]
    ring_tol: float
    probes: int
    neighbours: int
    labels: int
    target: float
    resolution: float
    source: str


class Crust(NamedTuple):
    """What was found near a ring; `rows` lie in the crust, in the order in which they are labelled."""

    rows: Int64
    hits: int
    hits_in_crust: int
    found: Int64
    in_ring: int | None
    errors: npt.NDArray[np.float32]


class Rings:
    """Visits rings and remembers answers; no row is asked about twice."""

    def __init__(self, plan: Plan, searcher: Searcher, ledger: Ledger) -> None:
        self.plan, self.searcher, self.ledger = plan, searcher, ledger
        self.known: dict[int, int] = {}
        self.visited: list[Ring] = []
        self.out_of_budget = False

    def close_in(self) -> Procedure[tuple[Ring | None, bool]]:
        """Return the outermost ring that passes, and whether a ring further out did not: between the two it was bisected."""
        for distance in self.plan.rings:
            yield from self.visit(distance)
            if self.out_of_budget:
                break
        passing = [at for at, ring in enumerate(self.visited) if ring.passed]
        if not passing:
            return None, False
        inner, outer = self.visited[passing[-1]], self.visited[passing[-1] + 1 : passing[-1] + 2]
        if not outer:
            return inner, False
        beyond = outer[0].distance
        while beyond - inner.distance > self.plan.resolution and not self.out_of_budget:
            ring = yield from self.visit((inner.distance + beyond) / 2)
            inner, beyond = (ring, beyond) if ring.passed else (inner, ring.distance)
        return inner, True

    def visit(self, distance: float) -> Procedure[Ring]:
        """Look at one ring and label up to `labels` rows of its crust."""
        crust = self.banded(distance) if self.plan.source == "band" else self.probed(distance)
        labels = yield from self.label(crust.rows[: self.plan.labels])
        ring = self.report(distance, crust, labels)
        self.visited.append(ring)
        return ring

    def probed(self, distance: float) -> Crust:
        """Search from random points of the ring, score what comes back against the query."""
        plan, rng = self.plan, self.ledger.rng(f"annular/{distance!r}")
        points = ring_points(plan.direction, distance, plan.probes, rng)
        hits = self.searcher.search(points, plan.neighbours)
        real = hits.ids >= 0
        found = np.unique(hits.ids[real])
        errors = np.empty(0, np.float32)
        if hits.reported is not None:
            exact = self.searcher.exact(points, found)
            errors = np.abs(hits.reported[real] - exact[np.nonzero(real)[0], np.searchsorted(found, hits.ids[real])])
        away = 1.0 - self.searcher.exact(plan.query, found)[0].astype(np.float64)
        rows = found[np.abs(away - distance) <= plan.ring_tol]
        in_crust = int(np.isin(hits.ids[real], rows).sum())
        return Crust(rng.permutation(rows), int(np.count_nonzero(real)), in_crust, found, None, errors)

    def banded(self, distance: float) -> Crust:
        """Draw uniformly among all rows of the crust."""
        plan, index = self.plan, getattr(self.searcher, "index", None)
        assert isinstance(index, Index)
        seed = int(self.ledger.rng(f"annular/{distance!r}").integers(2**63))
        near, far = 1.0 - distance + plan.ring_tol, 1.0 - distance - plan.ring_tol
        drawn = index.sample_bands(plan.query, [far, near], plan.labels, seed=seed)
        rows = drawn.ids[0, 0][drawn.ids[0, 0] >= 0]
        _, first = np.unique(rows, return_index=True)
        rows = rows[np.sort(first)]
        return Crust(rows, rows.size, rows.size, np.sort(rows), int(drawn.counts[0, 0]), np.empty(0, np.float32))

    def label(self, rows: Int64) -> Procedure[Int8]:
        """Return the answers of rows, as many as the budget allows; those in hand cost nothing."""
        new = np.array([row for row in rows.tolist() if row not in self.known], np.int64)
        affordable = new[: int(min(new.size, self.ledger.remaining))]
        self.out_of_budget |= affordable.size < new.size
        if affordable.size:
            answers: Int8 = yield affordable
            self.known.update(zip(affordable.tolist(), (answers == 1).tolist(), strict=True))
        return np.array([self.known[row] for row in rows.tolist() if row in self.known], np.int8)

    def report(self, distance: float, crust: Crust, labels: Int8) -> Ring:
        """Put a ring into numbers."""
        positives = int(np.count_nonzero(labels))
        precision = positives / labels.size if labels.size else math.nan
        return Ring(
            distance=distance,
            probes=0 if self.plan.source == "band" else self.plan.probes,
            hits=crust.hits,
            hits_in_crust=crust.hits_in_crust,
            distinct=crust.found.size,
            already_in_plain=_share(crust.found, self.plan.plain),
            distinct_in_crust=crust.rows.size,
            crust_in_plain=_share(crust.rows, self.plan.plain),
            rows_in_ring=crust.in_ring,
            score_error_max=float(crust.errors.max()) if crust.errors.size else math.nan,
            score_error_mean=float(crust.errors.mean(dtype=np.float64)) if crust.errors.size else math.nan,
            labels=labels.size,
            positives=positives,
            precision=precision,
            interval=wilson_interval(positives, labels.size),
            empty=crust.rows.size == 0,
            passed=precision >= self.plan.target,
        )


def _share(rows: Int64, plain: Int64) -> float:
    return float(np.isin(rows, plain).mean()) if rows.size else math.nan
