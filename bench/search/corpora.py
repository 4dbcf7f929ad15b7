"""Seeded corpora of unit float32 rows and queries for them, made in chunks of float32 so that a million rows need no second copy."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

CHUNK = 50_000
NOISE, HARD_NOISE = 0.015, 0.05  # of a query, per coordinate
LOWEST_COSINE = 0.7  # of the anisotropic corpora
ROOT = Path(__file__).resolve().parents[2]


def chunks(n_rows):
    return [slice(begin, min(begin + CHUNK, n_rows)) for begin in range(0, n_rows, CHUNK)]


def normalise(rows):
    """Scale rows to unit length where they are."""
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return rows


def synthetic(n_rows, dim, seed=0):
    """Decaying spectrum and 256 clusters, as text encoders make them."""
    rng = np.random.default_rng(seed)
    spectrum = ((1.0 + np.arange(dim)) ** -0.35).astype(np.float32)
    centres = 0.6 * rng.standard_normal((256, dim), dtype=np.float32) * spectrum
    rows = np.empty((n_rows, dim), np.float32)
    for part in chunks(n_rows):
        rng.standard_normal(out=rows[part], dtype=np.float32)
        rows[part] *= spectrum
        rows[part] += centres[rng.integers(0, len(centres), part.stop - part.start)]
        normalise(rows[part])
    return rows


def near_rows(corpus, n_queries, noise=NOISE, seed=1):
    """Queries: rows of the corpus with noise."""
    rng = np.random.default_rng(seed)
    picked = corpus[rng.integers(0, len(corpus), n_queries)]
    return normalise(picked + np.float32(noise) * rng.standard_normal(picked.shape, dtype=np.float32))


def data_folder():
    """The folder of real collections, or None."""
    folder = Path(os.environ.get("FASTCAL_DATA") or ROOT / ".." / "shared" / "data")
    return folder if any(folder.glob("*/corpus_emb.npy")) else None


def real(folder, n_rows, n_queries, seed=2):
    """Real embeddings of several collections, as they are and then mixed in pairs of one collection, and real queries."""
    rng = np.random.default_rng(seed)
    collections = sorted(path.parent for path in folder.glob("*/corpus_emb.npy"))
    originals = [np.load(path / "corpus_emb.npy").astype(np.float32) for path in collections]
    queries = np.concatenate([np.load(path / "queries_emb.npy") for path in collections]).astype(np.float32)
    base = np.concatenate(originals)
    ends = np.repeat(np.cumsum([len(part) for part in originals]), [len(part) for part in originals])
    begins = ends - np.repeat([len(part) for part in originals], [len(part) for part in originals])
    rows = np.empty((n_rows, base.shape[1]), np.float32)
    taken = min(n_rows, len(base))
    rows[:taken] = base[rng.permutation(len(base))[:taken]]
    for part in chunks(n_rows - taken):
        first = rng.integers(0, len(base), part.stop - part.start)
        second = rng.integers(begins[first], ends[first])
        share = rng.uniform(0.6, 1.0, (len(first), 1)).astype(np.float32)
        mixed = share * base[first] + (1 - share) * base[second]
        rows[taken + part.start : taken + part.stop] = mixed + 0.01 * rng.standard_normal(mixed.shape, dtype=np.float32)
    return normalise(rows), normalise(queries[rng.permutation(len(queries))[np.arange(n_queries) % len(queries)]])


def shift(corpus, queries, seed=3):
    """Add one common direction to rows (where they are) and queries, so that all cosines lie in about 0.7 to 1.0.

    Unit x, y with cosine c become (c + s^2) / (1 + s^2) along a direction orthogonal to both; the lowest c of a sample
    decides s.
    """
    rng = np.random.default_rng(seed)
    direction = normalise(rng.standard_normal((1, corpus.shape[1]), dtype=np.float32))
    lowest = min(float((queries @ corpus[:20_000].T).min()), 0.0) - 0.05
    step = np.float32(np.sqrt((LOWEST_COSINE - lowest) / (1 - LOWEST_COSINE)))
    for part in chunks(len(corpus)):
        corpus[part] += step * direction
        normalise(corpus[part])
    return normalise(queries + step * direction)


def cosine_range(corpus, queries):
    """1st and 99th percentile of the cosines of queries and the first rows: how isotropic a corpus is."""
    return np.percentile(queries[:64] @ corpus[:20_000].T, [1, 99]).round(3).tolist()
