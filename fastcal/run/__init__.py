"""Ranked lists of many queries: what searches return, TREC files hold and fusion takes."""

from fastcal.run._align import align
from fastcal.run._labels import Labels
from fastcal.run._pairs import pairs
from fastcal.run._qrels import Qrels, as_mapping
from fastcal.run._run import Run, unchecked

__all__ = ["Labels", "Qrels", "Run", "align", "as_mapping", "pairs", "unchecked"]
