"""Files that other tools write and read, as the arrays, runs and judgements of fastcal: one reader per kind of content, the form told by the name."""

from fastcal.files._judgements import read_qrels
from fastcal.files._runs import read_run, write_run
from fastcal.files._vectors import read_vectors

__all__ = ["read_qrels", "read_run", "read_vectors", "write_run"]
