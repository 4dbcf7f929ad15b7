"""Relevance judgements: grades of (query, document) pairs, what TREC and BEIR call qrels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal._validate.judgements import as_grades
from fastcal._validate.numbers import integer
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.run import _columns, _trec
from fastcal.run._labels import UNJUDGED, Labeler, Labels, labels_of
from fastcal.run._run import Run


class TwoGradesError(InvalidValueError):
    """A pair has two grades; readers of files catch it and name the lines."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Qrels:
    """Grades that somebody gave to documents for queries; made by one of the ``from_`` methods.

    A grade is an integer, or a bool: False is 0, True is 1. :func:`compare_runs` and :func:`fit_fusion` take judgements in this form.

    The arrays are read-only. Query i owns ``[offsets[i], offsets[i + 1])`` of `ids` and `grades`; no pair is listed twice.

    Attributes
    ----------
    ids : ndarray of int64, shape (n,)
        Documents: places in `doc_ids`, or the documents' own numbers.
    grades : ndarray of int64, shape (n,)
        At least 1 is usually called relevant.
    offsets : ndarray of int64, shape (n_queries + 1,)
    query_ids : ndarray of object (str) or int64, shape (n_queries,)
    doc_ids : ndarray of object (str), or None

    Examples
    --------
    >>> import fastcal as fc
    >>> qrels = fc.Qrels.from_dict({"q1": {"d1": 1, "d2": 0}})
    >>> qrels
    Qrels(n_queries=1, n_judged=2)
    >>> run = fc.Run.from_dict({"q1": {"d7": 0.9, "d1": 0.5}})
    >>> qrels.grades_of(run).tolist()
    [0, 1]
    """

    ids: _csr.Int64
    grades: _csr.Int64
    offsets: _csr.Int64
    query_ids: npt.NDArray[Any]
    doc_ids: npt.NDArray[np.object_] | None

    @classmethod
    def from_dict(cls, qrels: Mapping[Any, Mapping[Any, int]]) -> Qrels:
        """Take ``{query: {document: grade}}``, the form of ranx, ir-measures, pytrec_eval and BEIR.

        Raises
        ------
        ValueError, TypeError
            If names are not all strings or all integers, or a grade is neither an integer nor a bool.
        """
        offsets, ids, names, grades = _csr.read_dict(qrels)
        labels = _columns.as_labels(list(qrels))
        return _built(ids, as_grades(grades, "grades"), offsets, labels, None if names is None else _columns.as_labels(names))

    @classmethod
    def from_trec(cls, path: _trec.Place, *, num_threads: int | None = None) -> Qrels:
        """Read lines of ``query iteration document grade``, gzipped if the name ends in ``.gz``; white space as in :meth:`Run.from_trec`.

        Raises
        ------
        ValueError
            If a line is malformed (the message names file and line), or one pair has two grades.
        """
        found = _trec.read(path, "qrels", num_threads)
        return _built(found.ids, found.values.astype(np.int64), found.offsets, found.query_ids, found.doc_ids)

    @classmethod
    def from_columns(cls, table: Any, *, query: str = "query_id", doc: str = "doc_id", grade: str = "relevance") -> Qrels:
        """Take a table with a row per judgement; see :meth:`Run.from_columns`."""
        found = _columns.grouped(table, query, doc)
        grades = as_grades(_columns.column(table, grade), grade)
        if grades.size != found.ids.size:
            raise InvalidValueError(f"columns must have the same length, got {found.ids.size} pairs and {grades.size} grades")
        return _built(found.ids, grades[found.order], found.offsets, found.query_ids, found.doc_ids)

    @classmethod
    def from_records(cls, records: Iterable[Any]) -> Qrels:
        """Take records that begin with query, document and grade, as ``ir_measures.Qrel`` and those of ir_datasets do."""
        return cls.from_columns(_columns.records(records, "grade"), query="query", doc="doc", grade="grade")

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __repr__(self) -> str:
        return f"Qrels(n_queries={len(self)}, n_judged={self.ids.size})"

    def grades_of(self, run: Run, *, unjudged: int = 0) -> npt.NDArray[np.int64]:
        """Return the grade of every entry of a run, in the order of ``run.ids``.

        Parameters
        ----------
        run : Run
            Queries are matched by name (unnamed ones are 0, 1, ...), documents by name or, without names, by number.
        unjudged : int, default 0
            What an entry gets that nobody judged.

        Raises
        ------
        ValueError, TypeError
            If one side names queries or documents by strings and the other by integers, or `run` is not a :class:`Run`.
        """
        if not isinstance(run, Run):
            raise InvalidTypeError(f"expected a Run, got {type(run).__name__}")
        missing = integer(unjudged, "unjudged", least=-(2**63))
        if run.ids.size == 0 or self.ids.size == 0:
            return np.full(run.ids.size, missing, dtype=np.int64)
        queries = np.arange(run.n_queries) if run.query_ids is None else run.query_ids
        rows = np.repeat(_places(self.query_ids, queries, "queries"), run.counts())
        if (self.doc_ids is None) != (run.doc_ids is None):
            raise InvalidValueError(f"documents are named by {_kind(self.doc_ids)} in the judgements and by {_kind(run.doc_ids)} in the run")
        known: npt.NDArray[Any]
        if self.doc_ids is None or run.doc_ids is None:
            known = np.unique(self.ids)
            mine, theirs = np.searchsorted(known, self.ids), _places(known, run.ids, "documents")
        else:
            known, mine = self.doc_ids, self.ids
            theirs = _places(known, run.doc_ids, "documents")[run.ids]
        keys = np.repeat(np.arange(len(self)), np.diff(self.offsets)) * known.size + mine
        wanted = np.where((rows >= 0) & (theirs >= 0), rows * known.size + theirs, -1)
        at = _places(keys, wanted, "pairs")
        return np.where(at >= 0, self.grades[at], missing)

    def labels_of(
        self,
        run: Run,
        *,
        unjudged: Literal["irrelevant", "ask", "error"] = "irrelevant",
        min_grade: int = 1,
        labeler: Labeler | None = None,
    ) -> Labels:
        """Return a 0/1 label for every entry of a run, in the order of ``run.ids``; none is dropped.

        Parameters
        ----------
        run : Run
            Matched as in :meth:`grades_of`.
        unjudged : {"irrelevant", "ask", "error"}, default "irrelevant"
            What to do about entries that nobody judged: label them 0, ask `labeler`, or raise.
        min_grade : int, default 1
            The lowest grade that is relevant; negative grades (spam) are irrelevant.
        labeler : callable, with ``unjudged="ask"``
            Called once, if anything is unjudged, with their positions in ``run.ids`` (int64, ascending); returns 1, 0, or -1 for
            "cannot judge", which is labelled 0 and counted.

        Returns
        -------
        Labels

        Raises
        ------
        ValueError
            With ``unjudged="error"`` if an entry is unjudged, naming the first and their number; if the labeler is missing, is
            not asked for, or answers anything else; and as :meth:`grades_of`.
        TypeError
            If an argument is of another type than described.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> run = fc.Run.from_dict({"q1": {"d7": 0.9, "d1": 0.5}})
        >>> found = fc.Qrels.from_dict({"q1": {"d1": 1}}).labels_of(run, unjudged="ask", labeler=np.ones_like)
        >>> found.labels.tolist(), found.n_asked
        ([1, 1], 1)
        """
        return labels_of(self.grades_of(run, unjudged=UNJUDGED), run, unjudged, min_grade, labeler)

    def to_dict(self) -> dict[Any, dict[Any, int]]:
        """Return ``{query: {document: grade}}``, plain Python values."""
        entries = list(zip(self._documents().tolist(), self.grades.tolist(), strict=True))
        bounds = self.offsets.tolist()
        return {query: dict(entries[a:b]) for query, a, b in zip(self.query_ids.tolist(), bounds[:-1], bounds[1:], strict=True)}

    def to_columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns query_id, doc_id and relevance, for ``pandas.DataFrame``, ``pyarrow.table`` and ir-measures."""
        queries = np.repeat(self.query_ids, np.diff(self.offsets))
        return {"query_id": queries, "doc_id": self._documents(), "relevance": self.grades}

    def to_trec(self, path: _trec.Place) -> None:
        """Write lines of ``query 0 document grade``, gzipped if the name ends in ``.gz``; the file appears whole or not at all.

        Raises
        ------
        ValueError
            If a name is empty or contains white space.
        """
        _trec.write_qrels(path, self.query_ids, self._documents(), self.grades, self.offsets)

    def _documents(self) -> npt.NDArray[Any]:
        return self.ids if self.doc_ids is None else self.doc_ids[self.ids]


def as_mapping(judged: Any) -> Any:
    """Return judgements as ``{query: {document: grade}}``; anything else is returned as it is."""
    return judged.to_dict() if isinstance(judged, Qrels) else judged


def _built(ids: _csr.Int64, grades: _csr.Int64, offsets: _csr.Int64, query_ids: npt.NDArray[Any], doc_ids: Any) -> Qrels:
    """Build judgements; a pair judged twice counts once, and with two grades it is an error."""
    rows = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    order = np.lexsort((ids, rows))
    again = (rows[order][1:] == rows[order][:-1]) & (ids[order][1:] == ids[order][:-1])
    if again.any():
        differ = again & (grades[order][1:] != grades[order][:-1])
        if differ.any():
            first, second = order[int(differ.argmax())], order[int(differ.argmax()) + 1]
            document = ids[first] if doc_ids is None else doc_ids[ids[first]]
            grade = f"{grades[first]} and {grades[second]}"
            raise TwoGradesError(f"query {query_ids[rows[first]]!r}, document {document!r} is judged twice: {grade}")
        kept = np.ones(ids.size, dtype=np.bool_)
        kept[order[1:][again]] = False
        ids, grades, offsets = ids[kept], grades[kept], _csr.offsets_of(kept)[offsets]
    names = None if doc_ids is None else _csr.read_only(doc_ids)
    return Qrels(_csr.read_only(ids), _csr.read_only(grades), _csr.read_only(offsets), _csr.read_only(query_ids), names)


def _kind(names: Any) -> str:
    return "integers" if names is None or names.dtype != np.object_ else "strings"


def _places(known: npt.NDArray[Any], wanted: npt.NDArray[Any], what: str) -> _csr.Int64:
    """Return where each wanted label stands among the known ones, which are distinct; -1 for those that do not."""
    if _kind(known) != _kind(wanted):
        raise InvalidValueError(f"{what} are named by {_kind(known)} in the judgements and by {_kind(wanted)} in the run")
    if known.dtype == np.object_:
        place_of = {name: place for place, name in enumerate(known.tolist())}
        return np.array([place_of.get(name, -1) for name in wanted.tolist()], dtype=np.int64)
    order = np.argsort(known)
    at = order[np.minimum(np.searchsorted(known, wanted, sorter=order), known.size - 1)]
    return np.where(known[at] == wanted, at, -1)
