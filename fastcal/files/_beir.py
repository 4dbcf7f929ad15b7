"""Folders in BEIR layout: corpus.jsonl, queries.jsonl, qrels/<split>.tsv or qrels.tsv, and embeddings beside them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from fastcal.errors import InvalidValueError
from fastcal.files._names import read_names
from fastcal.files._vectors import read_vectors

_SUFFIXES = (".npy", ".npz", ".safetensors", ".parquet")


def read_embedded(folder: str | PathLike[str], kind: Literal["corpus", "queries"]) -> tuple[list[str], npt.NDArray[Any]]:
    """Return the ids and the vectors of the documents or the queries of a folder.

    The vectors are those of ``<kind>_emb.npy``, ``.npz``, ``.safetensors`` or ``.parquet``, a row for each line of ``<kind>.jsonl``.

    Raises
    ------
    ValueError, OSError
        If a file is missing or damaged, or their lengths differ.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InvalidValueError(f"{place}: not a directory")
    names = read_names(place / f"{kind}.jsonl")
    file = next((path for path in (place / f"{kind}_emb{suffix}" for suffix in _SUFFIXES) if path.is_file()), None)
    if file is None:
        raise InvalidValueError(f"{place}: missing {kind}_emb.npy (or {', '.join(_SUFFIXES[1:])})")
    vectors = read_vectors(file)
    if len(vectors) != len(names):
        raise InvalidValueError(f"{file}: {len(vectors)} rows, but {kind}.jsonl has {len(names)} lines")
    return names, vectors


def qrels_file(folder: Path, split: str) -> Path:
    """Return the judgements of a split."""
    places = [folder / "qrels" / f"{split}.tsv", *([folder / "qrels.tsv"] if split == "test" else [])]
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        have = ", ".join(sorted(path.stem for path in (folder / "qrels").glob("*.tsv"))) or "none"
        raise InvalidValueError(f"{folder}: missing qrels/{split}.tsv; splits there: {have}")
    return found
