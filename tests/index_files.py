"""What the tests of index files share: indexes of every kind, and the bytes of their results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from strategies import problem

import fastcal as fc


def results(index, queries):
    """The bytes of searches with one query and with many, over all rows and over each segment alone."""
    views = [index]
    for segment in index._segments:
        view = fc.Index.__new__(fc.Index)
        view.__dict__.update(index.__dict__)
        view._segments = (replace(segment, first=0),)
        views.append(view)
    found = [view.search(part, 7) for view in views for part in (queries[:1], queries)]
    return [array.tobytes() for result in found for array in result]


def join(*indexes):
    """One index of the segments of several."""
    first, segments, n = indexes[0], [], 0
    for index in indexes:
        segments += [replace(segment, first=n + segment.first) for segment in index._segments]
        n += len(index)
    first._segments = tuple(segments)
    return first


def small_rows(seed=1, n_rows=2600, dim=20):
    """(queries, corpus) large enough for sketches."""
    queries, corpus = problem(seed, 6, n_rows, dim, ("normal", "duplicate", "integers", "any norm"))
    return queries, np.clip(corpus, -6e4, 6e4)
