"""Files that other tools write and read, as the arrays, runs and judgements of fastcal: one reader per kind of content, the form told by the name."""

from fastcal.files._beir import read_embedded
from fastcal.files._finding import line_of
from fastcal.files._groups import read_groups
from fastcal.files._judgements import judgement_lines, read_qrels
from fastcal.files._names import read_names
from fastcal.files._runs import directed, read_run, run_json, run_table, write_run
from fastcal.files._source import is_table
from fastcal.files._vectors import read_vectors
from fastcal.files._write import write_table

__all__ = [
    "directed",
    "is_table",
    "judgement_lines",
    "line_of",
    "read_embedded",
    "read_groups",
    "read_names",
    "read_qrels",
    "read_run",
    "read_vectors",
    "run_json",
    "run_table",
    "write_run",
    "write_table",
]
