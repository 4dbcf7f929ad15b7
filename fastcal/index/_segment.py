"""One immutable piece of an index: rows, and what was measured about them when they came in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from fastcal._backend.protocol import Array, Backend, Metric
from fastcal._validate import vectors as validate

Progress: TypeAlias = Callable[[int, int], object]

# Rows from which on a search is faster through sketches than by reading every row.
WORTH_SKETCHING = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Rows ``first``, ``first + 1``, ... of an index. Nothing in it ever changes, so searches need no lock."""

    first: int
    rows: Array  # as the kernels take them
    norms: Array | None  # cosine only
    ids: Array | None
    sketch: Any  # of the backend named here, or None
    backend: str
    owned: bool  # whether the rows are a copy of ours

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        """Bytes held beyond the caller's corpus."""
        own = [self.sketch, self.norms, self.ids, self.rows if self.owned else None]
        return sum(array.nbytes for array in own if array is not None)

    def sketch_for(self, backend: Backend) -> Any:
        """The sketch, if it is one of this backend."""
        return self.sketch if self.sketch is not None and backend.name == self.backend else None


def build(
    rows: Array, ids: Array | None, metric: Metric, *, first: int, owned: bool, backend: Backend, num_threads: int, progress: Progress | None
) -> Segment:
    """Judge and measure rows; raises ValueError naming the first row that is not finite."""
    norms = np.empty(len(rows), np.float64)
    if len(rows) >= WORTH_SKETCHING:
        sketch, bad = backend.sketch(rows, metric, norms, num_threads=num_threads, progress=progress)
    else:
        sketch, bad = None, backend.row_norms(rows, norms, num_threads=num_threads)
    if bad >= 0:
        validate.raise_bad_row(rows, bad, "corpus")
    return Segment(first, rows, norms if metric == "cosine" else None, ids, sketch, backend.name, owned)
