"""Every label that was paid for, what it was paid for, and how many may still be bought."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate import files
from fastcal._validate.numbers import integer
from fastcal.errors import InvalidValueError, LabelingError
from fastcal.labelling import _state
from fastcal.labelling._lines import JsonLines

Int64 = npt.NDArray[np.int64]
Int8 = npt.NDArray[np.int8]


class Ledger:
    """The labels of one procedure on one pool.

    Labels that a `state` or a `log` brings along are answered without being bought again. They count as used when the procedure
    asks for them, so that a resumed procedure sees what an uninterrupted one would: a procedure that is a deterministic function
    of its settings, the seed and the answers takes the same path.

    Parameters
    ----------
    procedure : str
        Name of the public function.
    pool : str
        Fingerprint of what positions refer to; see :func:`fastcal.labelling._fingerprint.fingerprint`.
    settings : mapping of plain JSON
        Everything the promise depends on; another one is refused on resuming. The budget is not part of it.
    budget : int, optional
        Labels that may be used in all; None is no limit.
    seed : int, optional
        None takes that of `state` or `log`, or fresh entropy.
    state : mapping or path, optional
        What :meth:`to_state` returned, or the path of a log or of a state saved as JSON.
    log : path, optional
        Labels are appended to this file as they arrive, before the procedure sees them; see :mod:`fastcal.labelling._lines`.
        One that is there already is continued. Where `state` and `log` disagree about a position, the log is right.
        The file is not touched before :meth:`open`.
    size : int, optional
        Positions lie below it.
    """

    def __init__(
        self,
        procedure: str,
        pool: str,
        settings: Mapping[str, Any],
        *,
        budget: int | None = None,
        seed: int | None = None,
        state: Mapping[str, Any] | str | PathLike[str] | None = None,
        log: str | PathLike[str] | None = None,
        size: int | None = None,
    ) -> None:
        self.procedure, self.pool, self.budget, self.size = procedure, pool, budget, size
        self.settings: dict[str, Any] = json.loads(json.dumps(settings, allow_nan=False))
        self._paid: dict[int, int] = {}
        self._used: set[int] = set()
        self._log = None if log is None else JsonLines(files.path(log, "log"), _state.MAGIC)
        logged = None if self._log is None else _state.read_log(self._log, size)
        seeds = {} if seed is None else {"seed": integer(seed, "seed", least=0)}
        if logged is not None and self._log is not None:
            self._take(f"log {self._log.path}", *logged, seeds)
        self._unlogged = dict[int, int]()
        self._sent: tuple[int, dict[int, int]] = 0, {}  # lines of the log before the last append, and what it was to add
        if state is not None:
            name, first, labels = _state.read(state, size)
            self._take(name, first, labels, seeds)
            self._unlogged = {p: labels[p] for p in labels if logged is None or p not in logged[1]}
        self.seed: int = next(iter(seeds.values())) if seeds else secrets.randbits(53)  # any reader of JSON keeps 53 bits

    @property
    def n_used(self) -> int:
        """Distinct labels the procedure has asked for."""
        return len(self._used)

    @property
    def n_cannot_judge(self) -> int:
        """Labels asked for that nobody could judge."""
        return sum(self._paid[position] < 0 for position in self._used if position in self._paid)

    @property
    def remaining(self) -> float:
        """Labels that may still be asked for; inf without a budget."""
        return np.inf if self.budget is None else self.budget - self.n_used

    def rng(self, tag: str) -> np.random.Generator:
        """Return a generator of this ledger's seed and a library tag: no caller's ``default_rng(seed)`` collides with it."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, *tag.encode()]))

    def unpaid(self, positions: Int64) -> Int64:
        """Mark positions as used; return those whose labels are not in hand, in the order given."""
        asked = positions.tolist()
        fresh = set(asked) - self._used
        assert len(fresh) <= self.remaining, "a procedure asked for more labels than it may use"
        self._used |= fresh
        return np.array([position for position in asked if position not in self._paid], np.int64)

    def record(self, positions: Int64, answers: Int8) -> None:
        """Keep labels that were just paid, in the log too; the first answer of a position is final."""
        pairs = zip(positions.tolist(), answers.tolist(), strict=True)
        fresh = {position: answer for position, answer in pairs if position not in self._paid}
        if self._log is not None:
            self._unlogged.update(fresh)  # first: what is interrupted here is recorded again
        self._paid.update(fresh)
        if self._log is not None:
            self._flush(self._log)

    def answers(self, positions: Int64) -> Int8:
        """Return the answers in hand, 0, 1 or -1."""
        return np.array([self._paid[position] for position in positions.tolist()], np.int8)

    def to_state(self) -> dict[str, Any]:
        """Return plain JSON: everything needed to go on. Labels stand in the order in which they were paid."""
        return self._header() | {"labels": [[position, answer] for position, answer in self._paid.items()]}

    def open(self) -> None:
        """Lock the log and bring it up to date; without one, do nothing."""
        if self._log is None:
            return
        self._log.open(wait=False)
        try:
            new = self._log.read()
        except BaseException:
            self._log.close()  # it is not ours to flush into
            raise
        if new:
            self._log.close()
            raise LabelingError(f"{self._log.path} was written by somebody else since it was read; call again to go on from there")
        self._flush(self._log)

    def close(self) -> None:
        """Give the log back; what an exception kept from it is tried once more."""
        if self._log is not None and self._log.is_open:
            try:
                with suppress(OSError):
                    self._flush(self._log)
            finally:
                self._log.close()

    def _flush(self, log: JsonLines) -> None:
        """Write what is not in the log yet; one line, so that it is there as a whole or not at all."""
        self._settle(log)
        batch = [[[position, answer] for position, answer in self._unlogged.items()]] if self._unlogged else []
        if batch or not log.n_lines:
            self._sent = log.n_lines, self._unlogged.copy()
            log.append([self._header()] * (not log.n_lines) + batch)
            self._settle(log)

    def _settle(self, log: JsonLines) -> None:
        """Forget what the last append took with it; the lines of the log tell, for Ctrl-C may come between the two."""
        before, sent = self._sent
        if log.n_lines > before:
            self._unlogged = {position: answer for position, answer in self._unlogged.items() if position not in sent}

    def _header(self) -> dict[str, Any]:
        return _state.header(self.procedure, self.pool, self.settings, self.seed)

    def _take(self, name: str, found: Mapping[str, Any], labels: Mapping[int, int], seeds: dict[str, int]) -> None:
        """Take the labels and the seed of a state or a log, which has to be one of this procedure."""
        if found["procedure"] != self.procedure:
            raise InvalidValueError(f"{name} is of another procedure: {found['procedure']!r}; expected {self.procedure!r}")
        if found["pool"] != self.pool:
            raise InvalidValueError(f"{name} is of another pool: the scores, ids, query or index differ from those that it began with")
        if found["settings"] != self.settings:
            raise InvalidValueError(f"{name} is of other settings: {_state.differences(found['settings'], self.settings)}")
        for other, seed in seeds.items():
            if seed != found["seed"]:
                raise InvalidValueError(
                    f"{other}={seed} is not the seed of the {name}, {found['seed']}; another order of labelling needs another share of delta"
                )
        seeds[name] = found["seed"]
        self._paid |= {position: labels[position] for position in labels if position not in self._paid}
