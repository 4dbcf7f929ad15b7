"""Labelers that know the answers, ask a judge in batches, or a person at the terminal."""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading

import numpy as np
import pytest
from toy_procedure import WHOLE, ledger, run, toy, truth

import fastcal as fc
from fastcal.labelling._drive_async import drive_async


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


# -- judgements --------------------------------------------------------------------------------------------------------
RUN = fc.Run.from_dict({"q2": {"a": 3.0, "b": 2.0, "c": 1.0}, "q1": {"b": 2.0, "a": 1.0}})
QRELS = {"q1": {"a": 2, "b": 1}, "q2": {"a": 0, "c": 1}}


@pytest.mark.parametrize("made", [dict, fc.Qrels.from_dict])
def test_answers_of_judgements(made):
    expected = fc.Qrels.from_dict(QRELS).grades_of(RUN)
    for least in (0, 1, 2, 3):
        labeler = fc.QrelsLabeler(RUN, made(QRELS), min_grade=least)
        assert labeler(np.arange(5)).tolist() == [int(grade >= least and place != 1) for place, grade in enumerate(expected)]
    assert fc.QrelsLabeler(RUN, made(QRELS), unjudged="cannot_judge")([4, 1, 0]).tolist() == [1, -1, 0]
    strict = fc.QrelsLabeler(RUN, made(QRELS), unjudged="error")
    assert strict([0, 2]).tolist() == [0, 1]
    with pytest.raises(ValueError, match="1 of 2 pairs have no judgement, first query_id='q2', doc_id='b'"):
        strict([2, 1])


@pytest.mark.parametrize("made", [dict, fc.Qrels.from_dict])
def test_answers_of_judgements_for_rows_of_a_corpus(made):
    labeler = fc.QrelsLabeler.for_query(made(QRELS), "q2", np.array(["c", "x", "a"]), unjudged="cannot_judge")
    assert labeler([2, 1, 0, 0]).tolist() == [0, -1, 1, 1]
    numbered = fc.QrelsLabeler.for_query(made({4: {10: 1, 12: 0}}), 4)
    assert numbered([12, 10, 11]).tolist() == [0, 1, 0]
    for query in ("q3", 1):
        with pytest.raises(ValueError, match="the judgements know no query"):
            fc.QrelsLabeler.for_query(made(QRELS), query, ["a"])
    with pytest.raises(ValueError, match=r"documents are named 0 by doc_ids and '[ac]' in the judgements"):
        fc.QrelsLabeler.for_query(made(QRELS), "q2")([0])


@pytest.mark.parametrize("positions", [[5], [-1]])
def test_positions_of_another_pool_are_refused(positions):
    with pytest.raises(ValueError, match="positions must"):
        fc.QrelsLabeler(RUN, QRELS)(positions)
    with pytest.raises(ValueError, match="positions must"):
        fc.QrelsLabeler.for_query(QRELS, "q1", list("abcde"))(positions)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fc.QrelsLabeler(RUN, QRELS, unjudged="ask"), ValueError, "unjudged must be one of"),
        (lambda: fc.QrelsLabeler(RUN, QRELS, min_grade=1.5), TypeError, "min_grade must be an integer"),
        (lambda: fc.QrelsLabeler([1], QRELS), TypeError, "expected a Run"),
        (lambda: fc.QrelsLabeler(RUN, QRELS)([0.5]), TypeError, "positions must be integers"),
        (lambda: fc.QrelsLabeler(RUN, QRELS)([[0]]), ValueError, r"positions must have shape \(n,\)"),
        (lambda: fc.BatchLabeler(None, []), TypeError, "judge must be callable"),
        (lambda: fc.BatchLabeler(len, 3), TypeError, "items must be a sequence"),
        (lambda: fc.BatchLabeler(len, [], key=3), TypeError, "key must be a str"),
        (lambda: fc.BatchLabeler(len, [], batch_size=0), ValueError, "batch_size must be"),
        (lambda: fc.BatchLabeler(len, [], retries=-1), ValueError, "retries must be"),
        (lambda: fc.BatchLabeler(len, [], backoff=-1.0), ValueError, "backoff must be"),
        (lambda: fc.BatchLabeler(len, [], malformed="drop"), ValueError, "malformed must be one of"),
        (lambda: fc.BatchLabeler(len, [b"x"])([0]), TypeError, "the item of position 0 must be a str or plain JSON"),
        (lambda: fc.TerminalLabeler("text"), TypeError, "show must be callable"),
        (lambda: fc.TerminalLabeler(str, input="y"), TypeError, "input must be callable"),
    ],
)
def test_bad_options(call, error, message):
    with pytest.raises(error, match=message):
        call()


