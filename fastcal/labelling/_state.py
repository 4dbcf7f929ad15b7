"""Labels that were paid for, as plain JSON: judged before they are trusted, read from a mapping, a log or a saved state."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcal._validate import files
from fastcal._validate.keys import require_keys
from fastcal._validate.numbers import integer
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.labelling._lines import JsonLines, file_errors

FORMAT, VERSION = "fastcal-labels", 1
MAGIC = f'{{"format": "{FORMAT}"'.encode()
HEADER = ("procedure", "pool", "settings", "seed")
_INT64_MAX = 2**63 - 1


def header(procedure: str, pool: str, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return what labels were paid for: the first line of a log, and a state without its labels."""
    return {"format": FORMAT, "version": VERSION, "procedure": procedure, "pool": pool, "settings": settings, "seed": seed}


def read(state: Any, size: int | None) -> tuple[str, dict[str, Any], dict[int, int]]:
    """Return the name, the header and the labels of a state: a mapping, or the path of a log or of a saved state."""
    if isinstance(state, Mapping):
        return "state", *_judged(state, "state", size)
    if not isinstance(state, str | bytes | os.PathLike):
        raise InvalidTypeError(f"state must be a mapping, or the path of a log or of a saved state; got {type(state).__name__}")
    path = files.path(state, "state")
    saved = _saved(path)
    if saved is not None:
        return f"state {path}", *_judged(saved, f"state {path}", size)
    found = read_log(JsonLines(path, MAGIC), size)
    if found is None:
        raise InvalidValueError(f"state {path} is empty; expected a log or a saved state")
    return f"state {path}", *found


def read_log(lines: JsonLines, size: int | None) -> tuple[dict[str, Any], dict[int, int]] | None:
    """Return the header and the labels of a log, or None if it is new."""
    values = lines.read()
    if not values:
        return None
    if isinstance(values[0], dict) and "labels" in values[0]:
        raise InvalidValueError(f"{lines.path} is a saved state and no log; pass it as state=")
    first = _judged_header(values[0], f"{lines.path}, line 1")
    labels: dict[int, int] = {}
    for number, batch in enumerate(values[1:], 2):
        _add(labels, batch, f"{lines.path}, line {number}", size)
    return first, labels


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """Tell in words in which settings two mappings differ."""
    keys = [key for key in {**expected, **found} if key not in expected or key not in found or found[key] != expected[key]]
    return ", ".join(f"{key}={found.get(key, 'absent')!r} (here {expected.get(key, 'absent')!r})" for key in keys)


def _saved(path: Path) -> dict[str, Any] | None:
    """Return a state that was saved as one JSON object; None if the file holds something else."""
    with file_errors(path), path.open("rb") as file:
        data = file.read()
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "labels" in value else None


def _judged(state: Mapping[str, Any], name: str, size: int | None) -> tuple[dict[str, Any], dict[int, int]]:
    labels: dict[int, int] = {}
    if "labels" not in state:
        require_keys(state, {"format", "version", *HEADER, "labels"}, name)
    first = _judged_header({key: value for key, value in state.items() if key != "labels"}, name)
    _add(labels, state["labels"], f"{name}, labels", size)
    return first, labels


def _judged_header(given: Any, name: str) -> dict[str, Any]:
    if isinstance(given, Mapping) and (given.get("format"), given.get("version")) != (FORMAT, VERSION):
        found = f"format {given.get('format')!r}, version {given.get('version')!r}"
        raise InvalidValueError(f"{name} has {found}; this fastcal reads {FORMAT!r}, version {VERSION}")
    require_keys(given, {"format", "version", *HEADER}, name)
    for key in ("procedure", "pool"):
        if not isinstance(given[key], str):
            raise InvalidTypeError(f"{name}: {key} must be a str, got {given[key]!r}")
    if not isinstance(given["settings"], Mapping):
        raise InvalidTypeError(f"{name}: settings must be a mapping, got {given['settings']!r}")
    integer(given["seed"], f"{name}: seed", least=0)
    return dict(given)


def _add(labels: dict[int, int], pairs: Any, name: str, size: int | None) -> None:
    """Add [position, answer] pairs of a state; nothing about them is taken on trust."""
    if not isinstance(pairs, list | tuple):
        raise InvalidTypeError(f"{name}: expected a list of [position, answer], got {pairs!r}")
    last = _INT64_MAX if size is None else size - 1
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or type(pair[0]) is not int or type(pair[1]) is not int:
            raise InvalidTypeError(f"{name}: expected [position, answer], two integers; got {pair!r}")
        position, answer = pair
        if not 0 <= position <= last:
            end = "positions are at least 0" if position < 0 else f"which ends at {last}"
            raise InvalidValueError(f"{name}: position {position} lies outside the pool, {end}")
        if answer not in {-1, 0, 1}:
            raise InvalidValueError(f"{name}: answer {answer} of position {position}; expected 0, 1 or -1 (cannot judge)")
        if position in labels:
            raise InvalidValueError(f"{name}: position {position} is labelled twice, {labels[position]} and {answer}")
        labels[position] = answer
