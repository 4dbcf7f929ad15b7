"""Paid labels: who gives them, the ledger that forgets none, and the drivers of procedures that ask for them."""

from fastcal.labelling._batch import BatchLabeler
from fastcal.labelling._csv import CsvLabeler
from fastcal.labelling._qrels import QrelsLabeler
from fastcal.labelling._terminal import TerminalLabeler

__all__ = ["BatchLabeler", "CsvLabeler", "QrelsLabeler", "TerminalLabeler"]
