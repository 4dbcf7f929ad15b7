"""A labeler for a judge that takes many items at a time, fails at times, and costs money: a language model."""

from __future__ import annotations

import inspect
import json
import threading
import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from itertools import islice
from numbers import Real
from os import PathLike
from reprlib import repr as shortened
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal._validate import files
from fastcal._validate.numbers import integer, number, one_of
from fastcal.errors import InvalidTypeError, InvalidValueError, LabelingWarning
from fastcal.labelling._calls import MOST
from fastcal.labelling._lines import JsonLines
from fastcal.labelling._names import as_positions

_HEADER = {"format": "fastcal-answers", "version": 1}
_LONGEST_PAUSE, _GLANCE = 60.0, 0.01  # seconds
_MANY = 10  # malformed answers are no accident any more

# Yields items to judge or seconds to sleep; is sent what the judge returned or the Exception it raised.
_Talk = Generator[list[Any] | float, Any, Any]


class BatchLabeler:
    """Ask a judge in batches, with a cache on the disk, retries, and "cannot judge" for what it cannot say.

    An asynchronous `judge` makes the labeler asynchronous, for the ``_async`` functions; so does :meth:`acall`.

    Parameters
    ----------
    judge : callable
        Gets a list of items, returns a list of as many answers: 1 or True, 0 or False, and for "cannot judge" None, -1 or those
        words. Anything else ("yes", "1", 0.7, a dict) is malformed: turning words into answers is the judge's affair.
    items : sequence, mapping or callable
        ``items[position]`` or ``items(position)``: a str or plain JSON, the query included. Positions with the same item share one
        answer.
    batch_size : int, default 32
        Most items of one call of `judge`.
    cache : path, optional
        File of answers, by digest of `key` and item, appended to as they arrive; no item in it is asked again, in no process.
    key : str, default ""
        What else the answers depend on: model, prompt. It keeps the answers of different judges in one cache apart.
    retries : int, default 3
        How often to ask again about items for which `judge` raised an Exception or whose answer is malformed.
    backoff : float, default 1.0
        Seconds before the first retry; they double with each, up to 60.
    malformed : {"cannot_judge", "raise"}, default "cannot_judge"
        What to do about answers that are still malformed after the last retry. An exception is raised in any case: a wrong
        password is no answer. So is the error of a judge that has not given one well-formed answer yet.

    Raises
    ------
    ValueError, TypeError
        With ``malformed="raise"``, or if no answer was ever well formed; if an item is no plain JSON, `items` end before a
        position, or `cache` is a file of another kind.

    Warns
    -----
    LabelingWarning
        Once, if 10 answers or more, and more than one in ten, were given up as malformed.

    Examples
    --------
    >>> import fastcal as fc
    >>> def judge(texts):
    ...     print("asked:", texts)
    ...     return [None if "?" in text else "cat" in text for text in texts]
    >>> labeler = fc.BatchLabeler(judge, ["a cat", "a dog", "a cat", "a c?t"], batch_size=2)
    >>> labeler([0, 1, 2, 3]).tolist()
    asked: ['a cat', 'a dog']
    asked: ['a c?t']
    [1, 0, 1, -1]
    """

    def __init__(
        self,
        judge: Callable[[list[Any]], Any],
        items: Sequence[Any] | Mapping[int, Any] | npt.NDArray[Any] | Callable[[int], Any],
        *,
        batch_size: int = 32,
        cache: str | PathLike[str] | None = None,
        key: str = "",
        retries: int = 3,
        backoff: float = 1.0,
        malformed: Literal["cannot_judge", "raise"] = "cannot_judge",
    ) -> None:
        if not callable(judge):
            raise InvalidTypeError(f"judge must be callable, got {type(judge).__name__}")
        if not callable(items) and not hasattr(items, "__getitem__"):
            raise InvalidTypeError(f"items must be a sequence, a mapping or callable, got {type(items).__name__}")
        if not isinstance(key, str):
            raise InvalidTypeError(f"key must be a str, got {type(key).__name__}")
        self._judge, self._items, self._key = judge, items, key
        self._batch_size = integer(batch_size, "batch_size", least=1)
        self._attempts = integer(retries, "retries", least=0) + 1
        self._backoff = number(backoff, "backoff", "a number of seconds, at least 0", lambda x: 0.0 <= x < np.inf)
        self._malformed = one_of(malformed, "malformed", ("cannot_judge", "raise"))
        self.positions_per_call = self._batch_size * max(1, MOST // self._batch_size)
        self.n_positions = len(items) if isinstance(items, Sequence | np.ndarray) and not callable(items) else None
        self._n_good, self._n_given_up, self._warned = 0, 0, False
        self._known: dict[str, int] = {}
        self._asked: set[str] = set()  # by calls that run at this moment, in threads or tasks
        self._lock = threading.Lock()
        self._cache = None if cache is None else JsonLines(files.path(cache, "cache"), b'{"format": "fastcal-answers"')
        self._keep({})  # a file that cannot be written is to be known before anything is paid

    def __call__(self, positions: npt.ArrayLike) -> Any:
        """Return 1, 0 or -1 (cannot judge) for each position; an awaitable of it if `judge` is asynchronous."""
        if inspect.iscoroutinefunction(self._judge) or inspect.iscoroutinefunction(getattr(self._judge, "__call__", None)):  # noqa: B004
            return self.acall(positions)
        talk = self._talk(as_positions(positions).tolist())
        reply = None
        while True:
            try:
                request = talk.send(reply)
            except StopIteration as end:
                return end.value
            try:
                reply = self._serve(request)
            except BaseException as error:  # noqa: BLE001
                talk.throw(error)

    async def acall(self, positions: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Do as a call does, awaiting what `judge` returns."""
        talk = self._talk(as_positions(positions).tolist())
        reply = None
        while True:
            try:
                request = talk.send(reply)
            except StopIteration as end:
                answers: npt.NDArray[np.int8] = end.value
                return answers
            try:
                reply = await self._serve_async(request)
            except BaseException as error:  # noqa: BLE001
                talk.throw(error)

    def _serve(self, request: list[Any] | float) -> Any:
        if isinstance(request, float):
            time.sleep(request)
            return None
        try:
            answers = self._judge(request)
        except Exception as error:  # noqa: BLE001
            return error
        if inspect.isawaitable(answers):
            if inspect.iscoroutine(answers):
                answers.close()
            raise InvalidTypeError("judge is asynchronous: what it returned is awaitable; pass the labeler's acall to an _async function")
        return answers

    async def _serve_async(self, request: list[Any] | float) -> Any:
        if isinstance(request, float):
            from asyncio import sleep

            await sleep(request)
            return None
        try:
            answers = self._judge(request)
            return await answers if inspect.isawaitable(answers) else answers
        except Exception as error:  # noqa: BLE001
            return error

    def _talk(self, positions: list[int]) -> _Talk:
        """Get every answer there is to get; an exception leaves with those there are."""
        items = [self._item(position) for position in positions]
        digests = [self._digest(item, position) for item, position in zip(items, positions, strict=True)]
        try:
            yield from self._ask(dict(zip(digests, items, strict=True)))
        except BaseException as error:
            with suppress(AttributeError, TypeError):
                pairs = zip(positions, digests, strict=True)
                error.paid = {position: self._known[digest] for position, digest in pairs if digest in self._known}  # type: ignore[attr-defined]
            raise
        return np.array([self._known[digest] for digest in digests], np.int8)

    def _ask(self, wanted: Mapping[str, Any]) -> _Talk:
        """Ask batch after batch; what another call is asking about at this moment is waited for."""
        while True:
            with self._lock:
                missing = {digest: item for digest, item in wanted.items() if digest not in self._known}
                mine = dict(islice(((digest, item) for digest, item in missing.items() if digest not in self._asked), self._batch_size))
                self._asked.update(mine)
            if not missing:
                return
            if not mine:
                yield _GLANCE
                continue
            try:
                yield from self._insist(mine)
            finally:
                self._asked.difference_update(mine)

    def _insist(self, left: dict[str, Any]) -> _Talk:
        """Ask about one batch until every answer is there or the retries are spent."""
        failure: Exception | None = None
        for attempt in range(self._attempts):
            if attempt:
                yield min(self._backoff * 2.0 ** (attempt - 1), _LONGEST_PAUSE)
            reply = yield list(left.values())
            good, failure = ({}, reply) if isinstance(reply, Exception) else _read(list(left), reply)
            self._n_good += len(good)
            self._keep(good)
            left = {digest: item for digest, item in left.items() if digest not in good}
            if not left:
                return
            given_up = not isinstance(reply, Exception) and self._malformed == "cannot_judge"
        if failure is not None and not given_up:
            raise failure
        if failure is not None and not self._n_good:
            raise InvalidValueError(f"no answer of the judge was well formed: {failure}") from failure
        self._known.update(dict.fromkeys(left, -1))
        self._give_up(len(left), failure)

    def _give_up(self, n: int, failure: Exception | None) -> None:
        """Count answers that stay malformed; warn when they are too many to be accidents."""
        self._n_given_up += n
        if not self._warned and self._n_given_up >= max(_MANY, 0.1 * (self._n_good + self._n_given_up)):
            self._warned = True
            found = f"{self._n_given_up} of {self._n_good + self._n_given_up} answers of the judge are malformed after every retry"
            warnings.warn(f"{found} and count as not relevant; the last: {failure}", LabelingWarning, stacklevel=2)

    def _keep(self, answers: dict[str, int]) -> None:
        """Remember answers, first in memory: a full disk loses none."""
        self._known.update(answers)
        if self._cache is None:
            return
        with self._lock:
            self._cache.open(wait=True)
            try:
                self._learn(self._cache)
                lines = [_HEADER] * (self._cache.n_lines == 0) + [[digest, answer] for digest, answer in answers.items()]
                if lines:
                    self._cache.append(lines)
            finally:
                self._cache.close()

    def _learn(self, cache: JsonLines) -> None:
        """Take what the cache holds beyond what is known, another process's answers included."""
        first = cache.n_lines + 1
        for number_, line in enumerate(cache.read(), first):
            if number_ == 1:
                if line != _HEADER:
                    raise InvalidValueError(f"{cache.path} has the header {line}; this fastcal reads {_HEADER}")
            elif not _is_entry(line):
                raise InvalidValueError(f"{cache.path}, line {number_}: expected [digest, answer], got {line!r}")
            else:
                self._known.setdefault(line[0], line[1])

    def _item(self, position: int) -> Any:
        if self.n_positions is not None and position >= self.n_positions:
            raise InvalidValueError(f"items has {self.n_positions} entries, none for position {position}; it is of another pool")
        return self._items(position) if callable(self._items) else self._items[position]

    def _digest(self, item: Any, position: int) -> str:
        try:
            text = json.dumps([self._key, item], sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidTypeError(f"the item of position {position} must be a str or plain JSON: {error}") from None
        return blake2b(text.encode(), digest_size=16).hexdigest()


def _read(digests: list[str], reply: Any) -> tuple[dict[str, int], Exception | None]:
    """Return the answers that are well formed, and what is wrong with the others."""
    if not isinstance(reply, list | tuple | np.ndarray) or len(reply) != len(digests):
        found = f"{len(reply)} answers" if isinstance(reply, list | tuple | np.ndarray) else type(reply).__name__
        return {}, InvalidValueError(f"judge returned {found}, {shortened(reply)}; expected a list of {len(digests)}")
    answers = {digest: _answer(value) for digest, value in zip(digests, reply, strict=True)}
    wrong = [value for digest, value in zip(digests, reply, strict=True) if answers[digest] is None]
    failure = InvalidValueError(f"judge answered {shortened(wrong[0])}; expected 1, 0, or None (cannot judge)") if wrong else None
    return {digest: answer for digest, answer in answers.items() if answer is not None}, failure


def _answer(value: Any) -> int | None:
    if value is None or (isinstance(value, str) and value == "cannot judge"):
        return -1
    if isinstance(value, Real | np.bool_) and value in {-1, 0, 1}:
        return int(value == 1) - int(value == -1)
    return None


def _is_entry(line: Any) -> bool:
    return isinstance(line, list) and len(line) == 2 and isinstance(line[0], str) and type(line[1]) is int and line[1] in {-1, 0, 1}
