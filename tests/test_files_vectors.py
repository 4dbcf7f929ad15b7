"""Vectors of every form, what is mapped, and which array of several."""

from __future__ import annotations

import numpy as np
import pytest

from fastcal import files
from fastcal.errors import InvalidValueError

ROWS = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)


def stored(folder):
    """The rows in every form that is there, by name."""
    np.save(folder / "a.npy", ROWS)
    np.savez(folder / "one.npz", ROWS)
    np.savez_compressed(folder / "two.npz", left=ROWS, right=ROWS[:, ::-1])
    return ["a.npy", "one.npz", "two.npz:left"]


def test_arrays_of_numpy(tmp_path):
    for name in stored(tmp_path):
        np.testing.assert_array_equal(files.read_vectors(tmp_path / name), ROWS)
    assert isinstance(files.read_vectors(tmp_path / "a.npy"), np.memmap)
    with pytest.raises(InvalidValueError, match=r"two\.npz holds 2 arrays; expected one of: \S+two\.npz:left, \S+two\.npz:right"):
        files.read_vectors(tmp_path / "two.npz")
    with pytest.raises(InvalidValueError, match=r"two\.npz has no 'middle'; expected one of"):
        files.read_vectors(tmp_path / "two.npz:middle")


def test_a_name_with_a_colon_is_a_name(tmp_path):
    np.savez(tmp_path / "two.npz", left=ROWS)
    (tmp_path / "two.npz").rename(tmp_path / "odd.npz:left")
    with pytest.raises(InvalidValueError, match="not a readable"):
        files.read_vectors(tmp_path / "odd.npz:left")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
def test_tensors_are_mapped(tmp_path, dtype):
    numpy = pytest.importorskip("safetensors.numpy")
    ml_dtypes = pytest.importorskip("ml_dtypes")
    rows = ROWS.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    numpy.save_file({"odd": np.zeros(3, np.uint8), "rows": rows}, tmp_path / "a.safetensors")
    found = files.read_vectors(tmp_path / "a.safetensors:rows")
    np.testing.assert_array_equal(found, rows)
    assert found.dtype == rows.dtype
    base = found
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert not found.flags.writeable


@pytest.mark.parametrize("kind", ["list", "large_list", "fixed", "half"])
def test_columns_of_lists(tmp_path, kind):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    value = pa.float16() if kind == "half" else pa.float32()
    types = {"list": pa.list_(value), "large_list": pa.large_list(value), "fixed": pa.list_(value, 3), "half": pa.list_(value)}
    rows = ROWS.astype(np.float16) if kind == "half" else ROWS
    table = pa.table({"id": [str(at) for at in range(7)], "emb": pa.array(list(rows), types[kind])})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=3)
    for name in ("a.parquet", "a.parquet:emb"):
        found = files.read_vectors(tmp_path / name)
        np.testing.assert_array_equal(found, rows)
        assert found.dtype == rows.dtype
    with pytest.raises(InvalidValueError, match=r"column 'id' holds no lists of numbers"):
        files.read_vectors(tmp_path / "a.parquet:id")


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([[1.0, 2.0], [3.0]], r"row 1: 1 numbers in column 'emb', expected 2"),
        ([[1.0, 2.0], None], r"row 1: no vector in column 'emb', expected 2"),
        ([[1.0, 2.0], [3.0, None]], r"row 1: a number is missing in column 'emb'"),
        ([[1, 2], [3, 4]], r"got int64 of shape \(2, 2\), expected a two-dimensional floating-point array"),
        ([["a"], ["b"]], "no lists of numbers"),
        ([], r"empty"),
    ],
)
@pytest.mark.parametrize("fixed", [False, True])
def test_bad_columns_of_lists(tmp_path, lists, message, fixed):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    inner = pa.array([value for each in lists if each for value in each]).type
    if fixed and len({len(each) for each in lists if each}) > 1:
        pytest.skip("a fixed size has no other length")
    kind = pa.list_(pa.float32() if pa.types.is_null(inner) else inner, *([2 if lists and lists[0] and len(lists[0]) == 2 else 1] if fixed else []))
    parquet.write_table(pa.table({"emb": pa.array(lists, kind)}), tmp_path / "a.parquet")
    with pytest.raises(InvalidValueError, match=message) as caught:
        files.read_vectors(tmp_path / "a.parquet:emb")
    assert "a.parquet" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"", r"not a readable \.npy array"),
        ("a.npy", b"no array at all", r"not a readable \.npy array"),
        ("a.npz", b"no archive", r"not a readable \.npz archive"),
        ("a.safetensors", b"", r"not a readable safetensors file \(it has 0 bytes\)"),
        ("a.safetensors", b"\xff" * 64, "not a readable safetensors file"),
        ("a.parquet", b"PAR1 or not", r"a\.parquet: "),
    ],
)
def test_damaged_vectors(tmp_path, name, content, message):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidValueError, match=message) as caught:
        files.read_vectors(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))


@pytest.mark.parametrize("rows", [ROWS[0], ROWS[:0], ROWS[:, :0], ROWS.astype(int), ROWS.astype(object), ROWS.astype(complex)])
def test_arrays_that_are_no_vectors(tmp_path, rows):
    np.save(tmp_path / "a.npy", rows)
    with pytest.raises(InvalidValueError, match=r"a\.npy: (got .* expected a two-dimensional floating-point array|empty|not a readable)"):
        files.read_vectors(tmp_path / "a.npy")


def test_a_cut_array_is_an_error(tmp_path):
    np.save(tmp_path / "a.npy", ROWS)
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-4])
    with pytest.raises(InvalidValueError, match=r"a\.npy: not a readable \.npy array \(mmap length"):
        files.read_vectors(tmp_path / "a.npy")


def test_missing_files_and_folders(tmp_path):
    for name in ("none.npy", "none.parquet", "none.npz:a"):
        with pytest.raises(FileNotFoundError):
            files.read_vectors(tmp_path / name)
    with pytest.raises(IsADirectoryError):
        files.read_vectors(tmp_path)
