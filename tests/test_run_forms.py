"""Runs and judgements from what other libraries return, and back; a library that is not installed is a visible skip."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc

names = st.text("abc€", min_size=1, max_size=2)
numbers = st.integers(0, 5)
scores = st.floats(-8, 8, width=32)


def dicts_of(labels, values):
    return st.dictionaries(labels, st.dictionaries(labels, values, min_size=1, max_size=6), max_size=5)


def shuffled_columns(nested, value, seed):
    rows = [(query, doc, number) for query, docs in nested.items() for doc, number in docs.items()]
    order = np.random.default_rng(seed).permutation(len(rows))
    columns = [[rows[i][field] for i in order] for field in range(3)]
    return dict(zip(("query_id", "doc_id", value), columns, strict=True))


# -- columns and records -----------------------------------------------------------------------------
@given(st.one_of(dicts_of(names, scores), dicts_of(numbers, scores)), st.integers(0, 99))
def test_columns_in_any_order_are_the_same_run(nested, seed):
    columns = shuffled_columns(nested, "score", seed)
    for run in (fc.Run.from_columns(columns), fc.Run.from_records(zip(*columns.values(), strict=True))):
        assert run.to_dict() == fc.Run.from_dict(nested).to_dict() == nested
    back = fc.Run.from_columns(fc.Run.from_dict(nested).to_columns())
    assert back.to_dict() == nested


@given(st.one_of(dicts_of(names, st.integers(-1, 3)), dicts_of(numbers, st.integers(-1, 3))), st.integers(0, 99))
def test_judgements_in_any_order_are_the_same(nested, seed):
    columns = shuffled_columns(nested, "relevance", seed)
    for qrels in (fc.Qrels.from_columns(columns), fc.Qrels.from_records(zip(*columns.values(), strict=True)), fc.Qrels.from_dict(nested)):
        assert qrels.to_dict() == nested
    assert fc.Qrels.from_columns(fc.Qrels.from_dict(nested).to_columns()).to_dict() == nested


@pytest.mark.parametrize("packed", [".run", ".run.gz"])
@given(nested=dicts_of(names, st.integers(-3, 3)))
def test_judgements_round_trip_through_a_file(tmp_path_factory, packed, nested):
    path = tmp_path_factory.mktemp("qrels") / f"a{packed}"
    fc.Qrels.from_dict(nested).to_trec(path)
    assert fc.Qrels.from_trec(path).to_dict() == nested


@given(dicts_of(names, st.integers(-1, 3)), dicts_of(names, scores), st.integers(-2, 2))
def test_grades_of_a_run(judged, listed, unjudged):
    run = fc.Run.from_dict(listed)
    expected = [judged.get(query, {}).get(doc, unjudged) for query, docs in run.to_dict().items() for doc in docs]
    assert fc.Qrels.from_dict(judged).grades_of(run, unjudged=unjudged).tolist() == expected


@given(dicts_of(numbers, st.integers(-1, 3)), dicts_of(numbers, scores))
def test_grades_of_a_run_named_by_integers(judged, listed):
    run = fc.Run.from_dict(listed)
    expected = [judged.get(query, {}).get(doc, 0) for query, docs in run.to_dict().items() for doc in docs]
    assert fc.Qrels.from_dict(judged).grades_of(run).tolist() == expected


def test_grades_where_names_are_of_another_kind():
    run = fc.Run.from_dict({"q": {"d": 1.0}})
    with pytest.raises(ValueError, match="queries are named by integers in the judgements and by strings"):
        fc.Qrels.from_dict({0: {"d": 1}}).grades_of(run)
    with pytest.raises(ValueError, match="documents are named by integers"):
        fc.Qrels.from_dict({"q": {0: 1}}).grades_of(run)
    with pytest.raises(TypeError, match="got dict"):
        fc.Qrels.from_dict({"q": {"d": 1}}).grades_of({"q": {"d": 1.0}})


def test_a_pair_with_two_grades():
    columns = {"query_id": ["q", "p", "q"], "doc_id": ["d", "d", "d"], "relevance": [1, 0, 2]}
    with pytest.raises(ValueError, match="query 'q', document 'd' is judged twice: 1 and 2"):
        fc.Qrels.from_columns(columns)
    columns["relevance"][2] = 1
    assert fc.Qrels.from_columns(columns).to_dict() == {"q": {"d": 1}, "p": {"d": 0}}


def test_judgements_are_read_only():
    qrels = fc.Qrels.from_dict({"q": {"d": 1}})
    assert (repr(qrels), len(qrels)) == ("Qrels(n_queries=1, n_judged=1)", 1)
    for array in (qrels.ids, qrels.grades, qrels.offsets, qrels.query_ids, qrels.doc_ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("columns", "kind", "error"),
    [
        ({"query_id": ["q"], "doc_id": ["d"]}, ValueError, "no column 'score', only 'query_id', 'doc_id'"),
        ({"query_id": ["q"], "doc_id": ["d", "e"], "score": [1.0]}, ValueError, "same length"),
        ({"query_id": ["q"], "doc_id": ["d"], "score": [1.0, 2.0]}, ValueError, "same length"),
        ({"query_id": [["q"]], "doc_id": [["d"]], "score": [[1.0]]}, ValueError, "shape"),
        ({"query_id": ["q"], "doc_id": ["d"], "score": ["high"]}, TypeError, "score must be"),
        ({"query_id": ["q"], "doc_id": ["d"], "score": [np.nan]}, ValueError, "nan in list 0"),
        (
            {"query_id": np.array(["q", None], object), "doc_id": ["d", "e"], "score": [1.0, 2.0]},
            TypeError,
            "strings or all integers, got None",
        ),
        ({"query_id": [0.5], "doc_id": ["d"], "score": [1.0]}, TypeError, "float64"),
        ({"query_id": ["q"], "doc_id": [-1], "score": [1.0]}, ValueError, "got -1"),
        (3, TypeError, "got int"),
        ([("q", "d", 1.0)], TypeError, "got list"),
    ],
)
def test_bad_columns(columns, kind, error):
    with pytest.raises(kind, match=error):
        fc.Run.from_columns(columns)


@pytest.mark.parametrize("records", ["ab", {"q": {}}, 3, [("q", "d")], [3]])
def test_bad_records(records):
    with pytest.raises(TypeError, match="expected"):
        fc.Run.from_records(records)
    with pytest.raises(TypeError, match="expected"):
        fc.Qrels.from_records(records)


# -- arrays of search libraries --------------------------------------------------------------------------
def test_unsigned_ids_share_memory_and_counts_end_rows():
    ids, distances = np.array([[5, 9, 77], [2, 0, 0]], np.uint64), np.array([[0.1, 0.2, 9.0], [0.3, 0.0, 0.0]], np.float32)
    assert np.shares_memory(fc.Run(ids[:1], distances[:1], higher_is_better=False).ids, ids)
    run = fc.Run(ids, distances, counts=np.array([2, 1]), higher_is_better=False)
    assert (run.ids.tolist(), run.offsets.tolist()) == ([5, 9, 2], [0, 2, 3])
    with pytest.raises(ValueError, match="int64"):
        fc.Run(np.array([[2**63]], np.uint64))


def test_counts_of_full_lists_copy_nothing():
    ids, distances = np.array([[5, 9, 77], [2, 0, 0]], np.uint64), np.array([[0.1, 0.2, 9.0], [0.0, 0.0, 0.5]], np.float32)
    run = fc.Run(ids, distances, counts=np.array([3, 3], np.uint64), higher_is_better=False)
    assert np.shares_memory(run.ids, ids)
    assert np.shares_memory(run.scores, distances)
    assert (run.ids.tolist(), run.offsets.tolist()) == ([5, 9, 77, 2, 0, 0], [0, 3, 6])
    assert fc.Run(np.empty((2, 0), int), counts=[0, 0]).offsets.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"ids": [1, 2], "counts": [2]}, "shape"),
        ({"ids": [[1, 2]], "counts": [3]}, r"lie in \[0, 2\]"),
        ({"ids": [[1, 2]], "counts": [-1]}, r"lie in \[0, 2\]"),
        ({"ids": [[1, 2]], "counts": [1, 1]}, r"shape \(1,\)"),
    ],
)
def test_bad_counts(arguments, error):
    with pytest.raises(ValueError, match=error):
        fc.Run(**arguments)


@pytest.fixture(scope="module")
def vectors():
    return np.random.default_rng(0).standard_normal((200, 16), dtype=np.float32)


def nearest(vectors):
    """Ids of the 5 nearest rows of the first 4 rows, by definition."""
    distances = ((vectors[:4, None, :] - vectors[None]) ** 2).sum(axis=2)
    return np.argsort(distances, axis=1, kind="stable")[:, :5]


def check_nearest(run, ids, distances, vectors):
    assert run.ids.reshape(4, 5).tolist() == nearest(vectors).tolist()
    assert not run.higher_is_better
    assert np.shares_memory(run.ids, ids)
    assert np.shares_memory(run.scores, distances)


def test_faiss(vectors):
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexFlatL2(16)
    index.add(vectors)
    distances, ids = index.search(vectors[:4], 5)
    check_nearest(fc.Run(ids, distances, higher_is_better=False), ids, distances, vectors)


def test_hnswlib(vectors):
    hnswlib = pytest.importorskip("hnswlib")
    index = hnswlib.Index("l2", 16)
    index.init_index(200)
    index.add_items(vectors)
    index.set_ef(200)
    labels, distances = index.knn_query(vectors[:4], 5)
    check_nearest(fc.Run(labels, distances, higher_is_better=False), labels, distances, vectors)


def test_usearch(vectors):
    usearch = pytest.importorskip("usearch.index")
    index = usearch.Index(ndim=16, metric="l2sq", dtype="f32")
    index.add(np.arange(200), vectors)
    found = index.search(vectors[:4], 5, exact=True)
    run = fc.Run(found.keys, found.distances, counts=found.counts, higher_is_better=False)
    check_nearest(run, found.keys, found.distances, vectors)
    few = usearch.Index(ndim=16, metric="l2sq", dtype="f32")
    few.add(np.array([8, 9]), vectors[:2])
    found = few.search(vectors[:4], 5)
    run = fc.Run(found.keys, found.distances, counts=found.counts, higher_is_better=False)
    assert run.counts().tolist() == [2] * 4
    assert run.ids[:2].tolist() == [8, 9]


def test_bm25s():
    bm25s = pytest.importorskip("bm25s")
    retriever = bm25s.BM25()
    retriever.index(bm25s.tokenize(["a cat sat", "a dog barked", "cat and dog"], show_progress=False), show_progress=False)
    found = retriever.retrieve(bm25s.tokenize(["cat", "dog barked"], show_progress=False), k=2, show_progress=False)
    run = fc.Run(found.documents, found.scores)
    assert run.ids.reshape(2, 2)[1, 0] == 1
    assert np.shares_memory(run.scores, found.scores)


# -- tables ----------------------------------------------------------------------------------------------
RUN = {"q2": {"d1": 0.5, "d3": 0.25}, "q1": {"d3": -1.0}}
QRELS = {"q2": {"d1": 1, "d2": 0}, "q1": {"d3": 2}}


@pytest.mark.parametrize(("module", "make"), [("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "table")])
def test_tables(module, make):
    table_of = getattr(pytest.importorskip(module), make)
    table = table_of(fc.Run.from_dict(RUN).to_columns())
    assert fc.Run.from_columns(table).to_dict() == RUN
    judged = table_of(fc.Qrels.from_dict(QRELS).to_columns())
    assert fc.Qrels.from_columns(judged).to_dict() == QRELS
    with pytest.raises(ValueError, match="no column 'qid', only 'query_id'"):
        fc.Run.from_columns(table, query="qid")
    numbers = table_of(fc.Run([[7, 5]], [[2.0, 1.0]]).to_columns())
    assert fc.Run.from_columns(numbers).to_dict() == {0: {7: 2.0, 5: 1.0}}


def test_pandas_frames_are_taken_without_importing_pandas_here():
    assert not [name for name in sys.modules if name.startswith("fastcal.") and "pandas" in vars(sys.modules[name])]


# -- evaluation tools ----------------------------------------------------------------------------------------
def test_ir_measures():
    measures = pytest.importorskip("ir_measures")
    run, qrels = fc.Run.from_dict(RUN), fc.Qrels.from_dict(QRELS)
    expected = measures.calc_aggregate([measures.nDCG @ 10], QRELS, RUN)
    assert measures.calc_aggregate([measures.nDCG @ 10], qrels.to_dict(), run.to_dict()) == expected
    documents = [measures.ScoredDoc(query, doc, score) for query, docs in RUN.items() for doc, score in docs.items()]
    judgements = [measures.Qrel(query, doc, grade) for query, docs in QRELS.items() for doc, grade in docs.items()]
    assert fc.Run.from_records(documents).to_dict() == RUN
    assert fc.Qrels.from_records(judgements).to_dict() == QRELS
    pandas = pytest.importorskip("pandas")
    frames = pandas.DataFrame(qrels.to_columns()), pandas.DataFrame(run.to_columns())
    assert measures.calc_aggregate([measures.nDCG @ 10], *frames) == expected


def test_ranx():
    ranx = pytest.importorskip("ranx")
    assert fc.Run.from_dict(ranx.Run.from_dict(RUN).to_dict()).to_dict() == RUN
    assert ranx.Run.from_dict(fc.Run.from_dict(RUN).to_dict()).to_dict() == RUN


# -- vocabularies ------------------------------------------------------------------------------------------
def test_the_vocabulary_of_a_run_is_taken_as_it_is():
    first = fc.Run([[1, 0]], [[2.0, 1.0]], doc_ids=["a", "b"])
    assert fc.Run([[0]], doc_ids=first.doc_ids).doc_ids is first.doc_ids
    assert first.top_k(1).doc_ids is first.doc_ids
    with pytest.raises(ValueError, match="more than once"):
        fc.Run([[0]], doc_ids=np.array(["a", "a"], object))


one_query = st.lists(st.dictionaries(names, scores, max_size=6).map(lambda docs: {"q": docs}), min_size=2, max_size=3)


@given(one_query, st.booleans())
def test_sharing_a_vocabulary_changes_no_list_of_one_query(runs, in_order):
    """Ties included: one vocabulary for all, or one each, in the same order of names."""
    everything = sorted({doc for run in runs for docs in run.values() for doc in docs}, reverse=in_order) or ["none"]
    queries = list(runs[0])

    def as_run(nested, vocabulary):
        flat = [(vocabulary.index(doc), score) for query in queries for doc, score in nested[query].items()]
        offsets = np.cumsum([0, *(len(nested[query]) for query in queries)])
        ids, values = [i for i, _ in flat], np.array([s for _, s in flat], np.float32)
        return fc.Run(np.array(ids, np.int64), values, offsets, query_ids=queries or None, doc_ids=vocabulary)

    listed = [{doc for docs in run.values() for doc in docs} for run in runs]
    apart = [as_run(run, [doc for doc in everything if doc in mine]) for run, mine in zip(runs, listed, strict=True)]
    shared = [as_run(run, everything) for run in runs]
    shared = [shared[0], *(fc.Run(r.ids, r.scores, r.offsets, query_ids=r.query_ids, doc_ids=shared[0].doc_ids) for r in shared[1:])]
    for method in ("rrf", "sum"):
        one, other = fc.fuse(shared, method).to_dict(), fc.fuse(apart, method).to_dict()
        assert [list(docs.items()) for docs in one.values()] == [list(docs.items()) for docs in other.values()]
