"""Handwritten digits: scikit-learn's bundled images, with every pair of them labelled."""

from __future__ import annotations

import numpy as np

from fastcal._extras import require
from fastcal.cli.demo.collections import Collection, Qrels

N_QUERIES = 200


def load_digits(seed: int = 0) -> Collection:
    """Take 200 images as queries and the rest as the corpus; relevant means the same digit."""
    bunch = require("sklearn.datasets", "demo").load_digits()
    images, digits = bunch.data.astype(np.float32), bunch.target
    chosen = np.zeros(len(images), dtype=bool)
    chosen[np.random.default_rng(seed).choice(len(images), N_QUERIES, replace=False)] = True
    same = [np.flatnonzero(digits[~chosen] == digit) for digit in range(10)]
    return Collection(
        name="digits",
        vectors="8 x 8 pixel values, 64 dimensions",
        judgements="same digit; every pair is labelled",
        queries=images[chosen],
        corpus=images[~chosen],
        qrels=Qrels.from_lists([same[digit] for digit in digits[chosen]]),
    )
