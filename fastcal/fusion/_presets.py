"""The fusion of other systems, by name: ``docs/presets.md`` has formulas, quirks and sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._denormals import warn_if_denormals_are_lost
from fastcal._validate import lists
from fastcal._validate.numbers import integer, number, one_of
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.fusion import _preset_norms as norms
from fastcal.fusion import _presets_weights as rules
from fastcal.fusion._engine import Rules, Settings
from fastcal.fusion._normalise import one_each
from fastcal.run import Run

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class K:
    """The constant of a reciprocal rank: the default and range of the system, and what makes it ours by adding `shift`."""

    default: float = 60.0
    shift: float = 0.0
    expected: str = "finite and at least 0"
    accept: Callable[[float], bool] = lambda k: 0.0 <= k < math.inf
    whole: bool = False

    def read(self, options: Mapping[str, Any]) -> float:
        """Return the system's constant, given or by default."""
        value = options.get("k", self.default)
        whole = integer(value, "k", least=1) if self.whole and "k" in options else value
        return number(whole, "k", self.expected, self.accept)


@dataclass(frozen=True, slots=True)
class Preset:
    """How one system fuses.

    Attributes
    ----------
    method, others : method of :func:`fuse`, and those that may be asked for instead
    norms : maps of scores by the names that `norm` may have, the default first; none for ranks and metrics
    weights : how the system reads them; None: it takes none
    k : None unless the system lets it be chosen; `fixed_k` otherwise
    stretch : weights divide ranks instead of multiplying scores
    duplicates : what becomes of a document that one list holds twice
    distances : whether a run of distances is welcome
    metrics : scores are mapped by the metric of their run
    """

    method: str = "sum"
    others: tuple[str, ...] = ()
    norms: Mapping[str, norms.Norm] = field(default_factory=dict)
    weights: Callable[[Float64 | None, int], Float64 | None] | None = None
    k: K | None = None
    fixed_k: float = 60.0
    stretch: bool = False
    duplicates: str = "first"
    distances: bool = False
    metrics: bool = False


_AT_LEAST_ONE = K(2.0, -1.0, "finite and at least 1", lambda k: 1.0 <= k < math.inf)
_POSITIVE = K(expected="finite and positive", accept=lambda k: 0.0 < k < math.inf)
_UP_TO_10000 = K(expected="an integer from 1 to 10000", accept=lambda k: 1.0 <= k <= 10000.0, whole=True)
_MEANS: dict[str, Any] = {"method": "mean", "others": ("gmean", "hmean"), "weights": rules.up_to_one_summing_to_one}
_ELASTIC: dict[str, norms.Norm] = {"minmax": norms.elastic_minmax, "l2": norms.elastic_l2, "none": norms.unchanged}

