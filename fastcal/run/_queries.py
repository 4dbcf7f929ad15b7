"""The queries of a run by name, and a run brought to other queries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal._validate import lists
from fastcal.errors import InvalidValueError

_SHOWN = 5


class Queries:
    """The methods of :class:`fastcal.Run`, whose fields these are, that change which queries it has."""

    __slots__ = ()

    ids: _csr.Int64
    scores: _csr.Float32 | None
    offsets: _csr.Int64
    higher_is_better: bool
    query_ids: npt.NDArray[Any] | None
    doc_ids: npt.NDArray[np.object_] | None

    def with_queries(self, query_ids: Iterable[Any]) -> Self:
        """Return the run with exactly these queries, in this order; those that it lacks get an empty list.

        Fusion takes runs of the same queries, but a TREC file has no line for a query that found nothing. No list is dropped.

        Parameters
        ----------
        query_ids : sequence of str or int
            Distinct, with every query of the run among them; queries of a run without `query_ids` are 0, 1, 2, ...

        Returns
        -------
        Run

        Raises
        ------
        ValueError, TypeError
            If a query of the run is not among them, they are not distinct, or are neither all str nor all int.

        Examples
        --------
        >>> import fastcal as fc
        >>> bm25 = fc.Run.from_dict({"q1": {"d1": 7.0}, "q3": {"d2": 4.0}})
        >>> dense = fc.Run.from_dict({"q1": {"d1": 0.5}, "q2": {"d2": 0.25}})
        >>> queries = ["q1", "q2", "q3"]
        >>> bm25.with_queries(queries).to_dict()
        {'q1': {'d1': 7.0}, 'q2': {}, 'q3': {'d2': 4.0}}
        >>> fc.rrf([run.with_queries(queries) for run in (bm25, dense)]).counts().tolist()
        [1, 1, 1]
        """
        wanted = lists.as_query_ids(query_ids)
        row_of = {label: row for row, label in enumerate(query_labels(self))}
        rows = np.array([row_of.pop(label, -1) for label in wanted.tolist()], dtype=np.int64)
        if row_of:
            raise InvalidValueError(f"query_ids must hold every query of the run; they lack {shown(list(row_of))}")
        counts = np.append(np.diff(self.offsets), 0)  # row -1: an empty list
        taken = _csr.gather(self.ids, self.scores, self.offsets[rows], counts[rows])
        run: Any = type(self)
        return run(*taken, higher_is_better=self.higher_is_better, query_ids=wanted, doc_ids=self.doc_ids)  # type: ignore[no-any-return]


def query_labels(run: Queries) -> list[Any]:
    """Return the names of the queries; unnamed queries are 0, 1, 2, ..."""
    return list(range(run.offsets.size - 1)) if run.query_ids is None else run.query_ids.tolist()


def shown(labels: list[Any]) -> str:
    """Return the first few labels and how many there are beyond them."""
    first = ", ".join(map(repr, sorted(labels, key=str)[:_SHOWN]))
    return f"{first} and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else first
