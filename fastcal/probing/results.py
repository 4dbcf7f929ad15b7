"""What the recipes return: an estimate, how it came about, and words that say it is no certificate."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from fastcal.labelling.result import LabelledResult, plain


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DensityRound:
    """One round of :func:`fastcal.density_weighted_threshold`.

    Attributes
    ----------
    anchor, sigma : float
        Centre and width of the Gaussian weights.
    labels : int
        Rows drawn, none of which had a label.
    effective_n : float
        Kish's effective size of the labels at or beyond `threshold`, of this round and those before; infinite if none is missing.
    weight_ratio : float
        Largest over smallest sampling weight among the rows drawn.
    effective_rows : float
        Kish's effective size of the weights over the rows without a label: how many the Gaussian really chooses among.
    threshold : float
        The candidate cut this round ends in, which is the next anchor.
    qualifies : bool
        Whether its estimated precision reaches the target; if not, no candidate's does and this one comes closest.
    precision : float
        Estimated precision at `threshold`.
    interval : tuple of float
        Its 95 % Wilson interval, of effective trials. It does not know that the cut was chosen on these labels.
    width : float
        Full width of `interval`.
    fresh_precision : float
        Precision at `anchor` by this round alone: rows labelled before are counted, the others estimated from this round's labels,
        which had no part in choosing it. With "none" these labels only. NaN if nothing tells.
    fresh_interval : tuple of float
        Its 95 % Wilson interval.
    """

    anchor: float
    sigma: float
    labels: int
    effective_n: float
    weight_ratio: float
    effective_rows: float
    threshold: float
    qualifies: bool
    precision: float
    interval: tuple[float, float]
    width: float
    fresh_precision: float
    fresh_interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {each.name: plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CandidateCut:
    """What is estimated of one threshold.

    Attributes
    ----------
    threshold : float
        A score of the pool; inclusive.
    n_selected : int
        Rows given that lie at or beyond it.
    precision : float
        NaN if nothing there was labelled.
    effective_n : float
    interval : tuple of float
        95 % Wilson interval, of effective trials.
    """

    threshold: float
    n_selected: int
    precision: float
    effective_n: float
    interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {each.name: plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ThresholdEstimate(LabelledResult):
    """Threshold of :func:`fastcal.density_weighted_threshold`: an estimate, no certificate.

    Beside the attributes of every result with paid labels (``threshold``, ``reason``, ``labels_used``, ``labels_floor``,
    ``n_selected``, ``scope``, ``n_cannot_judge``, ``seed``, ``state``; ``labels_floor`` is 1, for an estimate promises nothing):

    Attributes
    ----------
    precision : float
        Estimated precision at the threshold; NaN without one.
    interval : tuple of float
        95 % Wilson interval of it, of effective trials, within what the rows already labelled leave possible: the exact value where
        no label is missing. (0, 1) without a threshold.
    guarantee : bool
        Always False: the interval describes one sample and one cut fixed beforehand, and this cut was chosen among many, on
        these labels, over several looks.
    effective_n : float
        Trials of the interval: Kish's effective size of the labels at or beyond the threshold, corrected for the finite pool;
        infinite (None as JSON) where every row there is labelled.
    anchor : float
        Where the first round looked, after the tail's refinement.
    tail_statistic : float
        What the tail moved the anchor towards.
    weighting : str
        "horvitz-thompson" or "none".
    sampling_rate : float
        Share of a larger pool that the given rows are; ``n_selected`` is scaled up by it.
    n_selected_in_sample : int
        Rows given that lie at or beyond the threshold.
    rounds : tuple of DensityRound
        The trace.
    candidates : tuple of CandidateCut
        All cuts the last round looked at, strictest first.
    certify_would_need : dict
        What :func:`fastcal.certify_threshold` would have needed at delta .05 for this very selection, if the estimate is
        right: ``single_prefix``, the labels after which half of all random orders have certified it if it is the only cut looked at;
        ``labels``, about those of the whole walk (both None where no number is enough); and ``labels_floor``.
    higher_is_better : bool

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> scores = np.linspace(0, 1, 2000, dtype=np.float32)
    >>> found = fc.density_weighted_threshold(scores, lambda rows: scores[rows] > 0.7, anchor=0.7, seed=1)
    >>> type(found).__name__, found.guarantee, len(found.rounds) <= 5
    ('ThresholdEstimate', False, True)
    """

    precision: float
    interval: tuple[float, float]
    guarantee: bool = False
    effective_n: float
    anchor: float
    tail_statistic: float
    weighting: str
    sampling_rate: float
    n_selected_in_sample: int
    rounds: tuple[DensityRound, ...] = field(repr=False)
    candidates: tuple[CandidateCut, ...] = field(repr=False)
    certify_would_need: dict[str, float | int | None] = field(repr=False)
    higher_is_better: bool

    def __str__(self) -> str:
        if self.threshold is None:
            found = f"no threshold is estimated to reach the target ({self.reason})"
        else:
            side, (low, high) = ">=" if self.higher_is_better else "<=", self.interval
            found = f"score {side} {self.threshold:.9g}: precision about {self.precision:.3f} ({low:.3f} to {high:.3f}), {self.n_selected} rows"
        need = self.certify_would_need["labels"]
        labels = f"{self.labels_used} labels in {len(self.rounds)} rounds; ended by: {self.reason}"
        return "\n".join([found, labels if need is None else f"{labels}; a certificate takes about {need}", self.scope])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ring:
    """One ring of :func:`fastcal.annular_threshold`.

    Attributes
    ----------
    distance : float
        Cosine distance of the ring from the query; its crust reaches `ring_tol` to both sides.
    probes : int
        Points searched from; 0 with ``source="band"``.
    hits : int
        Rows that came back over all probes, counted as often as they came; with "band" the rows drawn.
    hits_in_crust : int
        Those within the crust, counted alike.
    distinct : int
        Distinct rows among the hits.
    already_in_plain : float
        Share of the distinct rows that the query's own search returns anyway; NaN if there are none.
    distinct_in_crust : int
        Distinct rows within the crust.
    crust_in_plain : float
        Share of those that the query's own search returns anyway; NaN if there are none.
    rows_in_ring : int or None
        Rows of the corpus within the crust, exactly; known with "band" only.
    score_error_max, score_error_mean : float
        Largest and mean absolute difference between the score the index reported for a row and a probe and their exact
        cosine; NaN without reported scores. 0 for an exact index.
    labels, positives : int
        Rows of the crust that were labelled for this ring, those with an earlier answer included, and how many are relevant.
    precision : float
        Of those labels; NaN if there are none.
    interval : tuple of float
        95 % Wilson interval; (0, 1) if there are none.
    empty : bool
        No row lies within the crust: nothing to judge.
    passed : bool
        The precision reaches the target.
    """

    distance: float
    probes: int
    hits: int
    hits_in_crust: int
    distinct: int
    already_in_plain: float
    distinct_in_crust: int
    crust_in_plain: float
    rows_in_ring: int | None
    score_error_max: float
    score_error_mean: float
    labels: int
    positives: int
    precision: float
    interval: tuple[float, float]
    empty: bool
    passed: bool

    def __str__(self) -> str:
        what = "empty" if self.empty else f"{self.positives} of {self.labels} labels positive, {'passes' if self.passed else 'fails'}"
        return f"distance {self.distance:.4f}: {self.distinct_in_crust} of {self.distinct} rows found lie in the crust; {what}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {each.name: plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AnnularResult(LabelledResult):
    """Threshold of :func:`fastcal.annular_threshold` for one query: an estimate, no certificate.

    Beside the attributes of every result with paid labels (``threshold``, a cosine, ``reason``, ``labels_used``,
    ``labels_floor``, 1, ``n_selected``, ``scope``, ``n_cannot_judge``, ``seed``, ``state``):

    Attributes
    ----------
    rings : tuple of Ring
        In the order visited: the given ones from the inside out, then those of the bisection.
    distance : float or None
        Cosine distance of the outermost ring that passed; None without one.
    guarantee : bool
        Always False.
    fallback : bool
        Every ring was empty, and the threshold is the anchor.
    anchor : float
        The cosine to fall back to: as given, or the last score of the query's own search.
    source : str
        "probe" or "band".
    rings_empty : int
        Rings within whose crust no row was found.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> index = fc.Index(np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32))
    >>> found = fc.annular_threshold(index, np.ones(4), lambda rows: np.ones(len(rows)), rings=[0.1, 0.2], seed=1)
    >>> found.distance, found.reason, found.guarantee
    (0.2, 'outermost_ring', False)
    """

    rings: tuple[Ring, ...] = field(repr=False)
    distance: float | None
    guarantee: bool = False
    fallback: bool
    anchor: float
    source: str
    rings_empty: int

    def __str__(self) -> str:
        if self.threshold is None:
            found = f"no ring passes ({self.reason})"
        elif self.fallback:
            found = f"cosine >= {self.threshold:.9g}: the anchor, for every ring is empty; {self.n_selected} rows"
        else:
            found = f"cosine >= {self.threshold:.9g}: the outermost ring that passes, {self.n_selected} rows"
        lines = [found, f"{self.labels_used} labels, {len(self.rings)} rings, {self.rings_empty} of them empty; ended by: {self.reason}", self.scope]
        return "\n".join([*lines, *(f"  {ring}" for ring in self.rings)])
