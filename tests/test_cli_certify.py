"""certify from judgements, from a CSV that grows, and at a terminal: the library's certificate, and no answer is lost."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
import time

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

import fastcal as fc
from fastcal.cli import main

N_QUERIES, DEPTH = 12, 50


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Lists in which the upper half is relevant, judgements of all queries but one, and texts."""
    folder, rng = tmp_path_factory.mktemp("certify"), np.random.default_rng(0)
    scores = np.sort(rng.random((N_QUERIES, DEPTH)), axis=1)[:, ::-1]
    run = {f"q{q}": {f"d{q}_{d}": float(np.float32(scores[q, d])) for d in range(DEPTH)} for q in range(N_QUERIES)}
    fc.Run.from_dict(run).to_trec(folder / "run.trec")
    judged = {q: {d: int(s > 0.5) for d, s in docs.items()} for q, docs in run.items() if q != "q11"}
    fc.Qrels.from_dict(judged).to_trec(folder / "qrels.trec")
    texts = folder / "beir"
    texts.mkdir()
    (texts / "queries.jsonl").write_text("".join(json.dumps({"_id": q, "text": f"text of {q}"}) + "\n" for q in run))
    records = [{"_id": d, "title": "T", "text": f"text of {d}"} for docs in run.values() for d in docs] + [{"_id": "unlisted", "text": ""}]
    (texts / "corpus.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    return folder


@pytest.fixture
def fastcal(files, tmp_path, monkeypatch, capsys):
    for path in files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)

    def call(line):
        code = main(line.split())
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


def truth(run):
    return (run.scores > 0.5).astype(int)


@pytest.mark.parametrize("target", [{"target_precision": 0.8}, {"target_recall": 0.8}])
def test_judgements_give_the_certificate_of_the_library(files, fastcal, tmp_path, target):
    ((name, value),) = target.items()
    kind = name.removeprefix("target_")
    code, out, _ = fastcal(f"certify run.trec --qrels qrels.trec --target {kind}={value} --delta 0.1 --seed 4 --log log.jsonl -o c.json --json")
    run = fc.Run.from_dict({query: docs for query, docs in fc.Run.from_trec(files / "run.trec").to_dict().items() if query != "q11"})
    certify = {"precision": fc.certify_threshold, "recall": fc.certify_recall}[kind]
    expected = certify(run, lambda positions: truth(run)[positions], **target, delta=0.1, seed=4)
    told = json.loads(out)
    assert code == 0
    assert told == json.loads((tmp_path / "c.json").read_text())
    assert (told.pop("certified"), told.pop("space")) == (True, "score")
    assert told == json.loads(json.dumps(expected.to_dict()))
    again = fastcal(f"certify run.trec --qrels qrels.trec --target {kind}={value} --delta 0.1 --log log.jsonl")
    assert again[0] == 0
    assert f"{expected.threshold:.9g}" in again[1]
    state = tmp_path / "state.json"
    state.write_text(json.dumps(expected.state))
    assert fastcal(f"certify run.trec --qrels qrels.trec --target {kind}={value} --delta 0.1 --state state.json")[1] == again[1]


def test_what_cannot_be_certified_is_exit_code_1_and_says_why(fastcal, tmp_path):
    code, out, err = fastcal("certify run.trec --qrels qrels.trec --target precision=0.99 --budget 20 --seed 0 -o no.json --all-queries")
    assert code == 2
    assert "budget" in err
    fc.Qrels.from_dict({"q1": {"d1_0": 0}, "q2": {"d2_0": 0}}).to_trec(tmp_path / "poor.trec")
    code, out, err = fastcal("certify run.trec --qrels poor.trec --target precision=0.9 --seed 0 -o no.json")
    assert (code, err.splitlines()[-1][:23]) == (1, "fastcal: not certified:")
    assert "the best pairs miss the target" in err
    assert "no threshold is certified" in out
    assert json.loads((tmp_path / "no.json").read_text())["threshold"] is None
    assert fastcal("certify run.trec --qrels poor.trec --unjudged error --seed 0")[0] == 2


