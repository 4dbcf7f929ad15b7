"""The best rows of each query, in an order that does not depend on how the rows were split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcal import _backend, _threads
from fastcal._backend.protocol import Array
from fastcal._validate.numbers import flag, integer
from fastcal.bulk._frames import Frame, frame_of, joined
from fastcal.bulk._keys import MOST_ROWS, Groups, Keys, grouped


class TopRows:
    """The best `k` rows of each query: by probability, then by score, then by document id.

    That is a total order up to rows that agree in all four columns, which stay in the order they come in; so neither the order of rows nor
    how they are split over tables shows in the result. Take the best of each part and merge: the result is that of all rows at once.

    Parameters
    ----------
    k : int or None
        Rows of each query; None ranks all.
    query, doc, score : str
        Names of the columns. Ids are integers or strings, strings in the order of their UTF-8 bytes; scores are floats.
    on : str, default "probability"
        The column that ranks first, floats. Rows with null or NaN here or in `score` are dropped.
    higher_is_better : bool, default True
        False where lower scores are better.
    num_threads : int or None, default 1
        See :func:`fastcal.set_num_threads`. The result does not depend on it.

    Raises
    ------
    ValueError, TypeError
        If an option cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from fastcal.bulk import TopRows
    >>> rows = {"query_id": np.array([2, 1, 1, 1]), "doc_id": np.array([5, 6, 7, 8]), "score": np.array([0.1, 0.2, 0.9, 0.9])}
    >>> found = TopRows(2, on="score").reduce(rows)
    >>> found["query_id"].tolist(), found["doc_id"].tolist()
    ([1, 1, 2], [7, 8, 5])
    """

    def __init__(
        self,
        k: int | None,
        *,
        query: str = "query_id",
        doc: str = "doc_id",
        score: str = "score",
        on: str = "probability",
        higher_is_better: bool = True,
        num_threads: int | None = 1,
    ) -> None:
        self.k = None if k is None else integer(k, "k", least=1)
        self.query, self.doc, self.score, self.on = query, doc, score, on
        self.higher_is_better = flag(higher_is_better, "higher_is_better")
        _threads.resolve(num_threads)
        self.num_threads = num_threads

    def reduce(self, table: Any) -> Any:
        """Return the best rows of each query, queries ascending, best first; any other columns come along.

        `table` is of any kind that :class:`Rescorer` takes, and so is the result. Raises ValueError for a column that is not there or a null
        id, TypeError for columns of other types.
        """
        frame = frame_of(table)
        frame.need(self.query, self.doc, self.score, self.on)
        scores = frame.scores(self.score)
        on = scores if self.on == self.score and self.higher_is_better else frame.scores(self.on)
        return frame.finish(self.rows(frame, grouped(frame.keys(self.query)), on, scores, None), {})

    def merge(self, tables: Sequence[Any]) -> Any:
        """Return what :meth:`reduce` returns for all rows of these tables, of one kind and with the same columns; for record batches, a table."""
        return self.reduce(joined(tables))

    def rows(self, frame: Frame, groups: Groups, on: Array, scores: Array, keep: Array | None) -> Array:
        """Return the numbers of the best rows, int32; those that are not to `keep` have no place."""
        return best_rows(groups, on, scores, frame.keys(self.doc), keep, self.k, self.higher_is_better, self.num_threads)


def best_rows(
    groups: Groups, on: Array, scores: Array, docs: Keys, keep: Array | None, k: int | None, higher_is_better: bool, num_threads: int | None
) -> Array:
    """Return the numbers of the best k rows of each group, groups ascending, best first."""
    out = np.empty(len(scores), np.int32)
    most = MOST_ROWS if k is None else min(k, MOST_ROWS)
    n = _backend.active().top_rows(
        groups.codes, groups.n, on, scores, higher_is_better, keep, docs.values, docs.offsets, most, out, num_threads=_threads.resolve(num_threads)
    )
    return out[:n]