PRESETS: dict[str, Preset] = {
    "paper": Preset("rrf", k=K()),
    "ranx": Preset(norms={"minmax": norms.constant_as(0.0)}, weights=rules.linear, distances=True),
    "qdrant-rrf": Preset("rrf", weights=rules.linear, k=_AT_LEAST_ONE, stretch=True, duplicates="sum"),
    "qdrant-dbsf": Preset(norms={"dbsf": norms.DBSF_SAMPLE}, duplicates="sum"),
    "weaviate-ranked": Preset("rrf", weights=rules.linear, fixed_k=59.0),
    "weaviate-relative": Preset(norms={"minmax": norms.constant_as(1.0)}, weights=rules.linear, distances=True),
    "opensearch-minmax": Preset(norms={"minmax": norms.opensearch_minmax}, **_MEANS),
    "opensearch-zscore": Preset("mean", norms={"zscore": norms.opensearch_zscore}, weights=rules.up_to_one_summing_to_one),
    "opensearch-l2": Preset(norms={"l2": norms.opensearch_l2}, **_MEANS),
    "opensearch-rrf": Preset(weights=rules.up_to_one_summing_to_one, k=_UP_TO_10000),
    "elasticsearch-linear": Preset(norms=_ELASTIC, weights=rules.linear),
    "haystack-rrf": Preset("rrf", weights=rules.shares_of_61, duplicates="sum"),
    "haystack-dbsf": Preset("max", norms={"dbsf": norms.DBSF_OR_RAW}, duplicates="max"),
    "llamaindex-rrf": Preset("rrf", fixed_k=59.0),
    "llamaindex-relative": Preset(norms={"minmax": norms.by_sign("minmax")}, weights=rules.shares),
    "llamaindex-dist": Preset(norms={"dbsf": norms.by_sign("dbsf")}, weights=rules.shares),
    "langchain-ensemble": Preset("rrf", weights=rules.linear_or_even, k=K(), duplicates="sum"),
    "milvus-weighted": Preset(weights=rules.up_to_one, distances=True, metrics=True),
    "vespa-linear": Preset(norms={"minmax": norms.constant_as(0.5)}, weights=rules.linear),
    "lancedb-rrf": Preset("rrf", k=_POSITIVE, duplicates="sum"),
    "mongodb-rank-fusion": Preset("rrf", weights=rules.linear),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller of a preset asked for besides it; `others` are the arguments of :func:`fuse` that no preset takes."""

    method: str | None
    norm: str | Sequence[str | None] | None
    weights: Float64 | None
    options: Mapping[str, Any]
    others: Mapping[str, Any]


def by_preset(name: Any, runs: Sequence[Run], wish: Wish, order: tuple[str, int]) -> tuple[list[Float32 | None], Rules, Settings]:
    """Return what :func:`fuse_arrays` takes; `order` is ties and top_k.

    Raises
    ------
    InvalidValueError
        If the preset is unknown, does not take what is asked for, or cannot take a run.
    """
    preset = PRESETS[one_of(name, "preset", tuple(PRESETS))]
    _refuse_untaken(name, preset, wish)
    k = preset.fixed_k if preset.k is None else preset.k.read(wish.options)
    method = preset.method if wish.method is None else one_of(wish.method, "method", (preset.method, *preset.others))
    scores, rules = _scores(name, preset, runs, wish, k)
    weights = None if preset.weights is None else preset.weights(wish.weights, len(runs))
    options = {"k": k + (preset.k.shift if preset.k else 0.0)} if method == "rrf" else {}
    settings = Settings.of(method, options, weights=weights, stretch=preset.stretch, duplicates=preset.duplicates, ties=order[0], top_k=order[1])
    return scores, rules, settings


def _refuse_untaken(name: str, preset: Preset, wish: Wish) -> None:
    own = {"method": not preset.others and wish.method, "norm": len(preset.norms) < 2 and wish.norm, **wish.others}
    for argument, value in own.items():
        if value is not None and value is not False:
            raise InvalidValueError(f"preset {name!r} has its own {argument}, got {argument}={value!r}")
    if wish.weights is not None and preset.weights is None:
        raise InvalidValueError(f"preset {name!r} takes no weights: its system has none, or ignores them")
    takes = [option for option, taken in (("k", preset.k), ("metrics", preset.metrics)) if taken]
    for option in wish.options:
        if option not in takes:
            raise InvalidValueError(f"preset {name!r} takes {', '.join(map(repr, takes)) or 'no options'}, got {option!r}")


def _scores(name: str, preset: Preset, runs: Sequence[Run], wish: Wish, k: float) -> tuple[list[Float32 | None], Rules]:
    if preset.method == "rrf":
        return [None] * len(runs), None
    if preset.k is not None:
        return _parted(norms.opensearch_reciprocal(runs, k), runs), None
    for at, run in enumerate(runs):
        _refuse_run(name, preset, run, at)
    if preset.metrics:
        metrics = _as_metrics(wish.options.get("metrics"), runs)
        for at, run in enumerate(runs):
            assert run.scores is not None
            _look_at_scores(runs, [at], run.scores)
        return [norms.milvus(run, metric) for run, metric in zip(runs, metrics, strict=True)], None
    return _normalised(runs, _as_norms(preset, wish.norm, len(runs)))


def _normalised(runs: Sequence[Run], maps: Sequence[norms.Norm]) -> tuple[list[Float32 | None], Rules]:
    """Return the rules of the engine, and the scores of other maps; runs that share such a map are mapped together."""
    scores: list[Float32 | None] = [run.scores for run in runs]
    rules = [norm[run.higher_is_better] if isinstance(norm, tuple) else None for run, norm in zip(runs, maps, strict=True)]
    for norm in dict.fromkeys(norm for norm in maps if not isinstance(norm, tuple)):
        places = [at for at, one in enumerate(maps) if one is norm]
        together = [runs[at] for at in places]
        mine = norms.Lists.of(together)
        _look_at_scores(runs, places, mine.scores)
        for at, mapped in zip(places, _parted(norm(mine), together), strict=True):
            scores[at] = mapped
    return scores, rules if any(rules) else None


def _parted(scores: Float32, runs: Sequence[Run]) -> list[Float32 | None]:
    """Return each run's part of the scores of all."""
    ends = list(accumulate((run.ids.size for run in runs), initial=0))
    return [scores[start:end] for start, end in pairwise(ends)]


def _as_norms(preset: Preset, norm: str | Sequence[str | None] | None, n_runs: int) -> list[norms.Norm]:
    """Return the map of each run; a preset that has several takes one name, or one for each run."""
    default = next(iter(preset.norms))
    names = [default if one is None else one for one in one_each(norm, n_runs)]
    return [preset.norms[one_of(one, "norm", tuple(preset.norms))] for one in names]


def _refuse_run(name: str, preset: Preset, run: Run, at: int) -> None:
    if run.scores is None:
        raise InvalidValueError(f"preset {name!r} adds scores, and runs[{at}] has none")
    if not run.higher_is_better and not preset.distances:
        raise InvalidValueError(f"preset {name!r} needs scores for which higher is better, and runs[{at}] holds distances")


def _look_at_scores(runs: Sequence[Run], places: Sequence[int], together: Float32) -> None:
    """Refuse infinities, and warn of denormals that NumPy does not see; the engine does so itself where it maps."""
    if not np.isfinite(together).all():
        for at in places:
            scores = runs[at].scores
            assert scores is not None
            lists.refuse_infinity(scores, runs[at].offsets, f"runs[{at}]")
    warn_if_denormals_are_lost(together)


def _as_metrics(metrics: Any, runs: Sequence[Run]) -> list[str]:
    known = tuple(norms.MILVUS)
    if isinstance(metrics, str) or not isinstance(metrics, Sequence) or len(metrics) != len(runs):
        raise InvalidTypeError(f"metrics must name the metric of each of the {len(runs)} runs, {', '.join(map(repr, known))}; got {metrics!r}")
    for at, (metric, run) in enumerate(zip(metrics, runs, strict=True)):
        if (one_of(metric, f"metrics[{at}]", known) == "l2") == run.higher_is_better:
            holds = "scores for which higher is better" if run.higher_is_better else "distances"
            raise InvalidValueError(f"metrics[{at}] is {metric!r}, and runs[{at}] holds {holds}")
    return list(metrics)
