"""The corpus of a loaded index: given, recorded or in the file; recognised, and hardly read."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from index_files import results, small_rows

import fastcal as fc
from fastcal.index import _safetensors


def as_npy(path, rows):
    with path.open("wb") as file:
        np.save(file, rows)
    return np.load(path, mmap_mode="r")


def as_tensor(path, rows):
    """A tensor of a safetensors file that others wrote, between two more."""
    safetensors.numpy.save_file({"a": rows[:3, :3].copy(), "rows": rows, "z": rows[:1].copy()}, path)
    data = path.read_bytes()
    start = _safetensors.header_size(data[:8], len(data))
    tensor = _safetensors.parse(data[:start], len(data))[0]["rows"]
    return np.memmap(path, rows.dtype, "r", start + tensor.begin, rows.shape)


def bfloat16(path, rows):
    memory = np.memmap(path, np.uint16, "w+", shape=rows.shape)
    memory[:] = rows.astype(ml_dtypes.bfloat16).view(np.uint16)
    memory.flush()
    return np.memmap(path, np.uint16, "r", shape=rows.shape).view(ml_dtypes.bfloat16)


KINDS = {
    "npy": as_npy,
    "safetensors": as_tensor,
    "bfloat16": bfloat16,
    "float16": lambda path, rows: as_npy(path, rows.astype(np.float16)),
    "a slice": lambda path, rows: as_npy(path, rows)[3:],
    "every other row, backwards": lambda path, rows: as_npy(path, rows)[::-2],
    "one row, repeated": lambda path, rows: np.broadcast_to(as_npy(path, rows)[7], rows.shape),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mapped_corpus_is_found_again(backend, tmp_path, kind):
    queries, rows = small_rows(20, 4500, 24)
    (tmp_path / "here").mkdir()
    corpus = KINDS[kind](tmp_path / "here" / "rows.data", rows)
    for dims in (None, 17):
        index = fc.Index(corpus, dims=dims)
        expected = results(index, queries)
        index.save(tmp_path / "here" / "a.index")
        (tmp_path / "there").mkdir()
        for name in ("rows.data", "a.index"):  # both move: found beside the index
            (tmp_path / "here" / name).rename(tmp_path / "there" / name)
        for verify in ("lazy", "eager", False):
            loaded = fc.Index.load(tmp_path / "there" / "a.index", verify=verify)
            assert results(loaded, queries) == expected
        loaded.verify()
        loaded.save(tmp_path / "b.index")  # the index moves alone
        assert results(fc.Index.load(tmp_path / "b.index"), queries) == expected
        assert results(fc.Index.load(tmp_path / "b.index", corpus), queries) == expected
        for name in ("rows.data", "a.index"):
            (tmp_path / "there" / name).rename(tmp_path / "here" / name)
        (tmp_path / "there").rmdir()
        with pytest.raises(ValueError, match=r"cannot be mapped .*pass the rows as corpus=, or save with include_corpus=True"):
            fc.Index.load(tmp_path / "b.index")
    with pytest.raises(ValueError, match=r"rows\.data holds the rows of this index"):
        index.save(tmp_path / "here" / "rows.data")


def test_rows_that_no_file_holds_have_to_be_given(backend, tmp_path):
    queries, rows = small_rows(21)
    held = np.frombuffer(mmap.mmap(-1, rows.nbytes), np.float32).reshape(rows.shape)
    for corpus in (rows, rows.tolist(), held, rows.astype(np.float64), np.asfortranarray(rows), rows[:, ::-1][:, ::-1]):
        fc.Index(corpus, "dot").save(tmp_path / "a.index")
        with pytest.raises(ValueError, match=r"a\.index holds no rows and names no memory-mapped file.*pass the rows as corpus="):
            fc.Index.load(tmp_path / "a.index")
    fc.Index(rows, "dot").save(tmp_path / "a.index")
    for corpus in (rows, rows.tolist(), rows.astype(np.float64), np.asfortranarray(rows), np.repeat(rows, 2, axis=0)[::2]):
        loaded = fc.Index.load(tmp_path / "a.index", corpus)
        assert results(loaded, queries) == results(fc.Index(rows, "dot"), queries)


def test_dims_take_the_corpus_whole_or_cut(backend, tmp_path):
    queries, rows = small_rows(22)
    for corpus, dtype in ((rows, np.float32), (rows.astype(np.float64), np.float64)):
        index = fc.Index(corpus, dims=12, copy=True)
        index.save(tmp_path / "a.index")
        for given in (corpus, corpus[:, :12], np.ascontiguousarray(corpus[:, :12])):
            loaded = fc.Index.load(tmp_path / "a.index", given)
            assert (loaded.dim, given.dtype) == (12, dtype)
            assert results(loaded, queries) == results(index, queries)
            assert results(loaded, queries[:, :12]) == results(index, queries)
        with pytest.raises(ValueError, match=r"of shape \(2600, 20\) or \(2600, 12\); got shape \(2600, 13\)"):
            fc.Index.load(tmp_path / "a.index", corpus[:, :13])


def test_another_corpus_is_refused(backend, tmp_path):
    _, rows = small_rows(23)
    fc.Index(rows).save(tmp_path / "a.index")
    for verify in ("lazy", "eager"):
        for row in (0, 1, 1300, 2599):
            for column in (0, 19):
                other = rows.copy()
                other[row, column] = np.nextafter(other[row, column], np.float32(np.inf))
                with pytest.raises(ValueError, match=rf"corpus must be the one the index was built from, but row {row} is another") as caught:
                    fc.Index.load(tmp_path / "a.index", other, verify=verify)
                assert isinstance(caught.value, fc.FastcalError)
        with pytest.raises(ValueError, match=r"but row 0 is another"):
            fc.Index.load(tmp_path / "a.index", np.roll(rows, 1, axis=0), verify=verify)
    fc.Index.load(tmp_path / "a.index", -rows, verify=False)
    for verify in ("lazy", "eager", False):
        with pytest.raises(ValueError, match=r"of shape \(2600, 20\); got shape \(2599, 20\)"):
            fc.Index.load(tmp_path / "a.index", rows[:-1], verify=verify)
        for dtype, name in ((np.float16, "float16"), (ml_dtypes.bfloat16, "bfloat16")):
            with pytest.raises(ValueError, match=rf"rows 0 onwards were float32, got {name}"):
                fc.Index.load(tmp_path / "a.index", rows.astype(dtype), verify=verify)


def test_how_much_of_a_mapped_corpus_is_compared(backend, tmp_path):
    """As documented: 512 to 1,023 evenly spaced rows, so every second of 1,500 here; all with eager; none with False."""
    _, rows = small_rows(24, 1500, 8)
    corpus = as_npy(tmp_path / "rows.npy", rows)
    fc.Index(corpus).save(tmp_path / "a.index")
    for row in (700, 701):
        changed = rows.copy()
        changed[row, 7] += 1
        np.save(tmp_path / "rows.npy", changed)
        mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
        for given, error in ((None, fc.CorpusChangedError), (mapped, ValueError)):
            fc.Index.load(tmp_path / "a.index", given, verify=False)
            with pytest.raises(error, match=rf"row {row} "):
                fc.Index.load(tmp_path / "a.index", given, verify="eager")
            if row % 2:
                loaded = fc.Index.load(tmp_path / "a.index", given)
                with pytest.raises(fc.CorpusChangedError, match=rf"row {row} "):
                    loaded.verify()
            else:
                with pytest.raises(error, match=rf"row {row} "):
                    fc.Index.load(tmp_path / "a.index", given)
    np.save(tmp_path / "rows.npy", rows[:-1])
    with pytest.raises(ValueError, match=r"cannot be mapped"):
        fc.Index.load(tmp_path / "a.index")


@pytest.mark.parametrize("included", [True, False])
def test_few_rows_are_touched(backend, tmp_path, included):
    """All but the rows most like the query become NaN in the file: whoever read one of them would notice."""
    if backend.name != "native":
        pytest.skip("without sketches every row is read")
    rng = np.random.default_rng(25)
    rows = rng.standard_normal((20_000, 64), dtype=np.float32)
    rows[::2000] += 10 * rows[0]  # in every part of the corpus there are good rows
    index = fc.Index(as_npy(tmp_path / "rows.npy", rows))
    index.save(tmp_path / "a.index", include_corpus=included)
    expected = results(index, rows[:1])
    loaded = fc.Index.load(tmp_path / "a.index", verify=False)
    path = tmp_path / ("a.index" if included else "rows.npy")
    unlike = np.flatnonzero(np.argsort(np.argsort(-fc.scores(rows[0], rows, precision="exact")[0])) >= 4000)
    at = path.read_bytes().index(rows[:1].tobytes())
    in_file = np.memmap(path, np.float32, "r+", at, rows.shape)
    in_file[unlike] = np.nan
    in_file.flush()
    assert results(loaded, rows[:1]) == expected
    with pytest.raises(fc.CorpusChangedError if not included else fc.IndexCorruptError):
        loaded.verify()


def test_verify_notices_every_changed_byte(backend):
    _, rows = small_rows(26, 2100, 10)
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float16, ml_dtypes.bfloat16):
        corpus = rows.astype(dtype)
        index = fc.Index(corpus, "dot", ids=np.arange(2100) * 2)
        index.verify(num_threads=2)
        raw = corpus.view(np.uint8)
        for row, byte in zip(rng.integers(0, 2100, 20), rng.integers(0, raw.shape[1], 20), strict=True):
            raw[row, byte] ^= 1 << rng.integers(8)
            changed = raw[row, byte]
            with pytest.raises(fc.CorpusChangedError, match=rf"row {row} is not what it was"):
                index.verify()
            assert raw[row, byte] == changed
            raw[row] = np.ascontiguousarray(rows[row : row + 1].astype(dtype)).view(np.uint8)
        index.verify()


def advice(array):
    """The flags that Linux lists for the mapping of an array: rr is random reading, sr sequential."""
    address, inside = array.__array_interface__["data"][0], False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        span = line.split()[0]
        if re.fullmatch(r"[0-9a-f]+-[0-9a-f]+", span):
            begin, end = (int(bound, 16) for bound in span.split("-"))
            inside = begin <= address < end
        elif inside and span == "VmFlags:":
            return set(line.split()[1:])
    return set()


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux lists the advice given on mapped memory")
def test_a_mapped_corpus_is_not_read_ahead_by_searches_and_the_callers_map_is_left_alone(backend, tmp_path):
    _, rows = small_rows(27, 3000, 64)
    mapped = as_npy(tmp_path / "rows.npy", rows)
    index = fc.Index(mapped)
    index.save(tmp_path / "a.index")
    indexes = [index, fc.Index.load(tmp_path / "a.index", mapped), fc.Index.load(tmp_path / "a.index")]
    assert [("rr" in advice(held._segments[0].rows)) for held in indexes] == [True] * 3
    assert "rr" not in advice(mapped)
    assert len({tuple(map(str, results(held, rows[:3]))) for held in indexes}) == 1


def test_a_file_that_was_replaced_since_it_was_mapped_is_not_taken_for_the_corpus(backend, tmp_path):
    _, rows = small_rows(28, 2500, 16)
    mapped = as_npy(tmp_path / "rows.npy", rows)
    np.save(tmp_path / "other.npy", -rows)
    (tmp_path / "other.npy").replace(tmp_path / "rows.npy")
    assert results(fc.Index(mapped), rows[:3]) == results(fc.Index(rows), rows[:3])
    (tmp_path / "rows.npy").unlink()
    assert results(fc.Index(mapped), rows[:3]) == results(fc.Index(rows), rows[:3])
