"""Results as JSON: ``{query: {document: score}}``, on its own or inside something larger, as MTEB's prediction files have it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastcal.errors import InvalidValueError
from fastcal.files._source import Source, opened

_DEPTH = 4


def read_results(found: Source) -> dict[str, dict[str, float]]:
    """Return the lists of a file; of several, those that its member names: ``predictions.json:default/test``."""
    with opened(found) as file:
        data = file.read()
    try:
        whole = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise InvalidValueError(f"{found.name}, line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise InvalidValueError(f"{found.name}: not JSON ({error})") from error
    inside = dict(_lists(whole, ()))
    if found.member is not None:
        inside = {path: lists for path, lists in inside.items() if path == found.member}
    if len(inside) != 1:
        _refuse(found, dict(_lists(whole, ())), whole)
    return next(iter(inside.values()))


def _lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield path and value of everything that is {query: {document: number}}."""
    if not isinstance(value, Mapping) or not value or len(path) > _DEPTH:
        return
    if all(isinstance(inner, Mapping) and all(map(_is_number, inner.values())) for inner in value.values()) and (any(value.values()) or not path):
        yield "/".join(path), value
        return
    for name, inner in value.items():
        yield from _lists(inner, (*path, str(name)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _no_number(whole: Any, path: tuple[str, ...] = ()) -> str:
    """Name the first value two or more levels down that is no number."""
    if not isinstance(whole, Mapping):
        return "" if len(path) < 2 or _is_number(whole) else f"; query {path[-2]!r}, document {path[-1]!r}: {json.dumps(whole)[:60]} is not a number"
    told = (_no_number(value, (*path, str(name))) for name, value in whole.items()) if len(path) <= _DEPTH + 1 else iter(())
    return next(filter(None, told), "")


def _refuse(found: Source, inside: Mapping[str, Any], whole: Any) -> None:
    if not inside:
        raise InvalidValueError(f"{found.name}: expected {{query: {{document: number}}}}, and found none{_no_number(whole)}")
    have = ", ".join(f"{found.name}:{path}" for path in inside)
    got = f"no member {found.member!r}" if found.member else f"{len(inside)} results"
    raise InvalidValueError(f"{found.name} holds {got}; expected one of {have}")