# -- a judge that takes batches ------------------------------------------------------------------------------------------
class Judge:
    """Answers truthfully what is not in `moods`, which are taken one a call: an Exception to raise, or a reply to give."""

    def __init__(self, *moods):
        self.moods, self.asked = list(moods), []

    def __call__(self, items):
        self.asked.append(list(items))
        mood = self.moods.pop(0) if self.moods else None
        if isinstance(mood, BaseException):
            raise mood
        return [None if answer < 0 else bool(answer) for answer in map(truth, items)] if mood is None else mood(items)


def items(position):
    return position


def test_batches_and_duplicates():
    judge = Judge()
    labeler = fc.BatchLabeler(judge, [0, 1, 2, 1, 3, 0, 4], batch_size=2)
    assert labeler([1, 3, 0, 5, 6, 4]).tolist() == [truth(p) for p in (1, 1, 0, 0, 4, 3)]
    assert judge.asked == [[1, 0], [4, 3]]
    assert labeler(range(7)).tolist() == [truth(p) for p in (0, 1, 2, 1, 3, 0, 4)]
    assert judge.asked[2:] == [[2]]


@pytest.mark.parametrize("value", [True, 1, 1.0, np.int64(1), np.bool_(True), np.float32(1)])
def test_forms_of_an_answer(value):
    replies = [value, type(value)(0), None, "cannot judge", -1]
    assert fc.BatchLabeler(lambda asked: replies, range(5), retries=0)(range(5)).tolist() == [1, 0, -1, -1, -1]
    assert fc.BatchLabeler(lambda asked: np.array([1, 0]), "ab")([0, 1]).tolist() == [1, 0]


def naps(monkeypatch):
    slept = []
    monkeypatch.setattr("fastcal.labelling._batch.time.sleep", slept.append)
    return slept


def test_retries_after_exceptions_wait_twice_as_long_each(monkeypatch):
    slept, judge = naps(monkeypatch), Judge(*[ConnectionError("down")] * 3)
    assert fc.BatchLabeler(judge, items, backoff=0.5)([7]).tolist() == [truth(7)]
    assert slept == [0.5, 1.0, 2.0]
    with pytest.raises(ConnectionError) as caught:
        fc.BatchLabeler(Judge(None, *[ConnectionError("down")] * 9), items, batch_size=2, retries=8, backoff=10)([7, 3, 4])
    assert slept[3:] == [10, 20, 40, 60, 60, 60, 60, 60]
    assert caught.value.paid == {7: truth(7), 3: truth(3)}


@pytest.mark.parametrize(
    "mood", [lambda asked: [1], lambda asked: "10", lambda asked: None, lambda asked: [2] * len(asked), lambda asked: ["yes"] * 3]
)
def test_malformed_answers_are_asked_again_then_given_up_or_raised(mood, monkeypatch):
    naps(monkeypatch)
    assert fc.BatchLabeler(Judge(mood, mood), items)([0, 1, 2]).tolist() == [truth(p) for p in range(3)]
    assert fc.BatchLabeler(Judge(*[mood] * 4), items)([0, 1, 2]).tolist() == [-1, -1, -1]
    with pytest.raises(ValueError, match=r"judge (returned|answered)"):
        fc.BatchLabeler(Judge(*[mood] * 4), items, malformed="raise")([0, 1, 2])


