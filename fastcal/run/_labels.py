"""Labels of a run's entries from judgements, and from somebody who is asked for the missing ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal._validate.answers import as_answers
from fastcal._validate.numbers import integer, one_of
from fastcal.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from fastcal.run._run import Run

Labeler = Callable[[_csr.Int64], Any]

UNJUDGED = -(2**63)


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """One label per entry of a run, beside ``run.ids``.

    Attributes
    ----------
    labels : ndarray of uint8, shape (n,)
        1 for relevant, 0 for irrelevant and for what nobody could judge.
    judged : ndarray of bool, shape (n,)
        Whether the label is somebody's judgement, that of the judgements or of the labeler.
    n_unjudged : int
        Entries the judgements do not know.
    n_asked : int
        Of those, the ones the labeler was asked for.
    n_cannot_judge : int
        Of those, the ones it could not judge: their label is 0.

    Examples
    --------
    >>> import fastcal as fc
    >>> run = fc.Run.from_dict({"q1": {"d7": 0.9, "d1": 0.5}})
    >>> fc.Qrels.from_dict({"q1": {"d1": 1}}).labels_of(run)
    Labels(n=2, n_relevant=1, n_unjudged=1, n_asked=0, n_cannot_judge=0)
    """

    labels: npt.NDArray[np.uint8]
    judged: npt.NDArray[np.bool_]
    n_unjudged: int
    n_asked: int
    n_cannot_judge: int

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        counts = f"n_unjudged={self.n_unjudged}, n_asked={self.n_asked}, n_cannot_judge={self.n_cannot_judge}"
        return f"Labels(n={len(self)}, n_relevant={int(self.labels.sum())}, {counts})"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        plain = {"labels": self.labels.tolist(), "judged": self.judged.tolist()}
        return plain | {"n_unjudged": self.n_unjudged, "n_asked": self.n_asked, "n_cannot_judge": self.n_cannot_judge}


def labels_of(grades: _csr.Int64, run: Run, unjudged: str, min_grade: int, labeler: Labeler | None) -> Labels:
    """Label every entry by its grade, which is UNJUDGED where there is none; see :meth:`Qrels.labels_of`."""
    mode = one_of(unjudged, "unjudged", ("irrelevant", "ask", "error"))
    if (mode == "ask") != (labeler is not None):
        raise InvalidValueError(f'labeler goes with unjudged="ask" and is needed there; got unjudged={mode!r} and labeler={labeler!r}')
    if labeler is not None and not callable(labeler):
        raise InvalidTypeError(f"labeler must be callable, got {type(labeler).__name__}")
    least = integer(min_grade, "min_grade", least=-(2**62))
    judged = grades != UNJUDGED
    labels, missing = (judged & (grades >= least)).astype(np.uint8), np.flatnonzero(~judged)
    if not missing.size or labeler is None:
        if missing.size and mode == "error":
            _refuse(run, missing)
        return Labels(labels, judged, missing.size, 0, 0)
    answers = as_answers(labeler(missing), missing.size)
    labels[missing], judged[missing] = answers == 1, answers >= 0
    return Labels(labels, judged, missing.size, missing.size, int(np.count_nonzero(answers < 0)))


def _refuse(run: Run, missing: _csr.Int64) -> None:
    first = int(missing[0])
    row = int(np.searchsorted(run.offsets, first, side="right")) - 1
    query = row if run.query_ids is None else run.query_ids.tolist()[row]
    document = int(run.ids[first]) if run.doc_ids is None else run.doc_ids[run.ids[first]]
    count = f"{missing.size} of {run.ids.size} entries have no judgement"
    raise InvalidValueError(f"{count}, first query {query!r}, document {document!r} (position {first}); expected all, or another `unjudged`")
