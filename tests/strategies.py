"""Hypothesis strategies: vectors, lists, runs and labelled scores where rounding, ties and layout go wrong.

A strategy draws a shape, a mixture of kinds and a seed, and NumPy fills the arrays: examples are fast to make and
repeatable, and shrinking works on shapes and kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

SIZES = (1, 2, 3, 5, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97)
METRICS = ("cosine", "dot", "euclidean")
DTYPES = ("float32", "float16", "bfloat16")
LAYOUTS = ("contiguous", "read-only", "padded rows", "every other row", "reversed", "one row repeated", "misplaced by one")
ROW_KINDS = ("normal", "integers", "huge coordinate", "denormal", "constant", "zero", "one-hot", "any norm", "duplicate", "one ulp off")

sizes = st.sampled_from(SIZES)
seeds = st.integers(0, 2**32 - 1)
metrics = st.sampled_from(METRICS)
dtypes = st.sampled_from(DTYPES)
layouts = st.sampled_from(LAYOUTS)


def make_rows(rng, kinds, n_rows, dim):
    """Float32 rows, row i of kind ``kinds[i % len(kinds)]``; all are finite."""
    rows = rng.standard_normal((n_rows, dim)).astype(np.float32)
    for i in range(n_rows):
        kind = kinds[i % len(kinds)]
        row = rows[i]
        if kind == "integers":
            row[:] = rng.integers(-2, 3, dim)
        elif kind == "huge coordinate":
            row[rng.integers(dim)] = rng.choice([-3e38, 1e30, 3e38])
        elif kind == "denormal":
            row *= np.float32(1e-40)
        elif kind == "constant":
            row[:] = row[0]
        elif kind == "zero":
            row[:] = rng.choice([0.0, -0.0])
        elif kind == "one-hot":
            row[:] = np.eye(1, dim, rng.integers(dim))
        elif kind == "any norm":
            row *= np.float32(10.0 ** rng.uniform(-6, 6))
        elif kind == "duplicate" and i:
            row[:] = rows[rng.integers(i)]
        elif kind == "one ulp off" and i:
            row[:] = rows[rng.integers(i)]
            at = rng.integers(dim)
            row[at] = np.nextafter(row[at], np.float32(0.0 if abs(row[at]) > 1e38 else np.inf))
    return rows


def problem(seed, n_queries, n_rows, dim, kinds=("normal",)):
    """Queries and rows of the given kinds."""
    rng = np.random.default_rng(seed)
    return make_rows(rng, kinds, n_queries, dim), make_rows(rng, kinds, n_rows, dim)


def narrow(rows, dtype):
    """Float32 rows as ``dtype``, kept finite; bfloat16 is uint16 bits."""
    if dtype == "float16":
        return np.clip(rows, -65504, 65504).astype(np.float16)
    if dtype == "bfloat16":
        return (np.ascontiguousarray(rows).view(np.uint32) >> 16).astype(np.uint16)
    return rows


def lay_out(rows, layout):
    """The same kind of rows in another memory layout."""
    n_rows, dim = rows.shape
    if layout == "read-only":
        rows = rows.copy()
        rows.flags.writeable = False
    elif layout == "padded rows":
        wide = np.zeros((n_rows, dim + 3), dtype=rows.dtype)
        wide[:, 1 : dim + 1] = rows
        rows = wide[:, 1 : dim + 1]
    elif layout == "every other row":
        rows = np.repeat(rows, 2, axis=0)[::2]
    elif layout == "reversed":
        rows = rows[::-1]
    elif layout == "one row repeated":
        rows = np.broadcast_to(rows[0], (n_rows, dim))
    elif layout == "misplaced by one":
        flat = np.empty(n_rows * dim + 1, dtype=rows.dtype)
        flat[1:] = rows.ravel()
        rows = flat[1:].reshape(n_rows, dim)
    return rows


@dataclass(frozen=True)
class Search:
    """One search problem; ``queries`` are C-contiguous float32."""

    queries: np.ndarray
    corpus: np.ndarray
    metric: str
    seed: int


@st.composite
def searches(draw, max_queries=5):
    """Searches over every row kind, dtype and layout."""
    rng = np.random.default_rng(seed := draw(seeds))
    kinds = draw(st.lists(st.sampled_from(ROW_KINDS), min_size=1, max_size=4))
    n_queries, n_rows, dim = draw(st.integers(1, max_queries)), draw(sizes), draw(sizes)
    rows = make_rows(rng, kinds, n_rows, dim)
    queries = make_rows(rng, draw(st.lists(st.sampled_from(ROW_KINDS), min_size=1, max_size=2)), n_queries, dim)
    if draw(st.booleans()):
        queries[0] = rows[rng.integers(n_rows)]
    return Search(queries, lay_out(narrow(rows, draw(dtypes)), draw(layouts)), draw(metrics), seed)


@st.composite
def score_lists(draw, *, infinities=False):
    """(scores, offsets): ragged lists, float32 or float64, with NaN, ties, constants, empty lists and blocks of 4,096."""
    rng = np.random.default_rng(draw(seeds))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    lengths = draw(st.lists(st.sampled_from([0, *SIZES, 4095, 4096, 4097, 9000]), min_size=1, max_size=6))
    parts = []
    for length in lengths:
        kind = draw(st.sampled_from(["normal", "constant", "ties", "shifted", "denormal", "huge", "zeros"]))
        part = rng.standard_normal(length)
        if kind == "constant":
            part[:] = 0.1
        elif kind == "ties":
            part = np.round(part)
        elif kind == "shifted":
            part = part * 1e-3 + 1e4
        elif kind == "denormal":
            part *= 1e-40 if dtype == np.float32 else 1e-310
        elif kind == "huge":
            part = np.clip(part, -3, 3) * (1e38 if dtype == np.float32 else draw(st.sampled_from([1e150, 5e307])))
        elif kind == "zeros":
            part = rng.choice([0.0, -0.0, 1.0], length)
        part[rng.random(length) < draw(st.sampled_from([0.0, 0.2, 1.0]))] = np.nan
        if infinities and length and draw(st.booleans()):
            part[rng.integers(length)] = draw(st.sampled_from([np.inf, -np.inf]))
        parts.append(part.astype(dtype))
    return np.concatenate(parts), np.cumsum([0, *lengths], dtype=np.int64)


@dataclass(frozen=True)
class Runs:
    """The inputs of one fusion, CSR by run."""

    ids: list
    scores: list
    offsets: list
    weights: np.ndarray

    def out_offsets(self):
        """Upper bounds: the lengths of all lists of a query together."""
        return np.sum(self.offsets, axis=0, dtype=np.int64)


@st.composite
def runs(draw):
    """One to four runs over a small set of documents: overlaps, doubles within a list, tied totals, empty lists."""
    rng = np.random.default_rng(draw(seeds))
    n_queries, n_runs = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    names = np.unique(rng.integers(-(2**62), 2**62, 40)) if draw(st.booleans()) else np.arange(40)
    ids, scores, offsets = [], [], []
    for _ in range(n_runs):
        lengths = rng.choice([0, 1, 5, 20], n_queries)
        ids.append(rng.choice(names, lengths.sum()))
        scores.append((rng.integers(1, 5, lengths.sum()) / 4 if draw(st.booleans()) else rng.standard_normal(lengths.sum())).astype(np.float32))
        offsets.append(np.cumsum([0, *lengths], dtype=np.int64))
    weights = rng.choice([1.0, 0.5, 0.3], n_runs) if draw(st.booleans()) else np.ones(n_runs)
    return Runs(ids, scores, offsets, weights)


@st.composite
def labelled(draw, dtype=np.float64):
    """(scores, labels, weights): 0/1 labels, ties, zero weights, scores one ulp apart."""
    rng = np.random.default_rng(draw(seeds))
    size = draw(st.sampled_from([*SIZES, 500]))
    kind = draw(st.sampled_from(["normal", "ties", "one ulp apart", "tiny"]))
    scores = rng.standard_normal(size).astype(dtype)
    if kind == "ties":
        scores = rng.integers(1, 6, size).astype(dtype)
    elif kind == "one ulp apart":
        scores = np.where(rng.random(size) < 0.5, dtype(1.0), np.nextafter(dtype(1.0), dtype(2.0))).astype(dtype)
    elif kind == "tiny":
        scores = (scores * dtype(1e-39 if dtype is np.float32 else 1e-310)).astype(dtype)
    labels = (rng.random(size) < 0.5).astype(np.float64)
    weights = np.ones(size) if draw(st.booleans()) else rng.choice([0.0, 0.5, 1.0, 0.1], size)
    return scores, labels, weights
