"""Indexes, pools and selections for the tests of dynamic_threshold."""

from __future__ import annotations

import numpy as np

import fastcal as fc
from fastcal.certificates._band_pool import band_pool, outline
from fastcal.labelling._ledger import Ledger

METRICS = ["cosine", "dot", "euclidean"]
SETTINGS = {"census": 5, "first": 10, "ratio": 2.0}


def line(n):
    """An index whose row i scores n - i."""
    return fc.Index(np.arange(n, 0, -1, dtype=np.float32)[:, np.newaxis], "dot")


def pool_of(index, query, seed, keep, head=20, **changes):
    query = np.atleast_2d(np.asarray(query, np.float32))
    return band_pool(index, query, outline(index, query, head), Ledger("test", "", {}, seed=seed), keep=keep, **SETTINGS | changes)


def gaussian(n, seed=0, dim=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)).astype(np.float32), rng.normal(size=dim).astype(np.float32)


def selects(scores, certificate):
    """Which rows a certificate selects."""
    if certificate.threshold is None:
        return np.zeros(scores.size, bool)
    return scores >= certificate.threshold if certificate.higher_is_better else scores <= certificate.threshold
