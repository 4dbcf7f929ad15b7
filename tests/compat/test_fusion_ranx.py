"""Methods of fuse beside those of ranx, over the same lists and without a norm: the same scores."""

import random

import pytest

import fastcal as fc

ranx = pytest.importorskip("ranx")

# ranx's name, ours, parameters of both.
METHODS = [
    ("rrf", "rrf", {"k": 10}, {"k": 10}),
    ("isr", "isr", {}, {}),
    ("logn_isr", "logn_isr", {"sigma": 0.3}, {"sigma": 0.3}),
    ("rbc", "rbc", {"phi": 0.6}, {"phi": 0.6}),
    ("bordafuse", "borda", {}, {}),
    ("w_bordafuse", "borda", {"weights": [0.5, 1.0, 2.0]}, {"weights": [0.5, 1.0, 2.0]}),
    ("min", "min", {}, {}),
    ("max", "max", {}, {}),
    ("med", "med", {}, {}),
    ("sum", "sum", {}, {}),
    ("anz", "anz", {}, {}),
    ("mnz", "mnz", {}, {}),
    ("gmnz", "gmnz", {"gamma": 1.5}, {"gamma": 1.5}),
    ("wsum", "wsum", {"weights": [0.5, 1.0, 2.0]}, {"weights": [0.5, 1.0, 2.0]}),
    ("wmnz", "wmnz", {"weights": [0.5, 1.0, 2.0]}, {"weights": [0.5, 1.0, 2.0]}),
    ("mixed", "mixed", {"weights": [0.5, 1.0, 2.0]}, {"weights": [0.5, 1.0, 2.0]}),
]


def dicts(seed=0, n_queries=60):
    """Three runs as dicts; scores of a list are distinct, because ranx orders ties as it likes."""
    rng = random.Random(seed)
    runs = []
    for _ in range(3):
        lists = [rng.sample(range(30), rng.randrange(1, 20)) for _ in range(n_queries)]
        scores = [[n / 64 for n in rng.sample(range(1, 2048), len(docs))] for docs in lists]
        runs.append({f"q{q}": {f"d{doc}": score for doc, score in zip(docs, scores[q], strict=True)} for q, docs in enumerate(lists)})
    return runs


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("theirs", "ours", "their_parameters", "options"), METHODS, ids=[m[0] for m in METHODS])
def test_method(theirs, ours, their_parameters, options):
    lists = dicts()
    expected = ranx.fuse([ranx.Run(run) for run in lists], norm=None, method=theirs, params=their_parameters or None).to_dict()
    fused = fc.fuse([fc.Run.from_dict(run) for run in lists], ours, **options).to_dict()
    assert fused.keys() == expected.keys()
    for query, documents in expected.items():
        assert fused[query] == pytest.approx(documents, rel=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_minmax_and_weighted_sum():
    lists = dicts(seed=1)
    expected = ranx.fuse([ranx.Run(run) for run in lists], norm="min-max", method="wsum", params={"weights": [0.2, 0.3, 0.5]}).to_dict()
    fused = fc.fuse([fc.Run.from_dict(run) for run in lists], "wsum", "minmax", weights=[0.2, 0.3, 0.5]).to_dict()
    for query, documents in expected.items():
        assert fused[query] == pytest.approx(documents, rel=1e-5, abs=1e-7)


@pytest.mark.filterwarnings("ignore")
def test_condorcet_where_the_majority_orders_all_documents():
    """Full lists of one electorate that differ little: no cycles, and an odd number of runs draws no duel."""
    lists = [{"q": {f"d{doc}": 10.0 - place for place, doc in enumerate(order)}} for order in ([0, 1, 2, 3], [1, 0, 2, 3], [0, 1, 3, 2])]
    expected = ranx.fuse([ranx.Run(run) for run in lists], norm=None, method="condorcet").to_dict()["q"]
    fused = fc.fuse([fc.Run.from_dict(run) for run in lists], "condorcet").to_dict()["q"]
    assert sorted(fused, key=fused.get) == sorted(expected, key=expected.get) == ["d3", "d2", "d1", "d0"]
