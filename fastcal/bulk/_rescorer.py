"""A profile as a map of tables."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastcal import _threads
from fastcal._backend.protocol import Array
from fastcal._extras import require
from fastcal._validate.elements import within
from fastcal._validate.numbers import instance as judge_instance
from fastcal._validate.numbers import integer
from fastcal.bulk import _settings
from fastcal.bulk._best_so_far import BestSoFar
from fastcal.bulk._frames import Frame, frame_of
from fastcal.bulk._keys import Groups, grouped
from fastcal.bulk._moments import refuse_infinity
from fastcal.bulk._settings import ADDED
from fastcal.bulk._statistics import PLAIN_MAPS, WHOLE_LIST, QueryStatistics
from fastcal.bulk._top_rows import best_rows
from fastcal.calibration import GroupCalibrator
from fastcal.calibration._inputs import check_metric
from fastcal.errors import InvalidValueError
from fastcal.normalization import normalize_lists
from fastcal.profile import Profile

# The best rows of a table are taken for an engine where they are less than this share of it.
REDUCED = 0.7


class _Mapped(NamedTuple):
    """A table with what was found for its rows: float32 scores, queries if they were asked for, columns, and which rows are kept (None: all)."""

    frame: Frame
    raw: Array
    groups: Groups | None
    added: dict[str, Array]
    keep: Array | None

    def left(self) -> Array | None:
        """Return the numbers of the rows that are kept, None if that is all."""
        return None if self.keep is None or self.keep.all() else np.flatnonzero(self.keep)

    def finish(self, rows: Array | None) -> Any:
        """Return these rows, all if None, with the columns."""
        return self.frame.finish(rows, self.added if rows is None else {name: values[rows] for name, values in self.added.items()})


class Rescorer:
    """Add the probability and the decision of a profile to tables of candidates, and keep what is wanted of each query.

    The steps: the profile's norm, the floor, the calibrator, the decision, the best rows. Results do not depend on how rows are
    split over calls, on their order or on threads, but that without `top_k` rows keep their order, that the best rows of a query are those
    of the call (:meth:`TopRows.merge` makes them those of all), and that a norm without `statistics` takes them from the call, which must
    then hold whole queries.

    Parameters
    ----------
    profile : Profile
        Its calibrator, its norm, and the threshold that decides.
    query, doc, score : str
        Names of the columns. Ids are integers or strings, also as dictionaries; scores are floats, rounded once to float32. Other columns
        come along.
    by : str, optional
        The column that holds the groups, for a profile with a GroupCalibrator.
    top_k : int, optional
        Rows of each query to keep, in the order of :class:`TopRows`: queries ascending, best first.
    target_precision, target_recall, escalate_from : float, optional
        As for :meth:`Profile.policy`: which threshold, and from where on rows escalate.
    floor : float, optional
        Rows whose raw score is worse are dropped; a score equal to it stays.
    drop_not_found : bool, default False
        Drop rows whose decision is NOT_FOUND.
    higher_is_better : bool, optional
        Direction of the raw scores. By default that of the calibrator; where the profile has a norm, or the calibrator is constant, False for
        the metric "euclidean".
    statistics : QueryStatistics, optional
        Those of all rows, for the norm of the profile.
    num_threads : int or None, default 1
        See :func:`fastcal.set_num_threads`. One by default, for engines that call several at once.

    Raises
    ------
    ValueError, TypeError
        If an option cannot be used with this profile.

    Notes
    -----
    A call takes a ``pyarrow.Table`` or ``RecordBatch``, a dict of arrays (which needs no Arrow), or a pandas or polars frame, and returns
    the same kind: ``probability`` (float32) and, of a profile with thresholds, ``decision`` (uint8, see :class:`fastcal.Decision`) behind
    its own columns. A score that is null or NaN is padding: its row is dropped where rows may be dropped, else its probability is NaN and
    its decision NOT_FOUND. Nothing that is handed in is changed. Pickling keeps the profile as plain JSON.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> from fastcal.bulk import Rescorer
    >>> isotonic = fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1])
    >>> rescorer = Rescorer(fc.Profile("m", "cosine", isotonic, fc.Threshold(0.5)), top_k=1)
    >>> found = rescorer({"query_id": np.array([1, 2, 2]), "doc_id": np.array([10, 20, 21]), "score": np.array([0.25, 0.5, 0.75])})
    >>> found["doc_id"].tolist(), found["probability"].tolist(), found["decision"].tolist()
    ([10, 21], [0.25, 0.75], [0, 2])
    """

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
        higher_is_better: bool | None = None,
        statistics: QueryStatistics | None = None,
        num_threads: int | None = 1,
    ) -> None:
        judge_instance(profile, "profile", Profile)
        _settings.judge_columns(query, doc, score, by)
        _settings.judge_by(profile, by)
        _settings.judge_statistics(profile, statistics)
        self.query, self.doc, self.score, self.by = query, doc, score, by
        self.higher_is_better = _settings.direction(profile, higher_is_better)
        self.floor = _settings.floor_of(floor)
        self.top_k = None if top_k is None else integer(top_k, "top_k", least=1)
        self.drop_not_found, self.statistics, self.num_threads = drop_not_found, statistics, num_threads
        _threads.resolve(num_threads)
        self._cut = _settings.cut_of(
            profile,
            self.higher_is_better,
            target_precision=target_precision,
            target_recall=target_recall,
            escalate_from=escalate_from,
            drop_not_found=drop_not_found,
        )
        self.profile, self._calibrator = profile, profile.calibrator

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"profile": self.profile.to_dict(), "_calibrator": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.profile = Profile.from_dict(state["profile"])
        self._calibrator = self.profile.calibrator

    def __call__(self, table: Any) -> Any:
        """Return the rows that are left, with their probability and decision.

        Raises ValueError for a column that is missing, there twice or among those that are added, a null id, an infinite score where the
        profile has a norm, or a query that the statistics do not know; TypeError for a column of another type.
        """
        found = self._mapped(frame_of(table), grouping=self.top_k is not None)
        return found.finish(found.left() if self.top_k is None else self._best(found))

    def partial(self, table: Any, best: BestSoFar | None = None, *, reduce: bool = True) -> tuple[Any, dict[str, int]]:
        """Return rows among which are those of the result, and how many of the others went where.

        For engines that see a query's rows in several tables and merge with :class:`TopRows`: with `top_k`, those that pass `best`, or the best
        of them where these are clearly fewer; unless to `reduce`, all that may be kept. Without `top_k` the rows are those of a call.
        """
        frame, of_best = frame_of(table), self.top_k is not None
        found = self._mapped(frame, grouping=of_best and reduce)
        missing = np.isnan(found.raw)
        n_missing = int(np.count_nonzero(missing)) if self._drops or of_best else 0
        if of_best and found.keep is None:
            found = found._replace(keep=~missing)
        kept = len(frame) - n_missing if found.keep is None else int(np.count_nonzero(found.keep))
        reached = kept
        if self.drop_not_found:
            above = ~missing if self.floor is None else _settings.reached(found.raw, self.floor, self.higher_is_better)
            reached = int(np.count_nonzero(above))
        facts = {"rows": len(frame), "padding": n_missing, "below_floor": len(frame) - n_missing - reached, "not_found": reached - kept}
        return found.finish(self._reduced(found, best) if of_best and reduce else found.left()), facts

    def _reduced(self, found: _Mapped, best: BestSoFar | None) -> Array | None:
        """Return the numbers of rows among which are the best, None if that is all."""
        assert self.top_k is not None
        assert found.groups is not None
        assert found.keep is not None
        if best is not None:
            best.sift(found.groups, found.added["probability"], found.raw, found.keep)
        left = found.left()
        n_left = len(found.frame) if left is None else len(left)
        if self.top_k * found.groups.n >= REDUCED * n_left:
            sizes = np.bincount(found.groups.codes if left is None else found.groups.codes[left], minlength=found.groups.n)
            if np.minimum(sizes, self.top_k).sum() >= REDUCED * n_left:
                return left
        return self._best(found)

    def output_schema(self, schema: Any) -> Any:
        """Return the ``pyarrow.Schema`` of the result for tables of this schema, or raise as a call would.

        Examples
        --------
        >>> import fastcal as fc, pyarrow as pa
        >>> from fastcal.bulk import Rescorer
        >>> profile = fc.Profile("m", "cosine", fc.PlattCalibrator().fit([0.1, 0.9], [0, 1]), [])
        >>> columns = pa.schema({"query_id": pa.int64(), "doc_id": pa.string(), "score": pa.float32()})
        >>> Rescorer(profile).output_schema(columns).names
        ['query_id', 'doc_id', 'score', 'probability']
        """
        pa = require("pyarrow", "parquet")
        judge_instance(schema, "schema", pa.Schema)
        frame = frame_of(schema.empty_table())
        self._judge(frame)
        frame.scores(self.score)
        found = schema.append(pa.field("probability", pa.float32()))
        return found if self._cut is None else found.append(pa.field("decision", pa.uint8()))

    @property
    def _drops(self) -> bool:
        return self.floor is not None or self.drop_not_found

    @property
    def _needs_lists(self) -> bool:
        return self.profile.norm is not None and self.profile.norm not in PLAIN_MAPS

    def _judge(self, frame: Frame) -> None:
        """Raise for columns that are missing, that are added, or that cannot hold what they should."""
        frame.need(self.query, self.doc, self.score, *([] if self.by is None else [self.by]))
        for name in ADDED[: 1 if self._cut is None else 2]:
            if name in frame.names:
                raise InvalidValueError(f"the table has a column {name!r} already, and that is a column that is added; rename or drop it")
        frame.judge_ids(self.query)
        frame.judge_ids(self.doc)

    def _mapped(self, frame: Frame, *, grouping: bool) -> _Mapped:
        """Do every step but the last; tell queries apart if they are asked for."""
        self._judge(frame)
        raw = frame.scores(self.score)
        check_metric(raw, self.profile.metric, self.profile.norm, self.higher_is_better)
        keep = _settings.reached(raw, self.floor, self.higher_is_better) if self._drops else None
        groups = grouped(frame.keys(self.query)) if grouping or self._needs_lists else None
        fed = self._normalized(frame, groups, raw)
        added = {"probability": self._probabilities(frame, fed, keep)}
        if self._cut is not None:
            added["decision"] = self._cut.codes(added["probability"], fed)
        if self.drop_not_found:
            assert keep is not None
            keep = keep & (added["decision"] > 0)
        return _Mapped(frame, raw, groups, added, keep)

    def _best(self, found: _Mapped) -> Array:
        """Return the numbers of the best rows."""
        assert found.groups is not None
        docs = found.frame.keys(self.doc)
        return best_rows(found.groups, found.added["probability"], found.raw, docs, found.keep, self.top_k, self.higher_is_better, self.num_threads)

    def _normalized(self, frame: Frame, groups: Groups | None, raw: Array) -> Array:
        """Return the scores that the calibrator is fed."""
        norm = self.profile.norm
        if norm is None:
            return raw
        up, threads = self.higher_is_better, _threads.resolve(self.num_threads)
        if norm in PLAIN_MAPS:
            return normalize_lists(raw, np.array([0, len(raw)]), norm, higher_is_better=up, num_threads=threads)
        assert groups is not None
        refuse_infinity(raw, groups, self.score)
        if norm not in WHOLE_LIST:
            statistics = self.statistics
            if statistics is None:
                statistics = QueryStatistics(norm, query=self.query, score=self.score).add(groups, raw)
            return statistics.normalized(groups, raw, higher_is_better=up)
        ordered = best_rows(groups, raw if up else -raw, raw, frame.keys(self.doc), None, None, up, threads)
        offsets = np.concatenate(([0], np.cumsum(np.bincount(groups.codes[ordered], minlength=groups.n))))
        fed = np.full_like(raw, np.nan)
        fed[ordered] = normalize_lists(raw[ordered], offsets, norm, higher_is_better=up, num_threads=threads)
        return fed

    def _probabilities(self, frame: Frame, fed: Array, keep: Array | None) -> Array:
        """Return float32 probabilities, NaN where few rows are kept and this is not one of them."""
        labels = None if self.by is None else frame.labels(self.by)
        rows = None if keep is None or 2 * np.count_nonzero(keep) > len(keep) else np.flatnonzero(keep)
        if rows is None:
            return self._predicted(fed, labels)
        whole = np.full(len(fed), np.nan, np.float32)
        with within(rows):
            whole[rows] = self._predicted(fed[rows], None if labels is None else labels[rows])
        return whole

    def _predicted(self, scores: Array, labels: Array | None) -> Array:
        if isinstance(self._calibrator, GroupCalibrator):
            assert labels is not None
            return self._calibrator.predict(scores, labels, num_threads=self.num_threads)
        return self._calibrator.predict(scores, num_threads=self.num_threads)
