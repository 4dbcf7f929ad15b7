"""Somebody at the terminal is asked for labels, and each answer is kept in a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidValueError, LabelingStopped
from fastcal.labelling import TerminalLabeler, _table
from fastcal.run import Run, pairs

_BATCH = 10  # answers that a killed terminal can lose, and within which one can be undone
_KEYS = ("query_id", "doc_id")


def terminal_labeler(show: Callable[[int], str]) -> TerminalLabeler:
    """Return a labeler that asks at the terminal; without one, an error that says what to do."""
    if not sys.stdin.isatty():
        raise InvalidValueError("nobody can be asked: standard input is no terminal")
    if sys.stdout.isatty():
        return TerminalLabeler(show)
    return TerminalLabeler(show, input=_prompted, output=lambda shown: print(shown, file=sys.stderr))  # stdout is for the result


def _prompted(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    return input()


class KeptAnswers:
    """A labeler that looks into a CSV of answers, asks for what it lacks, and appends that to it."""

    positions_per_call = None

    def __init__(self, run: Run, show: Callable[[int], str], path: str) -> None:
        self._run, self._ask, self._path = run, terminal_labeler(show), Path(path)

    def __call__(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
        """Return 1, 0 or -1 (cannot judge) for each position."""
        names = list(zip(*(map(str, names.tolist()) for names in pairs(self._run, positions)), strict=True))
        table = _table.read(self._path, _KEYS)
        lacking = [at for at, name in enumerate(names) if table.labels.get(name) is None]
        found = dict(table.labels)
        for start in range(0, len(lacking), _BATCH):
            part = lacking[start : start + _BATCH]
            found |= self._asked(positions, names, part)
        return np.array([found[name] for name in names], np.int8)

    def _asked(self, positions: npt.NDArray[np.int64], names: list[tuple[str, ...]], part: list[int]) -> dict[tuple[str, ...], int]:
        try:
            answers = self._ask(positions[part]).tolist()
        except BaseException as error:
            paid = getattr(error, "paid", {})
            self._keep([names[at] for at in part if int(positions[at]) in paid], list(paid.values()))
            if isinstance(error, LabelingStopped):
                raise LabelingStopped(f"labelling was stopped; the answers are in {self._path}, and the same command goes on from there") from None
            raise
        asked = [names[at] for at in part]
        self._keep(asked, answers)
        return dict(zip(asked, answers, strict=True))

    def _keep(self, names: list[tuple[str, ...]], answers: list[int]) -> None:
        if names:
            rows = [dict(zip(_KEYS, name, strict=True)) | {"label": str(answer)} for name, answer in zip(names, answers, strict=True)]
            _table.append(self._path, _table.read(self._path, _KEYS), rows)
