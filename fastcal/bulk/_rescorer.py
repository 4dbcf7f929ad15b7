"""A profile as a map of tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastcal._extras import require
from fastcal.bulk._statistics import QueryStatistics
from fastcal.bulk._top_rows import TopRows
from fastcal.profile import Profile


class Rescorer:
    """Placeholder of the contract: correct for profiles without a norm."""

    def __init__(
        self,
        profile: Profile,
        *,
        query: str = "query_id",
        doc: str = "doc_id",
        score: str = "score",
        by: str | None = None,
        top_k: int | None = None,
        target_precision: float | None = None,
        target_recall: float | None = None,
        escalate_from: float | None = None,
        floor: float | None = None,
        drop_not_found: bool = False,
        higher_is_better: bool = True,
        statistics: QueryStatistics | None = None,
        num_threads: int | None = 1,
    ) -> None:
        self.profile, self.query, self.doc, self.score, self.by, self.top_k = profile, query, doc, score, by, top_k
        self.band = profile.policy(target_precision=target_precision, target_recall=target_recall, escalate_from=escalate_from).band
        self.floor, self.drop_not_found, self.higher_is_better = floor, drop_not_found, higher_is_better
        self.statistics, self.num_threads = statistics, num_threads

    def __call__(self, table: Any) -> Any:
        """Return the table with the columns probability (float32) and decision (uint8), as many rows as are left."""
        pa = require("pyarrow", "parquet")
        scores = np.asarray(table.column(self.score)).astype(np.float32)
        probabilities = self.profile.predict(scores).astype(np.float32)
        decisions = self.band.decide(probabilities)  # type: ignore[union-attr]
        found = table.append_column("probability", pa.array(probabilities)).append_column("decision", pa.array(decisions))
        kept = np.ones(len(scores), np.bool_) if self.floor is None else scores >= np.float32(self.floor)
        if self.drop_not_found:
            kept &= decisions > 0
        found = found.filter(pa.array(kept))
        return found if self.top_k is None else TopRows(self.top_k, query=self.query, doc=self.doc, score=self.score).reduce(found)
