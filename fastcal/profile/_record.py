"""What a profile records, judged, and how it is kept in a file."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

from fastcal._validate import files
from fastcal._validate.numbers import instance
from fastcal.calibration import Calibrator, GroupCalibrator
from fastcal.errors import InvalidValueError
from fastcal.profile import _fields, _json
from fastcal.profile._queries import QueryHashes
from fastcal.profile._reference import Reference
from fastcal.profile._threshold import Threshold

MADE: Any = None  # __post_init__ puts a value in its place


@dataclass(frozen=True, eq=False, repr=False)
class Record:
    """The fields of a profile; :class:`Profile` documents them."""

    model: str
    metric: str
    calibrator: Calibrator | GroupCalibrator
    thresholds: tuple[Threshold, ...]
    _: KW_ONLY
    revision: str | None = None
    task: str | None = None
    stage: str | None = None
    norm: str | None = None
    modality: tuple[str, str] = ("text", "text")
    dims: int | None = None
    corpus: str | None = None
    base_rate: float = MADE
    top_k: int | None = None
    n_pairs: int | None = None
    n_queries: int | None = None
    diagnostics: Mapping[str, Any] | None = None
    reference: Reference | None = None
    queries: QueryHashes | None = None
    created: str = MADE
    library_version: str = MADE

    def __post_init__(self) -> None:
        judged: dict[str, Any] = {name: _fields.field(name, getattr(self, name)) for name in _json.PLAIN if name != "base_rate"}
        judged["calibrator"] = _fields.calibrator(self.calibrator)
        judged["thresholds"] = _fields.thresholds(self.thresholds)
        judged["base_rate"] = _fields.base_rate(self.base_rate, self.calibrator.base_rate_)
        judged["created"] = _fields.created(self.created)
        judged["library_version"] = _fields.library_version(self.library_version)
        if self.diagnostics is not None:
            instance(self.diagnostics, "diagnostics", Mapping)
            judged["diagnostics"] = _fields.plain_json(self.diagnostics, "diagnostics")
        for name, kind in (("reference", Reference), ("queries", QueryHashes)):
            if getattr(self, name) is not None:
                instance(getattr(self, name), name, kind)
        if self.queries is not None and judged["n_queries"] is not None and len(self.queries.hashes) < judged["n_queries"]:
            raise InvalidValueError(f"queries holds {len(self.queries.hashes)} hashes, fewer than n_queries={judged['n_queries']}")
        for name, value in judged.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        known = {name: getattr(self, name) for name in _json.PLAIN if getattr(self, name) is not None}
        told = {"calibrator": type(self._predictor).__name__, "thresholds": len(self.thresholds), "created": self.created}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in (known | told).items())})"

    @property
    def _predictor(self) -> Calibrator | GroupCalibrator:
        """The calibrator itself, which ``calibrator`` shows copies of."""
        kept: Calibrator | GroupCalibrator = self.__dict__["calibrator"]
        return kept

    @classmethod
    def load(cls, path: Any) -> Self:
        """Read a profile from a file, strictly: whatever is missing, unknown or out of range is an error that names it.

        Raises
        ------
        ValueError, TypeError
            If the file is not a profile, was written by a newer fastcal, or a key does not hold what it should.
        OSError
            If it cannot be read.

        Examples
        --------
        >>> import os, tempfile, fastcal as fc
        >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "profile.json")
        ...     fc.Profile("m", "cosine", platt, []).save(path)
        ...     fc.Profile.load(path).model
        'm'
        """
        return cls(**_json.read(files.path(path, "path")))

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """Rebuild a profile from what :meth:`to_dict` returned, as strictly as :meth:`load`.

        Examples
        --------
        >>> import fastcal as fc
        >>> profile = fc.Profile("m", "cosine", fc.PlattCalibrator().fit([0.1, 0.9], [0, 1]), [])
        >>> fc.Profile.from_dict(profile.to_dict()).to_dict() == profile.to_dict()
        True
        """
        return cls(**_json.arguments(d))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types."""
        plain = {name: getattr(self, name) for name in _json.PLAIN} | {"modality": list(self.modality)}
        return {
            "format": _json.FORMAT,
            "schema_version": _json.SCHEMA_VERSION,
            **plain,
            "calibrator": self._predictor.to_dict(),
            "thresholds": [each.to_dict() for each in self.thresholds],
            "diagnostics": self.diagnostics,
            "reference": None if self.reference is None else self.reference.to_dict(),
            "queries": None if self.queries is None else self.queries.to_dict(),
            "created": self.created,
            "library_version": self.library_version,
        }

    def save(self, path: Any) -> None:
        """Write the profile to a JSON file, which appears complete or not at all. OSError if it cannot be written."""
        _json.write(files.path(path, "path"), self.to_dict())


class _Copied:
    """A field that hands out copies: what is done to one does not reach the profile."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Record | None, owner: type[Record]) -> Any:
        return self if instance is None else copy.deepcopy(instance.__dict__[self._name])

    def __set__(self, instance: Record, value: Any) -> None:
        instance.__dict__[self._name] = value


for _name in ("calibrator", "diagnostics"):  # here, for in the class they would be taken for defaults of the fields
    setattr(Record, _name, _Copied(_name))
