"""Results as JSON: ``{query: {document: score}}``, on its own or inside something larger, as MTEB's prediction files have it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastcal.errors import InvalidValueError
from fastcal.files._source import Source, opened

_DEPTH = 4
_MOST = 2**63  # integers beyond it are a mistake


def read_results(found: Source) -> dict[str, dict[str, float]]:
    """Return the lists of a file; of several, those that its member names: ``predictions.json:default/test``."""
    with opened(found) as file:
        data = file.read()
    try:
        whole = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once)
        if b"\\u" in data:
            json.dumps(whole, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InvalidValueError(f"{found.name}, line {error.lineno}, column {error.colno}: {error.msg}") from error
    except InvalidValueError as error:
        raise InvalidValueError(f"{found.name}: {error}") from None
    except (ValueError, RecursionError) as error:
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
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a name that stands in it twice would be lost, and one that is empty names nothing."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise InvalidValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice in one object")
    if "" in found:
        raise InvalidValueError("a query or document has an empty name")
    return found


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
