"""One immutable piece of an index: rows, and what was measured about them when they came in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import numpy as np

from fastcal._backend.protocol import Array, Backend, Metric
from fastcal._validate import vectors as validate
from fastcal.errors import CorpusChangedError
from fastcal.index import _location
from fastcal.index._ids import IdOrder
from fastcal.index._image import Image

Progress: TypeAlias = Callable[[int, int], object]

# Rows from which on a search is faster through sketches than by reading every row.
WORTH_SKETCHING = 2048

# Segments together no longer than this may be copied into one.
SMALL = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Rows ``first``, ``first + 1``, ... of an index. Nothing in it ever changes, so searches need no lock.

    Rows and sketch of a file that is checked lazily are guarded through the sketch: a native call that reads such rows has to
    be given the sketch along with them.
    """

    first: int
    rows: Array  # as the kernels take them
    norms: Array | None  # cosine only
    ids: Array | None
    sketch: Any  # of the backend named here, or None
    backend: str
    owned: bool  # whether the rows are a copy of ours
    digests: Array  # of the rows as they were when they came in
    image: Image | None = None  # the file that this was loaded from
    by_id: IdOrder | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", None if self.ids is None else IdOrder(self.ids))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        """Bytes held beyond the caller's corpus."""
        own = [self.sketch, self.norms, self.ids, self.by_id, self.digests, self.rows if self.owned else None]
        return sum(array.nbytes for array in own if array is not None)

    def sketch_for(self, backend: Backend) -> Any:
        """The sketch, if it is one of this backend."""
        return self.sketch if self.sketch is not None and backend.name == self.backend else None


def build(
    rows: Array,
    ids: Array | None,
    metric: Metric,
    *,
    first: int,
    owned: bool,
    backend: Backend,
    num_threads: int,
    progress: Progress | None,
    name: str = "corpus",
) -> Segment:
    """Judge and measure rows; raises ValueError naming the first row that is not finite."""
    norms, digests = np.empty(len(rows), np.float64), np.empty(len(rows), np.uint64)
    # A daemon thread that asks for the GIL in the middle of a native call may be ended there when the interpreter shuts down.
    in_between = None if threading.current_thread().daemon else progress
    if len(rows) >= WORTH_SKETCHING:
        sketch, bad = backend.sketch(rows, metric, norms, num_threads=num_threads, progress=in_between, out_digests=digests)
    else:
        sketch, bad = None, backend.row_norms(rows, norms, num_threads=num_threads)
        backend.digests(rows, digests, num_threads=num_threads)
    if bad >= 0:
        validate.raise_bad_row(rows, bad, name)
    if progress is not None:
        progress(len(rows), len(rows))
    return Segment(first, rows, norms if metric == "cosine" else None, ids, sketch, backend.name, owned, digests)


def append(segments: tuple[Segment, ...], new: Segment, metric: Metric, backend: Backend, num_threads: int) -> tuple[Segment, ...]:
    """Add a segment behind the others, copied together with those before it that are not twice as long, as far as they are small.

    Every row is copied O(log n) times. The first segment, the corpus the index was built from, and mapped rows are left alone.
    """
    if len(new) == 0:
        return segments
    while len(segments) > 1 and _may_join(segments[-1], new):
        last = segments[-1]
        rows = np.concatenate([last.rows, new.rows])
        ids = None if last.ids is None or new.ids is None else np.concatenate([last.ids, new.ids])
        joined = build(rows, ids, metric, first=last.first, owned=True, backend=backend, num_threads=num_threads, progress=None)
        changed = np.flatnonzero(joined.digests != np.concatenate([last.digests, new.digests]))
        if changed.size:
            raise_changed_row(last.first + int(changed[0]))
        new = joined
        segments = segments[:-1]
    return (*segments, new)


def raise_changed_row(row: int) -> NoReturn:
    """Raise for a row of the index that is not what it was."""
    raise CorpusChangedError(f"row {row} is not what it was when the index was built; build it again")


def _may_join(last: Segment, new: Segment) -> bool:
    small = len(last) < 2 * len(new) and len(last) + len(new) <= SMALL
    return small and last.rows.dtype == new.rows.dtype and _location.of(last.rows) is None and _location.of(new.rows) is None
