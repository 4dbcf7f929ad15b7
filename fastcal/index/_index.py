"""The index itself: how rows come in, and what it says about itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from fastcal import _backend, _threads
from fastcal._validate import vectors as validate
from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import flag
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.index import _location
from fastcal.index._bands import Banded
from fastcal.index._file import Stored
from fastcal.index._search import Searched
from fastcal.index._segment import Progress, Segment, append, build
from fastcal.index._state import n_rows


class Index(Searched, Banded, Stored):
    """Exact search over a corpus that stays where it is.

    From a few thousand rows on, the native backend keeps small integer sketches of the rows, about 0.4 times the bytes of
    a float32 corpus. They give a rigorous upper bound of every score; only rows whose bound reaches the k-th best score
    so far are read. The results are those of a full scan, to the bit.

    The index keeps the corpus buffer alive and makes no copy of it, unless ``copy=True`` asks for one or the layout
    demands one (float64, Fortran order). The corpus may be memory-mapped and larger than memory: only the sketches, and
    8 bytes a row for cosine, have to fit. Searching from many threads at once is safe, also while rows are added.

    Parameters
    ----------
    corpus : array_like of float, shape (n_rows, dim)
        float32, float16 and bfloat16 are used in place. Do not write to it while the index lives.
    metric : {"cosine", "dot", "euclidean"}
        The index is built for this metric.
    ids : array_like of int, shape (n_rows,), optional
        External ids to return instead of row numbers; none negative. Ties go to the lower external id. An id given to
        several rows is returned for each of them.
    dims : int, optional
        Use only the first `dims` coordinates. Queries may come in full width or already cut.
    copy : bool
        Keep a private copy of the corpus, and of what is added later.
    progress : callable, optional
        Called as ``progress(rows_done, n_rows)`` about every 100 ms while rows are sketched (not in daemon threads), and once at
        the end; what it raises stops the build.
    num_threads : int, optional
        Threads used to build.

    Raises
    ------
    ValueError
        A wrong shape, NaN or infinity in a row (it is named), float64 that overflows float32, negative ids.
    TypeError
        A dtype that is not floating point, ids that are not integers.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> index = fc.Index(np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32), ids=[10, 20, 30])
    >>> index.search(np.array([1.0, 0.2]), k=2).ids.tolist()
    [[10, 30]]
    """

    def __init__(
        self,
        corpus: Any,
        metric: str = "cosine",
        *,
        ids: Any = None,
        dims: int | None = None,
        copy: bool = False,
        progress: Progress | None = None,
        num_threads: int | None = None,
    ) -> None:
        self._metric = validate.metric(metric)
        source = as_array(corpus, "corpus")
        self._adding, self._is_adding, self._copies = threading.RLock(), False, flag(copy, "copy")
        self._has_ids = ids is not None
        segment = self._measure(source, corpus, ids, dims, copy=copy, first=0, progress=progress, num_threads=num_threads)
        self._width, self._dim = source.shape[1], segment.rows.shape[1]
        self._segments: tuple[Segment, ...] = (segment,)

    def _measure(
        self,
        source: Any,
        given: Any,
        ids: Any,
        dims: int | None,
        *,
        copy: bool,
        first: int,
        progress: Progress | None,
        num_threads: int | None,
        name: str = "corpus",
    ) -> Segment:
        backend, threads = _backend.active(), _threads.resolve(num_threads)
        if progress is not None and not callable(progress):
            raise InvalidTypeError(f"progress must be callable, got {type(progress).__name__}")
        rows = validate.corpus(source, dims, backend, threads, name)
        if flag(copy, "copy") and np.may_share_memory(rows, source):
            rows = np.array(rows, order="C")
        owned = isinstance(given, list | tuple) or not np.may_share_memory(rows, source)
        names = validate.external_ids(ids, len(rows))
        again = None if owned else _location.map_again(rows)
        segment = build(
            rows if again is None else again,
            names,
            self._metric,
            first=first,
            owned=owned,
            backend=backend,
            num_threads=threads,
            progress=progress,
            name=name,
        )
        if again is not None:
            _location.read_here_and_there(again)
        return segment

    def add(self, rows: Any, *, ids: Any = None, copy: bool | None = None, progress: Progress | None = None, num_threads: int | None = None) -> range:
        """Append rows; searches that are running keep the rows they started with.

        The rows become a segment of their own, which keeps their buffer alive: do not write to it, or pass ``copy=True`` where
        one buffer is filled again and again. Segments in memory that hold at most 65,536 rows together are copied into one, so
        that adding row by row stays cheap; larger ones stay apart, and each costs a search a little: add in large pieces.

        Parameters
        ----------
        rows : array_like of float, shape (n, dim)
            In the width of the first corpus, or already cut to `dims`.
        ids : array_like of int, shape (n,)
            External ids; required if, and only if, the index was built with ids.
        copy : bool, optional
            Keep a private copy of the rows. Default: as the index was built; False for one that was loaded.
        progress : callable, optional
            As for :class:`Index`.
        num_threads : int, optional

        Returns
        -------
        range
            The row numbers of the new rows.

        Raises
        ------
        ValueError, TypeError
            As for :class:`Index`; an `add` within the progress callback of another. Nothing has been added then.
        CorpusChangedError
            A small segment that the rows would be joined with has been written to.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> index = fc.Index(np.eye(2, dtype=np.float32))
        >>> index.add(np.array([[1.0, 1.0]]))
        range(2, 3)
        >>> index.search([1.0, 1.0], k=1).ids.tolist()
        [[2]]
        """
        if self._has_ids != (ids is not None):
            state = "with" if self._has_ids else "without"
            raise InvalidValueError(f"ids must be {'given' if self._has_ids else 'left out'}: the index was built {state} ids")
        source = as_array(rows, "rows")
        if source.ndim != 2 or source.shape[1] not in {self._width, self._dim}:
            raise InvalidValueError(f"rows must have shape (n, {self._width}), got shape {source.shape}")
        dims = self._dim if source.shape[1] != self._dim else None
        copies = self._copies if copy is None else flag(copy, "copy")
        with self._adding, self._one_add_a_thread():
            first = n_rows(self._segments)
            new = self._measure(source, rows, ids, dims, copy=copies, first=first, progress=progress, num_threads=num_threads, name="rows")
            self._segments = append(self._segments, new, self._metric, _backend.active(), _threads.resolve(num_threads))
        return range(first, first + len(new))

    @contextmanager
    def _one_add_a_thread(self) -> Iterator[None]:
        if self._is_adding:
            raise InvalidValueError("add was called from the progress callback of another add")
        self._is_adding = True
        try:
            yield
        finally:
            self._is_adding = False

    @property
    def dim(self) -> int:
        """Number of coordinates compared."""
        return int(self._dim)

    @property
    def metric(self) -> str:
        """The metric the index was built for."""
        return self._metric

    @property
    def nbytes(self) -> int:
        """Bytes the index itself holds: sketches, norms, ids, and the corpus only where it had to be copied."""
        return sum(segment.nbytes for segment in self._segments)

    def __len__(self) -> int:
        return n_rows(self._segments)

    def __repr__(self) -> str:
        return f"Index(n_rows={len(self)}, dim={self.dim}, metric={self.metric!r}, nbytes={self.nbytes})"

    def __reduce__(self) -> NoReturn:
        raise InvalidTypeError("an Index cannot be pickled: it would carry its corpus along; send the corpus and build the index where it is used")
