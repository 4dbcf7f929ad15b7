"""A folder of saved shards, and the manifest without which it holds none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ray

from fastcal._atomic import replacing
from fastcal._validate import files as validate
from fastcal.distributed.ray import _calls
from fastcal.distributed.ray._shard import Rows, Saved, save
from fastcal.errors import IndexCorruptError, InvalidValueError

_MANIFEST, _KIND = "shards.json", ("fastcal shards", 1)


def new(path: Any) -> Path:
    """Return a folder that holds no shards yet, made if it is not there."""
    folder = validate.path(path, "path").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / _MANIFEST).exists():
        raise InvalidValueError(f"{folder} holds shards already; load them, or choose another folder")
    return folder


def saved(sources: list[Rows | Saved], folder: Path, num_cpus: float) -> list[Rows | Saved]:
    """Build and save all shards; the manifest is written last."""
    paths = [folder / f"shard-{i:05d}-of-{len(sources):05d}.index" for i in range(len(sources))]
    task = ray.remote(save).options(num_cpus=min(num_cpus, 1))  # it uses one thread, and there is no timeout
    refs = [task.remote(source, file) for source, file in zip(sources, paths, strict=True)]
    _calls.gather(refs, [f"shard {i} of {len(sources)} ({source})" for i, source in enumerate(sources)])
    with replacing(folder / _MANIFEST) as file:
        file.write(json.dumps({"format": _KIND[0], "version": _KIND[1], "files": [each.name for each in paths]}, indent=1).encode())
    return [Saved(each) for each in paths]


def files(path: Path) -> list[Path]:
    """Return the files of the shards in a folder, in the order of their rows; a file stands for itself."""
    if not path.is_dir():
        return [path]
    manifest = path / _MANIFEST
    if not manifest.exists():
        raise InvalidValueError(f"{path} holds no {_MANIFEST}: it is not a folder of shards, or building them was not finished")
    return [path / name for name in _listed(manifest)]


def _listed(manifest: Path) -> list[str]:
    """Return the names of the files in a manifest."""
    try:
        told = json.loads(manifest.read_bytes())
    except ValueError:  # no JSON, no UTF-8
        told = None
    names = told.get("files") if isinstance(told, dict) and (told.get("format"), told.get("version")) == _KIND else None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name and Path(name).name == name for name in names):
        raise IndexCorruptError(f"{manifest} does not list shards as ShardedIndex.build does: it is damaged, or of another version; build them again")
    return names
