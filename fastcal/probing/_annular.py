"""The call of annular_threshold judged, and its result put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import float32_number, fraction, integer, number, one_of
from fastcal.errors import InvalidValueError
from fastcal.labelling._drive import Procedure
from fastcal.labelling._fingerprint import fingerprint
from fastcal.labelling._ledger import Ledger
from fastcal.probing._options import FLOOR, as_budget
from fastcal.probing._probes import Float32, Float64, default_rings, unit
from fastcal.probing._rings import Plan, Rings
from fastcal.probing._searchers import Int64, Own, Searcher, searcher
from fastcal.probing.results import AnnularResult

_NEIGHBOURS = 50  # of a probe, unless told


def plan_rings(
    index: Any,
    query: Any,
    *,
    rings: Any,
    ring_tol: float,
    probes_per_ring: int,
    neighbours_per_probe: int | None,
    labels_per_ring: int,
    target_precision: float,
    resolution: float,
    source: str,
    budget: int | None,
    seed: int | None,
    state: Any,
    log: Any,
    corpus: Any,
    anchor: float | None,
    top_k: int | None,
) -> tuple[Procedure[AnnularResult], Ledger]:
    one_of(source, "source", ("probe", "band"))
    searched = searcher(index, corpus)
    if source == "band" and not isinstance(searched, Own):
        raise InvalidValueError(
            f"source='band' draws with Index.sample_bands; expected a fastcal Index, got {type(index).__module__}.{type(index).__qualname__}"
        )
    if not searched.n_rows:
        raise InvalidValueError("the index is empty; expected at least one row")
    tolerance = number(ring_tol, "ring_tol", "a number in (0, 1]", lambda x: 0.0 < x <= 1.0)
    usual = min(_NEIGHBOURS, searched.n_rows)
    neighbours = usual if neighbours_per_probe is None else _depth(neighbours_per_probe, "neighbours_per_probe", searched.n_rows)
    depth = neighbours if top_k is None else _depth(top_k, "top_k", searched.n_rows)
    vector = searched.query(query)
    direction = unit(vector[0])
    near, last = _plain(searched, vector, direction, depth)
    plan = Plan(
        query=vector,
        direction=direction,
        plain=near,
        rings=default_rings(last, tolerance) if rings is None else _rings(rings),
        ring_tol=tolerance,
        probes=integer(probes_per_ring, "probes_per_ring", least=1),
        neighbours=neighbours,
        labels=integer(labels_per_ring, "labels_per_ring", least=1),
        target=fraction(target_precision, "target_precision"),
        resolution=number(resolution, "resolution", "a number in [1e-6, 2]", lambda x: 1e-6 <= x <= 2.0),
        source=source,
    )
    fallback = float(last.min()) if anchor is None else float(float32_number(anchor, "anchor"))
    settings = {name: getattr(plan, name) for name in plan._fields if name not in {"query", "direction", "plain"}} | {"top_k": depth}
    settings |= {"rings": None if rings is None else plan.rings, "anchor": None if anchor is None else fallback}
    compared = (near, last) if depth == usual else _plain(searched, vector, direction, usual)
    pool = fingerprint(np.array([searched.n_rows]), vector, *compared)
    ledger = Ledger("annular_threshold", pool, settings, budget=as_budget(budget), seed=seed, state=state, log=log)
    return _visit(Rings(plan, searched, ledger), fallback), ledger


def _visit(rings: Rings, fallback: float) -> Procedure[AnnularResult]:
    best, bisected = yield from rings.close_in()
    empty = all(ring.empty for ring in rings.visited)
    threshold = fallback if empty else None if best is None else float(np.float32(1.0 - best.distance))
    ended = "resolved" if bisected else "outermost_ring"
    reason = "empty" if empty else "budget" if rings.out_of_budget else "none_passes" if best is None else ended
    ledger, plan = rings.ledger, rings.plan
    return AnnularResult(
        threshold=threshold,
        reason=reason,
        labels_used=ledger.n_used,
        labels_floor=FLOOR,
        n_selected=0 if threshold is None else rings.searcher.count(plan.query, threshold),
        scope=_scope(plan.source),
        n_cannot_judge=ledger.n_cannot_judge,
        seed=ledger.seed,
        state=ledger.to_state(),
        rings=tuple(rings.visited),
        distance=None if best is None else best.distance,
        fallback=empty,
        anchor=fallback,
        source=plan.source,
        rings_empty=sum(ring.empty for ring in rings.visited),
    )


def _scope(source: str) -> str:
    drawn = "uniform samples of rings" if source == "band" else "rows that probes happened to return, with unknown probabilities"
    return (
        f"An estimate for this query, as judged by this labeller, from {drawn}. Ring precision is not the precision of everything above. "
        "The intervals are no guarantee: rings were compared on their own labels. Not a certificate, and not about other queries."
    )


def _plain(searched: Searcher, query: Float32, direction: Float64, depth: int) -> tuple[Int64, Float32]:
    """Return ids that the query's own search finds, ascending, and their exact cosines."""
    ids = np.unique(searched.search(direction[np.newaxis].astype(np.float32), depth).ids)
    near = ids[ids >= 0]
    if not near.size:
        raise InvalidValueError("the index returned no row for the query; expected at least one")
    return near, searched.exact(query, near)[0]


def _depth(value: Any, name: str, n_rows: int) -> int:
    depth = integer(value, name, least=1)
    if depth > n_rows:
        raise InvalidValueError(f"{name} must be at most {n_rows}, the rows of the index, got {depth}")
    return depth


def _rings(given: Any) -> list[float]:
    values = float_array(given, "rings").astype(np.float64)
    if values.ndim != 1:
        raise InvalidValueError(f"rings must be a list of cosine distances, got shape {values.shape}")
    if not values.size:
        raise InvalidValueError("rings are empty; expected at least one cosine distance")
    bad = ~((values >= 0) & (values <= 2))
    if bad.any():
        raise InvalidValueError(f"rings[{bad.argmax()}] is {values[bad.argmax()]}; expected cosine distances in [0, 2]")
    if (np.diff(values) <= 0).any():
        raise InvalidValueError(f"rings must be increasing, got {values.tolist()}")
    return [float(ring) for ring in values]
