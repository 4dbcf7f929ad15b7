"""Documents renumbered in the order of their names, for ties that trec_eval breaks by document name, descending."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fastcal.run import Run, unchecked


def in_order_of_names(runs: Sequence[Run]) -> tuple[list[Run], Callable[[Run], Run]]:
    """Return runs whose ids rise with the names of the documents, and what gives a run its own ids back.

    Names are those of the vocabulary, or else ids in decimal; they compare by code point, as their UTF-8 bytes do.
    """
    listed = np.unique(np.concatenate([run.ids for run in runs]))
    vocabulary = runs[0].doc_ids
    names = [str(i) for i in listed.tolist()] if vocabulary is None else vocabulary[listed].tolist()
    by_name = listed[np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)]
    place = np.empty(listed.size, np.int64)
    place[np.searchsorted(listed, by_name)] = np.arange(listed.size)

    def with_ids(run: Run, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Run:
        return unchecked(ids, run.scores, run.offsets, higher_is_better=run.higher_is_better, query_ids=run.query_ids, doc_ids=run.doc_ids)

    return [with_ids(run, place[np.searchsorted(listed, run.ids)]) for run in runs], lambda fused: with_ids(fused, by_name[fused.ids])
