"""The profile: fitted from labelled pairs, and held against new ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import float_array
from fastcal.calibration import Calibrator, GroupCalibrator
from fastcal.errors import InvalidValueError
from fastcal.profile._fit import as_targets, fitted, judged_facts, require_query_ids
from fastcal.profile._report import RevalidationReport
from fastcal.profile._revalidate import Recorded, as_asked, revalidated, warn_of_depth, warn_of_seen
from fastcal.profile._use import Used


class Profile(Used):
    """A calibrator with the facts it depends on: a file that refuses to be used with the wrong model.

    Parameters
    ----------
    model : str
        Name of the model the scores come from.
    metric : str
        "cosine", "dot", "euclidean", or what else gave the scores ("bm25", "logit"). Without a norm, a profile of cosines refuses
        scores outside [-1, 1] (distances: outside [0, 2]) by more than 1e-6, with an InvalidElementError.
    calibrator : Calibrator or GroupCalibrator
        Fitted; copied, and the attribute is a copy too: :meth:`adjust_prior` returns a profile for another base rate.
    thresholds : Threshold or iterable of them
        May be empty. One of probabilities is for all pairs alike, also where a GroupCalibrator tells groups apart; a threshold for each
        class of query is a :class:`PerClass` rule of a :class:`Policy`.
    revision : str, optional
        Of the model.
    task : str, optional
        What "relevant" means: "answer", "duplicate".
    stage : str, optional
        Where in the pipeline the scores come from: "dense", "fused", "rerank".
    norm : str, optional
        The method of :func:`fastcal.normalize`, with its defaults, that scores went through list by list before they came to the
        calibrator; whoever uses the profile applies it first, as ``fastcal.bulk`` and the command line do.
    modality : (str, str), default ("text", "text")
        Kinds of query and document. Say so where it is another pair: what is not said passes :meth:`check` as text and text.
    dims : int, optional
        Coordinates used, where the model's vectors are cut.
    corpus : str or array_like, optional
        Name or fingerprint; of an array, :func:`fastcal.corpus_fingerprint` is taken.
    base_rate : float, optional
        Share of relevant pairs among the training pairs; the calibrator's by default, from which it differs after ``prior=``.
    top_k : int, optional
        Depth of the lists the pairs come from.
    n_pairs, n_queries : int, optional
        Training size.
    diagnostics : mapping, optional
        Held-out figures, plain JSON; copied as the calibrator is.
    reference : Reference, optional
        Distribution of the training scores; :meth:`fit` makes it.
    queries : QueryHashes, optional
        Salted hashes of the training queries; :meth:`fit` makes them.
    created : str, optional
        ISO 8601 with an offset; now by default.
    library_version : str, optional
        This fastcal's by default.

    Raises
    ------
    ValueError, TypeError
        If a field is out of range or of another type; the message names it.
    NotFittedError
        If the calibrator is not fitted.

    Examples
    --------
    >>> import fastcal as fc
    >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    >>> profile = fc.Profile("all-MiniLM-L6-v2", "cosine", platt, fc.Threshold(0.75, target_precision=0.9), top_k=100)
    >>> profile.check(model="all-MiniLM-L6-v2", metric="cosine", top_k=100)
    >>> profile.check(model="e5-base")
    Traceback (most recent call last):
        ...
    fastcal.errors.ProfileMismatchError: this profile was fitted for something else: model is 'all-MiniLM-L6-v2' in the profile and 'e5-base' here
    """

    @classmethod
    def fit(
        cls,
        scores: npt.ArrayLike,
        labels: npt.ArrayLike,
        query_ids: npt.ArrayLike,
        *,
        model: str,
        metric: str,
        calibrator: Calibrator | GroupCalibrator | None = None,
        target_precision: float | Iterable[float] | None = None,
        target_recall: float | Iterable[float] | None = None,
        prior: float | None = None,
        sample_weight: npt.ArrayLike | None = None,
        by: npt.ArrayLike | None = None,
        top_k: int | None = None,
        n_splits: int = 5,
        seed: int = 0,
        higher_is_better: bool = True,
        **facts: Any,
    ) -> Self:
        """Fit a calibrator, choose thresholds, and measure both on queries they have not seen.

        Probabilities are cross-fitted: each query's come from a calibrator fitted without it. The thresholds are chosen on them,
        and the precision, recall and interval recorded with a threshold are those of cutting each fold where the other folds say.

        Parameters
        ----------
        scores : array_like of float, any shape
            NaN marks padding.
        labels : array_like of 0/1, shape of `scores`
        query_ids : array_like of int or str
            The query of each pair, in the shape of `scores`, or one per row of it.
        model, metric : str
            As for the constructor.
        calibrator : Calibrator or GroupCalibrator, optional
            Cloned, not fitted itself. :func:`fastcal.select_calibrator` chooses one by default, among those that take every score
            of `metric` (after `norm`) whatever the labelled ones are: beta for cosines only in its form for [-1, 1], none for dot,
            ip, euclidean, l2, bm25 and logit.
        target_precision, target_recall : float or iterable of float, optional
            A threshold for each; neither means ``target_precision=0.9``.
        prior : float, optional
            Share of relevant pairs where the profile will be used, if it is not that of `labels`, as after sampling as
            many relevant as irrelevant pairs. Calibrator, thresholds, figures and the distribution of scores that
            :meth:`revalidate` compares with are then for that share.
        sample_weight : array_like of float, shape of `scores`, optional
        by : array_like of int or str, as `query_ids`, optional
            What a GroupCalibrator tells apart.
        top_k : int, optional
            Depth of the lists; the number of columns of two-dimensional scores by default.
        n_splits, seed : int
            As in :func:`fastcal.cross_fit`.
        higher_is_better : bool, default True
            False for distances: the calibrators to choose from then fall with the score, and probabilities that rise are an error.
        **facts
            Further fields of the constructor: `revision`, `task`, `stage`, `norm`, `modality`, `dims`, `corpus`, `created`.

        Returns
        -------
        Profile

        Raises
        ------
        ValueError, TypeError
            As :func:`fastcal.select_calibrator` and the constructor.

        Warns
        -----
        ProfileWarning
            If no threshold reaches a target, if queries it was not chosen on refute it (their 95 % interval ends below the target, or
            nothing of theirs is selected), which leaves it out, or if it selects fewer than 30 of their pairs.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> rng = np.random.default_rng(0)
        >>> scores = rng.random((200, 5))
        >>> labels = rng.random((200, 5)) < scores
        >>> profile = fc.Profile.fit(scores, labels, np.arange(200), model="m", metric="cosine", target_precision=0.8)
        >>> profile.top_k, profile.n_pairs, profile.thresholds[0].target_precision, profile.thresholds[0].held_out
        (5, 1000, 0.8, True)
        """
        require_query_ids(query_ids)
        judged = judged_facts({"model": model, "metric": metric} | facts)
        targets = as_targets(target_precision, target_recall)
        measured = fitted(
            scores,
            labels,
            query_ids,
            calibrator=calibrator,
            targets=targets,
            prior=prior,
            sample_weight=sample_weight,
            by=by,
            top_k=top_k,
            n_splits=n_splits,
            seed=seed,
            higher_is_better=higher_is_better,
            metric=judged["metric"],
            norm=judged.get("norm"),
        )
        return cls(**judged, **measured)

    def seen_queries(self, query_ids: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which queries the profile was fitted on, in the shape of `query_ids`.

        Ids are compared by their text: 12 and "12" are the same. Raises ValueError if the profile holds no training queries.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> rng = np.random.default_rng(0)
        >>> scores = rng.random((200, 5))
        >>> profile = fc.Profile.fit(scores, rng.random((200, 5)) < scores, np.arange(200), model="m", metric="cosine")
        >>> profile.seen_queries([199, 200]).tolist()
        [True, False]
        """
        if self.queries is None:
            raise InvalidValueError("this profile holds no training queries, so it cannot tell which it has seen")
        return self.queries.holds(query_ids)

    def revalidate(
        self,
        scores: npt.ArrayLike,
        labels: npt.ArrayLike | None = None,
        *,
        query_ids: npt.ArrayLike | None = None,
        by: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> RevalidationReport:
        """Hold the profile against new pairs: keep it, fit it again, or stop using it, and why.

        With labels. *Prior shift*, hence "refit": the base rate has moved, the probabilities are wrong (p < 0.01, and recalibration
        would gain 2 % of the base-rate guess's Brier score), and moving their log-odds to the new rate removes half the test
        statistic or more and leaves nothing worse than that guess. Else "stop": p < 0.01 and the Brier score is worse than the guess's
        beyond its 95 % error, or a threshold's interval (95 %, all
        thresholds together: Bonferroni) ends 0.2 below its promise. Else "refit": an interval ends below its promise, or
        the probabilities are wrong in that sense. Else "keep". A threshold promises its target, or what it reached on
        held-out queries (30 selected pairs or more) if that was less. Labels of one class judge only
        the level of the probabilities, and the gain is then taken of the Brier score of guessing the claimed base rate.

        Without labels, by the Kolmogorov-Smirnov distance to the training scores: "keep" if p >= 0.01 or the distance is below
        0.1, "stop" from 0.25 on, else "refit". It sees that scores have changed, not whether the probabilities are wrong.

        Every test and interval takes queries, not pairs, as independent. Where queries come in threads or intents, those are
        the units: give them as `query_ids`, or new ones will look like drift.

        Parameters
        ----------
        scores : array_like of float
            Rows (n_queries, k), or any shape with `query_ids`. NaN marks padding.
        labels : array_like of 0/1, shape of `scores`, optional
        query_ids : array_like of int or str, optional
            The query of each pair, in the shape of `scores`, or one per row of it. With them, queries of the training are noticed.
        by : array_like of int or str, as `query_ids`, optional
            What the profile's GroupCalibrator tells apart.
        sample_weight : array_like of float, shape of `scores`, optional
            One over the chance with which each pair was sampled, where chances differ.

        Returns
        -------
        RevalidationReport

        Raises
        ------
        ValueError, TypeError
            If arrays do not fit each other or hold unusable values, queries cannot be told apart, or there are neither labels
            nor reference scores.

        Warns
        -----
        ProfileWarning
            If queries are among those the profile was fitted on, or rows of scores have another length than its `top_k`.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> rng = np.random.default_rng(0)
        >>> scores = rng.random((400, 5))
        >>> profile = fc.Profile.fit(scores, rng.random((400, 5)) < scores, np.arange(400), model="m", metric="cosine")
        >>> profile.revalidate(rng.random((200, 5)) / 2).verdict
        'stop'
        """
        self._check_scores(float_array(scores, "scores"))
        asked = as_asked(scores, labels, query_ids, by, sample_weight)
        warn_of_depth(asked.width, self.top_k, stacklevel=3)
        n_seen = None
        if query_ids is not None and self.queries is not None:
            distinct = np.unique(np.asarray(query_ids))
            n_seen = int(np.count_nonzero(self.seen_queries(distinct)))
            warn_of_seen(n_seen, len(distinct), stacklevel=3)
        return revalidated(Recorded(self._predictor, self.thresholds, self.base_rate, self.n_queries, self.reference), asked, n_seen)
