"""Segments as named tensors with a description; _restored.py is the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastcal._backend.protocol import Array
from fastcal.errors import InvalidValueError
from fastcal.index import _location
from fastcal.index._segment import Segment

Segments = tuple[Segment, ...]

# What a search may need of any row, so it is checked at load; the large parts follow behind.
FACTS = ("norms", "ids", "digests", "centre", "direction")


def describe(segment: Segment, folder: Path, *, with_rows: bool) -> dict[str, Any]:
    """What is not a tensor: plain values."""
    location = None if with_rows else _location.of(segment.rows)
    place = None if location is None else location.to_dict(folder)
    return {"n_rows": len(segment), "dtype": segment.rows.dtype.name, "corpus": place}


def tensors_of(segments: Segments, *, with_rows: bool) -> dict[str, Array]:
    """Tensors by name, facts of all segments first."""
    parts = [_tensors(segment, with_rows=with_rows) for segment in segments]
    facts = {f"{i}.{name}": part[name] for i, part in enumerate(parts) for name in FACTS if name in part}
    return facts | {f"{i}.{name}": array for i, part in enumerate(parts) for name, array in part.items()}


def _tensors(segment: Segment, *, with_rows: bool) -> dict[str, Array]:
    parts = {"norms": segment.norms, "ids": segment.ids, "digests": segment.digests}
    parts |= {} if segment.sketch is None else segment.sketch.parts()
    parts |= {"rows": segment.rows} if with_rows else {}
    return {name: array for name, array in parts.items() if array is not None}


def refuse_to_lose_rows(target: Path, segments: Segments, *, with_rows: bool) -> None:
    """Raise if the file that is about to be replaced holds rows of this index; an index with rows may replace the one it came from."""
    for segment in segments:
        location = _location.of(segment.rows)
        if location is None or not (target.exists() and location.path.exists() and target.samefile(location.path)):
            continue
        if not (with_rows and segment.image is not None and target.samefile(segment.image.path)):
            raise InvalidValueError(f"{target} holds the rows of this index, and perhaps more; save under another name")
