"""Every method of fuse: its formula, its policies for missing and repeated documents, weights, ties and components."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal.fusion._methods import METHODS

pytestmark = pytest.mark.usefixtures("backend")
A = fc.Run([[1, 2, 3]], [[0.9, 0.5, 0.25]])
B = fc.Run([[2, 4]], [[0.75, 0.125]])
SCORED = tuple(name for name, method in METHODS.items() if not method.by_rank)


def logit(p):
    return math.log(p / (1 - p))


def geometric(s, w):
    kept = [(x, v) for x, v in zip(s, w, strict=True) if x > 0]
    return math.exp(sum(v * math.log(x) for x, v in kept) / sum(v for _, v in kept)) if sum(v for _, v in kept) else 0.0


def harmonic(s, w):
    kept = [(x, v) for x, v in zip(s, w, strict=True) if x > 0]
    return sum(v for _, v in kept) / sum(v / x for x, v in kept) if sum(v for _, v in kept) else 0.0


def weighted(s, w):
    return sum(x * v for x, v in zip(s, w, strict=True))


# Of the lists that hold the document: ranks r, scores s, weights w; m lists hold it.
FORMULAS = {
    "rrf": lambda r, s, w, m: weighted([1 / (60 + x) for x in r], w),
    "isr": lambda r, s, w, m: m * weighted([x**-2 for x in r], w),
    "logn_isr": lambda r, s, w, m: math.log(m + 0.01) * weighted([x**-2 for x in r], w),
    "rbc": lambda r, s, w, m: weighted([0.2 * 0.8 ** (x - 1) for x in r], w),
    "min": lambda r, s, w, m: min(s),
    "max": lambda r, s, w, m: max(s),
    "med": lambda r, s, w, m: statistics.median(s),
    "sum": lambda r, s, w, m: weighted(s, w),
    "wsum": lambda r, s, w, m: weighted(s, w),
    "anz": lambda r, s, w, m: weighted(s, w) / m,
    "mnz": lambda r, s, w, m: weighted(s, w) * m,
    "gmnz": lambda r, s, w, m: weighted(s, w) * m,
    "gmean": lambda r, s, w, m: geometric(s, w),
    "hmean": lambda r, s, w, m: harmonic(s, w),
    "wmnz": lambda r, s, w, m: sum(s) * sum(w),
    "mixed": lambda r, s, w, m: weighted(s, w) * math.sqrt(m),
    "logodds": lambda r, s, w, m: 1 / (1 + math.exp(-weighted([logit(min(max(x, 1e-6), 1 - 1e-6)) for x in s], w))),
}


@st.composite
def cases(draw):
    """(lists of distinct (document, score) by run, weights): one query, scores in [0, 1]."""
    entry = st.tuples(st.integers(0, 9), st.integers(0, 64).map(lambda n: n / 64))
    ranked = st.lists(entry, max_size=8, unique_by=lambda e: e[0]).map(lambda entries: sorted(entries, key=lambda e: -e[1]))
    lists = draw(st.lists(ranked, min_size=1, max_size=4))
    return lists, draw(st.lists(st.sampled_from([0.25, 1.0, 2.0]), min_size=len(lists), max_size=len(lists)))


def as_runs(lists):
    return [fc.Run([[d for d, _ in entries]], [[s for _, s in entries]]) for entries in lists]


def by_document(lists):
    """{document: [(run, rank, score), ...]}."""
    found = {}
    for run, entries in enumerate(lists):
        for rank, (document, score) in enumerate(entries, 1):
            found.setdefault(document, []).append((run, rank, score))
    return found


@pytest.mark.parametrize("method", FORMULAS)
@given(case=cases())
def test_formula(method, case):
    lists, weights = case
    given_weights = weights if METHODS[method].weighted else None
    expected = {}
    for document, hits in by_document(lists).items():
        runs, ranks, scores = zip(*hits, strict=True)
        expected[document] = FORMULAS[method](ranks, scores, [weights[run] for run in runs], len(hits))
    fused = fc.fuse(as_runs(lists), method, weights=given_weights)
    assert fused.to_dict()[0] == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert (np.diff(fused.scores) <= 0).all()


@given(case=cases())
def test_mean_counts_every_run_or_those_that_list_the_document(case):
    lists, weights = case
    runs, found = as_runs(lists), by_document(lists)
    total = {document: sum(weights[run] * score for run, _, score in hits) for document, hits in found.items()}
    everybody = {document: value / sum(weights) for document, value in total.items()}
    listing = {document: value / sum(weights[run] for run, _, _ in found[document]) for document, value in total.items()}
    assert fc.fuse(runs, "mean", weights=weights).to_dict()[0] == pytest.approx(everybody, rel=1e-6)
    assert fc.fuse(runs, "mean", weights=weights, missing="skip").to_dict()[0] == pytest.approx(listing, rel=1e-6)


@given(case=cases())
def test_borda_shares_out_the_points_of_each_run(case):
    lists, weights = case
    fused = fc.fuse(as_runs(lists), "borda", weights=weights)
    n = len(by_document(lists))
    assert fused.scores.sum() == pytest.approx(sum(weights) * n * (n + 1) / 2, rel=1e-5)
    for document, hits in by_document(lists).items():
        points = [(n - len(entries) + 1) / 2 for entries in lists]
        for run, rank, _ in hits:
            points[run] = n - rank + 1
        assert fused.to_dict()[0][document] == pytest.approx(weighted(points, weights), rel=1e-6)


@given(case=cases())
def test_condorcet_counts_pairwise_majorities(case):
    lists, weights = case
    places = [{document: rank for rank, (document, _) in enumerate(entries)} for entries in lists]
    expected = {}
    for a in by_document(lists):
        duels = [
            sum(w * np.sign(place.get(b, 99) - place.get(a, 99)) for place, w in zip(places, weights, strict=True))
            for b in by_document(lists)
            if b != a
        ]
        expected[a] = sum(1.0 if duel > 0 else 0.5 * (duel == 0) for duel in duels)
    assert fc.fuse(as_runs(lists), "condorcet", weights=weights).to_dict()[0] == expected


def test_a_condorcet_winner_wins():
    fused = fc.fuse([fc.Run([[1, 2, 3]]), fc.Run([[1, 3, 2]]), fc.Run([[3, 1, 2]])], "condorcet")
    assert fused.to_dict()[0] == {1: 2.0, 3: 1.0, 2: 0.0}


# -- policies ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", SCORED)
@given(case=cases(), policy=st.sampled_from(["skip", "zero", "min", 0.375]))
def test_missing_is_a_listed_score_but_for_m(method, case, policy):
    lists, weights = case
    if policy == "zero" and method in {"gmean", "hmean"}:
        return
    weights = weights if METHODS[method].weighted else None
    found = by_document(lists)
    filled, fills = [], []
    for entries in lists:
        listed = dict(entries)
        least = min(listed.values(), default=None)
        fills.append({"skip": None, "zero": 0.0, "min": least}.get(policy, policy))
        absent = [(document, fills[-1]) for document in found if document not in listed and fills[-1] is not None]
        filled.append(sorted([*entries, *absent], key=lambda e: -e[1]))
    fused = fc.fuse(as_runs(lists), method, weights=weights, missing=policy).to_dict()[0]
    if method in {"anz", "mnz", "gmnz", "mixed", "wmnz"}:  # the sum is filled, m and the weights behind it are not
        one = weights if method != "wmnz" else None
        sums = fc.fuse(as_runs(filled), "sum", weights=one).to_dict()[0]
        m = {document: len(hits) for document, hits in found.items()}
        behind = {document: sum(weights[run] for run, _, _ in hits) for document, hits in found.items()}
        scale = {"anz": lambda d: 1 / m[d], "mixed": lambda d: math.sqrt(m[d]), "wmnz": behind.get}.get(method, m.get)
        expected = {document: value * scale(document) for document, value in sums.items()}
    else:
        expected = fc.fuse(as_runs(filled), method, weights=weights, missing="skip").to_dict()[0]
    assert fused == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_duplicates():
    twice = fc.Run([[5, 7, 5]], [[0.75, 0.5, 0.25]])
    scores = {policy: fc.fuse([twice], "sum", duplicates=policy).to_dict()[0] for policy in ("first", "max", "sum")}
    assert scores == {"first": {5: 0.75, 7: 0.5}, "max": {5: 0.75, 7: 0.5}, "sum": {5: 1.0, 7: 0.5}}
    assert fc.fuse([twice], "rrf", k=0, duplicates="sum").to_dict()[0] == pytest.approx({5: 1 + 1 / 3, 7: 0.5})
    assert fc.fuse([twice], "gmean", duplicates="sum").to_dict()[0] == {5: 1.0, 7: 0.5}
    assert fc.fuse([twice, A], "mnz", duplicates="sum").to_dict()[0][5] == 1.0  # one run lists it, however often
    with pytest.raises(ValueError, match=r"runs\[1\]: got document 5 again in list 0 at position 2; expected each document at most once"):
        fc.fuse([A, twice], "rrf", duplicates="error")
    assert fc.fuse([A, B], duplicates="error").scores.tolist() == fc.rrf([A, B]).scores.tolist()


def test_ties():
    runs = [fc.Run([[10]]), fc.Run([[9]]), fc.Run([[2]])]
    order = {ties: fc.fuse(runs, ties=ties).ids.tolist() for ties in ("source", "id", "id_desc", "trec")}
    assert order == {"source": [10, 9, 2], "id": [2, 9, 10], "id_desc": [10, 9, 2], "trec": [9, 2, 10]}
    named = [fc.Run([[0]], doc_ids=["a", "c", "b"]), fc.Run([[1]], doc_ids=["a", "c", "b"]), fc.Run([[2]], doc_ids=["a", "c", "b"])]
    fused, parts = fc.fuse(named, ties="trec", return_components=True)
    assert fused.doc_ids[fused.ids].tolist() == ["c", "b", "a"]
    assert parts.rank.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


# -- weights -----------------------------------------------------------------------------------------
def test_rank_stretching_is_qdrants():
    runs = [fc.Run([[1, 2]]), fc.Run([[2, 3]])]
    fused = fc.fuse(runs, "rrf", k=1, weights=[3, 1], weight_mode="rank_stretch")
    assert fused.to_dict()[0] == pytest.approx({1: 0.75, 2: 1.1, 3: 1 / 3})
    assert fc.fuse(runs, "rrf", k=1, weights=[0, 1], weight_mode="rank_stretch").to_dict()[0] == {2: 0.5, 3: pytest.approx(1 / 3), 1: 0.0}
    assert fc.fuse(runs, "isr", weights=[2, 1], weight_mode="rank_stretch").to_dict()[0] == {2: 4.0, 1: 4.0, 3: 0.25}


def test_weights_of_each_query():
    runs = [
        fc.Run([[1, 2], [1, 2]], [[4, 2], [4, 2]], query_ids=["short", "a long one"]),
        fc.Run([[2, 3]] * 2, [[8, 1]] * 2, query_ids=["a long one", "short"]),
    ]
    asked = []

    def by_length(queries):
        asked.append(queries.tolist())
        return [[1, 0] if " " in query else [0, 1] for query in queries]

    fused = fc.fuse(runs, "sum", weights=by_length)
    assert asked == [["short", "a long one"]]
    assert fused.to_dict() == {"short": {2: 8.0, 3: 1.0, 1: 0.0}, "a long one": {1: 4.0, 2: 2.0, 3: 0.0}}
    assert fc.fuse(runs, "sum", weights=[[0, 1], [1, 0]]).to_dict() == fused.to_dict()
    unnamed = [fc.Run(run.ids, run.scores, run.offsets) for run in runs]
    assert fc.fuse(unnamed, "sum", weights=lambda queries: np.stack([queries, 1 - queries], 1)).to_dict()[0] == fused.to_dict()["short"]


def test_a_prior_is_counted_once():
    p = fc.Run([[1, 2]], [[0.3, 0.1]])
    assert fc.fuse([p], "logodds", prior=0.2).scores == pytest.approx([0.3, 0.1])
    assert fc.fuse([p, p], "logodds", prior=0.3).to_dict()[0][1] == pytest.approx(0.3)
    certain = fc.fuse([fc.Run([[1, 2]], [[1.0, 0.0]])], "logodds", clip=0.01)
    assert certain.scores == pytest.approx([0.99, 0.01])


# -- components --------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), top_k=st.sampled_from([None, 2]))
def test_contributions_add_up(method, case, top_k):
    lists, weights = case
    weights = weights if METHODS[method].weighted else None
    runs = as_runs(lists)
    fused, parts = fc.fuse(runs, method, weights=weights, top_k=top_k, return_components=True)
    plain = fc.fuse(runs, method, weights=weights, top_k=top_k)
    assert (fused.ids.tobytes(), fused.scores.tobytes()) == (plain.ids.tobytes(), plain.scores.tobytes())
    found = by_document(lists)
    for i, document in enumerate(fused.ids.tolist()):
        ranks, raw = np.zeros(len(runs), int), np.full(len(runs), np.nan, np.float32)
        for run, rank, score in found[document]:
            ranks[run], raw[run] = rank, score
        np.testing.assert_array_equal(parts.rank[i], ranks)
        np.testing.assert_array_equal(parts.raw[i], raw)
    total, score = parts.contribution.sum(axis=1), fused.scores.astype(float)
    if method == "condorcet":
        assert np.isnan(parts.contribution).all()
    elif method in {"min", "max", "med"}:
        best = {"min": np.nanmin, "max": np.nanmax, "med": np.nanmedian}[method]
        assert [best(row) for row in parts.contribution] == pytest.approx(score)
    else:
        link = {"gmean": np.exp, "hmean": lambda x: 1 / x, "logodds": lambda x: 1 / (1 + np.exp(-x))}.get(method, lambda x: x)
        positive = score > 0
        assert link(total[positive]) == pytest.approx(score[positive], rel=1e-5)


def test_components_show_what_was_normalised():
    _, parts = fc.fuse([A, B], "sum", ["minmax", None], weights=[0.5, 1], return_components=True)
    assert parts.to_dict()["normalised"][0] == [pytest.approx(0.25 / 0.65), 0.75]
    assert parts.to_dict()["raw"][0] == [0.5, 0.75]
    assert parts.contribution[0] == pytest.approx([0.125 / 0.65, 0.75])
    assert math.isnan(parts.raw[1, 1])
    _, nothing = fc.fuse([fc.Run(np.empty((2, 0), int))] * 2, return_components=True)
    assert nothing.rank.shape == (0, 2)
