"""A damaged, cut, foreign or newer index file: an error that names it, never a wrong answer."""

from __future__ import annotations

import json

import numpy as np
import pytest
from index_files import results

import fastcal as fc
from fastcal.index import _image, _safetensors


def saved(tmp_path, n_rows=3000, dim=160, **options):
    """A file with rows, most of which a search for the first few never reads."""
    rng = np.random.default_rng(8)
    corpus = rng.standard_normal((n_rows, dim), dtype=np.float32)
    corpus[:9] = corpus[0] + np.float32(0.1) * corpus[:9]
    index, path = fc.Index(corpus, ids=np.arange(n_rows) + 7, **options), tmp_path / "a.index"
    index.save(path, include_corpus=True)
    head = path.read_bytes()
    return corpus[:1], results(index, corpus[:1]), path, _safetensors.header_size(head[:8], len(head)), len(head)


def flip(path, position, mask):
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ mask]))


def named(error, where):
    """``where``, if the error names the file."""
    assert "a.index" in str(error)
    return where


def check_flip(path, queries, expected, position, mask, verify):
    """Where the flip was noticed; it must be noticed somewhere, and no result may differ before."""
    flip(path, position, mask)
    try:
        try:
            loaded = fc.Index.load(path, verify=verify)
        except fc.IndexCorruptError as error:
            return named(error, "load")
        assert verify != "eager", position
        try:
            if verify == "lazy":
                assert results(loaded, queries) == expected, position
                noticed = "verify"
        except fc.IndexCorruptError as error:
            noticed = named(error, "search")
        with pytest.raises(fc.IndexCorruptError, match=r"a\.index: bytes"):
            loaded.verify()
        return noticed if verify == "lazy" else "verify"
    finally:
        flip(path, position, mask)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_flipped_byte_anywhere(backend, tmp_path, metric):
    queries, expected, path, start, size = saved(tmp_path, metric=metric)
    rng = np.random.default_rng(0)
    seen = {}
    positions = [*range(start), *rng.integers(start, size, 150).tolist(), start, size - 1]
    for position in positions:
        noticed = check_flip(path, queries, expected, position, int(rng.integers(1, 256)), "lazy")
        seen.setdefault(noticed, []).append(position)
    for position in positions[::9]:
        check_flip(path, queries, expected, position, 1 << int(rng.integers(8)), "eager")
        check_flip(path, queries, expected, position, 1 << int(rng.integers(8)), False)
    assert set(range(start)) <= set(seen["load"])
    if backend.name == "native":
        assert set(seen) == {"load", "search", "verify"}
    assert results(fc.Index.load(path, verify="eager"), queries) == expected


def test_every_kind_of_tensor_is_covered(backend, tmp_path):
    """One bit of each tensor, paddings and table included; facts at load."""
    queries, expected, path, start, _ = saved(tmp_path, metric="euclidean")
    data = path.read_bytes()
    tensors, _ = _safetensors.parse(data[:start], len(data))
    rest = {"sketch4", "sketch7", "rows"} if backend.name == "native" else set()
    for name, tensor in tensors.items():
        for position in {tensor.begin, (tensor.begin + tensor.end) // 2, tensor.end - 1} if tensor.end > tensor.begin else ():
            noticed = check_flip(path, queries, expected, start + position, 16, "lazy")
            behind_facts = rest and tensor.begin >= tensors["0.sketch4"].begin
            assert noticed == "load" or name.partition(".")[2] in rest or (name.startswith("padding") and behind_facts)


def test_a_file_that_was_cut_or_grew(backend, tmp_path):
    _, _, path, start, size = saved(tmp_path, 50, 4)
    data = path.read_bytes()
    for length in (0, 1, 7, 8, 9, 100, start - 1, start, start + 1, size // 2, size - 64, size - 1):
        path.write_bytes(data[:length])
        for mmap in (True, False):
            with pytest.raises(fc.IndexCorruptError, match=r"a\.index (is not an index saved by fastcal|is damaged or was cut short)"):
                fc.Index.load(path, mmap=mmap)
    path.write_bytes(data + b" ")
    with pytest.raises(fc.IndexCorruptError, match=rf"has {size + 1} bytes where its header speaks of {size}"):
        fc.Index.load(path)


def with_header(path, change):
    """Rewrite the header as ``change`` leaves it, with a digest that is right."""
    data = path.read_bytes()
    start = _safetensors.header_size(data[:8], len(data))
    entries = json.loads(data[8:start])
    change(entries)
    entries["__metadata__"]["header_digest"] = "0" * 16
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    head = len(text).to_bytes(8, "little") + text
    at = head.index(b'"header_digest":"') + 17
    path.write_bytes(head[:at] + _image.digest_of(head).encode() + head[at + 16 :] + data[start:])


@pytest.mark.parametrize("version", [_image.VERSION - 1, _image.VERSION + 1])
def test_another_version_says_so(tmp_path, version):
    _, _, path, _, _ = saved(tmp_path, 50, 4)
    with_header(path, lambda entries: entries["__metadata__"].update(version=str(version)))
    with pytest.raises(ValueError, match=rf"a\.index has format version {version}, this fastcal reads version {_image.VERSION}") as caught:
        fc.Index.load(path)
    assert isinstance(caught.value, fc.FastcalError)
    assert not isinstance(caught.value, fc.IndexCorruptError)


def rename(entries, name, **changes):
    entries[name] = {**entries[name], **changes}


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e["__metadata__"].update(format="other"),
        lambda e: rename(e, "0.norms", data_offsets=[0, 2**60]),
        lambda e: rename(e, "0.norms", data_offsets=[-8, 392]),
        lambda e: rename(e, "0.norms", data_offsets=[0]),
        lambda e: rename(e, "0.norms", shape=[51]),
        lambda e: rename(e, "0.norms", shape=[-50]),
        lambda e: rename(e, "0.norms", shape=50),
        lambda e: rename(e, "0.norms", dtype="F7"),
        lambda e: rename(e, "0.norms", dtype=[]),
        lambda e: e.pop("0.norms"),
        lambda e: e.update(more=5),
    ],
)
def test_a_header_that_contradicts_itself(tmp_path, change):
    _, _, path, _, _ = saved(tmp_path, 50, 4)
    with_header(path, change)
    with pytest.raises(fc.IndexCorruptError, match=r"a\.index is (not an index|damaged)"):
        fc.Index.load(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\0" * 8,
        b"\0" * 5000,
        b"\xff" * 5000,
        b"\x93NUMPY\x01\x00" + b"v" * 500,
        (2).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
    ],
)
def test_foreign_files(backend, tmp_path, content):
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    for verify in ("lazy", "eager", False):
        with pytest.raises(fc.IndexCorruptError, match=r"other\.bin is not an index saved by fastcal") as caught:
            fc.Index.load(path, verify=verify)
        assert isinstance(caught.value, ValueError)
    with pytest.raises(IsADirectoryError):
        fc.Index.load(tmp_path)
