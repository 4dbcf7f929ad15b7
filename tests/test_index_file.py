"""``Index.save`` and ``Index.load``: the same index again, from one safetensors file."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from index_files import join, results, small_rows
from strategies import METRICS
from vectors import DTYPES, same_result

import fastcal as fc
from fastcal import _backend
from fastcal.index import _safetensors

CHECKS = ("lazy", "eager", False)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_loaded_is_what_was_saved(backend, tmp_path, metric, dtype):
    queries, corpus = small_rows()
    corpus = corpus.astype(DTYPES[dtype])
    index = fc.Index(corpus, metric, ids=np.random.default_rng(0).permutation(2600) * 5)
    expected = results(index, queries)
    bare = index.nbytes - (dtype == "float64") * index._segments[0].rows.nbytes
    for included in (True, False):
        index.save(tmp_path / "a.index", include_corpus=included)
        for mmap in (True, False):
            for verify in CHECKS:
                loaded = fc.Index.load(tmp_path / "a.index", None if included else corpus, mmap=mmap, verify=verify, num_threads=2)
                assert (len(loaded), loaded.dim, loaded.metric) == (2600, 20, metric)
                assert results(loaded, queries) == expected
                held = not mmap if included else dtype == "float64"
                assert loaded.nbytes == bare + held * index._segments[0].rows.nbytes
                loaded.verify()


@pytest.mark.parametrize("n_rows", [0, 1, 2047, 2048, 2049])
def test_every_number_of_rows(backend, tmp_path, n_rows):
    queries, corpus = small_rows(2, max(n_rows, 1), 9)
    corpus = corpus[:n_rows]
    index = fc.Index(corpus, "euclidean", dims=7)
    for included in (True, False):
        index.save(str(tmp_path / "a.index"), include_corpus=included)
        loaded = fc.Index.load(os.fsencode(tmp_path / "a.index"), None if included else corpus)
        assert results(loaded, queries) == results(index, queries)
        loaded.verify()
    if n_rows == 0:
        assert len(fc.Index.load(tmp_path / "a.index")) == 0


def test_several_segments(backend, tmp_path):
    queries, corpus = small_rows(3, 5400, 16)
    parts = [slice(0, 2500), slice(2500, 2501), slice(2501, 5400)]
    index = join(*(fc.Index(corpus[part], "cosine", ids=np.arange(5400)[part] * 2) for part in parts))
    expected = results(index, queries)
    index.save(tmp_path / "a.index", include_corpus=True)
    assert results(fc.Index.load(tmp_path / "a.index"), queries) == expected
    index.save(tmp_path / "b.index")
    assert results(fc.Index.load(tmp_path / "b.index", corpus), queries) == expected
    corpus[2501, 3] += 1
    with pytest.raises(ValueError, match=r"row 2501 is another"):
        fc.Index.load(tmp_path / "b.index", corpus)
    with pytest.raises(fc.CorpusChangedError, match=r"row 2501 "):
        index.verify()
    with pytest.raises(fc.CorpusChangedError, match=r"row 2501 "):
        index.save(tmp_path / "a.index", include_corpus=True)
    fc.Index.load(tmp_path / "a.index").verify()


@pytest.mark.parametrize("saved_on", ["numba", *(f"native:{isa}" for isa in _backend.supported_isas())])
def test_any_backend_reads_what_another_saved(backend, tmp_path, saved_on):
    queries, corpus = small_rows(4)
    with _backend.use(_backend.by_id(saved_on)):
        index = fc.Index(corpus, "dot")
        expected = results(index, queries)
        index.save(tmp_path / "a.index", include_corpus=True)
    assert results(fc.Index.load(tmp_path / "a.index"), queries) == expected
    fc.Index.load(tmp_path / "a.index").verify()


def test_the_safetensors_library_reads_our_file(backend, tmp_path):
    _, corpus = small_rows(5)
    for metric, dtype in (("cosine", "float32"), ("euclidean", "float16"), ("dot", "bfloat16")):
        rows = corpus.astype(DTYPES[dtype])
        fc.Index(rows, metric, ids=np.arange(2600)).save(tmp_path / "a.safetensors", include_corpus=True)
        with safetensors.safe_open(tmp_path / "a.safetensors", "np") as file:
            assert file.metadata()["format"] == "fastcal.index"
            names = set(file.keys())
            assert {"0.ids", "0.digests", "0.rows"} <= names
            assert file.get_tensor("0.ids").tolist() == list(range(2600))
            if dtype != "bfloat16":
                assert file.get_tensor("0.rows").tobytes() == rows.tobytes()
        head = (tmp_path / "a.safetensors").read_bytes()
        start = _safetensors.header_size(head[:8], len(head))
        tensors, _ = _safetensors.parse(head[:start], len(head))
        assert set(tensors) == names
        assert start % 64 == 0
        assert not {name for name, tensor in tensors.items() if tensor.begin % 64 and not name.startswith("padding.")}


def test_we_read_a_file_of_the_safetensors_library(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        kind: rng.integers(0, 9, (3, 5)).astype(kind) for kind in ("uint8", "int8", "float16", "int32", "float32", "int64", "uint64", "float64")
    }
    arrays["empty"] = np.empty((0, 4), np.float32)
    safetensors.numpy.save_file(arrays, tmp_path / "b.safetensors", {"who": "they"})
    data = (tmp_path / "b.safetensors").read_bytes()
    start = _safetensors.header_size(data[:8], len(data))
    tensors, metadata = _safetensors.parse(data[:start], len(data))
    assert metadata == {"who": "they"}
    assert set(tensors) == set(arrays)
    for name, array in arrays.items():
        read = tensors[name].of(np.frombuffer(data[start:], np.uint8))
        assert (read.dtype, read.shape, read.tobytes()) == (array.dtype, array.shape, array.tobytes())
    with pytest.raises(fc.IndexCorruptError, match=r"b\.safetensors is not an index saved by fastcal"):
        fc.Index.load(tmp_path / "b.safetensors")


def test_eight_threads_search_a_file_that_is_checked_as_they_go(backend, tmp_path):
    queries, corpus = small_rows(6, 9000, 24)
    index = fc.Index(corpus)
    index.save(tmp_path / "a.index", include_corpus=True)
    expected = [index.search(query, 9, num_threads=1).scores.tobytes() for query in queries]
    for _ in range(3):
        loaded = fc.Index.load(tmp_path / "a.index")
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda i, loaded=loaded: loaded.search(queries[i % 6], 9, num_threads=1 + i % 3).scores.tobytes(), range(48)))
        assert found == expected * 8


def test_a_loaded_index_is_saved_again(backend, tmp_path):
    queries, corpus = small_rows(7)
    path = tmp_path / "a.index"
    fc.Index(corpus).save(path, include_corpus=True)
    index, first = fc.Index.load(path), path.read_bytes()
    expected = results(index, queries)
    with pytest.raises(ValueError, match=r"holds the rows of this index, and perhaps more; save under another name"):
        index.save(path)
    index.save(path, include_corpus=True)  # over the file it is mapped from
    assert results(index, queries) == expected
    assert path.read_bytes() == first
    index = fc.Index.load(path)
    index.save(tmp_path / "b.index")  # whose rows are those in a.index
    assert results(fc.Index.load(tmp_path / "b.index"), queries) == expected
    fc.Index.load(path, mmap=False).save(path, include_corpus=True)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"verify": "sometimes"}, ValueError, r"verify must be 'lazy', 'eager' or False, got 'sometimes'"),
        ({"verify": True}, ValueError, r"verify must be"),
        ({"verify": 0}, ValueError, r"verify must be"),
        ({"mmap": 1}, TypeError, r"mmap must be True or False"),
        ({"num_threads": 0}, ValueError, r"num_threads"),
        ({"path": 3}, TypeError, r"path must be a str or path-like, got int"),
        ({"corpus": np.ones((5, 4, 1), np.float32)}, ValueError, r"of shape \(5, 4\); got shape \(5, 4, 1\)"),
        ({"corpus": np.ones((5, 4), np.int64)}, TypeError, r"corpus must be float32"),
    ],
)
def test_bad_options(tmp_path, options, error, says):
    fc.Index(np.ones((5, 4), np.float32)).save(tmp_path / "a.index", include_corpus=True)
    with pytest.raises(error, match=says) as caught:
        fc.Index.load(**{"path": tmp_path / "a.index", **options})
    assert isinstance(caught.value, fc.FastcalError)
    with pytest.raises(TypeError, match="include_corpus must be True or False"):
        fc.Index(np.ones((5, 4), np.float32)).save(tmp_path / "a.index", include_corpus="yes")
    with pytest.raises(FileNotFoundError):
        fc.Index.load(tmp_path / "none.index")
    with pytest.raises(FileNotFoundError):
        fc.Index(np.ones((5, 4), np.float32)).save(tmp_path / "no folder" / "a.index")


def test_a_loaded_index_grows(backend, tmp_path):
    """Rows are added behind mapped ones, saved with them, and not copied together with rows that have changed."""
    queries, corpus = small_rows(30, 5000, 16)
    fc.Index(corpus[:3000], "dot").save(tmp_path / "a.index", include_corpus=True)
    index = fc.Index.load(tmp_path / "a.index")
    index.add(corpus[3000:3100])
    late = corpus[3100:].copy()
    index.add(late)
    expected = fc.Index(corpus, "dot").search(queries, 9)
    index.save(tmp_path / "a.index", include_corpus=True)
    for grown in (index, fc.Index.load(tmp_path / "a.index")):
        same_result(grown.search(queries, 9), expected)
        threshold = float(expected.scores[:, 5].min())
        found, plain = grown.range_search(queries, threshold), fc.Index(corpus, "dot").range_search(queries, threshold)
        assert (found.scores.tobytes(), found.ids.tobytes()) == (plain.scores.tobytes(), plain.ids.tobytes())
    index = fc.Index(corpus[:10], "dot")
    index.add(late)
    late[7, 7] += 1
    with pytest.raises(fc.CorpusChangedError, match=r"row 17 "):
        index.add(corpus[:2000])
    assert len(index) == 10 + len(late)
