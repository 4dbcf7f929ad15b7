"""Ranked lists of many queries in one object: what searches return, TREC files hold and fusion takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal._validate import lists
from fastcal._validate.numbers import flag, integer
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.results import RangeResult, SearchResult
from fastcal.run import _columns, _trec
from fastcal.run._out import Out
from fastcal.run._queries import Queries
from fastcal.run._vocabulary import trusted, vocabulary


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Run(Out, Queries):
    """The ranked list of each query, best first, in compressed sparse rows.

    The arrays are read-only views; ids and scores share memory with the input where its dtype and layout allow, so do
    not write to it while the run is in use.

    Parameters
    ----------
    ids : array_like of int, shape (n_queries, m), or (n,) with `offsets`
        Document ids. -1 is padding and is dropped. A flat array without `offsets` is the list of one query.
    scores : array_like of float, same shape as `ids`, optional
        Rounded once to float32. A list that is not best first is sorted, stably: ties keep the order given.
        Without scores the order given is the rank.
    offsets : array_like of int, shape (n_queries + 1,), optional
        Query i owns ``ids[offsets[i]:offsets[i + 1]]``.
    counts : array_like of int, shape (n_queries,), optional
        How many entries of each row of a dense array are real, for systems that leave the others as they were.
    higher_is_better : bool, default True
        False for distances; a run without scores has no direction to reverse.
    query_ids : sequence of str or int, length n_queries, optional
        Distinct names of the queries; without them queries are known by position.
    doc_ids : sequence of str, optional
        Distinct names of the documents, the vocabulary that `ids` index into. Looking at a large one takes time; the `doc_ids`
        of another run are taken as they are.

    Attributes
    ----------
    ids : ndarray of int64, shape (n,)
    scores : ndarray of float32, shape (n,), or None
    offsets : ndarray of int64, shape (n_queries + 1,)
    query_ids : ndarray of object (str) or int64, shape (n_queries,), or None
    doc_ids : ndarray of object (str), or None

    Raises
    ------
    ValueError, TypeError
        If shapes disagree, `offsets` do not describe `ids`, an id is not an integer of at least -1 inside
        `doc_ids`, the score of a real id is NaN or overflows float32, or names are not distinct.

    Notes
    -----
    Results of other libraries are arrays already; int64, uint64 and float32 are taken without a copy.

    * FAISS: ``D, I = index.search(x, k)``; ``Run(I, D)``, for L2 ``Run(I, D, higher_is_better=False)``.
    * hnswlib: ``labels, distances = index.knn_query(x, k)``; ``Run(labels, distances, higher_is_better=False)``.
    * usearch: ``found = index.search(x, k)``; ``Run(found.keys, found.distances, counts=found.counts, higher_is_better=False)``.
    * bm25s: ``found = retriever.retrieve(tokens)``; ``Run(found.documents, found.scores)``.

    Examples
    --------
    >>> import fastcal as fc
    >>> run = fc.Run([[7, 3, -1], [5, 9, 1]], [[0.9, 0.4, 0.0], [0.2, 0.8, 0.8]])
    >>> run
    Run(n_queries=2, n_results=5, scored=True, higher_is_better=True)
    >>> run.offsets.tolist(), run.ids.tolist()
    ([0, 2, 5], [7, 3, 9, 1, 5])
    """

    ids: _csr.Int64
    scores: _csr.Float32 | None
    offsets: _csr.Int64
    higher_is_better: bool
    query_ids: npt.NDArray[Any] | None
    doc_ids: npt.NDArray[np.object_] | None

    def __init__(
        self,
        ids: npt.ArrayLike,
        scores: npt.ArrayLike | None = None,
        offsets: npt.ArrayLike | None = None,
        *,
        counts: npt.ArrayLike | None = None,
        higher_is_better: bool = True,
        query_ids: Iterable[Any] | None = None,
        doc_ids: Iterable[str] | None = None,
    ) -> None:
        better = flag(higher_is_better, "higher_is_better")
        flat, values, bounds = _csr.read(ids, scores, offsets, counts, higher_is_better=better)
        names = None if query_ids is None else lists.as_query_ids(query_ids, bounds.size - 1)
        known = None if doc_ids is None else vocabulary(doc_ids)
        if known is not None and flat.size and flat.max() >= known.size:
            raise InvalidValueError(f"ids must be below {known.size}, the length of doc_ids; got {flat.max()}")
        _fill(self, flat, values, bounds, better, names, known)

    @classmethod
    def from_search(cls, result: SearchResult | RangeResult, *, query_ids: Iterable[Any] | None = None, doc_ids: Iterable[str] | None = None) -> Run:
        """Take what :func:`topk` or :meth:`Index.search` returned.

        Parameters
        ----------
        result : SearchResult or RangeResult
        query_ids, doc_ids : sequence, optional, as in :class:`Run`

        Raises
        ------
        TypeError
            If `result` is neither.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> found = fc.SearchResult(np.array([[0.9, 0.4]], np.float32), np.array([[1, 0]]))
        >>> fc.Run.from_search(found, query_ids=["q1"], doc_ids=["a", "b"]).to_dict()["q1"]["b"] > 0.8
        True
        """
        if not isinstance(result, (SearchResult, RangeResult)):
            raise InvalidTypeError(f"expected a SearchResult or a RangeResult, got {type(result).__name__}")
        offsets = result.offsets if isinstance(result, RangeResult) else None
        return cls(result.ids, result.scores, offsets, higher_is_better=result.higher_is_better, query_ids=query_ids, doc_ids=doc_ids)

    @classmethod
    def from_dict(cls, run: Mapping[Any, Mapping[Any, float]], *, higher_is_better: bool = True) -> Run:
        """Take ``{query: {document: score}}``, the form of ranx, ir-measures and pytrec_eval.

        Parameters
        ----------
        run : mapping
            Names are all str or all int. String document names become the vocabulary, in order of appearance.
        higher_is_better : bool, default True

        Raises
        ------
        ValueError, TypeError
            As :class:`Run`; a negative document id is a ValueError.

        Examples
        --------
        >>> import fastcal as fc
        >>> run = fc.Run.from_dict({"q1": {"d1": 0.25, "d2": 0.5}})
        >>> run.to_dict()
        {'q1': {'d2': 0.5, 'd1': 0.25}}
        """
        offsets, ids, vocabulary, scores = _csr.read_dict(run)
        return cls(ids, scores, offsets, higher_is_better=higher_is_better, query_ids=list(run), doc_ids=vocabulary)

    @classmethod
    def from_columns(cls, table: Any, *, query: str = "query_id", doc: str = "doc_id", score: str = "score", higher_is_better: bool = True) -> Run:
        """Take a table with a row per entry: a mapping of arrays, a pandas or Polars DataFrame, an Arrow table.

        Parameters
        ----------
        table : mapping of str to array_like, or anything with named columns
        query, doc, score : str
            Names of the columns. Names of queries and documents are all str or all int.
        higher_is_better : bool, default True

        Raises
        ------
        ValueError, TypeError
            As :class:`Run`, and if there is no such column.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.Run.from_columns({"qid": ["q1", "q1"], "docno": ["d1", "d2"], "score": [0.25, 0.5]}, query="qid", doc="docno").to_dict()
        {'q1': {'d2': 0.5, 'd1': 0.25}}
        """
        found = _columns.grouped(table, query, doc)
        values = lists.as_scores(_columns.column(table, score), score)
        if values.shape != found.ids.shape:
            raise InvalidValueError(f"columns must have the same length, got {found.ids.size} pairs and {values.size} scores")
        names = found.doc_ids if found.doc_ids is None else trusted(found.doc_ids)
        return cls(found.ids, values[found.order], found.offsets, higher_is_better=higher_is_better, query_ids=found.query_ids, doc_ids=names)

    @classmethod
    def from_records(cls, records: Iterable[Any], *, higher_is_better: bool = True) -> Run:
        """Take records that begin with query, document and score, as ``ir_measures.ScoredDoc`` and those of ir_datasets do.

        Raises
        ------
        ValueError, TypeError
            As :meth:`from_columns`, and if a record has fewer fields.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.Run.from_records([("q1", "d1", 0.25), ("q1", "d2", 0.5)]).to_dict()
        {'q1': {'d2': 0.5, 'd1': 0.25}}
        """
        table = _columns.records(records, "score")
        return cls.from_columns(table, query="query", doc="doc", higher_is_better=higher_is_better)

    @classmethod
    def from_trec(cls, path: _trec.Place, *, num_threads: int | None = None) -> Run:
        r"""Read a TREC run: lines of ``query Q0 document rank score tag``, gzipped if the name ends in ``.gz``.

        Lists are ordered by score, equal scores by their order in the file; the rank column is not used. Query
        and document names are strings, in order of appearance. Fields stand between ASCII white space; a UTF-8 byte
        order mark at the start of the file and blank lines at its end are skipped. The file is read in pieces, so that
        ``/dev/stdin``, pipes and open files will do and memory is what the run takes. See :meth:`with_queries` for queries without a line.

        Parameters
        ----------
        path : str, path-like or open binary file
        num_threads : int, optional
            See :func:`set_num_threads`. The result does not depend on it.

        Raises
        ------
        ValueError
            If a line is malformed; the message names the file and the line.

        Examples
        --------
        >>> import fastcal as fc, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "bm25.run")
        >>> _ = path.write_text("q1 Q0 d7 1 12.5 bm25\nq1 Q0 d2 2 9.25 bm25\n")
        >>> fc.Run.from_trec(path).to_dict()
        {'q1': {'d7': 12.5, 'd2': 9.25}}
        """
        found = _trec.read(path, "run", num_threads)
        ids, scores = _csr.best_first(found.ids, found.values, found.offsets, higher_is_better=True)
        return unchecked(ids, scores, found.offsets, higher_is_better=True, query_ids=found.query_ids, doc_ids=trusted(found.doc_ids))

    @property
    def n_queries(self) -> int:
        """Number of queries."""
        return self.offsets.size - 1

    def __len__(self) -> int:
        return self.n_queries

    def __repr__(self) -> str:
        scored = self.scores is not None
        return f"Run(n_queries={self.n_queries}, n_results={self.ids.size}, {scored=}, higher_is_better={self.higher_is_better})"

    def counts(self) -> npt.NDArray[np.int64]:
        """Return the length of each list, int64 of shape (n_queries,)."""
        return np.diff(self.offsets)

    def top_k(self, k: int) -> Run:
        """Return a run of the best `k` entries of each list.

        Raises
        ------
        ValueError, TypeError
            If `k` is not an integer of at least 1.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.Run([[4, 2, 8], [1, -1, -1]]).top_k(2).ids.tolist()
        [4, 2, 1]
        """
        rows = _csr.gather(self.ids, self.scores, self.offsets[:-1], np.minimum(self.counts(), integer(k, "k", least=1)))
        return unchecked(*rows, higher_is_better=self.higher_is_better, query_ids=self.query_ids, doc_ids=self.doc_ids)


def unchecked(ids: _csr.Int64, scores: _csr.Float32 | None, offsets: _csr.Int64, *, higher_is_better: bool, query_ids: Any, doc_ids: Any) -> Run:
    """Build a run from fields that are known to be good."""
    run = object.__new__(Run)
    _fill(run, ids, scores, offsets, higher_is_better, query_ids, doc_ids)
    return run


_SET_IDS, _SET_SCORES, _SET_OFFSETS, _SET_BETTER, _SET_QUERIES, _SET_DOCUMENTS = (vars(Run)[name].__set__ for name in Run.__slots__)


def _fill(run: Run, ids: Any, scores: Any, offsets: Any, better: bool, query_ids: Any, doc_ids: Any) -> None:
    _SET_IDS(run, _csr.read_only(ids))
    _SET_SCORES(run, None if scores is None else _csr.read_only(scores))
    _SET_OFFSETS(run, _csr.read_only(offsets))
    _SET_BETTER(run, better)
    _SET_QUERIES(run, None if query_ids is None else _csr.read_only(query_ids))
    _SET_DOCUMENTS(run, None if doc_ids is None else _csr.read_only(doc_ids))
