"""``fastcal fit``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastcal.calibration import GroupCalibrator
from fastcal.cli._groups import groups_of
from fastcal.cli._labels import Labelled, check_folds, scores_of
from fastcal.cli._located import located
from fastcal.cli._methods import AUTO, INPUTS, METHODS, calibrator_of
from fastcal.cli._options import AsJson, By, Depth, Out, Splits, TargetTexts, one_of, targets
from fastcal.cli._output import show, table, to_json, write_text
from fastcal.cli._progress import progress
from fastcal.cli._reading import Columns, Judging, pairs_of
from fastcal.cli._spread import spread
from fastcal.cli._tables import interval
from fastcal.errors import InvalidValueError
from fastcal.profile import Profile

if TYPE_CHECKING:
    from rich.console import Console

_NORMS = ("minmax", "max", "sum", "l2", "zscore", "dbsf", "robust", "rank", "borda", "atan", "sigmoid", "tail")


def _fact(name: str, text: str, metavar: str = "TEXT") -> Any:
    return typer.Option(name, metavar=metavar, help=text, show_default=False)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the profile is for."""

    model: Annotated[str, _fact("--model", "Model the scores come from.")]
    metric: Annotated[str, _fact("--metric", "cosine, dot, euclidean, or what else gave the scores.")]
    norm: Annotated[str | None, one_of("--norm", "Normalise each list first; whoever uses the profile does too.", *_NORMS)] = None
    revision: Annotated[str | None, _fact("--revision", "Of the model.")] = None
    task: Annotated[str | None, _fact("--task", "What relevant means: answer, duplicate.")] = None
    stage: Annotated[str | None, _fact("--stage", "Where the scores come from: dense, fused, rerank.")] = None
    corpus: Annotated[str | None, _fact("--corpus", "Name of the corpus.")] = None
    dims: Annotated[int | None, _fact("--dims", "Coordinates used, where vectors are cut.", "N")] = None

    @property
    def given(self) -> dict[str, Any]:
        """Return the facts that are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@spread
def fit(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="As --run.", show_default=False)] = None,
    qrels: Annotated[str | None, typer.Argument(metavar="[QRELS]", help="As --qrels.", show_default=False)] = None,
    *,
    run_path: Annotated[str | None, _fact("--run", "Scored lists: TREC, a table; - is stdin.", "RUN")] = None,
    qrels_path: Annotated[str | None, _fact("--qrels", "Judgements: TREC, BEIR, a table.", "QRELS")] = None,
    facts: Facts,
    method: Annotated[str, one_of("--method", "Calibrator; auto compares them on queries left out.", *METHODS)] = AUTO,
    input: Annotated[str | None, one_of("--input", "What platt, beta and temperature take a score for.", *INPUTS)] = None,  # noqa: A002
    target: TargetTexts = [],  # noqa: B006  (typer's way to say "none")
    prior: Annotated[float | None, _fact("--prior", "Share of relevant pairs in use, if it is not that of the labels.", "P")] = None,
    by: By = None,
    top_k: Depth = None,
    splits: Splits = 5,
    hold_out: Annotated[
        float, typer.Option("--hold-out", metavar="SHARE", help="Leave this share of the queries to fastcal evaluate.", show_default=False)
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the folds and of --hold-out.")] = 0,
    columns: Columns,
    judging: Judging,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Fit a calibrator and thresholds to judged lists, and write them as a profile.

    Every figure is measured on queries that were left out. Without --target the profile has a threshold for precision 0.9.
    With --hold-out the profile never meets a share of the queries: fastcal evaluate on the same files measures exactly those,
    for it leaves out what the profile was fitted on. Without -o the profile goes to stdout and no table is shown; --json prints
    the figures and needs -o.

    Examples:
    fastcal fit --run run.trec --qrels qrels.trec --model toy --metric cosine -o faq.json
    fastcal fit run.trec qrels.trec --method platt --model toy --metric cosine --target precision=0.8 --target recall=0.9 -o faq.json
    fastcal fit run.trec qrels.trec --model toy --metric cosine --norm minmax --by groups.csv:lang -o faq.json --json
    fastcal fit run.trec qrels.trec --model toy --metric cosine > faq.json
    fastcal fit run.trec qrels.trec --model toy --metric cosine --hold-out 0.5 -o half.json
    """
    if as_json and out in {None, "-"}:
        raise InvalidValueError("--json prints the figures on stdout; say with -o where the profile goes")
    paths = _one("RUN", run, run_path), _one("QRELS", qrels, qrels_path)
    judged, _ = pairs_of(*paths, columns, judging, top_k=top_k, by=by, hold_out=hold_out, seed=seed)
    check_folds(judged, splits, *paths)
    with progress("fitting"), located(judged.run, paths[0], columns):
        profile = _fitted(judged, facts, method, input, by, columns, target, prior=prior, n_splits=splits, seed=seed, top_k=top_k)
    write_text(to_json(profile), out)
    if out not in {None, "-"}:
        told = {"profile": out, "counts": judged.counts, "thresholds": profile.thresholds, **(profile.diagnostics or {})}
        show(told, lambda console: _people(console, profile, judged, str(out)), as_json=as_json)