def test_of_a_batch_that_is_malformed_in_part_only_that_part_is_asked_again(monkeypatch):
    naps(monkeypatch)
    judge = Judge(lambda asked: [1, 0.5, None], lambda asked: ["?"])
    assert fc.BatchLabeler(judge, items, malformed="raise")([0, 1, 2]).tolist() == [1, truth(1), -1]
    assert judge.asked == [[0, 1, 2], [1], [1]]


def test_the_cache_outlives_processes_and_keeps_judges_apart(tmp_path, monkeypatch):
    naps(monkeypatch)
    cache = tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt) as caught:
        fc.BatchLabeler(Judge(None, KeyboardInterrupt()), items, batch_size=3, cache=cache)(range(5))
    assert caught.value.paid == {p: truth(p) for p in range(3)}
    side, late = Judge(), Judge()
    beside = fc.BatchLabeler(late, items, cache=cache)
    assert fc.BatchLabeler(side, items, cache=cache)(range(5)).tolist() == [truth(p) for p in range(5)]
    assert beside([4, 5]).tolist() == [truth(4), truth(5)]
    assert (side.asked, late.asked) == ([[3, 4]], [[4, 5]])
    assert beside(range(5)).tolist() == [truth(p) for p in range(5)]
    assert late.asked == [[4, 5]], "what others wrote is known once the file is looked at"
    other = Judge()
    fc.BatchLabeler(other, items, cache=cache, key="another prompt")([0])
    assert other.asked == [[0]]
    with cache.open("a") as file:
        file.write('["half a li')
    again = Judge()
    assert fc.BatchLabeler(again, items, cache=cache)([5, 6]).tolist() == [truth(5), truth(6)]
    assert again.asked == [[6]]
    assert all(json.loads(line) for line in cache.read_text().splitlines())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("position,label\n", "is a file of another kind"),
        ('{"format": "fastcal-answers", "version": 2}\n', "has the header"),
        ('{"format": "fastcal-answers", "version": 1}\n["a", 2]\n', r"line 2: expected \[digest, answer\], got \['a', 2\]"),
        ('{"format": "fastcal-answers", "version": 1}\n["a", true]\n', "line 2"),
    ],
)
def test_a_cache_that_is_none_is_refused_before_anything_is_paid(text, message, tmp_path):
    (tmp_path / "cache").write_text(text)
    with pytest.raises(ValueError, match=message):
        fc.BatchLabeler(Judge(), items, cache=tmp_path / "cache")
    assert (tmp_path / "cache").read_text() == text
    with pytest.raises(FileNotFoundError):
        fc.BatchLabeler(Judge(), items, cache=tmp_path / "absent" / "cache")


def test_what_a_failing_judge_had_answered_is_in_the_state(tmp_path, monkeypatch):
    naps(monkeypatch)
    with pytest.raises(ConnectionError) as caught:
        run(fc.BatchLabeler(Judge(None, None, *[ConnectionError()] * 4), items, batch_size=2), log=tmp_path / "log")
    assert len(caught.value.state["labels"]) == 4
    assert run(log=tmp_path / "log") == WHOLE


def test_an_asynchronous_judge_is_never_asked_twice_about_one_item():
    dice, asked, running = random.Random(1), [], []

    async def judge(batch):
        running.append(len(batch))
        asked.extend(batch)
        for _ in range(dice.randrange(10)):
            await asyncio.sleep(0)
        return [truth(int(item)) for item in batch]

    duplicates = [str(position % 50) for position in range(500)]
    labeler = fc.BatchLabeler(judge, duplicates, batch_size=2)

    async def main():
        return await asyncio.gather(*(labeler(np.arange(start, start + 40)) for start in range(0, 400, 20)))

    for number, answers in enumerate(asyncio.run(main())):
        assert answers.tolist() == [truth(position % 50) for position in range(number * 20, number * 20 + 40)]
    assert len(asked) == len(set(asked)) == 50
    assert max(running) == 2


