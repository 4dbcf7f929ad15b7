"""Judgements: TREC qrels, plain or gzipped, BEIR tables, and Parquet."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from fastcal._extras import require
from fastcal.errors import InvalidValueError
from fastcal.files._runs import STDIN
from fastcal.run import Qrels

_BEIR_FIELDS = 3


def read_qrels(path: str | PathLike[str], *, query: str = "query_id", doc: str = "doc_id", grade: str = "relevance") -> Qrels:
    """Read judgements: Parquet or BEIR's ``.tsv`` by the end of the name, else TREC; "-" is standard input."""
    source = Path(STDIN if str(path) == "-" else path)
    if source.suffix == ".parquet":
        table = require("pyarrow.parquet", "parquet").read_table(source, columns=[query, doc, grade])
        return Qrels.from_columns(table, query=query, doc=doc, grade=grade)
    if source.suffix == ".tsv":
        return _beir(source)
    return Qrels.from_trec(source)


def _beir(path: Path) -> Qrels:
    records = []
    for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = text.split("\t")
        if len(fields) != _BEIR_FIELDS:
            raise InvalidValueError(f"{path}, line {line}: expected 'query<tab>document<tab>grade', got {text!r}")
        if line > 1 or not fields[2].isalpha():
            records.append((fields[0], fields[1], int(fields[2])))
    return Qrels.from_records(records)
