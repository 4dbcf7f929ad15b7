"""``fastcal evaluate``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastcal.cli._evaluation import AtThreshold, evaluated
from fastcal.cli._gates import verdict
from fastcal.cli._labels import Labelled
from fastcal.cli._located import located
from fastcal.cli._options import DROP, AsJson, By, Depth, Out, ProfilePath, QrelsArgument, RunArgument, Seen, TargetText, target
from fastcal.cli._output import show, table, to_json, write_text
from fastcal.cli._progress import progress
from fastcal.cli._reading import Columns, Judging, pairs_of
from fastcal.cli._spread import spread
from fastcal.cli._tables import interval
from fastcal.cli._use import check_depth, classes_of, probabilities_of
from fastcal.errors import InvalidValueError
from fastcal.profile import Profile

if TYPE_CHECKING:
    from rich.console import Console


def _limit(name: str, text: str) -> Any:
    return typer.Option(name, metavar="X", help=text, show_default=False)


@spread
def evaluate(
    run: RunArgument,
    qrels: QrelsArgument,
    *,
    profile: ProfilePath,
    max_ece: Annotated[float | None, _limit("--max-ece", "Gate: expected calibration error at most X.")] = None,
    min_precision: Annotated[float | None, _limit("--min-precision", "Gate: precision at the threshold at least X.")] = None,
    target_: TargetText = None,
    strict: Annotated[bool, typer.Option("--strict", help="Gates judge the worse end of the 95 % interval, not the estimate.")] = False,
    escalate_from: Annotated[float | None, _limit("--escalate-from", "Laxer edge: queries between it and the threshold escalate.")] = None,
    measures: Annotated[
        list[str], typer.Option("--measures", metavar="NAME", help="nDCG@10, P@5, ... of ir-measures; several times.", show_default=False)
    ] = [],  # noqa: B006
    seen: Seen = DROP,
    top_k: Depth = None,
    by: By = None,
    columns: Columns,
    judging: Judging,
    out: Out = None,
    as_json: AsJson = False,
) -> int:
    """Measure a profile on labelled lists, and fail a build that it is not good enough for.

    Queries that the profile was fitted on are left out, so every figure is held out. Intervals are 95 %, by query. A gate is
    passed if the estimate keeps to its limit (with --strict, if the worse end of the interval does); one that fails is exit code
    1 and a line on stderr. --min-precision is about the threshold that --target names, or each if there are several.

    Examples:
    fastcal evaluate run.trec qrels.trec --profile profile.json --seen keep --max-ece 0.05
    fastcal evaluate run.trec qrels.trec --profile profile.json --seen keep --target precision=0.7 --min-precision 0.99 --json  # exit 1
    fastcal evaluate run.trec qrels.trec --profile profile.json --seen keep --measures nDCG@10 --measures P@5
    """
    used = Profile.load(profile)
    _judge_limits(max_ece=max_ece, min_precision=min_precision)
    if strict and max_ece is None and min_precision is None:
        raise InvalidValueError("--strict is about gates: give --max-ece or --min-precision")
    gated = _gated(used, target_, min_precision)
    judged, grades = pairs_of(run, qrels, columns, judging, top_k=top_k, by=by, profile=used, seen=seen)
    check_depth(used, judged.run)
    classes = classes_of(used, by, judged.run, columns.query_column)
    with progress("measuring"), located(judged.run, run, columns):
        probabilities = probabilities_of(used, judged.run, classes)
        how: dict[str, Any] = {"measures": measures, "escalate_from": escalate_from, "min_rel": judging.min_rel}
        found = evaluated(used, judged, grades, probabilities, classes, **how)
    gates = _gates(found, gated, max_ece, min_precision or 0.0, strict)
    told = {"profile": profile, **found, "gates": gates}
    if out not in {None, "-"}:
        write_text(to_json(told), out)
    show(told, lambda console: _people(console, used, judged, found), as_json=as_json or out == "-")
    return verdict(_failure(gate) for gate in gates if not gate["passed"])


def _judge_limits(**limits: float | None) -> None:
    for name, value in limits.items():
        if value is not None and not 0.0 <= value <= 1.0:
            raise InvalidValueError(f"--{name.replace('_', '-')} must be a number in [0, 1], got {value:g}")


def _gated(profile: Profile, text: str | None, min_precision: float | None) -> list[int]:
    """Return which stored thresholds --min-precision is about."""
    if text is not None and min_precision is None:
        raise InvalidValueError("--target names the threshold of --min-precision, which is missing")
    if min_precision is None:
        return []
    wanted = target(text)
    found = [at for at, cut in enumerate(profile.thresholds) if all(getattr(cut, name) == value for name, value in wanted.items())]
    if not found:
        raise InvalidValueError(f"--min-precision has nothing to judge: the profile holds no threshold{f' for {text}' if text else ''}")
    return found


def _gates(found: dict[str, Any], gated: list[int], max_ece: float | None, min_precision: float, strict: bool) -> list[dict[str, Any]]:
    """Return each gate with its value, its limit and whether it is passed; what has no value passes nothing."""
    gates = []
    summary = found["calibration"]
    if max_ece is not None:
        value = summary.ece_interval[1] if strict else summary.ece
        gates.append({"gate": "--max-ece", "of": "ECE", "value": value, "limit": max_ece, "strict": strict, "passed": bool(value <= max_ece)})
    for at in gated:
        row: AtThreshold = found["thresholds"][at]
        value = row.at.precision_interval[0] if strict else row.at.precision
        name = f"precision at {row.threshold.space} {row.threshold.value:.4g}, {row.at.n_selected} pairs selected"
        gates.append(
            {"gate": "--min-precision", "of": name, "value": value, "limit": min_precision, "strict": strict, "passed": value >= min_precision}
        )
    return gates


def _failure(gate: dict[str, Any]) -> str:
    value = "not known" if math.isnan(gate["value"]) else f"{gate['value']:.4g}"
    end = " (worse end of the 95 % interval)" if gate["strict"] else ""
    return f"gate failed: {gate['gate']} {gate['limit']:g}: {gate['of']} is {value}{end}"


def _people(console: Console, profile: Profile, judged: Labelled, found: dict[str, Any]) -> None:
    console.print(repr(profile))
    console.print(str(judged.counts))
    summary, split = found["calibration"], found["separation"]
    rows: list[tuple[Any, ...]] = [
        ("ECE", summary.ece, interval(summary.ece_interval)),
        ("debiased calibration error (root mean square)", summary.debiased_calibration_error, ""),
        ("Brier score", summary.brier, interval(summary.brier_interval)),
        ("Brier skill over the training base rate", summary.brier_skill, ""),
        ("log loss", summary.log_loss, interval(summary.log_loss_interval)),
        ("AUROC of the scores", split and split["auroc"], interval(split and split["auroc_interval"])),
        *((name, each["value"], interval(each["interval"])) for name, each in found["measures"].items()),
        (f"judged among the first {found['judged']['k']}", found["judged"]["mean_judged"], ""),
    ]
    console.print(table(("", "value", "95 %"), rows))
    if split is not None:
        console.print("; ".join(filter(None, (split["verdict"], split["note"]))))
    if not found["thresholds"]:
        console.print("the profile holds no threshold")
        return
    cuts = [
        (_name(row), row.at.precision, interval(row.at.precision_interval), row.at.recall, interval(row.at.recall_interval), row.at.n_selected)
        for row in found["thresholds"]
    ]
    console.print(table(("threshold", "precision", "95 %", "recall", "95 %", "pairs selected"), cuts))
    shares = [
        (_name(row), *(text for told in row.decisions.values() for text in (told["n"], f"{told['share']:.1%} {interval(told['interval'])}")))
        for row in found["thresholds"]
    ]
    console.print(table(("queries", "act", "", "escalate", "", "not found", ""), shares))


def _name(row: AtThreshold) -> str:
    cut = row.threshold
    promise = next((f"{name} {value:g}, " for name, value in (("precision", cut.target_precision), ("recall", cut.target_recall)) if value), "")
    return f"{promise}{cut.space} {'>=' if cut.higher_is_better else '<='} {cut.value:.4g}"
