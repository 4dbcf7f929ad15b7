"""A labeler for one person at a terminal."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._extras import require
from fastcal.errors import InvalidTypeError, LabelingStopped, MissingExtraError
from fastcal.labelling._names import as_positions

_ANSWERS = {"y": 1, "1": 1, "n": 0, "0": 0, "s": -1, "-1": -1}
_PROMPT = "relevant? y(es) n(o) s(kip: cannot judge) u(ndo) q(uit) > "
# A document must not steer the terminal; tabs and line breaks stay.
_CONTROL = {code: "\N{REPLACEMENT CHARACTER}" for code in [*range(32), *range(127, 160)] if chr(code) not in "\n\t"}


class TerminalLabeler:
    """Show one item after the other and ask whether it is relevant.

    An answer can be undone until the batch ends. Whoever quits, by ``q``, the end of the input or Ctrl-C, loses nothing: the answers
    given are in the ``.state`` of the exception.

    Parameters
    ----------
    show : callable
        Gets a position (int), returns the text to judge, the query included; the score has no place in it.
    input : callable, optional
        Gets the prompt, returns a line; :func:`input`.
    output : callable, optional
        Gets a text to show; rich's panels if rich is installed, else :func:`print`.

    Raises
    ------
    LabelingStopped
        When the person quits.

    Examples
    --------
    >>> import fastcal as fc
    >>> texts, keys = ["cats purr", "dogs bark"], iter("yun?s")
    >>> labeler = fc.TerminalLabeler(lambda p: f"query: cats / {texts[p]}", input=lambda prompt: next(keys), output=print)
    >>> labeler([0, 1]).tolist()
    1 of 2
    query: cats / cats purr
    2 of 2
    query: cats / dogs bark
    1 of 2
    query: cats / cats purr
    2 of 2
    query: cats / dogs bark
    answer y, n, s, u or q
    [0, -1]
    """

    def __init__(
        self,
        show: Callable[[int], str],
        *,
        input: Callable[[str], str] | None = None,  # noqa: A002
        output: Callable[[str], Any] | None = None,
    ) -> None:
        for name, value in (("show", show), ("input", input or print), ("output", output or print)):
            if not callable(value):
                raise InvalidTypeError(f"{name} must be callable, got {type(value).__name__}")
        self._show, self._input = show, input
        self._output = _panel() if output is None else output

    def __call__(self, positions: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Return 1, 0 or -1 (cannot judge) for each position."""
        asked = as_positions(positions).tolist()
        answers: list[int] = []
        try:
            while len(answers) < len(asked):
                answer = self._ask(f"{len(answers) + 1} of {len(asked)}\n{self._show(asked[len(answers)])}")
                if answer is None:
                    del answers[-1:]
                else:
                    answers.append(answer)
        except BaseException as error:
            with suppress(AttributeError, TypeError):
                error.paid = dict(zip(asked, answers, strict=False))  # type: ignore[attr-defined]
            raise
        return np.array(answers, np.int8)

    def _ask(self, text: str) -> int | None:
        """Return an answer, or None to undo the last one."""
        self._output(text.translate(_CONTROL))
        while True:
            try:
                line = (self._input or builtins.input)(_PROMPT).strip().lower()
            except EOFError:
                line = "q"
            if line == "q":
                raise LabelingStopped("labelling was stopped at the terminal; every answer is in .state")
            if line == "u":
                return None
            if line in _ANSWERS:
                return _ANSWERS[line]
            self._output("answer y, n, s, u or q")


def _panel() -> Callable[[str], Any]:
    try:
        console, panel, text = (require(f"rich.{name}", "cli") for name in ("console", "panel", "text"))
    except MissingExtraError:
        return print
    screen = console.Console()
    return lambda shown: screen.print(panel.Panel(text.Text(shown)))
