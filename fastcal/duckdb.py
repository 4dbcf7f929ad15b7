"""A profile as functions of SQL (extra ``duckdb``): the numbers are those of :class:`fastcal.bulk.Rescorer`, to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcal._extras import require
from fastcal._validate.numbers import instance
from fastcal.bulk import Rescorer
from fastcal.bulk._statistics import PLAIN_MAPS
from fastcal.calibration import GroupCalibrator
from fastcal.errors import InvalidValueError
from fastcal.policy import Decision
from fastcal.profile import Profile

__all__ = ["register"]

_NAMES = [code.name for code in Decision]
_TYPES = {"probability": "FLOAT", "decision": "ENUM({})".format(", ".join(f"'{name}'" for name in _NAMES))}


def register(
    con: Any,
    profile: Profile,
    *,
    prefix: str = "fastcal",
    target_precision: float | None = None,
    target_recall: float | None = None,
    escalate_from: float | None = None,
    higher_is_better: bool | None = None,
) -> tuple[str, ...]:
    """Make ``fastcal_probability(score)`` and ``fastcal_decision(score)`` functions of a DuckDB connection.

    A score may be any number; it is rounded once to float32. The probability is a FLOAT, the decision an ENUM of ``'NOT_FOUND'``,
    ``'ESCALATE'``, ``'ACT'``, from worst to best in ``ORDER BY``, ``min`` and ``max``. NULL gives NULL; NaN gives NaN and ``'NOT_FOUND'``.

    .. warning::
        DuckDB compares an ENUM with a bare string as text, by the alphabet: ``fastcal_decision(s) >= 'ESCALATE'`` keeps the wrong rows, and
        a misspelt string equals nothing. Name the decisions (``= 'ACT'``, ``<> 'NOT_FOUND'``, ``IN``), or compare their codes, those of
        :class:`fastcal.Decision`: ``enum_code(fastcal_decision(s)) >= 1`` escalates or acts.

    If the profile's calibrator tells groups apart, both take a second argument, the group; NULL gives NULL. If the profile has a norm that
    looks at all scores of a query, they take the list of them, and give a list in its order (a score of NULL in it is padding)::

        SELECT query_id, unnest(docs) AS doc_id, unnest(fastcal_probability(scores)) AS probability
        FROM (SELECT query_id, list(doc_id) AS docs, list(score) AS scores FROM candidates GROUP BY query_id)

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Its cursors have the functions too.
    profile : Profile
        Without a threshold in it there is no ``decision``.
    prefix : str, default "fastcal"
        What the names begin with: another one for another profile.
    target_precision, target_recall, escalate_from, higher_is_better
        As for :class:`fastcal.bulk.Rescorer`: which threshold, and the direction of the scores.

    Returns
    -------
    tuple of str
        The names of the functions.

    Raises
    ------
    ValueError, TypeError
        If `prefix` is not an identifier, the connection has functions of these names, `con` is not a connection, or
        :class:`fastcal.bulk.Rescorer` refuses the rest.

    Examples
    --------
    >>> import duckdb, fastcal as fc, fastcal.duckdb
    >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    >>> con = duckdb.connect()
    >>> fastcal.duckdb.register(con, fc.Profile("m", "cosine", platt, fc.Threshold(0.75, target_precision=0.9)))
    ('fastcal_probability', 'fastcal_decision')
    >>> con.sql("SELECT fastcal_probability(s)::DECIMAL(4, 3)::VARCHAR, fastcal_decision(s) FROM (VALUES (0.95), (0.2), (NULL)) t(s)").fetchall()
    [('0.801', 'ACT'), ('0.283', 'NOT_FOUND'), (None, None)]
    """
    instance(con, "con", require("duckdb", "duckdb").DuckDBPyConnection)
    instance(profile, "profile", Profile)
    instance(prefix, "prefix", str)
    if not prefix.isidentifier():
        raise InvalidValueError(f"prefix must be an identifier such as 'fastcal', got {prefix!r}")
    calibrator = profile.calibrator
    labels = list(calibrator.calibrators_) if isinstance(calibrator, GroupCalibrator) else []
    rescorer = Rescorer(
        profile,
        by="group" if labels else None,
        target_precision=target_precision,
        target_recall=target_recall,
        escalate_from=escalate_from,
        higher_is_better=higher_is_better,
    )
    whole = "" if profile.norm in (None, *PLAIN_MAPS) else "[]"
    arguments = ["DOUBLE" + whole, *["VARCHAR" + whole if isinstance(label, str) else "BIGINT" + whole for label in labels[:1]]]
    columns = list(_TYPES) if profile.thresholds else ["probability"]
    _refuse_known(con, [f"{prefix}_{column}" for column in columns])
    for column in columns:
        function = _function(rescorer, column, of_lists=bool(whole), grouped=bool(labels))
        con.create_function(f"{prefix}_{column}", function, arguments, _TYPES[column] + whole, type="arrow")
    return tuple(f"{prefix}_{column}" for column in columns)


def _refuse_known(con: Any, names: list[str]) -> None:
    # Names are one to DuckDB whatever their case.
    text = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE list_contains(?, lower(function_name))"
    known = con.cursor().execute(text, [[name.lower() for name in names]]).fetchall()
    if known:
        name = min(name for (name,) in known)
        raise InvalidValueError(f"the connection has a function {name} already; name another prefix=, or call con.remove_function({name!r}) first")


def _function(rescorer: Rescorer, column: str, *, of_lists: bool, grouped: bool) -> Callable[..., Any]:
    """Return a function of Arrow columns; DuckDB counts the arguments in its signature."""
    body = _of_queries if of_lists else _of_scores

    def of_scores(scores: Any) -> Any:
        return body(rescorer, column, scores.combine_chunks())

    def of_groups(scores: Any, groups: Any) -> Any:
        return body(rescorer, column, scores.combine_chunks(), groups.combine_chunks())

    return of_groups if grouped else of_scores


def _of_scores(rescorer: Rescorer, column: str, scores: Any, *groups: Any) -> Any:
    return _rescored(rescorer, column, np.zeros(len(scores), np.int64), scores, *groups)


def _of_queries(rescorer: Rescorer, column: str, scores: Any, *groups: Any) -> Any:
    """Take lists as queries, and give lists as long."""
    compute, pa = require("pyarrow.compute", "duckdb"), require("pyarrow", "duckdb")
    lengths = compute.list_value_length(scores)
    if not all(compute.list_value_length(each).equals(lengths) for each in groups):
        raise InvalidValueError("a list of groups is not as long as its list of scores")
    found = _rescored(rescorer, column, compute.list_parent_indices(scores), scores.flatten(), *(each.flatten() for each in groups))
    ends = np.cumsum(lengths.to_numpy(), dtype=np.int32)
    return pa.ListArray.from_arrays(np.concatenate([np.zeros(1, np.int32), ends]), found)


def _rescored(rescorer: Rescorer, column: str, queries: Any, scores: Any, *groups: Any) -> Any:
    """Return a column of the rescored rows, NULL where the score or the group is."""
    pa = require("pyarrow", "duckdb")
    mask = np.zeros(len(scores), np.bool_)
    rows = {"query_id": queries, "doc_id": np.arange(len(scores))}
    for name, given in zip(("score", "group"), (scores, *groups), strict=False):
        if given.null_count:
            mask |= given.is_null().to_numpy(zero_copy_only=False)
            given = given.fill_null(math.nan if name == "score" else _any_group(rescorer))  # noqa: PLW2901
        rows[name] = given.to_numpy(zero_copy_only=False)
    found = rescorer(rows)[column]
    if column == "probability":
        return pa.array(found, mask=mask)
    return pa.DictionaryArray.from_arrays(pa.array(found, mask=mask), pa.array(_NAMES))


def _any_group(rescorer: Rescorer) -> Any:
    """Return a group for a row whose own is unknown, and whose result is thrown away; its score still counts in the norm of its list."""
    return next(iter(rescorer.profile.calibrator.calibrators_))  # type: ignore[union-attr]
