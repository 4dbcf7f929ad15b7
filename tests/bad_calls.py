"""One mistake at a time: the calls it can be made in, and what the error has to say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from strategies import problem

import fastcal as fc

Q, C = problem(0, 2, 5, 4)
IDS = np.array([[0, 1, 2, 3, 4]] * 2)


def scores(queries=Q, corpus=C, metric="cosine", **options):
    return fc.scores(queries, corpus, metric, **options)


def topk(queries=Q, corpus=C, metric="cosine", k=3, **options):
    return fc.topk(queries, corpus, k, metric, **options)


def rescore(queries=Q, corpus=C, metric="cosine", ids=IDS, **options):
    return fc.rescore(queries, corpus, ids, metric, **options)


def build(corpus=C, metric="cosine", **options):
    return fc.Index(corpus, metric, **options)


def search(queries=Q, k=3, **options):
    return fc.Index(C).search(queries, k, **options)


WITH_CORPUS = (scores, topk, rescore, build)
WITH_QUERIES = (scores, topk, rescore, search)
EVERY_CALL = (scores, topk, rescore, build, search)
SEARCHES = (topk, search)
ARRAYS = (scores, rescore)


@dataclass(frozen=True)
class Case:
    """One mistake: the calls it can be made in, the class of the error, and what the message has to say."""

    name: str
    calls: tuple
    options: dict
    error: type
    says: str


def read_only(array):
    array.flags.writeable = False
    return array


def check(case):
    """Every call that can make the mistake refuses it, with one line that says what was got and what is expected."""
    for call in case.calls:
        with pytest.raises(case.error, match=case.says) as caught:
            call(**case.options)
        assert isinstance(caught.value, fc.FastcalError), call.__name__
        assert "\n" not in str(caught.value)
