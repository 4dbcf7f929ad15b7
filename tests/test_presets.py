"""Presets: golden values, the slow reference on random lists, the habits of each system, and what a preset refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import reference_presets
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal.fusion._presets import PRESETS

HERE = Path(__file__).resolve().parent
GOLDEN = json.loads((HERE / "golden" / "fusion.json").read_text(encoding="utf-8"))
PUBLISHED = GOLDEN["published"]
A, B = [(1, 0.75), (2, 0.5)], [(2, 12.0), (3, 4.0)]
# What a preset needs besides the lists, and lists it can take.
METRICS = ("ip", "cosine", "bm25", "ip")
POSITIVE = {"opensearch-zscore", "opensearch-l2"}
WITHOUT_WEIGHTS = [name for name, preset in PRESETS.items() if preset.weights is None]


def as_run(entries, **options):
    return fc.Run([document for document, _ in entries], [score for _, score in entries], **options)


def fused(lists, preset, **options):
    """Fuse the lists of one query; return ``{document: score}``, best first."""
    return fc.fuse([as_run(entries) for entries in lists], preset=preset, **options).to_dict()[0]


def needs(preset, n_runs):
    return {"metrics": list(METRICS[:n_runs])} if preset == "milvus-weighted" else {}


def alike(mine, theirs):
    """Same documents and scores up to float32, and best first."""
    assert sorted(mine) == sorted(theirs)
    np.testing.assert_allclose(list(mine.values()), [theirs[document] for document in mine], rtol=2e-6, atol=2e-7)
    assert all(np.diff(list(mine.values())) <= 0)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("preset", PRESETS)
def test_golden_values(preset):
    values = GOLDEN["presets"][preset]["values"]
    assert {value["lists"] for value in values} >= {"constant", "single", "empty", "disjoint"}
    for value in values:
        lists = GOLDEN["lists"][value["lists"]]
        alike(fused(lists, preset, **value["options"]), dict(map(tuple, value["fused"])))


def test_every_preset_is_in_the_golden_file_the_reference_the_docs_and_the_docstring():
    docs = (HERE.parent / "docs" / "presets.md").read_text(encoding="utf-8")
    assert list(GOLDEN["presets"]) == list(reference_presets.PRESETS) == list(PRESETS)
    assert set(re.findall(r"^\| `([^`]+)` \|", docs, re.MULTILINE)) == set(PRESETS)
    assert [name for name in PRESETS if f'"{name}"' not in fc.fuse.__doc__] == []


@pytest.mark.parametrize(
    ("published", "preset", "options"),
    [
        ("standard_k60", "paper", {}),
        ("standard_k60", "opensearch-rrf", {}),
        ("standard_k60", "lancedb-rrf", {}),
        ("standard_k60", "mongodb-rank-fusion", {}),
        ("zero_based_60", "weaviate-ranked", {}),
        ("zero_based_60", "llamaindex-rrf", {}),
        ("langchain_w.5", "langchain-ensemble", {}),
        ("haystack", "haystack-rrf", {}),
        ("qdrant_k2", "qdrant-rrf", {}),
        ("qdrant_k61", "qdrant-rrf", {"k": 61}),
        ("qdrant_k2_w3_1", "qdrant-rrf", {"weights": [3, 1]}),
    ],
)
def test_published_reciprocal_ranks(published, preset, options):
    scores = fused([A, B], preset, **options)
    np.testing.assert_allclose([scores[1], scores[2], scores[3]], PUBLISHED["rrf"][published], atol=5e-9, rtol=1e-7)


@pytest.mark.parametrize(
    ("published", "preset"),
    [
        ("ranx_minmax", "ranx"),
        ("weaviate_relative_w1", "weaviate-relative"),
        ("opensearch_minmax", "opensearch-minmax"),
        ("es_minmax_fixed", "elasticsearch-linear"),
        ("vespa_linear", "vespa-linear"),
        ("qdrant_dbsf", "qdrant-dbsf"),
        ("llamaindex_relative", "llamaindex-relative"),
        ("opensearch_zscore", "opensearch-zscore"),
    ],
)
def test_published_constant_lists(published, preset):
    assert set(fused([[(1, 3), (2, 3), (3, 3)]], preset).values()) == {PUBLISHED["constant_list_[3,3,3]"][published]}


def test_published_maps_of_one_list():
    x, maps = [(1, 0.9), (2, 0.7), (3, 0.2)], PUBLISHED["x_[.9,.7,.2]"]
    for published, preset in [("dbsf_sample", "qdrant-dbsf"), ("dbsf_population", "haystack-dbsf"), ("opensearch_z", "opensearch-zscore")]:
        np.testing.assert_allclose(list(fused([x], preset).values()), maps[published], atol=1e-6)
    np.testing.assert_allclose(list(fused([x], "opensearch-l2").values()), maps["l2"], atol=1e-6)
    assert fused([[(1, 0.8)], [(2, 12.0)]], "milvus-weighted", metrics=["ip", "bm25"]) == pytest.approx({1: 0.714777, 2: 0.947071}, abs=1e-6)


@st.composite
def queries(draw, preset):
    """Lists ``[run][query]`` of sixty-fourths, best first, and options that the preset takes."""
    n_runs, n_queries, taken = draw(st.integers(1, 4)), draw(st.integers(1, 3)), PRESETS[preset]
    score = st.integers(1 if preset in POSITIVE else -256, 256).map(lambda n: n / 64)
    entries = st.lists(st.tuples(st.integers(0, 9), score), max_size=7, unique_by=None if taken.duplicates == "sum" else lambda entry: entry[0])
    lists = [[sorted(draw(entries), key=lambda entry: -entry[1]) for _ in range(n_queries)] for _ in range(n_runs)]
    options = needs(preset, n_runs)
    if taken.k is not None and draw(st.booleans()):
        options["k"] = draw(st.integers(1, 100))
    if taken.weights is not None and draw(st.booleans()):
        weights = [1, *draw(st.lists(st.integers(0, 4), min_size=n_runs - 1, max_size=n_runs - 1))]
        options["weights"] = [weight / sum(weights) for weight in weights]
    if taken.others and draw(st.booleans()):
        options["method"] = draw(st.sampled_from(taken.others))
    if len(taken.norms) > 1 and draw(st.booleans()):
        options["norm"] = draw(st.sampled_from(sorted(taken.norms)))
    return lists, options


@pytest.mark.parametrize("preset", PRESETS)
@given(data=st.data())
def test_presets_are_their_reference_query_by_query(preset, data):
    lists, options = data.draw(queries(preset))
    runs = []
    for run in lists:
        flat = [entry for entries in run for entry in entries]
        runs.append(fc.Run([i for i, _ in flat], [s for _, s in flat], np.cumsum([0, *map(len, run)])))
    result = fc.fuse(runs, preset=preset, **options)
    for query, mine in result.to_dict().items():
        alike(mine, reference_presets.PRESETS[preset]([run[query] for run in lists], **options))


def test_weights_of_each_query_are_read_like_those_of_one():
    runs = [fc.Run([[1, 2], [1, 2]], [[0.75, 0.5], [0.5, 0.25]]), fc.Run([[2, 3], [3, 1]], [[9.0, 4.0], [3.0, 2.0]])]
    rows = [[0.75, 0.25], [0.5, 0.5]]
    for preset in PRESETS.keys() - set(WITHOUT_WEIGHTS):
        together = fc.fuse(runs, preset=preset, weights=rows, **needs(preset, 2)).to_dict()
        for query, weights in enumerate(rows):
            assert together[query] == fc.fuse(runs, preset=preset, weights=weights, **needs(preset, 2)).to_dict()[query]


def test_no_queries_and_no_documents():
    for preset in PRESETS:
        for empty in (fc.Run([], [], [0]), fc.Run([], [], [0, 0, 0])):
            result = fc.fuse([empty, empty], preset=preset, **needs(preset, 2))
            assert (len(result), result.ids.size) == (len(empty), 0)


def test_what_belongs_to_fastcal_is_taken_by_every_preset():
    for preset in PRESETS:
        whole = fc.fuse([as_run(A), as_run(B)], preset=preset, **needs(preset, 2))
        best, parts = fc.fuse(
            [as_run(A), as_run(B)], preset=preset, top_k=2, ties="id_desc", num_threads=2, return_components=True, **needs(preset, 2)
        )
        assert best.scores.tolist() == whole.scores[:2].tolist()
        assert parts.raw.shape == (2, 2)


# -- habits: the preset has them, the default does not ---------------------------------------------------------------


def test_qdrant_weights_stretch_ranks():
    assert fused([A, B], "qdrant-rrf", weights=[3, 1])[2] == pytest.approx(1 / (2 / 3 + 1) + 1 / 2)
    assert fc.rrf([as_run(A), as_run(B)], 1, [3, 1]).to_dict()[0][2] == pytest.approx(3 / 3 + 1 / 2)


def test_opensearch_zscore_takes_a_score_at_the_mean_for_the_best():
    lists = [[(1, 12.0), (2, 8.0), (3, 4.0)]]
    assert fused(lists, "opensearch-zscore") == {2: 12.0, 1: 1.0, 3: pytest.approx(0.001)}
    assert fc.fuse([as_run(lists[0])], "mean", "zscore").ids.tolist() == [1, 2, 3]


def test_opensearch_geometric_mean_prefers_one_hit_to_two():
    lists = [[(1, 10.0), (2, 10.0), (9, 0.0)], [(1, 9.0), (3, 10.0), (9, 0.0)]]
    scores = fused(lists, "opensearch-minmax", method="gmean")
    assert scores[2] == 1.0 > scores[1] == pytest.approx(0.9**0.5)
    assert next(iter(fc.fuse([as_run(entries) for entries in lists], "mean", "minmax").to_dict()[0])) == 1


def test_opensearch_rounds_reciprocal_ranks_half_up_to_ten_decimals():
    assert fused([[(1, 1.0)]], "opensearch-rrf", k=2047)[1] == np.float32(0.0004882813) != fused([[(1, 1.0)]], "paper", k=2047)[1]


def test_negative_lists_of_elasticsearch_and_opensearch_end_at_zero():
    lists = [[(1, -0.25), (2, -0.5)]]
    assert fused(lists, "elasticsearch-linear") == {1: 0.5, 2: 0.0}
    assert fused(lists, "opensearch-minmax") == {1: 0.5, 2: pytest.approx(0.001)}
    assert fc.fuse([as_run(lists[0])], "sum", "minmax").scores.tolist() == [1.0, 0.0]


def test_haystack_takes_the_best_list_and_keeps_constant_ones():
    assert fused([[(1, 5.0), (2, 5.0)], [(1, 3.0), (3, 1.0)]], "haystack-dbsf")[1] == 5.0


def test_langchain_counts_a_repeated_document_again():
    lists = [[(1, 4.0), (2, 3.0), (2, 2.0), (2, 1.0)], [(1, 2.0), (3, 1.0)]]
    assert next(iter(fused(lists, "langchain-ensemble"))) == 2
    assert next(iter(fused(lists, "paper"))) == 1


def test_distances_are_inverted_where_the_system_does_it():
    near = as_run([(1, 0.25), (2, 0.75)], higher_is_better=False)
    for preset in ("ranx", "weaviate-relative"):
        assert fc.fuse([near], preset=preset).to_dict()[0] == {1: 1.0, 2: 0.0}
    (scores,) = fc.fuse([near], preset="milvus-weighted", metrics=["l2"]).to_dict().values()
    assert scores == pytest.approx({document: 1 - 2 * np.arctan(d) / np.pi for document, d in [(1, 0.25), (2, 0.75)]})


def test_each_retriever_of_elasticsearch_may_have_its_own_normalizer():
    mixed = fused([[(1, 3.0), (2, 4.0)], [(1, 2.0)]], "elasticsearch-linear", norm=["l2", "none"])
    assert mixed == pytest.approx({1: 2.6, 2: 0.8})


# -- refusals --------------------------------------------------------------------------------------------------------

DISTANCES = as_run([(1, 0.5)], higher_is_better=False)
RANKED = fc.Run([[1, 2]])
REFUSED = [
    ("qdrant", {}, "preset must be one of 'paper', 'ranx'"),
    (3, {}, "preset must be one of"),
    ("paper", {"method": "rrf"}, "'paper' has its own method"),
    ("paper", {"norm": "minmax"}, "'paper' has its own norm"),
    ("paper", {"missing": "zero"}, "'paper' has its own missing"),
    ("paper", {"duplicates": "first"}, "'paper' has its own duplicates"),
    ("paper", {"norm_options": {}}, "'paper' has its own norm_options"),
    ("qdrant-rrf", {"weight_mode": "rank_stretch"}, "has its own weight_mode"),
    ("paper", {"k": -1}, "k must be finite and at least 0"),
    ("paper", {"phi": 0.5}, "preset 'paper' takes 'k', got 'phi'"),
    ("qdrant-rrf", {"k": 0.5}, "k must be finite and at least 1"),
    ("lancedb-rrf", {"k": 0}, "k must be finite and positive"),
    ("opensearch-rrf", {"k": 10001}, "k must be an integer from 1 to 10000"),
    ("opensearch-rrf", {"k": 1.5}, "k must be an integer"),
    ("opensearch-rrf", {"weights": [1, 1]}, r"weights must sum to 1 for this preset, got \[1.0, 1.0\]"),
    ("opensearch-minmax", {"weights": [0.5, 0.25]}, "weights must sum to 1"),
    ("opensearch-minmax", {"method": "sum"}, "method must be one of 'mean', 'gmean', 'hmean'"),
    ("opensearch-zscore", {"method": "gmean"}, "has its own method"),
    ("elasticsearch-linear", {"norm": "zscore"}, "norm must be one of 'minmax', 'l2', 'none'"),
    ("elasticsearch-linear", {"norm": ["l2"]}, "one for each of the 2 runs; got 1"),
    ("milvus-weighted", {"metrics": ["ip", "ip"], "weights": [2, 1]}, r"weights must be in \[0, 1\]"),
    ("milvus-weighted", {}, "metrics must name the metric of each of the 2 runs"),
    ("milvus-weighted", {"metrics": "ip"}, "metrics must name"),
    ("milvus-weighted", {"metrics": ["ip", "jaccard"]}, r"metrics\[1\] must be one of"),
    ("milvus-weighted", {"metrics": ["ip", "l2"]}, r"metrics\[1\] is 'l2', and runs\[1\] holds scores"),
    ("weaviate-ranked", {"k": 59}, "takes no options, got 'k'"),
    ("haystack-rrf", {"weights": [0, 0]}, "must be positive"),
    ("haystack-rrf", {"weights": [1]}, r"weights must have shape \(2,\)"),
]


@pytest.mark.parametrize(("preset", "options", "message"), REFUSED)
def test_refused(preset, options, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        fc.fuse([as_run(A), as_run(B)], preset=preset, **options)
    assert isinstance(caught.value, fc.FastcalError)


def test_weights_that_a_system_ignores_are_refused():
    assert set(WITHOUT_WEIGHTS) == {"paper", "qdrant-dbsf", "haystack-dbsf", "llamaindex-rrf", "lancedb-rrf"}
    for preset in WITHOUT_WEIGHTS:
        with pytest.raises(ValueError, match="takes no weights"):
            fc.fuse([as_run(A), as_run(B)], preset=preset, weights=[0.5, 0.5])


def test_runs_that_a_system_cannot_take():
    for preset in PRESETS:
        by_score = bool(PRESETS[preset].norms) or PRESETS[preset].metrics
        if not by_score:
            assert fc.fuse([RANKED, DISTANCES], preset=preset).ids.size == 2
            continue
        with pytest.raises(ValueError, match=r"runs\[1\] has none"):
            fc.fuse([as_run(A), RANKED], preset=preset, **needs(preset, 2))
        with pytest.raises(ValueError, match="inf"):
            fc.fuse([as_run([(1, np.inf)])], preset=preset, **needs(preset, 1))
        if not PRESETS[preset].distances:
            with pytest.raises(ValueError, match=r"runs\[0\] holds distances"):
                fc.fuse([DISTANCES], preset=preset, **needs(preset, 1))
    for preset in POSITIVE:
        with pytest.raises(ValueError, match="no negative scores"):
            fc.fuse([as_run([(1, 1.0), (2, -1.0)])], preset=preset)
