"""Labels out of a CSV as people leave it: what is understood, what is refused with file and line, and what is written into it."""

from __future__ import annotations

import csv
import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_procedure import WHOLE, run, truth

import fastcal as fc

RUN = fc.Run.from_dict({"q1": {"d1": 3.0, "d,2": 2.0, 'd"3': 1.0}, "q2": {"d1": 1.0}})
NAMES = [("q1", "d1"), ("q1", "d,2"), ("q1", 'd"3'), ("q2", "d1")]


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


def labeler(tmp_path, text, keys=None, **options):
    (tmp_path / "labels.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return fc.CsvLabeler(tmp_path / "labels.csv", keys, **options)


FILES = {
    "plain": 'query_id,doc_id,label\nq1,d1,1\nq1,"d,2",0\nq1,"d""3",-1\n',
    "byte order mark, CRLF": '\ufeffquery_id,doc_id,label\r\nq1,d1,1\r\nq1,"d,2",0\r\nq1,"d""3",-1\r\n',
    "semicolons": 'query_id;doc_id;label\nq1;d1;1\nq1;d,2;0\nq1;"d""3";-1\n',
    "tabs": 'query_id\tdoc_id\tlabel\nq1\td1\t1\nq1\td,2\t0\nq1\t"d""3"\t-1\n',
    "old line breaks": 'query_id,doc_id,label\rq1,d1,1\rq1,"d,2",0\rq1,"d""3",-1\r',
    "other columns, other order": 'label,text,doc_id,who,query_id\n1,"two\nlines",d1,A,q1\n0,,"d,2",,q1\n-1,,"d""3",,q1\n',
    "no last line break": 'query_id,doc_id,label\nq1,d1,1\nq1,"d,2",0\nq1,"d""3",-1',
    "floats, spaces": 'query_id , doc_id,label\n q1, d1,1.0\nq1, "d,2",0.0\nq1 ,"d""3", -1.0\n',
    "empty lines and cells": 'query_id,doc_id,label\n\nq1,d1,\nq1,d1,1\n,,\nq1,"d,2",0\nq1,"d,2",\nq1,"d""3",-1\nq1,"d""3",-1\n',
    "a half written row": 'query_id,doc_id,label\nq1,d1,1\nq1,"d,2",0\nq1,"d""3",-1\nq2,d1,-',
    "a half written field": 'query_id,doc_id,label\nq1,d1,1\nq1,"d,2",0\nq1,"d""3",-1\nq2,"d',
    "a half written name": 'label,query_id,doc_id\n1,q1,d1\n0,q1,"d,2"\n-1,q1,"d""3"\n0,q2,d1',
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_files_as_people_leave_them(text, tmp_path):
    ours = labeler(tmp_path, text, RUN)
    assert ours([2, 0, 1, 0]).tolist() == [-1, 1, 0, 1]
    with pytest.raises(fc.LabelsWanted, match=r"labels.csv lacks 1 of 2 labels, first query_id='q2', doc_id='d1'$") as caught:
        ours([3, 1])
    assert caught.value.positions.tolist() == [3]
    assert caught.value.paid == {1: 0}


def test_keys_of_one_query_and_positions(tmp_path):
    text = "query_id,doc_id,label\nq1,d1,1\nq1,7,0\nq2,d1,-1\n"
    assert labeler(tmp_path, text, ("q1", ["x", "d1"]))([1]).tolist() == [1]
    assert labeler(tmp_path, text, ("q1", None))([7]).tolist() == [0]
    assert labeler(tmp_path, text, ("q1", np.array([5, 7])))([1]).tolist() == [0]
    assert labeler(tmp_path, "position,label\n3,1\n4,0\n")([4, 3]).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query_id,label\nq1,1\n", "labels.csv, line 1: expected the columns query_id, doc_id, label; got 'query_id,label'"),
        ("query_id,doc_id,label,label\nq1,d1,1,0\n", "labels.csv, line 1: 2 columns are named 'label'; expected one"),
        ("doc_id,query_id,doc_id,label\nx,q1,d1,0\n", "labels.csv, line 1: 2 columns are named 'doc_id'; expected one"),
        ("query_id,doc_id,label\nq1,d1,1\nq1,d1,0\n", "labels.csv, line 3: q1, d1 has label 0 here and 1 in line 2"),
        ("query_id,doc_id,label\nq1,d1,yes\n", r"labels.csv, line 2: label 'yes'; expected 1, 0, -1 \(cannot judge\) or nothing"),
        ('query_id,doc_id,label\n"q\n1",d1,1\nq1,d1,2\n', "labels.csv, line 4: label '2'"),
        ("query_id,doc_id,label\nq1,d1\n", "labels.csv, line 2: 2 fields; expected at least 3"),
        ('query_id,doc_id,label\nq1,"d"1,1\n', "labels.csv, line 2: ',' expected after '\"'"),
        ('query_id,doc_id,label\nq1,"d1,1\nq1,d2,1\n', "labels.csv, line 2: unexpected end of data"),
        ("query_id,doc_id,label\nq1,d1,1\n".encode("utf-16"), r"labels.csv is not UTF-8 \(invalid start byte at byte 0\)"),
        (b"query_id,doc_id,label\nq1,d\xe4,1\n", "labels.csv is not UTF-8"),
    ],
)
def test_what_cannot_be_understood_is_named_by_file_and_line(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        labeler(tmp_path, text, RUN)([0])


@pytest.mark.parametrize("position", ["7", "7.0", "07", "7.", "7.000"])
def test_a_position_is_a_number_however_it_is_written(position, tmp_path):
    ours = labeler(tmp_path, f"position,label\n{position},1\n", wanted=tmp_path / "labels.csv")
    assert ours([7]).tolist() == [1]
    with pytest.raises(ValueError, match="line 3: 7 has label 0 here and 1 in line 2"):
        labeler(tmp_path, f"position,label\n{position},1\n7,0\n")([7])
    for near in ("7.5", "-7", "77", "7e0"):
        with pytest.raises(fc.LabelsWanted):
            labeler(tmp_path, f"position,label\n{near},1\n")([7])


def test_names_that_a_spreadsheet_took_for_numbers_are_hinted_at(tmp_path):
    with pytest.raises(fc.LabelsWanted, match=r"has a label of \('q1', '7.0'\), perhaps \('q1', '007'\) as a spreadsheet writes it"):
        labeler(tmp_path, "query_id,doc_id,label\nq1,7.0,1\nq1,8,0\n", ("q1", ["8", "007"]))([0, 1])


def test_what_a_spreadsheet_would_run_is_written_as_text(tmp_path):
    texts = ["=1+1", "@SUM(A1)", "+cmd", "-1-2", "\t=1", "\r\n=1", "a=b", -1.5, ""]
    ours = fc.CsvLabeler(tmp_path / "labels.csv", wanted=tmp_path / "labels.csv", describe=lambda p: {"text": texts[p]})
    with pytest.raises(fc.LabelsWanted):
        ours(range(len(texts)))
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row[2] for row in csv.reader(file)][1:] == [f"'{text}" for text in texts[:5]] + ["'\n=1", "a=b", "-1.5", ""]