def _one(name: str, positional: str | None, option: str | None) -> str:
    if (positional is None) == (option is None):
        raise InvalidValueError(f"{name} is {'missing' if option is None else 'given twice'}: give it by place or as --{name.lower()}")
    return str(positional if option is None else option)


def _fitted(
    judged: Labelled, facts: Facts, method: str, read_as: str | None, by: str | None, columns: Columns, wanted: list[str], **options: Any
) -> Profile:
    scores, rising = scores_of(judged.run, facts.norm)
    groups = groups_of(by, judged.run, columns.query_column)
    calibrator = calibrator_of(method, scores, read_as, rising, facts.metric.lower() if facts.norm is None else None)
    if groups is not None and calibrator is not None:
        calibrator = GroupCalibrator(calibrator)
    depth = options.pop("top_k") or int(judged.run.counts().max())
    asked: dict[str, Any] = {**targets(wanted), **facts.given, **options}
    profile = Profile.fit(
        scores,
        judged.labels.labels,
        judged.query_ids,
        calibrator=calibrator,
        by=None if groups is None else groups[judged.queries],
        top_k=depth,
        higher_is_better=rising,
        **asked,
    )
    if rising and profile.calibrator.higher_is_better_ is False:
        raise InvalidValueError("the better the score, the less is relevant: are these distances? then say --distances")
    return profile


def _people(console: Console, profile: Profile, judged: Labelled, out: str) -> None:
    told: Any = profile.diagnostics
    held, selection = told["held_out"], told["selection"]
    console.print(f"{out}: {profile!r}")
    console.print(selection["reason"])
    console.print(str(judged.counts))
    rows = [
        ("ECE", held["ece"], interval(held["ece_interval"])),
        ("Brier score", held["brier"], interval(held["brier_interval"])),
        ("log loss", held["log_loss"], interval(held["log_loss_interval"])),
        ("Brier skill over the base rate", held["brier_skill"], ""),
        ("AUROC", held["auroc"], ""),
    ]
    console.print(table(("held out by query", "value", "95 %"), rows, title=f"{held['n']:,} pairs of {held['n_groups']:,} queries"))
    cuts = [(_promise(cut), cut.value, cut.precision, interval(cut.interval), cut.recall, cut.n_selected) for cut in profile.thresholds]
    columns = ("threshold for", "probability >=", "held-out precision", "95 %", "recall", "pairs selected")
    console.print(table(columns, cuts) if cuts else "no threshold: see the warnings")


def _promise(cut: Any) -> str:
    return f"precision {cut.target_precision:g}" if cut.target_precision is not None else f"recall {cut.target_recall:g}"
