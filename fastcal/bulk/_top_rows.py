"""The best rows of each query, in an order that does not depend on how the rows were split."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastcal._extras import require


class TopRows:
    """Placeholder of the contract."""

    def __init__(
        self, k: int, *, query: str = "query_id", doc: str = "doc_id", score: str = "score", on: str = "probability", higher_is_better: bool = True
    ) -> None:
        self.k, self.keys = k, [(query, "ascending"), (on, "descending"), (score, "descending" if higher_is_better else "ascending")]
        self.keys.append((doc, "ascending"))

    def reduce(self, table: Any) -> Any:
        """Return the best k rows of each query, queries ascending, best first; any other columns come along."""
        compute = require("pyarrow.compute", "parquet")
        found = table.take(compute.sort_indices(table, sort_keys=self.keys))
        queries = found.column(self.keys[0][0]).combine_chunks().dictionary_encode().indices.to_numpy()
        first = np.searchsorted(queries, queries)
        return found.take(np.flatnonzero(np.arange(len(queries)) - first < self.k))

    def merge(self, tables: list[Any]) -> Any:
        """Return what ``reduce`` returns for all rows of these tables."""
        return self.reduce(require("pyarrow", "parquet").concat_tables(tables))