def test_people_get_one_list(tmp_path):
    ours = fc.CsvLabeler(tmp_path / "labels.csv")
    with pytest.raises(fc.LabelsWanted) as caught:
        fc.certify_threshold(np.linspace(1, 0, 500), ours, batch_size=100, seed=0)
    assert caught.value.positions.size == 29
    (tmp_path / "labels.csv").write_text("position,label\n" + "".join(f"{p},1\n" for p in caught.value.positions))
    with pytest.raises(fc.LabelsWanted) as again:
        fc.certify_threshold(np.linspace(1, 0, 500), ours, batch_size=100, state=caught.value.state)
    assert again.value.positions.size == 33, "more than a call of others"


ids = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=6).map(str.strip).filter(bool)


@given(st.lists(ids, min_size=1, max_size=8, unique=True), st.data(), st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=60, deadline=None)
def test_what_the_csv_module_writes_is_read(tmp_path_factory, names, data, delimiter, line_break):
    path = tmp_path_factory.getbasetemp() / "round.csv"
    labels = data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=len(names), max_size=len(names)))
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=line_break).writerows(
            [("doc_id", "note", "label", "query_id"), *((name, "a\nb", label, "q") for name, label in zip(names, labels, strict=True))]
        )
    assert fc.CsvLabeler(path, ("q", names))(np.arange(len(names))).tolist() == labels


