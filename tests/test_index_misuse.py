"""What people do to an index by accident: change its rows, refill buffers, save over their data, add while adding."""

from __future__ import annotations

import stat
import subprocess
import sys

import numpy as np
import pytest
from strategies import problem
from vectors import same_result

import fastcal as fc


@pytest.fixture
def corpus():
    return problem(60, 1, 3000, 16)[1]


def test_a_small_corpus_that_changed_is_noticed_where_it_shows(backend):
    """Rows without sketches keep their norms: a grown row has a cosine that cannot be."""
    rows = problem(61, 1, 500, 8)[1]
    index, query = fc.Index(rows), rows[3].copy()
    rows[100] = 1000 * query
    if backend.name == "native":
        with pytest.raises(fc.CorpusChangedError, match="row 100 "):
            index.search(query, 2)
        with pytest.raises(fc.CorpusChangedError, match="row 100 "):
            index.range_search(query, 0.5)
    with pytest.raises(fc.CorpusChangedError, match="row 100 "):
        index.verify()


def test_one_buffer_filled_again_and_again(backend, corpus):
    expected = fc.Index(corpus).search(corpus[:5], 10)
    for index, options in ((fc.Index(corpus[:1000], copy=True), {}), (fc.Index(corpus[:1000]), {"copy": True})):
        buffer = np.empty((500, 16), np.float32)
        for first in range(1000, 3000, 500):
            buffer[:] = corpus[first : first + 500]
            index.add(buffer, **options)
        buffer[:] = np.nan
        same_result(index.search(corpus[:5], 10), expected)
        index.verify()
    with pytest.raises(TypeError, match="copy must be True or False"):
        index.add(buffer, copy=1)


def test_progress_is_told_of_small_corpora_and_may_not_add(backend, corpus):
    told = []
    index = fc.Index(corpus[:100], progress=lambda done, total: told.append((done, total)))
    assert told == [(100, 100)]
    told.clear()
    fc.Index(corpus, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3000, 3000)
    assert told.count((3000, 3000)) == 1
    with pytest.raises(fc.FastcalError, match="progress callback of another add"):
        index.add(corpus[:50], progress=lambda *_: index.add(corpus[:5]))
    assert len(index) == 100
    assert index.add(corpus[:50], progress=lambda *_: index.search(corpus[0], 1)) == range(100, 150)
    bad = corpus[:9].copy()
    bad[4, 1] = np.inf
    with pytest.raises(ValueError, match="rows: row 4 holds inf in column 1"):
        index.add(bad)
    with pytest.raises(TypeError, match="rows must be float32"):
        index.add(bad.astype(str))


def test_batches_that_shrink_stay_few(backend, corpus):
    index = fc.Index(corpus[:10])
    for size in range(200, 0, -1):
        index.add(corpus[:size])
    assert len(index._segments) <= 25


def test_rows_in_a_private_map_are_not_in_the_file(backend, corpus, tmp_path):
    np.save(tmp_path / "rows.npy", corpus)
    rows = np.load(tmp_path / "rows.npy", mmap_mode="c")
    rows[5] = 0
    fc.Index(rows).save(tmp_path / "a.index")
    with pytest.raises(ValueError, match="names no memory-mapped file"):
        fc.Index.load(tmp_path / "a.index")
    assert len(fc.Index.load(tmp_path / "a.index", rows)) == 3000


def test_a_mapped_corpus_is_never_replaced(backend, corpus, tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, corpus)
    before = path.read_bytes()
    index = fc.Index(np.load(path, mmap_mode="r")[:100], dims=8)
    for with_rows in (False, True):
        with pytest.raises(ValueError, match="save under another name"):
            index.save(path, include_corpus=with_rows)
    assert path.read_bytes() == before


def test_mapped_pieces_keep_their_places(backend, corpus, tmp_path):
    np.save(tmp_path / "rows.npy", corpus)
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    index = fc.Index(rows[:2000])
    index.add(rows[2000:2500])
    index.add(rows[2500:])
    index.save(tmp_path / "a.index")
    same_result(fc.Index.load(tmp_path / "a.index").search(corpus[:3], 5), fc.Index(corpus).search(corpus[:3], 5))
    np.save(tmp_path / "rows.npy", corpus[:2990])
    with pytest.raises(ValueError, match=r"rows\.npy as its corpus, which cannot be mapped \(it has \d+ bytes, where \d+ are needed\)"):
        fc.Index.load(tmp_path / "a.index")


def test_pieces_of_several_dtypes_load_from_one_corpus(backend, corpus, tmp_path):
    half = corpus[2000:].astype(np.float16)
    index = fc.Index(corpus[:2000])
    index.add(half)
    index.save(tmp_path / "a.index")
    whole = np.concatenate([corpus[:2000], half.astype(np.float32)])
    same_result(fc.Index.load(tmp_path / "a.index", whole).search(corpus[:3], 9), index.search(corpus[:3], 9))
    with pytest.raises(ValueError, match="row 2000 is another"):
        fc.Index.load(tmp_path / "a.index", np.concatenate([corpus[:2000], -half.astype(np.float32)]), verify=False)


def test_where_and_how_files_are_written(backend, corpus, tmp_path):
    index, path = fc.Index(corpus), tmp_path / "a.index"
    index.save(path, num_threads=1)
    path.chmod(0o600)
    index.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for place, error, message in [
        (tmp_path, fc.FastcalError, "must name a file, got the folder"),
        ("a\0b", fc.FastcalError, "NUL"),
        (tmp_path / "none" / "a.index", FileNotFoundError, r"none/a\.index"),
    ]:
        with pytest.raises(error, match=message):
            index.save(place)


def test_a_description_that_cannot_be(backend, corpus, tmp_path, monkeypatch):
    """Digests that are right do not make a file ours."""
    from fastcal.index import _file

    real = _file.describe
    path = tmp_path / "a.index"
    for change in ({"n_rows": -1}, {"n_rows": "5"}, {"n_rows": 1e300}, {"n_rows": 2999}, {"dtype": "float99"}, {}):
        monkeypatch.setattr(_file, "describe", lambda *a, change=change, **k: {**real(*a, **k), **change} if change else {})
        fc.Index(corpus).save(path, include_corpus=True)
        with pytest.raises(fc.FastcalError, match=r"a\.index"):
            fc.Index.load(path).search(corpus[0], 1)


SHUTDOWN = """
import sys, threading, time
import numpy as np
import fastcal as fc
x = np.ones((100_000, 64), np.float32)
index = fc.Index(x)
work = [lambda: fc.topk(x[:500], x, 10, num_threads=1), lambda: index.search(x[:2000], 10), lambda: fc.topk(x[0], x, 10),
        lambda: index.range_search(x[0], 2.0), lambda: fc.Index(x, progress=lambda *_: None)][int(sys.argv[1])]
def forever():
    while True:
        work()
threading.Thread(target=forever, daemon=True).start()
time.sleep(0.3)
"""


@pytest.mark.parametrize("work", range(5))
def test_a_process_ends_while_a_daemon_thread_is_searching(work):
    done = subprocess.run([sys.executable, "-c", SHUTDOWN, str(work)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
