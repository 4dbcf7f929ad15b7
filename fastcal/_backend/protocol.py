"""The contract between the thin Python floors and whatever computes: arrays in, caller-allocated arrays out.

Everything that reaches a backend has been judged by :mod:`fastcal._validate`: shapes agree, dtypes are
the ones named here, the last axis of every array is contiguous, indices are in range. A backend allocates
no result, keeps no reference and raises no user error. Where data it reads may still be bad (NaN or
infinity in corpus rows) it returns the index of the first bad row, or -1, and the caller raises.

Corpus dtypes: float32, float16, and uint16, which stands for bfloat16 bits. Corpus rows may be strided
(any byte stride that is a multiple of the item size, negative and zero included) and read-only.

``docs/numerics.md`` defines the value of every result to the bit; both backends give those bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from fastcal._backend._protocol_calibration import CalibrationOperations
from fastcal._backend._protocol_evidence import EvidenceOperations
from fastcal._backend._protocol_fusion import FusionOperations
from fastcal._backend._protocol_grouped import GroupedOperations
from fastcal._backend._protocol_lists import ListOperations
from fastcal._backend._protocol_runs import RunOperations, TrecKind, TrecReader, TrecWriter
from fastcal._backend._types import (
    AffineKind,
    AffineRule,
    Array,
    FuseCombine,
    FuseDuplicates,
    FuseMissing,
    FuseTies,
    FuseValue,
    Metric,
    Precision,
    Ties,
)

__all__ = [
    "AffineKind",
    "AffineRule",
    "Array",
    "Backend",
    "FoundRange",
    "FuseCombine",
    "FuseDuplicates",
    "FuseMissing",
    "FuseTies",
    "FuseValue",
    "Metric",
    "Precision",
    "Ties",
    "TrecKind",
    "TrecReader",
    "TrecWriter",
]


class FoundRange(Protocol):
    """What a range search found: how many, and the rows once the caller has made room for them."""

    @property
    def bad(self) -> int:
        """First bad row, or -1."""

    @property
    def found(self) -> int:
        """Number of rows over all queries, exact even above the limit."""

    def write(self, out_offsets: Array, out_scores: Array, out_ids: Array) -> None:
        """Fill int64 (n_queries + 1,), float32 and int64 (found,), best first per query; only if ``found`` is within the limit."""


class Backend(ListOperations, GroupedOperations, FusionOperations, CalibrationOperations, EvidenceOperations, RunOperations, Protocol):
    """What native code and Numba both implement, name for name."""

    @property
    def name(self) -> str:
        """``"native"`` or ``"numba"``."""

    @property
    def isa(self) -> str:
        """Kernel table in use (``"base"``, ``"avx2"``, ...), or ``"numba"``."""

    # -- vectors ---------------------------------------------------------------------------------
    def round_to_float32(self, values: Array, out: Array, *, num_threads: int) -> int:
        """Round float64 ``values`` (n, m) to float32 ``out`` (n, m); first row with NaN, infinity or overflow, or -1."""

    def row_norms(self, corpus: Array, out: Array, *, num_threads: int) -> int:
        """Euclidean norms of the rows, float64 (n_rows,); first non-finite row, or -1."""

    def scores(
        self, queries: Array, corpus: Array, row_norms: Array | None, metric: Metric, precision: Precision, out: Array, *, num_threads: int
    ) -> int:
        """Full score matrix, float32 (n_queries, n_rows), row-contiguous; first non-finite corpus row, or -1.

        ``queries`` is C-contiguous finite float32 (n_queries, dim). ``row_norms`` may be given for cosine.
        ``out`` may be partly written when a bad row is found.
        """

    def topk(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        ids: Array | None,
        out_scores: Array,
        out_ids: Array,
        num_threads: int,
        sketch: Any = None,
        thresholds: Array | None = None,
        allow: Array | None = None,
    ) -> int:
        """Exact best ``k = out_ids.shape[1]`` rows per query, best first, ties by lower id; padded with (-1, NaN).

        Hand every argument over by position: matching names costs the native backend 0.7 us, a sixth of a small search.

        ``ids``: external int64 ids (n_rows,), else the row number. ``sketch``: what :meth:`sketch` made of this very
        corpus and metric, or None. ``thresholds``: float32 (n_queries,), only rows at least (euclidean: at most) as far count.
        ``allow``: bool (1 or n_queries, n_rows), C-contiguous, only these rows count. Outputs are untouched when a bad row
        is found: one that is not finite or, with a sketch, one that was noticed to differ from the row that was sketched.
        Rows that are not allowed may go unread.
        """

    def range_search(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        ids: Array | None,
        thresholds: Array,
        limit: int,
        *,
        num_threads: int,
        sketch: Any = None,
        allow: Array | None = None,
    ) -> FoundRange:
        """Find all rows that :meth:`topk` with these thresholds would return for k = n_rows, unless more than ``limit`` in all."""

    def sketch(
        self,
        corpus: Array,
        metric: Metric,
        out_norms: Array,
        *,
        num_threads: int,
        progress: Callable[[int, int], object] | None = None,
        out_digests: Array | None = None,
    ) -> tuple[Any, int]:
        """Make what lets searches rule rows out without reading them, with an ``nbytes``; None if there is no such thing.

        Also writes :meth:`row_norms` and, if asked, :meth:`digests`, and returns the first non-finite row, or -1.
        ``progress(rows_done, n_rows)`` may be called now and then on the calling thread, not at the end; what it
        raises ends the call.
        """

    # -- index files -----------------------------------------------------------------------------
    def digests(self, rows: Array, out: Array, *, num_threads: int) -> None:
        """Write a digest of the bytes of each row of ``rows``, 2-D of any dtype, to uint64 ``out`` (n_rows,); docs/numerics.md."""

    def guard(self, data: Array, chunk: int, table: Array, name: bytes, origin: int) -> Any:
        """Watch over uint8 ``data``, byte ``origin`` onwards of the file ``name``; None if this backend cannot.

        A search through a sketch opened with the guard digests every chunk that it is the first to touch, and raises
        IndexCorruptError where that is not the digest in ``table``.
        """

    def open_sketch(self, n_rows: int, metric: Metric, sketch4: Array, sketch7: Array, centre: Array, direction: Array, guard: Any) -> Any:
        """Make a sketch again of its ``parts()``, which stay where they are; None if this backend has no sketches."""

    def histogram(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        edges: Array,
        out_counts: Array,
        *,
        num_threads: int,
        sketch: Any = None,
    ) -> int:
        """Exact number of rows in each band, int64 (n_queries, n_edges - 1); bad rows and ``sketch`` as in :meth:`topk`.

        ``edges``: float32, at least two, strictly increasing, no NaN. Bins are half open, the last one is closed.
        """

    def sample_bands(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        edges: Array,
        seed: int,
        first_row: int,
        out_counts: Array,
        out_rows: Array,
        out_scores: Array,
        out_priorities: Array,
        *,
        num_threads: int,
        sketch: Any = None,
    ) -> int:
        """As :meth:`histogram`, and for each band the ``size`` rows of smallest priority, smallest first.

        ``out_rows`` int64, ``out_scores`` float32 and ``out_priorities`` uint64 (n_queries, n_bins, size) are padded with -1, NaN
        and 2**64 - 1. ``first_row`` (>= 0) is added to row numbers before they are hashed and written. Outputs are
        C-contiguous.
        """

    def rescore(self, queries: Array, corpus: Array, ids: Array, metric: Metric, out: Array, *, num_threads: int) -> int:
        """Exact scores of rows ``ids`` int64 (n_queries, m); -1 gives NaN; first (lowest) bad row touched, or -1."""
