"""Polars with ``.fastcal`` (extra ``polars``), once this module is imported.

Columns have :class:`probability, decision and normalize <Columns>`; frames, eager and lazy, have :class:`rescore <Frames>`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._extras import require
from fastcal._validate.numbers import instance
from fastcal.bulk import Rescorer
from fastcal.bulk._settings import cut_of, direction
from fastcal.bulk._statistics import PLAIN_MAPS
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.normalization import normalize
from fastcal.policy import Decision
from fastcal.profile import Profile

require("polars", "polars")
import polars as pl  # noqa: E402  (the line above says what is missing)

__all__ = ["Columns", "Frames"]

_DECISIONS = [code.name for code in Decision]
_DECISION = pl.Enum(_DECISIONS)


class Columns:
    """``pl.col("score").fastcal``: a profile, or a normalisation, as expressions on a column of scores.

    Scores are Float32 or Float64 and results are of the same type. Null gives null; NaN gives NaN, and the decision NOT_FOUND.
    Names of other columns may be expressions as well. Probabilities and decisions run in the streaming engine piece by piece.

    Examples
    --------
    >>> import fastcal as fc, fastcal.polars, polars as pl
    >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    >>> profile = fc.Profile("m", "cosine", platt, fc.Threshold(0.75, target_precision=0.9))
    >>> score = pl.col("score").fastcal
    >>> frame = pl.DataFrame({"score": [0.95, 0.2, None]})
    >>> frame.select(score.probability(profile).round(3).alias("p"), score.decision(profile).alias("d")).rows()
    [(0.801, 'ACT'), (0.283, 'NOT_FOUND'), (None, None)]
    """

    def __init__(self, column: pl.Expr) -> None:
        self._column = column

    def probability(self, profile: Profile, *, query: Any = None, by: Any = None, higher_is_better: bool | None = None) -> pl.Expr:
        """Return the probabilities of :meth:`fastcal.Profile.predict`.

        Parameters
        ----------
        profile : Profile
        query : str or polars.Expr, optional
            The column of queries, if the profile's norm looks at all scores of a query; else an error.
        by : str or polars.Expr, optional
            The column of groups, if the profile's calibrator tells groups apart; a null in it gives null.
        higher_is_better : bool, optional
            Direction of the scores, as for :class:`fastcal.bulk.Rescorer`.

        Raises
        ------
        ValueError, TypeError
            If a column is missing or of no use, or, where the expression runs, as ``predict`` and :func:`fastcal.normalize`.
        """
        scores = self._normed(profile, query, higher_is_better)
        return _of_scores(scores, by, lambda values, groups: profile.predict(values, by=groups), pl.dtype_of(self._column))

    def decision(
        self,
        profile: Profile,
        *,
        query: Any = None,
        by: Any = None,
        higher_is_better: bool | None = None,
        target_precision: float | None = None,
        target_recall: float | None = None,
        escalate_from: float | None = None,
    ) -> pl.Expr:
        """Return the decisions, an Enum that orders NOT_FOUND < ESCALATE < ACT.

        Parameters are those of :meth:`probability` and of :meth:`fastcal.Profile.policy`; the errors too.
        """
        scores = self._normed(profile, query, higher_is_better)
        cut = cut_of(
            profile,
            direction(profile, higher_is_better),
            target_precision=target_precision,
            target_recall=target_recall,
            escalate_from=escalate_from,
            drop_not_found=False,
        )
        if cut is None:
            raise InvalidValueError("a decision needs a threshold, and the profile holds none")

        def decided(values: npt.NDArray[Any], groups: Any) -> pl.Series:
            codes = cut.codes(profile.predict(values, by=groups).astype(np.float32), values.astype(np.float32))
            return pl.Series(_DECISIONS, dtype=_DECISION).gather(codes)

        return _of_scores(scores, by, decided, _DECISION)

    def normalize(self, method: str = "minmax", *, query: Any = None, **options: Any) -> pl.Expr:
        """Return :func:`fastcal.normalize` of the lists of scores, with its options; null is padding.

        Parameters
        ----------
        method : str, default "minmax"
        query : str or polars.Expr, optional
            The column of queries. Without it the column is one list: of the frame, of a group, or of ``over("query_id")``,
            which gives the same and calls Python once per query.
        **options
            Those of :func:`fastcal.normalize` but `offsets` and `out`.

        Examples
        --------
        >>> import fastcal.polars, polars as pl
        >>> frame = pl.DataFrame({"query": [1, 2, 1, 2, 1], "score": [3.0, 1.0, 7.0, 5.0, 5.0]})
        >>> frame.select(pl.col("score").fastcal.normalize("minmax", query="query")).to_series().to_list()
        [0.0, 0.0, 1.0, 1.0, 0.5]
        """
        for name in {"offsets", "out"} & set(options):
            raise InvalidTypeError(f"{name} has no use on a column; query= says where lists begin")

        def normalized(columns: Sequence[pl.Series]) -> pl.Series:
            values, missing = _floats(columns[0])
            rows, offsets = _lists(columns[1:], len(values))
            found = np.empty_like(values)
            found[rows] = normalize(values[rows], method, offsets=offsets, **options)
            return _nulled(found, missing)

        return pl.map_batches([self._column, *_expressions(query)], normalized, return_dtype=pl.dtype_of(self._column))

    def _normed(self, profile: Profile, query: Any, higher_is_better: bool | None) -> pl.Expr:
        """Return the scores as the calibrator knows them."""
        instance(profile, "profile", Profile)
        higher = direction(profile, higher_is_better)
        whole = profile.norm not in (None, *PLAIN_MAPS)
        if query is not None and not whole:
            raise InvalidTypeError(f"query= has no use: the profile's norm is {profile.norm!r}")
        if profile.norm is None:
            return self._column
        if query is None and whole:
            raise InvalidTypeError(f"query= is missing: the profile is for scores normalised by {profile.norm!r} within each query")
        return self.normalize(profile.norm, query=query, higher_is_better=higher)


class Frames:
    """``frame.fastcal`` of a DataFrame or a LazyFrame."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def rescore(self, profile: Profile, **options: Any) -> Any:
        """Return the frame as :class:`fastcal.bulk.Rescorer` returns it, to the bit: probability, decision, floor, best rows.

        Parameters
        ----------
        profile : Profile
        **options
            Those of :class:`fastcal.bulk.Rescorer`.

        Returns
        -------
        DataFrame or LazyFrame
            A LazyFrame is rescored where it is collected: piece by piece in the streaming engine, but for `top_k` and a norm
            without `statistics`, which need all of it in memory.

        Raises
        ------
        ValueError, TypeError
            As :class:`fastcal.bulk.Rescorer`: if columns are missing or of another type also for a LazyFrame, at once.

        Examples
        --------
        >>> import fastcal as fc, fastcal.polars, polars as pl
        >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
        >>> profile = fc.Profile("m", "cosine", platt, fc.Threshold(0.75, target_precision=0.9))
        >>> frame = pl.DataFrame({"query_id": [7, 7], "doc_id": ["a", "b"], "score": [0.2, 0.95]})
        >>> frame.fastcal.rescore(profile, top_k=1).select("doc_id", "decision").rows()
        [('b', 2)]
        """
        rescorer = Rescorer(profile, **options)

        if isinstance(self._frame, pl.DataFrame):
            return rescorer(self._frame)
        schema = rescorer(self._frame.collect_schema().to_frame()).schema
        by_row = rescorer.top_k is None and (rescorer.statistics is not None or profile.norm in (None, *PLAIN_MAPS))
        pushed = {"predicate_pushdown": False, "projection_pushdown": False, "slice_pushdown": False}  # polars 1 would
        return self._frame.map_batches(rescorer, schema=schema, streamable=by_row, **pushed)


