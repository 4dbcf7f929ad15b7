"""A request is bought in calls of bounded size, each recorded before the next: an interruption loses at most one of them."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_procedure import WHOLE, Bought, judge, ledger, run, toy

import fastcal as fc
from fastcal.labelling import _calls, _drive, _ledger, _lines
from fastcal.labelling._drive import drive
from fastcal.labelling._drive_async import drive_async


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


def greedy(book):
    """A procedure that wants many labels at a time."""
    seen = []
    for start in (0, 150, 300):
        request = np.arange(start, start + 190)[::-1]
        seen += (yield request).tolist()
    return seen


class Sized(Bought):
    """Knows the sizes of its calls, and what the log held at each of them."""

    def __init__(self, most=32, log=None, fail_at=None):
        super().__init__(fail_at)
        self.positions_per_call, self.sizes, self.log = most, [], log

    def __call__(self, positions):
        if self.log is not None:
            lines = self.log.read_text().splitlines()[1:]
            assert [p for line in lines for p, _ in json.loads(line)] == self.positions
        self.sizes.append(positions.size)
        return super().__call__(positions)


def bought(labeler, **options):
    book = ledger(budget=None, **options)
    return drive(greedy(book), book, labeler)


PLAIN = bought(judge)


@given(st.integers(1, 200), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_no_call_is_larger_and_the_procedure_cannot_tell(most, concurrency):
    book, labeler, inner = ledger(budget=None), Sized(most), Sized(most)

    async def awaited(positions):
        await asyncio.sleep(0)
        return inner(positions)

    awaited.positions_per_call = most
    assert bought(labeler) == PLAIN
    assert asyncio.run(drive_async(greedy(book), book, awaited, concurrency=concurrency)) == PLAIN
    assert sorted(labeler.positions) == sorted(inner.positions) == list(range(490))
    assert max(labeler.sizes) <= most
    assert max(inner.sizes) <= min(most, -(-190 // concurrency))
    assert len(labeler.sizes) == sum(-(-n // most) for n in (190, 150, 150))


def test_a_call_is_in_the_log_before_the_next(tmp_path):
    labeler = Sized(log=tmp_path / "log", fail_at=7)
    del labeler.positions_per_call
    with pytest.raises(RuntimeError) as caught:
        bought(labeler, log=tmp_path / "log")
    assert max(labeler.sizes) == 32
    assert [p for p, _ in caught.value.state["labels"]] == labeler.positions
    rest = Bought()
    assert bought(rest, log=tmp_path / "log") == PLAIN
    assert sorted(labeler.positions + rest.positions) == list(range(490))


def test_a_judge_that_fails_late_in_a_large_request_loses_nothing():
    paid = []

    def labeler(positions):
        for position in positions.tolist():
            if len(paid) == 3500:
                raise ConnectionError
            paid.append(position)
        return np.ones(positions.size)

    lists = np.tile(np.linspace(1, 0.5, 100), (300, 1))
    with pytest.raises(ConnectionError) as caught:
        fc.certify_queries(lists, labeler, thresholds=[0.5], seed=0, budget=30000)
    lost = len(paid) - len(caught.value.state["labels"])
    assert len(paid) == 3500
    assert lost < 32


def test_after_a_failure_no_call_is_begun():
    begun = []

    async def labeler(positions):
        begun.append(positions.size)
        if len(begun) == 3:
            raise ConnectionError
        await asyncio.sleep(0.002)
        return judge(positions)

    book = ledger(budget=None)
    with pytest.raises(ConnectionError) as caught:
        asyncio.run(drive_async(greedy(book), book, labeler, concurrency=4))
    assert len(begun) == 4
    assert len(caught.value.state["labels"]) == sum(begun) - begun[2]


def test_whole_requests_for_those_who_want_them():
    labeler = Sized(None)
    assert bought(labeler) == PLAIN
    assert labeler.sizes == [190, 150, 150]
    assert fc.CsvLabeler("labels.csv").positions_per_call is None
    assert fc.QrelsLabeler.for_query({"q": {"a": 1}}, "q", ["a"]).positions_per_call is None
    for size, most in ((1, 32), (8, 32), (20, 20), (32, 32), (100, 100)):
        assert fc.BatchLabeler(judge, str, batch_size=size).positions_per_call == most


def test_a_bound_method_speaks_for_its_object():
    labeler = Sized(5)
    labeler.ask = labeler.__call__
    assert bought(labeler.__call__) == PLAIN
    assert max(labeler.sizes) == 5


@pytest.mark.parametrize("most", [0, -1, 2.5, "8", True])
def test_a_size_that_is_none_is_refused_before_anything_is_paid(most):
    labeler = Sized(most)
    with pytest.raises(fc.FastcalError, match=r"labeler\.positions_per_call must be an integer of at least 1"):
        bought(labeler)
    assert not labeler.calls


def test_ctrl_c_at_any_line_loses_no_label_that_was_returned(tmp_path):
    """KeyboardInterrupt where Python can raise it, at each line between the return of a call and the next one."""
    files = {module.__file__ for module in (_calls, _drive, _ledger, _lines)}
    number, reached = 0, True
    while reached:
        reached, number, log = False, number + 1, tmp_path / str(number)
        labeler, lines = Bought(), [0]

        def interrupt(frame, event, argument, labeler=labeler, lines=lines, number=number):
            nonlocal reached
            if frame.f_code.co_filename not in files:
                return None
            if event == "line" and labeler.calls == 3:
                lines[0] += 1
                if lines[0] == number:
                    reached = True
                    raise KeyboardInterrupt
            return interrupt

        before = sys.gettrace()
        try:
            sys.settrace(interrupt)
            result = run(labeler, log=log)
        except KeyboardInterrupt as error:
            state = error.state
        finally:
            sys.settrace(before)
        if reached:
            assert [p for p, _ in state["labels"]] == labeler.positions, f"line {number}"
            rest = Bought()
            result = run(rest, log=log)
            assert not set(rest.positions) & set(labeler.positions)
        assert result == WHOLE
    assert number > 40


def test_a_time_out_around_the_whole_has_the_state_on_its_cause():
    async def labeler(positions):
        calls.append(positions)
        await asyncio.sleep(3600 if len(calls) > 4 else 0)
        return judge(positions)

    calls = []

    async def main():
        book = ledger()
        await asyncio.wait_for(drive_async(toy(book), book, labeler), 0.02)

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(main())
    assert run(state=caught.value.__cause__.state) == WHOLE
    assert caught.value.__cause__.state["labels"]