def test_threads_share_a_labeler(tmp_path):
    judge = Judge()
    labeler, answers = fc.BatchLabeler(judge, [p % 30 for p in range(300)], batch_size=3, cache=tmp_path / "cache"), {}
    threads = [threading.Thread(target=lambda at=at: answers.update({at: labeler(range(at, at + 60))})) for at in range(0, 240, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answers[at].tolist() == [truth(p % 30) for p in range(at, at + 60)] for at in range(0, 240, 30))
    assert sorted(item for batch in judge.asked for item in batch) == list(range(30))


def test_one_labeler_serves_both_kinds_of_functions():
    async def judge(batch):
        await asyncio.sleep(0)
        return [truth(item) for item in batch]

    async def main(labeler):
        book = ledger()
        return await drive_async(toy(book), book, labeler, concurrency=3)

    assert asyncio.run(main(fc.BatchLabeler(judge, items, batch_size=2))) == WHOLE
    assert asyncio.run(main(fc.BatchLabeler(Judge(), items).acall)) == WHOLE
    assert run(fc.BatchLabeler(Judge(), items)) == WHOLE
    with pytest.raises(TypeError, match=r"labeler is asynchronous"):
        run(fc.BatchLabeler(judge, items))
    with pytest.raises(TypeError, match=r"judge is asynchronous"):
        run(fc.BatchLabeler(lambda batch: asyncio.sleep(0), items))


def test_a_time_out_keeps_the_batches_that_were_answered():
    async def judge(batch):
        if batch == [WHOLE["seen"][1][0]]:
            await asyncio.sleep(3600)
        return [truth(item) for item in batch]

    async def main():
        book = ledger(budget=7)
        return await drive_async(toy(book), book, fc.BatchLabeler(judge, items, batch_size=1), concurrency=1, timeout=0.02)

    assert [answer for _, answer in asyncio.run(main())["seen"][:7]] == [WHOLE["seen"][0][1], *[-1] * 6]


# -- the terminal ----------------------------------------------------------------------------------------------------------
def terminal(keys, **options):
    """A labeler, the screen it writes and the prompts it shows; keys that are exceptions are raised."""
    screen, keys = [], iter(keys)

    def read(prompt):
        key = next(keys)
        if isinstance(key, BaseException):
            raise key
        return key

    return fc.TerminalLabeler(lambda p: f"item {p}", input=read, output=screen.append, **options), screen


def test_a_person_answers_and_changes_their_mind():
    labeler, screen = terminal(["u", "y", "N ", "u", "u", "n", "1", "what", "s", "0"])
    assert labeler([30, 10, 20, 40]).tolist() == [0, 1, -1, 0]
    assert screen[:3] == ["1 of 4\nitem 30", "1 of 4\nitem 30", "2 of 4\nitem 10"]
    assert "answer y, n, s, u or q" in screen


@pytest.mark.parametrize(("key", "error"), [("q", fc.LabelingStopped), (EOFError(), fc.LabelingStopped), (KeyboardInterrupt(), KeyboardInterrupt)])
def test_whoever_stops_loses_nothing(key, error):
    labeler, _ = terminal(["y"] * 10 + [key])
    with pytest.raises(error) as caught:
        run(labeler)
    assert [answer for _, answer in caught.value.state["labels"]] == [1] * 10
    again, _ = terminal(["y"] * 50)
    assert run(again, state=caught.value.state)["seen"] == run(lambda p: [1] * p.size)["seen"]


def test_a_document_cannot_steer_the_terminal(capsys, monkeypatch):
    labeler, screen = terminal(["y"])
    labeler._show = lambda position: "a\x1b[2J\x9bb\n\tc\x07"
    labeler([0])
    assert screen == ["1 of 1\na�[2J�b\n\tc�"]
    monkeypatch.setattr("builtins.input", lambda prompt: "n")
    assert fc.TerminalLabeler(lambda position: "[bold]text[/bold]")([0]).tolist() == [0]
    assert "[bold]text[/bold]" in capsys.readouterr().out
