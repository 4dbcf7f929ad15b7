"""Judges relevance judgements: ``{query: {document: relevance}}`` and arrays beside a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array, int64_array
from fastcal.errors import InvalidTypeError, InvalidValueError


def as_qrels(qrels: Any, name: str = "qrels") -> dict[str, dict[str, int]]:
    """Return the judged queries, all names as strings; a query without judgements is dropped."""
    if not isinstance(qrels, Mapping) or not all(isinstance(documents, Mapping) for documents in qrels.values()):
        raise InvalidTypeError(f"{name} must be a mapping of the form {{query: {{document: relevance}}}}, or Qrels; got {type(qrels).__name__}")
    judged = {query: _named(documents, f"{name}[{query!r}]") for query, documents in _named(qrels, name).items() if documents}
    if not judged:
        raise InvalidValueError(f"{name} hold no judgement")
    for query, documents in judged.items():
        for document, relevance in documents.items():
            documents[document] = _as_relevance(relevance, f"{name}[{query!r}][{document!r}]")
    return judged


def as_grades(values: Any, name: str) -> npt.NDArray[np.int64]:
    """Return integers as int64; False and True are 0 and 1."""
    array = as_array(values, name)
    return array.astype(np.int64) if array.dtype.kind == "b" else int64_array(values, name)


def _named(mapping: Mapping[Any, Any], name: str) -> dict[str, Any]:
    named = {str(key): value for key, value in mapping.items()}
    if len(named) < len(mapping):
        raise InvalidValueError(f"{name} has two keys of the same name as a string")
    return named


def _as_relevance(relevance: Any, name: str) -> int:
    if isinstance(relevance, (bool, int, np.integer, np.bool_)):
        return int(relevance)
    raise InvalidTypeError(f"{name} must be an integer, got {relevance!r}")
