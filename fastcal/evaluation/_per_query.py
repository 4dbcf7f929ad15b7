"""One value per judged query of any measure of ir-measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._extras import require
from fastcal._validate.judgements import as_qrels
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.run import Qrels, Run, as_mapping


class Evaluator:
    """Measures runs against one set of judgements.

    Names are compared as strings, since qrels files hold strings and searches return integers. A list counts in its
    own order: ir-measures gets ranks for scores and cannot reorder ties by name. A judged query that a run does not
    answer has the measure's value for an empty list (0), as in ``trec_eval -c``; a query without judgements is left out.
    """

    def __init__(self, qrels: Qrels | Mapping[Any, Mapping[Any, int]], metric: Any) -> None:
        ir_measures = require("ir_measures", "metrics")
        self._judged = as_qrels(as_mapping(qrels))
        self._measure = _as_measure(ir_measures, metric)
        self.query_ids = sorted(self._judged)
        self.metric = str(self._measure)
        cutoff = self._measure.params.get("cutoff")
        self.depth = None if cutoff is None else int(cutoff)  # entries below it cannot change the value
        try:
            self._evaluator = ir_measures.evaluator([self._measure], self._judged)
        except ValueError as error:  # no installed provider computes it
            raise InvalidValueError(f"metric {self.metric} cannot be computed here: {error}") from error

    def __call__(self, run: Run) -> npt.NDArray[np.float64]:
        """Return the value of each judged query, float64 (n_judged,), in the order of `query_ids`."""
        values = {result.query_id: result.value for result in self._evaluator.iter_calc(self._answers(run))}
        column = np.array([values.get(query, self._measure.DEFAULT) for query in self.query_ids], dtype=np.float64)
        if not np.isfinite(column).all():
            query = self.query_ids[int(np.argmin(np.isfinite(column)))]
            raise InvalidValueError(f"{self.metric} of query {query!r} is not a finite number")
        return column

    def _answers(self, run: Run) -> dict[str, dict[str, float]]:
        """Return the judged lists with ranks for scores, no deeper than the measure looks."""
        answers = {}
        names = range(run.n_queries) if run.query_ids is None else run.query_ids.tolist()
        for name, start, stop in zip(map(str, names), run.offsets[:-1].tolist(), run.offsets[1:].tolist(), strict=True):
            if name in self._judged:
                documents = _documents(run, start, stop, self.depth)
                answers[name] = {document: float(-rank) for rank, document in enumerate(documents)}
        return answers


def _documents(run: Run, start: int, stop: int, depth: int | None) -> dict[str, None]:
    """Return the distinct documents of one list in order: the first `depth` entries, or all if one of those repeats another."""
    end = stop if depth is None else min(stop, start + depth)
    listed = run.ids[start:end] if run.doc_ids is None else run.doc_ids[run.ids[start:end]]
    documents = dict.fromkeys(map(str, listed.tolist()))
    return _documents(run, start, stop, None) if len(documents) < end - start and end < stop else documents


def _as_measure(ir_measures: Any, metric: Any) -> Any:
    if isinstance(metric, ir_measures.measures.Measure):
        return metric
    if not isinstance(metric, str):
        raise InvalidTypeError(f"metric must be a string such as 'nDCG@10' or a measure of ir-measures, got {metric!r}")
    try:
        return ir_measures.parse_measure(metric)
    except Exception as error:  # its parser raises NameError, ValueError, SyntaxError and more
        raise InvalidValueError(f"metric {metric!r} is not a measure of ir-measures: {error}") from error
