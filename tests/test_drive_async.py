"""Several calls at a time, answers in any order: the procedure sees what it would have seen of one call at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_procedure import WHOLE, Bought, judge, ledger, run, toy

import fastcal as fc
from fastcal.labelling._drive_async import drive_async


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


def run_async(labeler, *, concurrency=4, timeout=None, **options):
    async def main():
        book = ledger(**options)
        return await drive_async(toy(book), book, labeler, concurrency=concurrency, timeout=timeout)

    return asyncio.run(main())


class Numbered:
    """An asynchronous labeler that knows which call of the first request is which, and what has been bought."""

    def __init__(self, behaviour):
        self.behaviour, self.calls, self.positions, self.running, self.most = behaviour, 0, [], 0, 0

    async def __call__(self, positions):
        number, self.calls, self.running = self.calls, self.calls + 1, self.running + 1
        self.most = max(self.most, self.running)
        try:
            await self.behaviour(number)
        finally:
            self.running -= 1
        self.positions += positions.tolist()
        answers = judge(positions)
        positions[:] = 0
        return answers


async def at_once(number):
    await asyncio.sleep(0)


@given(st.integers(1, 9), st.integers(0, 2**32), st.integers(0, 2**62))
@settings(max_examples=40, deadline=None)
def test_any_order_of_arrival_gives_the_same_result(concurrency, dice, seed):
    dice = random.Random(dice)

    async def shuffled(number):
        for _ in range(dice.randrange(20)):
            await asyncio.sleep(0)

    labeler = Numbered(shuffled)
    assert run_async(labeler, concurrency=concurrency, seed=seed) == run(seed=seed)
    assert len(labeler.positions) == len(set(labeler.positions))
    assert labeler.most <= min(concurrency, 7)


def test_a_request_is_split_into_as_many_calls_as_may_run():
    labeler = Numbered(at_once)
    run_async(labeler, concurrency=3)
    assert labeler.most == 3
    assert labeler.calls > 12


def test_answers_are_in_the_log_when_they_arrive(tmp_path):
    async def first_waits_for_the_others(number):
        await asyncio.sleep(0)
        if number == 0:
            await others.wait()
        elif number == 3:
            asyncio.get_running_loop().call_later(0.01, look)

    def look():
        lines.append(len((tmp_path / "log").read_text().splitlines()))
        others.set()

    lines, others = [], asyncio.Event()

    assert run_async(Numbered(first_waits_for_the_others), log=tmp_path / "log") == WHOLE
    assert lines == [4]
    assert run(log=tmp_path / "log") == WHOLE


def test_a_plain_function_will_do():
    assert run_async(judge) == WHOLE


lives = st.lists(st.tuples(st.booleans(), st.integers(1, 12), st.sampled_from(["error", "cancel"])), max_size=5)


@given(lives, st.integers(0, 2**32), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_any_mixture_of_failures_and_drivers_buys_each_label_once(tmp_path_factory, lives, dice, concurrency):
    """One log, several lives: each ends at some call by an error or a cancellation, the last one comes through."""
    path, bought, dice = tmp_path_factory.mktemp("lives") / "log", [], random.Random(dice)

    async def life(fail_at, how):
        async def moody(number):
            for _ in range(dice.randrange(5)):
                await asyncio.sleep(0)
            if number + 1 == fail_at and how == "cancel":
                task.cancel()
                await asyncio.sleep(0)
            elif number + 1 == fail_at:
                raise ConnectionError

        labeler, book = Numbered(moody), ledger(seed=None if path.exists() else 5, log=path)
        task = asyncio.ensure_future(drive_async(toy(book), book, labeler, concurrency=concurrency))
        try:
            return await task
        finally:
            bought.extend(labeler.positions)

    for in_order, fail_at, how in lives:
        if in_order:
            labeler = Bought(fail_at, KeyboardInterrupt() if how == "cancel" else None)
            with contextlib.suppress(RuntimeError, KeyboardInterrupt):
                run(labeler, seed=None if path.exists() else 5, log=path)
            bought += labeler.positions
        else:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                asyncio.run(life(fail_at, how))
    assert asyncio.run(life(None, "")) == WHOLE
    assert len(bought) == len(set(bought)) == WHOLE["n_used"]


# -- time-outs -------------------------------------------------------------------------------------------------------
def test_a_call_that_takes_too_long_counts_as_not_judged(tmp_path):
    async def the_second_hangs(number):
        await asyncio.sleep(3600 if number == 1 else 0)

    labeler = Numbered(the_second_hangs)
    result = run_async(labeler, timeout=0.05, log=tmp_path / "log")
    assert [answer for _, answer in result["seen"][2:4]] == [-1, -1]
    assert not {position for position, _ in result["seen"][2:4]} & set(labeler.positions)
    assert result["n_cannot_judge"] >= 2
    assert run(log=tmp_path / "log") == result, "a time-out is an answer, and final"


def test_an_answer_that_comes_in_spite_of_the_time_out_counts():
    async def stubborn(positions):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return judge(positions)

    assert run_async(stubborn, timeout=0.005, budget=14) == run(budget=14)


def test_a_time_out_of_the_labelers_own_is_an_error():
    async def impatient(number):
        if number == 1:
            raise TimeoutError("of the service")
        await at_once(number)

    with pytest.raises(TimeoutError, match="of the service") as caught:
        run_async(Numbered(impatient), timeout=60)
    assert len(caught.value.state["labels"]) == 5


# -- errors and cancellation -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError(), GeneratorExit()], ids=repr)
def test_what_other_calls_answer_after_an_error_is_kept(error, tmp_path):
    async def the_second_fails_at_once(number):
        if number == 1:
            raise error
        await asyncio.sleep(0.005)

    labeler = Numbered(the_second_fails_at_once)

    async def main():
        book = ledger(log=tmp_path / "log")
        with pytest.raises(type(error)) as caught:
            await drive_async(toy(book), book, labeler, concurrency=4)
        return caught.value

    caught = asyncio.run(main())
    assert [position for position, _ in caught.state["labels"]] == labeler.positions
    assert len(labeler.positions) == 5
    assert run(log=tmp_path / "log", state=caught.state) == WHOLE


def test_of_several_errors_the_first_in_order_is_raised_and_what_each_had_is_kept():
    async def failing(positions):
        await asyncio.sleep(0.001 * float(positions[0] % 3))
        error = ValueError(int(positions[0]))
        error.paid = {int(positions[-1]): 1}
        raise error

    with pytest.raises(ValueError) as caught:
        run_async(failing, concurrency=7)
    expected = [position for position, _ in WHOLE["seen"][:7]]
    assert caught.value.args == (expected[0],)
    assert sorted(p for p, _ in caught.value.state["labels"]) == sorted(expected)


@pytest.mark.parametrize(("wrong", "good"), [(None, []), ([1, 2, 3, 4, 5], []), ([np.nan, 1], [1]), (["1", "0"], [])])
def test_a_wrong_answer_of_one_call_costs_only_that_call(wrong, good):
    async def labeler(positions):
        return wrong if positions[0] == WHOLE["seen"][0][0] else judge(positions)

    with pytest.raises(fc.FastcalError, match="labeler") as caught:
        run_async(labeler)
    assert [position for position, _ in caught.value.state["labels"]] == [WHOLE["seen"][at][0] for at in [*good, 2, 3, 4, 5, 6]]


@pytest.mark.parametrize("on_cancel", ["obeys", "answers", "fails"])
def test_cancelled_it_leaves_the_state(on_cancel, tmp_path):
    """Calls 0 to 2 are answered; the last one hangs when the whole is cancelled, and may still have something to say."""

    async def labeler(positions):
        if positions[0] != WHOLE["seen"][6][0]:
            return judge(positions)
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if on_cancel == "fails":
                raise ConnectionError from None
            if on_cancel == "obeys":
                raise
        return judge(positions)

    async def main():
        book = ledger(log=tmp_path / "log")
        task = asyncio.create_task(drive_async(toy(book), book, labeler, concurrency=4))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value.state

    state = asyncio.run(main())
    assert len(state["labels"]) == (7 if on_cancel == "answers" else 6)
    assert run(state=state) == run(log=tmp_path / "log") == WHOLE


def test_ctrl_c_leaves_the_state_on_the_cancellation_that_asyncio_makes_of_it():
    async def interrupted(number):
        if number == 5:
            os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.001)

    labeler = Numbered(interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        run_async(labeler)
    state = caught.value.__context__.state
    assert [position for position, _ in state["labels"]] == labeler.positions
    assert run(state=state) == WHOLE


def test_a_coroutine_that_is_closed_gives_the_log_back(tmp_path):
    async def main():
        book = ledger(log=tmp_path / "log")
        started = drive_async(toy(book), book, Numbered(lambda number: asyncio.sleep(3600 if number else 0)))
        started.send(None)
        while len((tmp_path / "log").read_text().splitlines()) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        started.close()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert len(json.loads((tmp_path / "log").read_text().splitlines()[1])) == 2
    assert run(log=tmp_path / "log") == WHOLE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency must be an integer of at least 1, got 0"),
        ({"concurrency": 2.5}, "concurrency must be an integer of at least 1, got 2.5"),
        ({"timeout": 0}, "timeout must be a positive number of seconds, got 0"),
        ({"timeout": np.inf}, "timeout must be a positive number of seconds, got inf"),
        ({"timeout": "1"}, "timeout must be a positive number of seconds, got '1'"),
    ],
)
def test_options_are_judged_before_anything_is_paid(options, message):
    labeler = Numbered(at_once)
    with pytest.raises(fc.FastcalError, match=message):
        run_async(labeler, **options)
    assert not labeler.calls
