"""What normalisation has to know about all scores of a query, gathered piece by piece in any order."""

from __future__ import annotations

from typing import Any, Self


class QueryStatistics:
    """Placeholder of the contract."""

    def __init__(self, norm: str, *, query: str = "query_id", score: str = "score") -> None:
        self.norm, self.query, self.score = norm, query, score

    def update(self, table: Any) -> Self:
        """Take the rows of a table."""
        raise NotImplementedError

    def merge(self, other: Self) -> Self:
        """Take what another one has seen."""
        raise NotImplementedError
