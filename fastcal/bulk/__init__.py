"""Columns of candidates, from a laptop to a cluster: the same probabilities, decisions and best rows whatever the rows are split into.

:class:`Rescorer` maps a table; what has to know all rows of a query merges: :class:`QueryStatistics` for normalisation, :class:`TopRows`
for the best rows. Rows are ranked by probability, then by score, then by document id: a total order, so neither the order of rows nor
how they are split can be seen in a result. :func:`fastcal.rescore` is something else: it scores vectors.
"""

from fastcal.bulk._files import rescore_files
from fastcal.bulk._report import RescoreReport
from fastcal.bulk._rescorer import Rescorer
from fastcal.bulk._statistics import QueryStatistics
from fastcal.bulk._top_rows import TopRows

__all__ = ["QueryStatistics", "RescoreReport", "Rescorer", "TopRows", "rescore_files"]
