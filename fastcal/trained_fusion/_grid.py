"""Grid search over the simplex of weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidValueError
from fastcal.evaluation import Evaluator
from fastcal.fusion import fuse
from fastcal.run import Run, align
from fastcal.trained_fusion._inputs import normalised, query_names, with_scores
from fastcal.trained_fusion._linear import LinearFusion


def search(
    runs: list[Run], qrels: Mapping[str, Mapping[str, int]], norm: tuple[str | None, ...], metric: Any, step: float, num_threads: int | None
) -> LinearFusion:
    """Return the weights of the grid with the best mean; among equals the most even ones, then those of the earlier runs.

    Lists are normalised once, fused no deeper than the metric looks, and only judged lists become Python objects.
    """
    aligned = align(runs)
    names = {str(name) for name in query_names(aligned[0])}
    evaluator = Evaluator({query: dict(documents) for query, documents in qrels.items() if query in names}, metric)
    summands = [with_scores(run, normalised(run, each, num_threads)) for run, each in zip(aligned, norm, strict=True)]
    points = _simplex(len(runs), _n_steps(step))
    lists = (fuse(summands, "sum", weights=weights, top_k=evaluator.depth, num_threads=num_threads) for weights in points)
    values = [float(evaluator(fused).mean()) for fused in lists]
    best = int(np.argmax(values))
    return LinearFusion(norm, points[best], evaluator.metric, values[best])


def _n_steps(step: float) -> int:
    steps = round(1 / step)
    if abs(steps * step - 1) > 1e-9:
        raise InvalidValueError(f"step must divide 1, got {step}")
    return steps


def _simplex(n_runs: int, steps: int) -> list[npt.NDArray[np.float64]]:
    """Return the weights with sum 1 that are multiples of ``1 / steps``, the most even first."""
    points = sorted(_compositions(n_runs, steps), key=lambda point: (sum(part * part for part in point), [-part for part in point]))
    return [np.array(point) / steps for point in points]


def _compositions(n_parts: int, total: int) -> Iterator[tuple[int, ...]]:
    if n_parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in _compositions(n_parts - 1, total - first))
