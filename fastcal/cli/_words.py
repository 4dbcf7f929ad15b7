"""What the library says of its arguments, in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fastcal.errors import InvalidTypeError, InvalidValueError

_WORDS = {
    r"target_(precision|recall)=": r"--target \1=",
    r"target_(precision|recall)": r"--target \1",
    r"higher_is_better=False": "--distances",
    r"n_splits=": "--splits ",
    r"n_splits": "--splits",
    r"batch_size=": "--batch ",
    r"batch_size": "--batch",
    r"escalate_from=": "--escalate-from ",
    r"escalate_from": "--escalate-from",
    "`unjudged`": "--unjudged",
    r"drop_not_found": "--drop-not-found",
}
# Whole words, and no part of a path.
_BEFORE, _BEHIND = r"(?<![\w/.-])", r"(?![=/.-]*\w)"
_EVERY = tuple((re.compile(f"{_BEFORE}{word}{'' if word.endswith('=') else _BEHIND}"), option) for word, option in _WORDS.items())


def spoken(text: str) -> str:
    """Return what the library says with its arguments as options.

    >>> spoken("target_precision=0.7 selects 0 of the thresholds in /data/n_splits/a")
    '--target precision=0.7 selects 0 of the thresholds in /data/n_splits/a'
    """
    for word, option in _EVERY:
        text = word.sub(option, text)
    return text


@contextmanager
def worded(words: Mapping[str, str]) -> Iterator[None]:
    """Let errors of the body's calls be told in a command's own words: regular expressions, and what takes the place of their matches."""
    try:
        yield
    except (InvalidValueError, InvalidTypeError) as error:
        text = str(error)
        for told, here in words.items():
            text = re.sub(told, here, text)
        error.args = (text,)
        raise
