"""Runs: TREC, plain or gzipped, and tables."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from fastcal._extras import require
from fastcal.run import Run

STDIN, STDOUT = "/dev/stdin", "/dev/stdout"


def read_run(path: str | PathLike[str], *, query: str = "query_id", doc: str = "doc_id", score: str = "score", higher_is_better: bool = True) -> Run:
    """Read a run: Parquet by the end of its name, else TREC; "-" is standard input."""
    source = Path(STDIN if str(path) == "-" else path)
    if source.suffix == ".parquet":
        table = require("pyarrow.parquet", "parquet").read_table(source, columns=[query, doc, score])
        return Run.from_columns(table, query=query, doc=doc, score=score, higher_is_better=higher_is_better)
    return Run.from_trec(source)


def write_run(run: Run, path: str | PathLike[str], *, tag: str = "fastcal") -> None:
    """Write a run: Parquet by the end of its name, else TREC; "-" is standard output."""
    target = Path(STDOUT if str(path) == "-" else path)
    if target.suffix == ".parquet":
        table = require("pyarrow", "parquet").table(run.to_columns())
        require("pyarrow.parquet", "parquet").write_table(table, target)
    else:
        run.to_trec(target, tag=tag)
