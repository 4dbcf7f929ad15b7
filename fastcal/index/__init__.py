"""An exact index over one corpus: rows are judged and sketched once, then searched any number of times."""

from fastcal.index._index import Index

__all__ = ["Index"]
