"""ranx and paper beside ranx.fuse; many queries in one call, since ranx compiles for each kind of fusion."""

import numpy as np
import pytest
from compat.lists import check, many

import fastcal as fc

ranx = pytest.importorskip("ranx")

# ranx lets Numba mix signed and unsigned integers.
pytestmark = pytest.mark.filterwarnings("ignore:.*unsafe cast:Warning")
LISTS = many(200)


def theirs(lists, norm, method, **params):
    """Fuse with names of two digits: ranx compiles anew for each length of names."""
    runs = [ranx.Run({f"{q:03}": {f"{document:02}": score for document, score in entries} for q, entries in enumerate(run)}) for run in lists]
    fused = ranx.fuse(runs, norm=norm, method=method, params=params).to_dict()
    return {int(q): [(int(document), score) for document, score in entries.items()] for q, entries in fused.items()}


def ours(lists, **options):
    fused = fc.fuse([fc.Run.from_dict({q: dict(entries) for q, entries in enumerate(run)}) for run in lists], **options)
    return {q: list(entries.items()) for q, entries in fused.to_dict().items()}


def agree(mine, other):
    assert mine.keys() == other.keys()
    for query, fused in mine.items():
        check(fused, other[query])


def test_rrf_of_the_paper():
    agree(ours(LISTS, preset="paper"), theirs(LISTS, None, "rrf"))
    agree(ours(LISTS, preset="paper", k=10), theirs(LISTS, None, "rrf", k=10))


def test_default_of_ranx():
    weights = [0.5, 0.25, 0.75]
    agree(ours(LISTS, preset="ranx", weights=weights), theirs(LISTS, "min-max", "wsum", weights=weights))


def test_default_on_constant_lists():
    constant = [[[(1, 3.0), (2, 3.0)], [(5, -1.0)]], [[(2, 1.0), (3, 0.5)], [(5, 2.0), (6, 1.0)]]]
    agree(ours(constant, preset="ranx"), theirs(constant, "min-max", "wsum", weights=[1.0, 1.0]))
    assert np.isclose(dict(theirs(constant, "min-max", "wsum", weights=[1.0, 1.0])[0])[1], 0)
