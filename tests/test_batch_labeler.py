"""A judge that takes batches, fails at times and costs money: never asked twice, and what it said is never lost."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import threading

import numpy as np
import pytest
from toy_procedure import WHOLE, ledger, run, toy, truth

import fastcal as fc
from fastcal.labelling._drive_async import drive_async


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


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
    labeler = fc.BatchLabeler(Judge(None, *[ConnectionError("down")] * 9), items, batch_size=2, retries=8, backoff=10)
    with pytest.raises(ConnectionError) as caught:
        labeler([7, 3, 4])
    assert slept[3:] == [10, 20, 40, 60, 60, 60, 60, 60]
    assert caught.value.paid == {7: truth(7), 3: truth(3)}
    assert labeler([4, 3]).tolist() == [truth(4), truth(3)], "what failed can be asked again"


@pytest.mark.parametrize(
    "mood", [lambda asked: [1], lambda asked: "10", lambda asked: None, lambda asked: [2] * len(asked), lambda asked: ["yes"] * 3]
)
def test_malformed_answers_are_asked_again_then_given_up_or_raised(mood, monkeypatch):
    naps(monkeypatch)
    assert fc.BatchLabeler(Judge(mood, mood), items)([0, 1, 2]).tolist() == [truth(p) for p in range(3)]
    labeler = fc.BatchLabeler(Judge(None, *[mood] * 4), items)
    labeler([3])
    assert labeler([0, 1, 2]).tolist() == [-1, -1, -1]
    with pytest.raises(ValueError, match=r"judge (returned|answered)"):
        fc.BatchLabeler(Judge(*[mood] * 4), items, malformed="raise")([0, 1, 2])


@pytest.mark.parametrize("reply", ["yes", "1", 0.7, {"answer": True}, "Cannot judge"])
def test_a_judge_that_is_never_well_formed_raises_what_it_said(reply, monkeypatch):
    """Four calls, and nothing is paid for answers that a procedure would take for irrelevant."""
    naps(monkeypatch)
    judge = Judge(*[lambda asked: [reply] * len(asked)] * 99)
    with pytest.raises(ValueError, match="no answer of the judge was well formed: judge answered " + re.escape(repr(reply))) as caught:
        fc.certify_threshold(np.linspace(1, 0, 500), fc.BatchLabeler(judge, items), seed=0)
    assert len(judge.asked) == 4
    assert not caught.value.state["labels"]
    whole = Judge(*[lambda asked: {"answers": [reply] * len(asked)}] * 99)
    with pytest.raises(ValueError, match=r"no answer of .*: judge returned dict, \{'answers': .*; expected a list of 3"):
        fc.BatchLabeler(whole, items)([0, 1, 2])


def test_many_malformed_answers_are_told_once(monkeypatch):
    naps(monkeypatch)
    labeler = fc.BatchLabeler(lambda asked: [True if item % 4 else "?" for item in asked], items, batch_size=8, retries=1)
    assert labeler(range(36)).tolist().count(-1) == 9
    with pytest.warns(fc.LabelingWarning, match="1[01] of 4[04] answers of the judge are malformed .* the last: judge answered '\\?'") as caught:
        labeler(range(200))
    assert len(caught) == 1


@pytest.mark.parametrize("made", [list, np.array])
def test_items_of_another_pool_are_refused_before_anything_is_paid(made):
    judge = Judge()
    labeler = fc.BatchLabeler(judge, made(range(499)))
    with pytest.raises(ValueError, match="BatchLabeler is of another pool: it knows 499 positions, the pool has 500"):
        run(labeler)
    with pytest.raises(ValueError, match="items has 499 entries, none for position 499"):
        labeler([0, 499])
    assert not judge.asked


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
    with pytest.raises(fc.LabelFileError):
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
