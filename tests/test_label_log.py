"""The log of labels: whole after crashes, full disks and other writers; refused, and left alone, if it is not what it should be."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from toy_procedure import BUYER, WHOLE, Bought, judge, ledger, run, toy

import fastcal as fc
from fastcal.labelling._drive import drive

STATE = ledger().to_state() | {"labels": [[3, 1], [4, -1]]}


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """What is tested here is the content of files; a flush takes milliseconds."""
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


def logged(path, cut=None):
    run(log=path)
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    return data


def test_cut_anywhere_a_log_goes_on_where_it_broke_off(tmp_path):
    data = logged(tmp_path / "log")
    for cut in [*range(0, 140, 9), *range(140, 190), *range(190, len(data), 17)]:
        (tmp_path / "log").write_bytes(data[:cut])
        whole = data[:cut].rpartition(b"\n")[0]
        labeler = Bought()
        assert run(labeler, seed=5, log=tmp_path / "log") == WHOLE
        again = (tmp_path / "log").read_bytes()
        assert again.startswith(whole)
        assert len(ledger(state=tmp_path / "log").to_state()["labels"]) == WHOLE["n_used"]
        kept = sum(len(json.loads(line)) for line in whole.splitlines()[1:])
        assert WHOLE["n_used"] - kept - 7 <= len(labeler.positions) <= WHOLE["n_used"] - kept


def test_a_torn_line_longer_than_what_follows_leaves_no_trace(tmp_path):
    lines = logged(tmp_path / "log").splitlines(keepends=True)
    (tmp_path / "log").write_bytes(b"".join(lines[:-1]) + b"[" + b"[100, 1], " * 50)
    assert run(log=tmp_path / "log") == WHOLE
    assert (tmp_path / "log").read_bytes() == b"".join(lines)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text.replace("]]\n", "]]]\n", 1), "line 2: not an array or object of JSON"),
        (lambda text: text.replace("\n", "\n\n", 1), "line 2: not an array"),
        (lambda text: text + "{}\n", "expected a list"),
        (lambda text: text + text.splitlines()[1] + "\n", "is labelled twice"),
        (lambda text: "notes\n" + text, "is a file of another kind: it begins with b'notes"),
        (lambda text: "note", "is a file of another kind"),
        (lambda text: text + "[" * 100_000 + "\n", "not an array or object"),
        (lambda text: text.replace('"version": 1', '"version": 9'), "version 9; this fastcal reads"),
    ],
)
def test_a_log_that_was_damaged_is_refused_and_left_alone(edit, message, tmp_path):
    path = tmp_path / "log"
    logged(path)
    path.write_text(edit(path.read_text()))
    before = path.read_bytes()
    with pytest.raises(fc.FastcalError, match=message):
        run(log=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data + b"\n",
        lambda data: data + b"\r\n \t\n\n",
        lambda data: data[:-1] + b"  ",
        lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n") + b"\r\n",
        lambda data: b"\xef\xbb\xbf",
    ],
    ids=["mark", "blank line", "blank lines", "spaces", "mark, CRLF, blank line", "only a mark"],
)
def test_what_an_editor_adds_to_a_log_does_no_harm(edit, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        run(Bought(4), log=tmp_path / "log")
    (tmp_path / "log").write_bytes(edit((tmp_path / "log").read_bytes()))
    kept = {} if (tmp_path / "log").stat().st_size == 3 else dict(caught.value.state["labels"])
    assert bool(kept) == ((tmp_path / "log").stat().st_size > 3)
    for fail_at in (3, None):
        labeler = Bought(fail_at)
        with suppress(RuntimeError):
            result = run(labeler, seed=5, log=tmp_path / "log")
        assert not set(labeler.positions) & set(kept)
        kept |= dict(ledger(state=tmp_path / "log").to_state()["labels"])
    assert result == WHOLE
    assert sorted(kept) == sorted(BUYER.positions)


def test_errors_of_files_are_both_ours_and_the_systems(tmp_path):
    for options in ({"log": tmp_path}, {"log": tmp_path / "absent" / "log"}, {"state": tmp_path / "absent"}, {"state": tmp_path}):
        with pytest.raises(fc.LabelFileError) as caught:
            run(**options)
        assert isinstance(caught.value, OSError)
        assert isinstance(caught.value, fc.LabelingError)
        assert (caught.value.errno, caught.value.filename) == (21 if "absent" not in str(caught.value) else 2, str(next(iter(options.values()))))


def test_state_and_log_together_end_in_a_complete_log(tmp_path):
    path, third = tmp_path / "log", tmp_path / "third"
    with pytest.raises(RuntimeError):
        run(Bought(3), log=path)
    with pytest.raises(RuntimeError) as caught:
        run(Bought(5))
    ours, theirs = path.read_text(), caught.value.state
    for target in (path, third):
        labeler = Bought()
        assert run(labeler, seed=None, log=target, state=theirs) == WHOLE
        assert set(labeler.positions) == set(BUYER.positions) - {p for p, _ in theirs["labels"]}
        assert sorted(p for line in target.read_text().splitlines()[1:] for p, _ in json.loads(line)) == sorted(BUYER.positions)
    assert path.read_text().startswith(ours)


def test_where_state_and_log_disagree_the_log_is_right(tmp_path):
    book = ledger(log=tmp_path / "log", state=STATE)
    book.open()
    book.close()
    assert ledger(log=tmp_path / "log", state=STATE | {"labels": [[3, 0], [9, 1]]}).to_state()["labels"] == [[3, 1], [4, -1], [9, 1]]


def test_the_label_is_on_the_disk_before_the_procedure_sees_it(tmp_path):
    seen = []

    def watched(procedure):
        answers = None
        while True:
            try:
                request = procedure.send(answers)
            except StopIteration as end:
                return end.value
            answers = yield request
            logged = dict(pair for line in (tmp_path / "log").read_text().splitlines()[1:] for pair in json.loads(line))
            seen.append([logged[p] for p in request.tolist()] == answers.tolist())

    book = ledger(log=tmp_path / "log")
    assert drive(watched(toy(book)), book, judge) == WHOLE
    assert len(seen) > 10
    assert all(seen)


def test_one_writer_at_a_time(tmp_path):
    def labeler(positions):
        with pytest.raises(fc.LabelingError, match="is being written by somebody else") as caught:
            run(log=tmp_path / "log")
        assert caught.value.state["seed"] == 5
        return judge(positions)

    assert run(labeler, log=tmp_path / "log") == WHOLE


def test_a_log_that_somebody_wrote_after_it_was_read_is_left_alone(tmp_path):
    late = ledger(log=tmp_path / "log")
    logged(tmp_path / "log")
    before = (tmp_path / "log").read_bytes()
    with pytest.raises(fc.LabelingError, match="was written by somebody else since it was read"):
        drive(toy(late), late, judge)
    assert (tmp_path / "log").read_bytes() == before


def test_a_procedure_that_never_starts_leaves_no_file(tmp_path):
    ledger(log=tmp_path / "log")
    assert not list(tmp_path.iterdir())


def test_a_folder_a_pipe_and_an_absent_folder_are_no_logs(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, error in ((tmp_path, fc.LabelFileError), (tmp_path / "pipe", ValueError), (tmp_path / "absent" / "log", fc.LabelFileError)):
        with pytest.raises(error) as caught:
            run(log=path, state=STATE)
        assert str(path) in str(caught.value)
    assert caught.value.state["labels"] == STATE["labels"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_log_that_may_not_be_written_is_refused_before_anything_is_paid(tmp_path):
    logged(tmp_path / "log", cut=300)
    (tmp_path / "log").chmod(0o400)
    labeler = Bought()
    with pytest.raises(fc.LabelFileError, match="Permission") as caught:
        run(labeler, log=tmp_path / "log")
    assert not labeler.calls
    assert caught.value.state["labels"]


@pytest.mark.parametrize("how", ["deleted", "replaced", "shorter", "longer"])
def test_a_log_that_is_changed_by_hand_meanwhile_is_left_alone(how, tmp_path):
    path, calls = tmp_path / "log", []

    def labeler(positions):
        calls.append(positions)
        if len(calls) == 3:
            text = path.read_text()
            if how in {"deleted", "replaced"}:
                path.unlink()
            if how != "deleted":
                path.write_text({"replaced": "mine", "shorter": text[:-9], "longer": text + "[[499, 1]]\n"}[how])
            calls.append(path.read_text() if path.exists() else None)
        return judge(positions)

    with pytest.raises(fc.LabelFileError, match="deleted, replaced or written by somebody else") as caught:
        run(labeler, log=path)
    assert len(caught.value.state["labels"]) == sum(map(len, calls[:3]))
    assert (path.read_text() if path.exists() else None) == calls[3]


@pytest.mark.parametrize("text", ["a letter", "", '{"format": "fastcal-labels", "version": 1}\njunk\n'])
def test_a_file_that_appears_before_the_first_label_is_left_alone(text, tmp_path):
    book = ledger(log=tmp_path / "log")
    (tmp_path / "log").write_text(text)
    if text:
        with pytest.raises(fc.FastcalError):
            drive(toy(book), book, judge)
        assert (tmp_path / "log").read_text() == text
    else:
        assert drive(toy(book), book, judge) == WHOLE


@pytest.mark.parametrize("room", [0, 1, 5, 170, 190, 400])
def test_a_full_disk_loses_no_label(room, tmp_path):
    """The limit of the file's size stands for the disk: a write of part of a line, then an error."""
    labeler, limits = Bought(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(fc.LabelFileError, match="log") as caught:
            run(labeler, log=tmp_path / "log")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [p for p, _ in caught.value.state["labels"]] == labeler.positions
    assert (tmp_path / "log").read_bytes()[-1:] in {b"", b"\n"}
    rest = Bought()
    assert run(rest, log=tmp_path / "log", state=caught.value.state) == WHOLE
    assert labeler.positions + rest.positions == BUYER.positions


def test_processes_killed_at_any_moment_and_side_by_side(tmp_path):
    """See tests/killed_labelling.py: some thirty deaths, at chosen and at random moments, and two writers at a time."""
    script = Path(__file__).with_name("killed_labelling.py")
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False, timeout=100, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
