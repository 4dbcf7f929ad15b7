"""A labeler that knows the answers: judgements stand in for the person who would be paid."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import integer, one_of
from fastcal.errors import InvalidTypeError, InvalidValueError, LabelingWarning
from fastcal.labelling._names import Int64, Names, as_names, as_positions, within
from fastcal.run import Qrels, Run

_UNJUDGED = -(2**63)  # below every grade

Unjudged = Literal["irrelevant", "cannot_judge", "error"]


class QrelsLabeler:
    """Answer from judgements, for experiments and for queries that were judged before.

    Parameters
    ----------
    run : Run
        Positions count its entries, as ``run.ids`` does. For positions that are rows of an index see :meth:`for_query`.
    qrels : Qrels or mapping
        ``{query: {document: grade}}``; matched as in :meth:`Qrels.grades_of`.
    min_grade : int, default 1
        The lowest grade that is relevant.
    unjudged : {"irrelevant", "cannot_judge", "error"}, default "irrelevant"
        What to answer about a pair that nobody judged: 0, -1, or raise. Pools of real collections are judged in part: with
        "irrelevant", what is certified is a lower bound of the precision that complete judgements would give.

    Raises
    ------
    ValueError, TypeError
        If names do not match in kind, no query of the run is judged, a position lies outside the run, or a pair is unjudged with
        ``unjudged="error"``.

    Warns
    -----
    LabelingWarning
        If fewer than half of the run's queries are judged, or none of its pairs is: names may be written in two ways.

    Examples
    --------
    >>> import fastcal as fc
    >>> run = fc.Run.from_dict({"q1": {"d7": 0.9, "d1": 0.5}})
    >>> labeler = fc.QrelsLabeler(run, {"q1": {"d1": 1}}, unjudged="cannot_judge")
    >>> labeler([0, 1]).tolist()
    [-1, 1]
    """

    positions_per_call = None  # whole requests: nothing is paid

    def __init__(self, run: Run, qrels: Qrels | Mapping[Any, Mapping[Any, int]], *, min_grade: int = 1, unjudged: Unjudged = "irrelevant") -> None:
        judgements = qrels if isinstance(qrels, Qrels) else Qrels.from_dict(qrels)
        grades = judgements.grades_of(run, unjudged=_UNJUDGED)
        _compare(run, judgements, grades)
        self._set(lambda positions: grades[within(positions, grades.size)], as_names(run), min_grade, unjudged)

    @classmethod
    def for_query(
        cls,
        qrels: Qrels | Mapping[Any, Mapping[Any, int]],
        query_id: Any,
        doc_ids: npt.ArrayLike | None = None,
        *,
        min_grade: int = 1,
        unjudged: Unjudged = "irrelevant",
    ) -> Self:
        """Label rows of a corpus for one query: position i is the document ``doc_ids[i]``, or, without `doc_ids`, number i.

        Raises
        ------
        ValueError, TypeError
            As the class does, and if the judgements do not know the query.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.QrelsLabeler.for_query({"q1": {"b": 1}}, "q1", ["a", "b", "c"])([1, 2]).tolist()
        [1, 0]
        """
        judged, names = _judged(qrels, query_id), as_names((query_id, doc_ids))
        if doc_ids is not None and judged and not any(name in judged for name in as_array(doc_ids, "doc_ids").tolist()):
            _warn(f"none of the {names.size} documents of query {query_id!r} is judged", 3)

        def look_up(positions: Int64) -> Int64:
            documents = [name for _, name in names.of(positions)]
            if documents and judged and isinstance(documents[0], str) != isinstance(next(iter(judged)), str):
                raise InvalidValueError(f"documents are named {documents[0]!r} by doc_ids and {next(iter(judged))!r} in the judgements")
            return np.array([judged.get(name, _UNJUDGED) for name in documents], np.int64)

        labeler = cls.__new__(cls)
        labeler._set(look_up, names, min_grade, unjudged)  # noqa: SLF001
        return labeler

    def __call__(self, positions: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Return 1, 0 or -1 (cannot judge) for each position."""
        asked = as_positions(positions)
        grades = self._look_up(asked)
        unjudged = grades == _UNJUDGED
        if self._unjudged == "error" and unjudged.any():
            first = int(asked[unjudged.argmax()])
            raise InvalidValueError(f"{int(unjudged.sum())} of {asked.size} pairs have no judgement, first {self._names.told(first)}")
        answers = (grades >= self._least).astype(np.int8)
        answers[unjudged] = -1 if self._unjudged == "cannot_judge" else 0
        return answers

    def _set(self, look_up: Callable[[Int64], Int64], names: Names, min_grade: int, unjudged: str) -> None:
        self._look_up, self._names, self.n_positions = look_up, names, names.size
        self._least = integer(min_grade, "min_grade", least=-(2**62))
        self._unjudged = one_of(unjudged, "unjudged", ("irrelevant", "cannot_judge", "error"))


def _compare(run: Run, qrels: Qrels, grades: Int64) -> None:
    """Tell judgements of another collection from those of this one."""
    if not run.ids.size:
        return
    queries = list(range(run.n_queries)) if run.query_ids is None else run.query_ids.tolist()
    known = set(qrels.query_ids.tolist())
    n_judged = sum(name in known for name in queries)
    if not n_judged:
        judged = f"the judgements have {next(iter(known))!r}" if known else "there are no judgements"
        raise InvalidValueError(f"no query of the run is judged: it has {queries[0]!r}, {judged}")
    if not (grades != _UNJUDGED).any():
        _warn(f"none of the {grades.size} pairs of the run is judged")
    elif 2 * n_judged < len(queries):
        _warn(f"only {n_judged} of {len(queries)} queries of the run are judged")


def _warn(found: str, level: int = 4) -> None:
    warnings.warn(
        f"{found}; are documents and queries named alike? Pairs without a judgement are answered as `unjudged` says", LabelingWarning, level
    )


def _judged(qrels: Any, query_id: Any) -> dict[Any, int]:
    """Return the grades of one query's documents."""
    if not isinstance(qrels, Qrels):
        if not isinstance(qrels, Mapping):
            raise InvalidTypeError(f"qrels must be Qrels or a mapping, got {type(qrels).__name__}")
        if query_id not in qrels:
            raise InvalidValueError(f"the judgements know no query {query_id!r}")
        qrels = Qrels.from_dict({query_id: qrels[query_id]})
    rows = [row for row, name in enumerate(qrels.query_ids.tolist()) if name == query_id]
    if not rows:
        raise InvalidValueError(f"the judgements know no query {query_id!r}")
    own = slice(qrels.offsets[rows[0]], qrels.offsets[rows[0] + 1])
    ids = qrels.ids[own] if qrels.doc_ids is None else qrels.doc_ids[qrels.ids[own]]
    return dict(zip(ids.tolist(), qrels.grades[own].tolist(), strict=True))
