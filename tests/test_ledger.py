"""What was paid is kept: in `.state` whatever is raised, in the log whatever happens to the process, and nothing is bought twice."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_procedure import BUYER, SETTINGS, WHOLE, Bought, judge, ledger, run, truth

import fastcal as fc
from fastcal.certificates.certify import certify_threshold
from fastcal.labelling._drive import drive
from fastcal.labelling.result import LabelledResult


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """What is tested here is the content of files; a flush takes milliseconds."""
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)


def rerun_after(fail_at, path, how):
    """Fail at one batch, then go on from the state, the log, or both."""
    first, second = Bought(fail_at), Bought()
    with pytest.raises(RuntimeError, match="no") as caught:
        run(first, log=path if how != "state" else None)
    state = caught.value.state
    assert [position for position, _ in state["labels"]] == first.positions
    assert all(answer == truth(position) for position, answer in state["labels"])
    resume = {"state": json.loads(json.dumps(state))} if how != "log" else {}
    result = run(second, seed=None, log=path if how != "state" else None, **resume)
    assert not set(first.positions) & set(second.positions)
    return result, first.positions + second.positions


@pytest.mark.parametrize("how", ["state", "log", "both"])
def test_interrupted_anywhere_the_result_and_the_cost_are_the_same(how, tmp_path):
    for fail_at in range(1, BUYER.calls + 1):
        result, bought = rerun_after(fail_at, tmp_path / f"{fail_at}.jsonl", how)
        assert result == WHOLE
        assert bought == BUYER.positions


@given(st.lists(st.integers(1, BUYER.calls), max_size=6), st.integers(0, 2**63 - 1), st.integers(1, 80))
@settings(max_examples=25, deadline=None)
def test_interrupted_again_and_again(fails, seed, budget):
    expected, state, bought = run(seed=seed, budget=budget), None, []
    for fail_at in [*fails, None]:
        labeler = Bought(fail_at)
        try:
            result = run(labeler, seed=seed if state is None else None, budget=budget, state=state)
            break
        except RuntimeError as error:
            state = error.state
        finally:
            bought += labeler.positions
    assert result == expected
    assert len(bought) == len(set(bought)) == expected["n_used"]


@dataclass(frozen=True)
class FrozenError(Exception):
    code: int = 3


class SealedError(Exception):
    state = property(lambda self: "mine")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        *((kind(), kind) for kind in (OSError, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, StopIteration, FrozenError)),
        (SealedError(), fc.LabelingError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_every_exception_carries_the_state(error, raised):
    with pytest.raises(raised) as caught:
        run(Bought(4, error))
    assert caught.value is error or caught.value.__cause__ is error
    assert len(caught.value.state["labels"]) == len(run_until(4))


def run_until(fail_at):
    labeler = Bought(fail_at)
    with pytest.raises(RuntimeError):
        run(labeler)
    return labeler.positions


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: [1] * (p.size + 1), "labeler returned shape"),
        (lambda p: [], "labeler returned shape"),
        (lambda p: None, "labeler returned shape"),
        (lambda p: [2] * p.size, r"labeler answered 2 at \[0\]; expected 0, 1 or -1 \(cannot judge\); 0 of \d answers of this call are kept"),
        (lambda p: [0.5] * p.size, r"labeler answered 0.5 at \[0\]"),
        (lambda p: [np.nan] * p.size, r"labeler answered nan at \[0\]"),
        (lambda p: [None] * p.size, "labeler returned dtype object"),
        (lambda p: ["1"] * p.size, "labeler returned dtype"),
        (lambda p: (answer for answer in p), "labeler returned shape"),
    ],
)
def test_a_wrong_batch_is_refused_whole(wrong, message, tmp_path):
    calls = []

    def labeler(positions):
        calls.append(positions.tolist())
        return wrong(positions) if len(calls) == 3 else judge(positions)

    with pytest.raises(fc.FastcalError, match=message) as caught:
        run(labeler, log=tmp_path / "log")
    assert [p for p, _ in caught.value.state["labels"]] == calls[0] + calls[1]
    assert run(log=tmp_path / "log") == WHOLE


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([1, 0, 2, 1, -1, 3], r"answered 2 at \[2\]"),
        ([1.0, 0.0, np.nan, 1.0, -1.0, 0.5], r"answered nan at \[2\]"),
        ([True, False, None, 1, -1, "0"], r"answered None at \[2\]"),
        ([1, np.int8(0), "yes", np.float32(1), -1, [1]], r"answered 'yes' at \[2\]"),
        (np.array([1, False, "1", 1.0, -1, b"1"], object), r"answered '1' at \[2\]"),
    ],
    ids=lambda value: "",
)
def test_of_a_malformed_batch_the_good_answers_are_kept(answers, message, tmp_path):
    def asks_once():
        yield np.array([5, 9, 38, 7, 1, 2])

    book = ledger(log=tmp_path / "log")
    message += r"; expected 0, 1 or -1 \(cannot judge\) \(position 38\); 4 of 6 answers of this call are kept"
    with pytest.raises(ValueError, match=message) as caught:
        drive(asks_once(), book, lambda positions: answers)
    assert caught.value.state["labels"] == [[5, 1], [9, 0], [7, 1], [1, -1]]
    assert json.loads((tmp_path / "log").read_text().splitlines()[1]) == caught.value.state["labels"]


def test_what_a_failed_call_had_is_kept():
    def labeler(positions):
        error = ConnectionError("half way")
        error.paid = {int(positions[0]): -1, int(positions[-1]): 0.25, int(positions[1]): np.array([1, 0]), 10**6: 1}
        raise error

    with pytest.raises(ConnectionError) as caught:
        run(labeler)
    (kept,) = caught.value.state["labels"]
    assert kept[1] == -1


def test_an_asynchronous_labeler_is_told_from_a_wrong_batch():
    async def labeler(positions):
        return judge(positions)

    with pytest.raises(TypeError, match="labeler is asynchronous"):
        run(labeler)
    with pytest.raises(TypeError, match="labeler must be callable, got list"):
        run([1, 0])


# -- another pool, procedure, seed or setting --------------------------------------------------------------------
STATE = ledger().to_state() | {"labels": [[3, 1], [4, -1]]}


@pytest.mark.parametrize("source", ["state", "log"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 6}, "seed=6 is not the seed of the .*, 5; another order of labelling"),
        ({"procedure": "other"}, "is of another procedure: 'toy'; expected 'other'"),
        ({"pool": "pool-b"}, "is of another pool: the scores, ids, query or index differ"),
        ({"settings": {**SETTINGS, "delta": 0.1}}, r"is of other settings: delta=0.05 \(here 0.1\)$"),
        ({"settings": {"target": 0.9, "extra": [1]}}, r"delta=0.05 \(here 'absent'\), batch=7 \(here 'absent'\)|extra='absent' \(here \[1\]\)"),
        ({"size": 4}, "position 4 lies outside the pool, which ends at 3"),
    ],
)
def test_what_belongs_to_something_else_is_refused(source, options, message, tmp_path):
    given = {"state": STATE}
    if source == "log":
        book = ledger(log=tmp_path / "log", state=STATE)
        book.open()
        book.close()
        given = {"log": tmp_path / "log"}
    with pytest.raises(ValueError, match=message):
        ledger(**given, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [[3, 1], [3, 1]]}, "position 3 is labelled twice"),
        ({"labels": [[-1, 1]]}, "position -1 lies outside the pool, positions are at least 0"),
        ({"labels": [[3, 2]]}, "answer 2 of position 3; expected 0, 1 or -1"),
        ({"labels": [[3.0, 1]]}, r"expected \[position, answer\], two integers; got \[3.0, 1\]"),
        ({"labels": [[3, True]]}, "two integers"),
        ({"labels": [[3]]}, "two integers"),
        ({"labels": [None]}, "two integers"),
        ({"labels": {"3": 1}}, "expected a list"),
        ({"version": 2}, "this fastcal reads 'fastcal-labels', version 1"),
        ({"format": "x"}, "format 'x', version 1"),
        ({"seed": None}, "seed must be an integer"),
        ({"seed": -1}, "seed must be an integer"),
        ({"pool": 3}, "pool must be a str, got 3"),
        ({"settings": []}, r"settings must be a mapping, got \[\]"),
        ({"more": 1}, r"unknown \['more'\]"),
    ],
)
def test_a_state_that_was_edited_is_refused(change, message, tmp_path):
    edited = STATE | change
    saved = tmp_path / "state.json"
    saved.write_text(json.dumps(edited, indent=1))
    for state in (edited, saved):
        with pytest.raises(fc.FastcalError, match=message):
            ledger(state=state)


def test_a_state_comes_from_a_mapping_a_saved_file_or_a_log(tmp_path):
    (tmp_path / "saved.json").write_text(json.dumps(STATE))
    book = ledger(log=tmp_path / "log", state=STATE)
    book.open()
    book.close()
    for state in (STATE, tmp_path / "saved.json", str(tmp_path / "log")):
        assert ledger(seed=None, state=state).to_state() == STATE
    for junk, error in ((3, TypeError), ({}, ValueError), ("", ValueError), (tmp_path / "absent", fc.LabelFileError)):
        with pytest.raises(error):
            ledger(state=junk)
    with pytest.raises(ValueError, match="is a saved state and no log; pass it as state="):
        ledger(log=tmp_path / "saved.json")


def test_fresh_seeds_differ_and_can_be_resumed():
    seeds = {ledger(seed=None).seed for _ in range(20)}
    assert len(seeds) == 20
    assert all(ledger(seed=None, state=ledger(seed=seed).to_state()).seed == seed for seed in seeds)


def test_a_certificate_interrupted_anywhere_is_the_same_certificate(tmp_path):
    """The real walk, killed by its labeler after every seventh batch or so, alternately resumed from its log and its state."""
    rng = np.random.default_rng(0)
    scores = rng.random(3000).astype(np.float32)
    labels = (rng.random(3000) < 0.98 * np.minimum(0.5 + scores, 1)).astype(np.int8)

    def certify(n_calls, **options):
        paid = []

        def labeler(positions):
            if len(paid) == n_calls:
                raise OSError
            paid.append(positions.tolist())
            return labels[positions]

        try:
            return certify_threshold(scores, labeler, batch_size=8, **options).to_dict(), paid
        except OSError as error:
            return error.state, paid

    whole, bought = certify(None, seed=3)
    assert whole["reason"] == "certified"
    for n_calls in range(0, len(bought), 7):
        log = tmp_path / str(n_calls)
        state, first = certify(n_calls, seed=3, log=log)
        resumed, second = certify(None, **({"log": log} if n_calls % 2 else {"state": state}))
        assert resumed == whole
        assert first + second == bought


def test_a_procedure_cannot_overspend():
    def greedy():
        yield np.arange(3)
        yield np.arange(1, 6)

    book, buyer = ledger(budget=5), Bought()
    with pytest.raises(AssertionError, match="more labels than it may use") as caught:
        drive(greedy(), book, buyer)
    assert len(buyer.positions) == len(caught.value.state["labels"]) == 3


def test_what_nobody_could_judge_is_told():
    """A result that has no report of its own says what was asked in vain."""
    parts = {"labels_used": 45, "labels_floor": 29, "n_selected": 0, "scope": "This pool.", "seed": 1, "state": {}}
    told = str(LabelledResult(threshold=None, reason="head_fails", n_cannot_judge=45, **parts))
    assert told == (
        "LabelledResult: no threshold (head_fails)\n45 labels used; 45 of them nobody could judge: they count as not relevant\nThis pool."
    )
    assert "threshold 0.5, 0 rows (certified)\n45 labels used\n" in str(LabelledResult(threshold=0.5, reason="certified", n_cannot_judge=0, **parts))
