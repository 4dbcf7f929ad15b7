"""Profiles as files: strict JSON, written atomically, and old schema versions brought up to date."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastcal._atomic import replacing
from fastcal._validate.keys import require_keys
from fastcal.calibration import calibrator_from_dict
from fastcal.errors import FastcalError, InvalidTypeError, InvalidValueError
from fastcal.profile._queries import QueryHashes
from fastcal.profile._reference import Reference
from fastcal.profile._threshold import threshold_from_dict

FORMAT = "fastcal.profile"
SCHEMA_VERSION = 2
Migration = Callable[[dict[str, Any]], dict[str, Any]]
# From the version that is the key to the next one. Each takes all keys of its version but "format" and "schema_version".
MIGRATIONS: dict[int, Migration] = {1: lambda body: body | {"norm": None}}
PLAIN = ("model", "revision", "metric", "dims", "modality", "task", "stage", "norm", "top_k", "corpus", "base_rate", "n_pairs", "n_queries")
KEYS = (*PLAIN, "calibrator", "thresholds", "diagnostics", "reference", "queries", "created", "library_version")


def read(path: Path) -> dict[str, Any]:
    """Return the arguments of a profile from a file; errors name the file and the key."""
    data = path.read_bytes()
    try:
        return arguments(parse(data))
    except FastcalError as error:
        raise type(error)(f"{path}: {error}") from error


def write(path: Path, d: Mapping[str, Any]) -> None:
    """Write a profile's dictionary; the file appears complete or not at all."""
    try:
        data = json.dumps(d, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError as error:  # the label of a group
        raise InvalidValueError(f"a profile must be text that UTF-8 can hold: {error}") from None
    with replacing(path) as file:
        file.write(data + b"\n")


def parse(data: bytes) -> Any:
    """Parse JSON as its standard has it: no NaN, no key twice."""
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_key_twice)
    except FastcalError:
        raise
    except UnicodeDecodeError as error:
        raise InvalidValueError(f"not UTF-8: {error}") from None
    except ValueError as error:  # JSONDecodeError, or an integer of too many digits for Python
        raise InvalidValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise InvalidValueError("not a profile: nested too deeply") from None


def arguments(d: Any) -> dict[str, Any]:
    """Judge the shape of a profile's dictionary and return what the constructor takes."""
    if not isinstance(d, Mapping):
        raise InvalidTypeError(f"a profile must be a JSON object, got {type(d).__name__}")
    if d.get("format") != FORMAT:
        raise InvalidValueError(f"not a profile: format must be {FORMAT!r}, got {d.get('format')!r}")
    if "schema_version" not in d:
        raise InvalidValueError("profile has the wrong keys: missing ['schema_version']")
    body = {key: value for key, value in d.items() if key not in {"format", "schema_version"}}
    body = migrated(body, d["schema_version"], MIGRATIONS, SCHEMA_VERSION)
    require_keys(body, set(KEYS), "profile")
    if not isinstance(body["thresholds"], list):
        raise InvalidTypeError(f"thresholds must be a list, got {type(body['thresholds']).__name__}")
    if not isinstance(body["modality"], list):
        raise InvalidTypeError(f"modality must be a list of two texts, got {body['modality']!r}")
    made = {
        "calibrator": _named("calibrator", calibrator_from_dict, body["calibrator"]),
        "thresholds": [threshold_from_dict(each, f"thresholds[{i}]") for i, each in enumerate(body["thresholds"])],
        "reference": None if body["reference"] is None else Reference.from_dict(body["reference"]),
        "queries": None if body["queries"] is None else QueryHashes.from_dict(body["queries"]),
    }
    for key in ("base_rate", "created", "library_version"):
        if body[key] is None:
            raise InvalidTypeError(f"{key} is null; expected a value")
    return body | made


def migrated(body: dict[str, Any], version: Any, migrations: Mapping[int, Migration], current: int) -> dict[str, Any]:
    """Bring the keys of an older schema version up to the current one, a version at a time."""
    if type(version) is not int:
        raise InvalidTypeError(f"schema_version must be an integer, got {version!r}")
    if version > current:
        raise InvalidValueError(f"schema_version {version} was written by a newer fastcal; this one reads up to {current}: upgrade fastcal")
    if version < current and version not in migrations:
        raise InvalidValueError(f"schema_version {version} does not exist; expected {min([current, *migrations])} to {current}")
    for step in range(version, current):
        body = migrations[step](dict(body))
    return body


def _named(key: str, make: Callable[[Any], Any], value: Any) -> Any:
    try:
        return make(value)
    except (InvalidTypeError, InvalidValueError) as error:
        raise type(error)(f"{key}: {error}") from error


def _no_constant(name: str) -> Any:
    raise InvalidValueError(f"not JSON: {name} is no JSON number")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    d = dict(pairs)
    if len(d) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in {k for k, _ in pairs[:i]})
        raise InvalidValueError(f"the key {twice!r} stands twice in one object")
    return d
