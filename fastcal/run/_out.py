"""What a run turns into: dicts, columns, TREC files."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal.run import _trec


class Out:
    """The ``to_`` methods of :class:`fastcal.Run`, whose fields these are."""

    __slots__ = ()

    ids: _csr.Int64
    scores: _csr.Float32 | None
    offsets: _csr.Int64
    higher_is_better: bool
    query_ids: npt.NDArray[Any] | None
    doc_ids: npt.NDArray[np.object_] | None

    def to_dict(self) -> dict[Any, dict[Any, float]]:
        """Return ``{query: {document: score}}``, best first.

        A run without scores gets m, m - 1, ..., 1, so that tools which sort by score keep its order. Distances
        stay distances: they need ``from_dict(..., higher_is_better=False)``.
        """
        queries = range(self.offsets.size - 1) if self.query_ids is None else self.query_ids.tolist()
        documents = self.ids if self.doc_ids is None else self.doc_ids[self.ids]
        entries = list(zip(documents.tolist(), self._scores().tolist(), strict=True))
        out: dict[Any, dict[Any, float]] = {}
        for query, start, stop in zip(queries, self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            out[query] = listed = dict(entries[start:stop])
            if len(listed) < stop - start:  # of a document listed twice the better score counts
                listed.update(reversed(entries[start:stop]))
        return out

    def to_trec(self, path: _trec.Place, tag: str = "fastcal") -> None:
        """Write a TREC run, gzipped if the name ends in ``.gz``; a regular file appears whole or not at all.

        Evaluation tools sort by score, higher first, ties by document name, descending; the ranks written, from
        1, are ours. Distances are therefore written negated, and a run without scores gets m, m - 1, ..., 1.
        Printed scores read back as the same float32. A query with an empty list leaves no line.

        Parameters
        ----------
        path : str, path-like or open binary file
        tag : str, default "fastcal", the last column

        Raises
        ------
        ValueError
            If a name or the tag is empty or contains ASCII white space.

        Examples
        --------
        >>> import fastcal as fc, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "dense.run")
        >>> fc.Run([[4, 2]], [[0.5, 0.25]], query_ids=["q1"]).to_trec(path)
        >>> print(path.read_text(), end="")
        q1 Q0 4 1 0.5 fastcal
        q1 Q0 2 2 0.25 fastcal
        """
        queries = range(self.offsets.size - 1) if self.query_ids is None else self.query_ids
        scores = self._scores() if self.higher_is_better else 0 - self._scores()
        _trec.write_run(path, queries, self.doc_ids, scores, self.ids, self.offsets, tag)

    def to_columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns query_id, doc_id and score, one row per entry, best first.

        They are what ``pandas.DataFrame``, ``polars.DataFrame`` and ``pyarrow.table`` take, and named as ir-measures wants them.
        Scores as in :meth:`to_dict`.

        Examples
        --------
        >>> import fastcal as fc
        >>> columns = fc.Run([[4, 2]], [[0.5, 0.25]], query_ids=["q1"]).to_columns()
        >>> {name: values.tolist() for name, values in columns.items()}
        {'query_id': ['q1', 'q1'], 'doc_id': [4, 2], 'score': [0.5, 0.25]}
        """
        queries = np.arange(self.offsets.size - 1) if self.query_ids is None else self.query_ids
        documents = self.ids if self.doc_ids is None else self.doc_ids[self.ids]
        return {"query_id": np.repeat(queries, np.diff(self.offsets)), "doc_id": documents, "score": self._scores()}

    def _scores(self) -> _csr.Float32:
        """Return the scores; without them m, m - 1, ..., 1 for each list."""
        if self.scores is not None:
            return self.scores
        left: _csr.Int64 = np.repeat(self.offsets[1:], np.diff(self.offsets)) - np.arange(self.ids.size)
        return left.astype(np.float32)
