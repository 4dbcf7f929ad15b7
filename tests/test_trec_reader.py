"""The TREC reader of every backend against a slow one: any bytes, any cuts, plain, gzipped or through a pipe."""

import gzip
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import reference_trec
from hypothesis import example, given, settings
from hypothesis import strategies as st

import fastcal as fc
from fastcal.run import _files

NAMES = st.one_of(
    st.sampled_from([b"q1", b"q2", b"d", b"D1234567", "ü€😀".encode(), b"a\0b", "no\u00a0break".encode(), b"\x1c", b"x" * 70]),
    st.binary(min_size=1, max_size=6).filter(lambda name: len(name.split()) == 1 and name.split() == [name]),
)
ODD = ["1", "+1.5", "-.5", "5.", ".", "+", "1e3", "1E+2", "1e", "-inf", "+Infinity", "infin", "nan", "-nan", "1_0", "0x1", "1e39", "1e400", "٣"]
ODD += ["-1e-400", "3.4028235677973366e38", "3.4028235677973362e38", "1e99999999999", "1e-99999999999"]
SCORES = st.one_of(
    st.floats(allow_nan=False, width=32).map(lambda x: repr(x).encode()),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**6), max_value=10**6).map(lambda x: str(x).encode()),
    st.from_regex(r"\A[+-]?[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,3})?\Z").map(str.encode).filter(bool),
    st.sampled_from(
        [
            "1",
            "+1.5",
            "-.5",
            "5.",
            ".",
            "+",
            "1e3",
            "1e",
            "-inf",
            "+Infinity",
            "infin",
            "nan",
            "-nan",
            "1_0",
            "0x1",
            "1e39",
            "1e400",
            "-1e-400",
        ]
    ).map(str.encode),
)
GAPS = st.sampled_from([b" ", b" ", b"\t", b"  ", b"\v", b" \f\r "])
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b" \n", b""])


@st.composite
def run_lines(draw, n_fields=6, values=SCORES):
    fields = [draw(NAMES), b"Q0", draw(NAMES), b"1", draw(values), b"tag"] if n_fields == 6 else [draw(NAMES), b"0", draw(NAMES), draw(values)]
    if draw(st.integers(0, 40)) == 0:
        fields = fields[: draw(st.integers(0, n_fields))] + [b"more"] * draw(st.integers(0, 2))
    return b"".join(part for field in fields for part in (field, draw(GAPS)))[:-1] + draw(ENDS)


def files_of(lines):
    """Lines between what may stand at the ends of a file, and sometimes in the middle: byte order marks and blank lines."""
    marks, blank = (
        st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef\xbb\xbf" * 2]),
        st.sampled_from([b"", b"", b"\n", b" \n\r\n\t", b"\n" * 99]),
    )
    return st.tuples(marks, st.lists(lines, max_size=12).map(b"".join), blank, lines | st.just(b""), blank).map(b"".join)


def expected_of(data, **kind):
    try:
        return reference_trec.read(data, **kind)
    except reference_trec.MalformedError as malformed:
        return malformed.args[0]


def check(path, expected, read, entries_of):
    if isinstance(expected, int):
        with pytest.raises(ValueError, match=rf"{path.name}, line {expected}: expected 'query "):
            read(path)
        return
    assert entries_of(read(path)) == expected


def run_entries(run):
    """(document, float32 bits) of each query, best first; file order inside ties is what a stable sort leaves."""
    names, values = run.doc_ids[run.ids].tolist(), run.scores.view(np.uint32).tolist()
    bounds = run.offsets.tolist()
    return {query: list(zip(names[a:b], values[a:b], strict=True)) for query, a, b in zip(run.query_ids.tolist(), bounds, bounds[1:], strict=False)}


def sorted_entries(expected):
    if isinstance(expected, int):
        return expected
    order = {query: sorted(entries, key=lambda entry: -entry[1]) for query, entries in expected.items()}
    return {query: [(name, int(value.view(np.uint32))) for name, value in entries] for query, entries in order.items()}


@settings(max_examples=60)
@given(data=files_of(run_lines()), packed=st.booleans(), block=st.sampled_from([1, 7, 64, 1 << 22]))
@example(data=b"q Q0 d 1 1.0 t", packed=False, block=64)
@example(data=b"\n", packed=False, block=64)
@example(data=b"\xef\xbb\xbfq Q0 d 1 1.0 t\n" + b"\n \n" * 40 + b"\t", packed=False, block=1)
@example(data=b"\xef\xbb\xbfq Q0 d 1 1.0 t\n" + b"\n" * 200, packed=True, block=1 << 22)
@example(data=b"q Q0 d 1 1.0 t\n" + b"\n" * 200 + b"q Q0 e 1 1.0 t\n", packed=False, block=7)
@example(data=b"\xef\xbb\xbf", packed=False, block=7)
@example(data=b"q Q0 d 1 1.0 t\n\xef\xbb\xbfq Q0 d 1 1.0 t\n", packed=False, block=7)
@example(data=b"q Q0 d 1 1.0 t\n   ", packed=True, block=7)
def test_runs_of_any_bytes(backend, tmp_path_factory, data, packed, block):
    path = tmp_path_factory.mktemp("trec") / ("a.run.gz" if packed else "a.run")
    path.write_bytes(gzip.compress(data) if packed else data)
    before, _files._BLOCK = _files._BLOCK, block
    try:
        check(path, sorted_entries(expected_of(data)), fc.Run.from_trec, run_entries)
    finally:
        _files._BLOCK = before