# -- a round between program and people ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("own", [True, False])
def test_wanted_rows_are_appended_once_and_filled_in_by_hand(own, tmp_path):
    path = tmp_path / "labels.csv"
    wanted = path if own else tmp_path / "wanted.csv"
    ours = fc.CsvLabeler(path, RUN, wanted=wanted, describe=lambda p: {"text": f'say "{p}"\n', "label": 1, "doc_id": "no"})
    for positions in ([3, 1], [1, 2, 3]):
        with pytest.raises(fc.LabelsWanted, match=f"they are rows of {wanted}"):
            ours(positions)
    with wanted.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["query_id", "doc_id", "label", "text"]
    assert rows[1:] == [[*NAMES[p], "", f'say "{p}"\n'] for p in (3, 1, 2)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows([["who", *rows[0]], *(["A", *row[:2], "01"[i % 2], row[3]] for i, row in enumerate(rows[1:]))])
    assert ours([2, 3, 1]).tolist() == [0, 0, 1]
    with pytest.raises(fc.LabelsWanted):
        ours([0, 1])
    last = wanted.read_bytes().splitlines(keepends=True)[-2:]
    assert last == ([b';q1;d1;;"say ""0""\n', b'"\r\n'] if own else [b'q1,d1,,"say ""0""\n', b'"\n'])


def test_rows_are_appended_to_a_file_without_a_last_line_break(tmp_path):
    ours = labeler(tmp_path, "position,label\r\n1,1", wanted=tmp_path / "labels.csv")
    with pytest.raises(fc.LabelsWanted):
        ours([1, 2])
    assert (tmp_path / "labels.csv").read_bytes() == b"position,label\r\n1,1\r\n2,\r\n"


def test_a_whole_procedure_in_rounds(tmp_path):
    """Call, fill in, call again: the same result as in one go, and nobody is asked twice."""
    path, rounds = tmp_path / "labels.csv", 0
    while True:
        rounds += 1
        try:
            result = run(fc.CsvLabeler(path, wanted=path), seed=5 if rounds == 1 else None, log=tmp_path / "log")
            break
        except fc.LabelsWanted:
            lines = [line.split(",") for line in path.read_text(encoding="utf-8-sig").splitlines()[1:]]
            filled = [f"{p},{truth(int(p))}" for p, _ in lines]
            path.write_text("\n".join(["position,label", *filled[:-1], filled[-1] if rounds % 3 else lines[-1][0] + ",", ""]))
    assert result == WHOLE
    assert rounds > 10
    assert len(filled) == len({line.split(",")[0] for line in filled}) == 60


def test_polling_waits_for_the_file_to_grow(tmp_path):
    path = tmp_path / "labels.csv"

    def person():
        for count in (1, 2, 3):
            asked.wait(5)
            path.write_text("position,label\n" + "".join(f"{p},{truth(p)}\n" for p in range(count)))

    asked = threading.Event()
    ours = fc.CsvLabeler(path, wanted=path, poll=0.002, patience=300, describe=lambda p: asked.set() or {})
    thread = threading.Thread(target=person)
    thread.start()
    answers = ours([0, 1, 2])
    thread.join()
    assert answers.tolist() == [truth(p) for p in range(3)]
    with pytest.raises(fc.LabelsWanted) as caught:
        fc.CsvLabeler(path, poll=0.001, patience=0.01)([0, 9])
    assert caught.value.paid == {0: truth(0)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keys": "q1"}, r"keys must be a Run, a tuple \(query_id, doc_ids\) or None; got str"),
        ({"keys": ("q1", [["d"]])}, r"doc_ids must have shape \(n,\), got \(1, 1\)"),
        ({"describe": str}, "describe must be callable and goes with wanted"),
        ({"describe": 3, "wanted": "x"}, "describe must be callable and goes with wanted"),
        ({"patience": 3}, "patience goes with poll"),
        ({"poll": 0}, "poll must be a positive number of seconds, got 0"),
        ({"poll": 1, "patience": -1}, "patience must be a positive number of seconds, got -1"),
    ],
)
def test_bad_options(options, message, tmp_path):
    with pytest.raises(fc.FastcalError, match=message):
        fc.CsvLabeler(tmp_path / "labels.csv", **options)
    assert not list(tmp_path.iterdir())