def _expressions(column: Any) -> list[pl.Expr]:
    """Return a column that may be missing as a list of expressions."""
    if column is None or isinstance(column, pl.Expr):
        return [] if column is None else [column]
    if not isinstance(column, str):
        raise InvalidTypeError(f"expected the name of a column or an expression, got {type(column).__name__}")
    return [pl.col(column)]


def _floats(scores: pl.Series) -> tuple[npt.NDArray[Any], pl.Series | None]:
    """Return scores with NaN for null, and where they are null, if anywhere."""
    if scores.dtype not in (pl.Float32, pl.Float64):
        raise InvalidTypeError(f"column {scores.name!r} has dtype {scores.dtype}; expected Float32 or Float64: cast it")
    return scores.to_numpy(), scores.is_null() if scores.null_count() else None


def _nulled(found: Any, missing: pl.Series | None) -> pl.Series:
    column = pl.Series(found)
    return column if missing is None else column.scatter(missing.arg_true(), None)


def _lists(queries: Sequence[pl.Series], n: int) -> tuple[Any, Any]:
    """Return rows so ordered that those of a query are neighbours, otherwise as they were, and where each query begins."""
    if not queries or len(queries[0]) < n:  # a literal: one query
        return slice(None), [0, n]
    if queries[0].null_count():
        raise InvalidValueError(f"column {queries[0].name!r} of queries holds null")
    rows = pl.DataFrame({"query": queries[0]}).with_row_index("row").group_by("query").agg("row")["row"].to_arrow()
    return rows.values.to_numpy(), rows.offsets.to_numpy()


def _of_scores(scores: pl.Expr, by: Any, function: Callable[[Any, Any], Any], dtype: Any) -> pl.Expr:
    """Return a function of scores, and of groups if there are any, as an expression; a null in either gives null."""

    def of_columns(columns: Sequence[pl.Series]) -> pl.Series:
        values, missing = _floats(columns[0])
        if len(columns) == 1:
            return _nulled(function(values, None), missing)
        groups = columns[1] if len(columns[1]) == len(values) else columns[1].new_from_index(0, len(values))
        known = columns[0].is_not_null() & groups.is_not_null()
        found = pl.Series(function(values[known.to_numpy()], groups.filter(known).to_numpy()))
        return found.gather(pl.select(pl.when(known).then(known.cum_sum() - 1)).to_series())

    return pl.map_batches([scores, *_expressions(by)], of_columns, return_dtype=dtype, is_elementwise=True)


if not hasattr(pl.Expr, "fastcal"):
    pl.api.register_expr_namespace("fastcal")(Columns)
    pl.api.register_dataframe_namespace("fastcal")(Frames)
    pl.api.register_lazyframe_namespace("fastcal")(Frames)
