"""Ranked lists of many queries: what searches return, TREC files hold and fusion takes."""

from fastcal.run._align import align
from fastcal.run._pairs import pairs
from fastcal.run._qrels import Qrels, as_mapping
from fastcal.run._run import Run, unchecked

__all__ = ["Qrels", "Run", "align", "as_mapping", "pairs", "unchecked"]
