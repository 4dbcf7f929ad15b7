"""Tables and JSON into files that appear whole or not at all, or onto standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from fastcal._atomic import replacing
from fastcal._extras import require
from fastcal._validate import files
from fastcal.files._source import STANDARD, form_of


def write_table(table: Any, path: str | PathLike[str]) -> None:
    """Write an Arrow table as Parquet, Arrow IPC, CSV, TSV or JSON lines, as the name tells."""
    target = files.path(path, "path")
    form = form_of(target)
    with output(target) as file:
        if form == "parquet":
            require("pyarrow.parquet", "parquet").write_table(table, file)
        elif form == "arrow":
            with require("pyarrow.ipc", "parquet").new_file(file, table.schema) as writer:
                writer.write_table(table)
        elif form == "jsonl":
            file.writelines((json.dumps(row, ensure_ascii=False) + "\n").encode() for batch in table.to_batches() for row in batch.to_pylist())
        else:
            csv = require("pyarrow.csv", "parquet")
            csv.write_csv(table, file, csv.WriteOptions(delimiter="\t" if form == "tsv" else ",", quoting_style="needed"))


@contextmanager
def output(path: Path) -> Iterator[BinaryIO]:
    """Open what is written: gzipped if the name says so; a file appears whole or not at all, a pipe or a device is written to as it is."""
    if str(path) == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with replacing(path) as file, _packed(file, path) as packed:
            yield packed


@contextmanager
def _packed(file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    if path.suffix.lower() != ".gz":
        yield file
        return
    import gzip

    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=6) as packed:
        yield packed  # type: ignore[misc]