def test_a_profile_is_cut_at_a_probability(files, fastcal, tmp_path):
    run = fc.Run.from_trec(files / "run.trec")
    platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    fc.Profile("m", "cosine", platt, []).save(tmp_path / "p.json")
    told = json.loads(fastcal("certify run.trec --qrels qrels.trec --all-queries --profile p.json --seed 1 --json")[1])
    judged = truth(run) * (np.repeat(run.query_ids, run.counts()) != "q11")
    expected = fc.certify_threshold(platt.predict(run.scores), lambda positions: judged[positions], seed=1)
    assert (told["space"], told["threshold"], told["labels_used"]) == ("probability", expected.threshold, expected.labels_used)


def test_a_csv_grows_until_the_certificate_is_there(files, fastcal, tmp_path):
    """Each call asks for a page; people fill it in; the last one is the certificate of somebody who answers at once."""
    run = fc.Run.from_trec(files / "run.trec")
    answers = {f"{q},{d}": str(int(s > 0.5)) for q, docs in run.to_dict().items() for d, s in docs.items()}
    line = "certify run.trec --labels labels.csv --target precision=0.8 --seed 7 --texts beir --batch 12 -o c.json"
    table, calls = tmp_path / "labels.csv", 0
    while (found := fastcal(line))[0] != 0:
        code, out, err = found
        calls += 1
        assert (code, out, (tmp_path / "c.json").exists()) == (1, "", False)
        assert "not certified yet: labels.csv lacks" in err
        assert "fill in the column label" in err
        rows = table.read_text(encoding="utf-8-sig").splitlines()
        assert rows[0] == "query_id,doc_id,label,query,document"
        table.write_text("\n".join([rows[0], *(filled(row, answers) for row in rows[1:])]) + "\n")
    assert calls >= 3
    assert "text of q" in table.read_text()
    expected = fc.certify_threshold(run, lambda positions: truth(run)[positions], target_precision=0.8, seed=7, batch_size=12)
    told = json.loads((tmp_path / "c.json").read_text())
    assert (told["threshold"], told["labels_used"], told["seed"]) == (expected.threshold, expected.labels_used, 7)
    assert len(table.read_text().splitlines()) == 1 + expected.labels_used
    (tmp_path / "labels.csv").write_text("query_id,doc_id,label\nq0,d0_0,perhaps\n")
    (tmp_path / "labels.csv.log").unlink()
    code, _, err = fastcal(line)
    assert (code, "labels.csv, line 2: label 'perhaps'" in err) == (2, True)
    wanted = json.loads(fastcal("certify run.trec --labels other.csv --json --seed 1")[1])
    assert (wanted["certified"], wanted["reason"], wanted["labels_in_hand"]) == (False, "labels wanted", 0)


def filled(row, answers):
    query, document, label, *texts = row.split(",")
    return ",".join([query, document, label or answers[f"{query},{document}"], *texts])


def test_who_labels_is_said_once(fastcal):
    assert "give one of --qrels, --labels and --ask" in fastcal("certify run.trec")[2]
    assert "give one of --qrels, --labels and --ask" in fastcal("certify run.trec --ask --labels a.csv")[2]
    assert "--log FILE is missing" in fastcal("certify run.trec --ask")[2]
    assert "shown to people" in fastcal("certify run.trec --qrels qrels.trec --texts beir")[2]
    assert "--by goes with --profile" in fastcal("certify run.trec --qrels qrels.trec --by a.csv:b")[2]