GRADES = st.one_of(
    st.integers(-3, 3).map(lambda n: str(n).encode()),
    st.sampled_from([b"+2", b"1.0", b"2147483648", b"-2147483648", b"00001", b"-", "٣".encode()]),
)


@given(data=files_of(run_lines(n_fields=4, values=GRADES)))
def test_qrels_of_any_bytes(backend, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("trec") / "a.qrels"
    path.write_bytes(data)
    expected = expected_of(data, n_fields=4, value_at=3, value_of=reference_trec.grade_of)
    if not isinstance(expected, int) and any(len(dict(entries)) < len(set(entries)) for entries in expected.values()):
        with pytest.raises(ValueError, match="is judged twice"):
            fc.Qrels.from_trec(path)
        return
    once = expected if isinstance(expected, int) else {query: list(dict.fromkeys(entries)) for query, entries in expected.items()}
    check(path, once, fc.Qrels.from_trec, lambda qrels: {query: list(documents.items()) for query, documents in qrels.to_dict().items()})


def long_run(n_lines=60_000, seed=0):
    """Text of a long run with interleaved queries and many names."""
    rng = np.random.default_rng(seed)
    rows = zip(rng.integers(0, 40, n_lines), rng.zipf(1.3, n_lines) % 50_000, rng.normal(0, 9, n_lines), strict=True)
    return "".join([f"q{q} Q0 doc_{d} {i} {s:.5f} t\n" for i, (q, d, s) in enumerate(rows)])


def test_threads_and_blocks_do_not_matter(backend, tmp_path, monkeypatch):
    path = tmp_path / "a.run"
    path.write_text(long_run())
    expected = sorted_entries(reference_trec.read(path.read_bytes()))
    for num_threads, block in [(1, 1 << 22), (3, 1 << 22), (2, 50_003)]:
        monkeypatch.setattr(_files, "_BLOCK", block)
        run = fc.Run.from_trec(path, num_threads=num_threads)
        assert run_entries(run) == expected
        assert run.doc_ids.tolist() == list(dict.fromkeys(line.split()[2] for line in path.read_text().splitlines()))


def test_many_names_and_a_very_long_line(backend, tmp_path):
    names = [f"d{i}" for i in range(30_000)] + ["x" * 5_000_000]
    (tmp_path / "a.run").write_text("".join([f"q Q0 {name} 1 1 t\n" for name in names]))
    run = fc.Run.from_trec(tmp_path / "a.run")
    assert run.doc_ids.tolist() == names
    assert run.ids.tolist() == list(range(len(names)))


def test_a_malformed_line_before_damage_is_named_on_every_backend(backend, tmp_path):
    data = gzip.compress(b"q Q0 d 1 1 t\nbad\n" + os.urandom(6_000_000))
    (tmp_path / "a.run.gz").write_bytes(data[:-10_000])
    with pytest.raises(ValueError, match=r"line 2: expected"):
        fc.Run.from_trec(tmp_path / "a.run.gz")


def test_a_pipe(backend, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    text = long_run(20_000)
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text(text))
    writer.start()
    run = fc.Run.from_trec(tmp_path / "pipe")
    writer.join()
    assert run_entries(run) == sorted_entries(reference_trec.read(text.encode()))


def test_ctrl_c_while_a_pipe_is_silent(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    code = f"import fastcal as fc; print('ready', flush=True); fc.Run.from_trec({str(tmp_path / 'pipe')!r})"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with (tmp_path / "pipe").open("wb"):
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.1)  # the pipe is open; let the read begin
        child.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in child.communicate(timeout=30)[1]


def test_memory_is_what_the_run_takes(tmp_path):
    """One name, many lines: 80 MB of text become 8 + 4 bytes a line, read in pieces."""
    path = tmp_path / "a.run"
    path.write_text("q Q0 d 1 1.0 " + "t" * 4000 + "\n")
    path.write_bytes(path.read_bytes() * 20_000)
    code = (
        "import resource, fastcal as fc; fc.backend(); fc.Run([1]); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"run = fc.Run.from_trec({str(path)!r}); assert run.ids.size == 20_000\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(grown.stdout) * 1024 < path.stat().st_size / 2
