"""Random ranked lists of one query, how fastcal fuses them, and how two fused lists are compared."""

import random

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

import fastcal as fc

compare = settings(max_examples=100)

# Sixty-fourths are exact in float32 and their sums in float64, so that a list is constant for every system or for none.
_SCORES = st.integers(-512, 512).map(lambda n: n / 64)


def lists(*, min_lists=2, max_lists=4, repeats=False):
    """Lists of (document, score), best first, over few documents, so that they overlap and tie."""
    unique = None if repeats else lambda entry: entry[0]
    ranked = st.lists(st.tuples(st.integers(0, 11), _SCORES), max_size=8, unique_by=unique).map(best_first)
    return st.lists(ranked, min_size=min_lists, max_size=max_lists).filter(any)


@st.composite
def weighted(draw, **options):
    """Lists, and a weight for each: sixteenths, the first one positive."""
    drawn = draw(lists(**options))
    rest = st.lists(st.integers(0, 32), min_size=len(drawn) - 1, max_size=len(drawn) - 1)
    return drawn, [n / 16 for n in [draw(st.integers(1, 32)), *draw(rest)]]


def best_first(entries):
    return sorted(entries, key=lambda entry: -entry[1])


def many(queries, n_lists=3, *, seed=0):
    """Lists of many queries with distinct scores: ``[list number][query]``."""
    rng = random.Random(seed)
    ranked = [[(rng.randrange(40), rng.randrange(-4096, 4096) / 64) for _ in range(rng.randrange(1, 20))] for _ in range(n_lists * queries)]
    return _chunks([_distinct(entries) for entries in ranked], queries)


def _distinct(entries):
    by_score = {score: document for document, score in dict(entries).items()}
    return best_first([(document, score) for score, document in by_score.items()])


def _chunks(values, size):
    return [values[start : start + size] for start in range(0, len(values), size)]


def run(entries, *, higher_is_better=True):
    """One query's list as a run; repeated documents stay."""
    return fc.Run([document for document, _ in entries], [score for _, score in entries], higher_is_better=higher_is_better)


def ours(drawn, preset, **options):
    fused = fc.fuse([run(entries) for entries in drawn], preset=preset, **options)
    return list(zip(fused.ids.tolist(), fused.scores.tolist(), strict=True))


def check(mine, theirs):
    """Same documents and scores; the same order wherever theirs differ by more than float32 can tell."""
    expected = dict(theirs)
    assert sorted(document for document, _ in mine) == sorted(expected)
    in_my_order = np.array([expected[document] for document, _ in mine])
    np.testing.assert_allclose([score for _, score in mine], in_my_order, rtol=2e-6, atol=2e-6)
    assert np.all(np.diff(in_my_order) <= 4e-6 * (1 + np.abs(in_my_order[1:])))