# -- at a terminal ------------------------------------------------------------------------------------
class Terminal:
    """A command line in a pseudo-terminal, and a person who answers what is shown."""

    def __init__(self, line, folder, relevant):
        self.relevant = relevant
        pty = pytest.importorskip("pty")
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ |= {"COLUMNS": "120", "TERM": "dumb"}
            os.execv(sys.executable, [sys.executable, "-m", "fastcal", *line.split()])
        self.shown = ""

    def until(self, text):
        """Read until a text is shown, or to the end."""
        start = len(self.shown)
        while text not in self.shown[start:]:
            try:
                read = os.read(self.master, 65536)
            except OSError:  # the other side is closed
                read = b""
            if not read:
                return False
            self.shown += read.decode()
        return True

    def answer(self, most=10**9):
        """Answer as the texts say, `most` times, or until nothing is asked; returns the pairs shown."""
        asked = []
        while len(asked) < most and self.until("> "):
            asked.append(re.findall(r"text of (d\d+_\d+)", self.shown)[-1])
            self.type("y" if self.relevant(asked[-1]) else "n")
        return asked

    def type(self, text):
        os.write(self.master, f"{text}\n".encode())

    def end(self):
        """Return the exit code."""
        while self.until("\0never"):
            pass
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.master)
        return code


def test_a_person_answers_interrupts_and_goes_on(files, fastcal, tmp_path):
    run = fc.Run.from_trec(files / "run.trec")
    names = dict(zip(run.doc_ids[run.ids], truth(run), strict=True))
    line = "certify run.trec --ask --texts beir --log log.jsonl --target precision=0.8 --budget 60 -o c.json"
    first = Terminal(f"{line} --seed 3", tmp_path, names.get)
    asked = first.answer(8)
    assert first.until("> ")
    time.sleep(0.05)  # the prompt is there; let the read begin
    os.kill(first.pid, signal.SIGINT)
    assert first.end() == 130
    assert "the answers are in log.jsonl, and the same command goes on from there" in " ".join(first.shown.split())
    second = Terminal(line, tmp_path, names.get)
    assert second.until("> ")
    second.type("q")
    assert second.end() == 1
    assert "not certified yet: labelling was stopped" in " ".join(second.shown.split())
    third = Terminal(line, tmp_path, names.get)
    asked += third.answer()
    assert third.end() == 0, third.shown
    expected = fc.certify_threshold(run, lambda positions: truth(run)[positions], target_precision=0.8, budget=60, seed=3)
    told = json.loads((tmp_path / "c.json").read_text())
    assert (told["threshold"], told["labels_used"]) == (expected.threshold, expected.labels_used)
    assert len(asked) == len(set(asked)) == expected.labels_used
    assert "T text of" in third.shown


def test_unjudged_pairs_are_asked_for_and_kept(files, fastcal, tmp_path):
    """Judgements of the best five of each list; a person stops, and answers the rest on another day."""
    run = fc.Run.from_trec(files / "run.trec").top_k(6)
    judged = {query: dict.fromkeys(list(docs)[:5], 1) for query, docs in run.to_dict().items()}
    run.to_trec(tmp_path / "six.trec")
    fc.Qrels.from_dict(judged).to_trec(tmp_path / "five.trec")

    def odd(document):
        return int(document[1:].split("_")[0]) % 2

    line = "threshold six.trec five.trec --unjudged ask --answers a.csv --texts beir --json"
    first = Terminal(line, tmp_path, odd)
    asked = first.answer(4)
    assert first.until("> ")
    first.type("q")
    assert first.end() == 2
    assert "the answers are in a.csv" in " ".join(first.shown.split())
    assert len((tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()) == 1 + 4
    second = Terminal(line, tmp_path, odd)
    asked += second.answer()
    assert second.end() == 0, second.shown
    assert len(asked) == len(set(asked)) == N_QUERIES
    told = json.loads(second.shown[second.shown.rindex('{\r\n  "space"') :])
    assert told["counts"]["n_relevant"] == 5 * N_QUERIES + N_QUERIES // 2


def test_questions_stay_out_of_a_result_that_is_redirected(fastcal, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 12 + "q\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    code, out, err = fastcal("certify run.trec --ask --log a.log --seed 0 --json")
    assert (code, json.loads(out)["reason"]) == (1, "stopped")
    assert err.count("relevant? ") == 13
