"""``fastcal certify``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fastcal.certificates import Certificate, RecallCertificate, certify_recall, certify_threshold
from fastcal.cli._gates import verdict
from fastcal.cli._labelers import Source, kept, labeler_of
from fastcal.cli._located import located
from fastcal.cli._options import AsJson, By, CutProfile, Depth, Out, RunArgument, target
from fastcal.cli._output import show, to_json, write_text
from fastcal.cli._reading import Columns, pool
from fastcal.cli._spread import spread
from fastcal.cli._use import classes_of, probabilities_of
from fastcal.errors import InvalidValueError, LabelingStopped, LabelsWanted
from fastcal.profile import Profile
from fastcal.run import Run

_PAGE = 20  # a spreadsheet is filled by the page
_WHY = {
    "head_fails": "the best pairs miss the target",
    "futility": "given up, for it looked hopeless",
    "budget": "the labels of the budget do not suffice",
    "no_positives": "no label is relevant",
    "no_cut": "all scores are equal",
    "missed": "leaving out the lowest scores loses too many",
}


@spread
def certify(
    run: RunArgument,
    *,
    source: Source,
    target_: Annotated[str, typer.Option("--target", metavar="precision=P|recall=R", help="What is to be certified.")] = "precision=0.9",
    delta: Annotated[float, typer.Option("--delta", metavar="P", help="Chance that a certificate is wrong.")] = 0.05,
    budget: Annotated[
        int | None, typer.Option("--budget", metavar="N", min=1, help="Most labels; default: 40 times the fewest.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Of the order of labelling; default: drawn, and kept.", show_default=False)
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option("--batch", metavar="N", min=1, help="Fewest labels asked for at a time, after the first; --labels: 20.", show_default=False),
    ] = None,
    profile: CutProfile = None,
    by: By = None,
    top_k: Depth = None,
    columns: Columns,
    out: Out = None,
    as_json: AsJson = False,
) -> int:
    """Certify a threshold on the pairs of a run with few labels.

    With confidence 1 - delta no threshold is given that misses the target on these pairs. Every answer is in the log before it is
    used: after Ctrl-C, a crash or an evening with the spreadsheet the same command goes on, and asks for nothing twice.

    Exit code 0: certified. 1: not certified, or not yet, as stderr says. A certificate that says no is written too. With --qrels,
    queries without judgements are left out unless --all-queries.

    Examples:
    fastcal certify run.trec --qrels qrels.trec --target precision=0.8 --seed 0 -o certificate.json
    fastcal certify run.trec --labels labels.csv --target recall=0.8 --delta 0.1 --seed 0 --json
    fastcal certify run.trec --labels new.csv --texts beir --budget 100 --seed 0  # exit 1
    """
    used = None if profile is None else Profile.load(profile)
    if used is None and by is not None:
        raise InvalidValueError("--by goes with --profile: it names the groups that its calibrator tells apart")
    wanted = target(target_)
    if 1.0 in wanted.values():
        raise InvalidValueError(f"--target must be precision=P or recall=R with 0 < P, R < 1, got {target_!r}: nothing but all labels certifies 1")
    columns.judge([run], source.qrels, by=by, grade_column=source.grade_column)
    lists = pool(run, columns, top_k=top_k)
    lists, labeler = labeler_of(source, lists, columns)
    how = {"delta": delta, "budget": budget, "seed": seed, "state": source.state, "log": source.kept_in}
    size = batch if batch is not None else _PAGE if source.labels is not None else None
    if size is not None:
        how["batch_size"] = size
    try:
        with kept(source), located(lists, run, columns):
            found = _certified(*_scores(lists, used, by, columns), labeler, wanted, how)
    except (LabelsWanted, LabelingStopped) as error:
        return _not_yet(error, as_json)
    told = {"certified": found.certified, "space": "score" if used is None else "probability", **found.to_dict()}
    if out not in {None, "-"}:
        write_text(to_json(told), out)
    show(told, lambda console: console.print(_text(found, used is not None)), as_json=as_json or out == "-")
    return verdict([] if found.certified else [f"not certified: {_WHY.get(found.reason, found.reason)} ({found.labels_used} labels used)"])


def _scores(lists: Run, profile: Profile | None, by: str | None, columns: Columns) -> tuple[Any, dict[str, Any]]:
    """Return what is cut, and what tells its direction and its lists; positions are those of the run in either case."""
    if profile is None:
        return lists, {"higher_is_better": lists.higher_is_better}
    return probabilities_of(profile, lists, classes_of(profile, by, lists, columns.query_column)), {}


def _certified(scores: Any, kind: dict[str, Any], labeler: Any, wanted: dict[str, float], how: dict[str, Any]) -> Certificate | RecallCertificate:
    certified: Any = certify_recall if "target_recall" in wanted else certify_threshold
    found: Certificate | RecallCertificate = certified(scores, labeler, **wanted, **kind, **how)
    return found


def _not_yet(error: LabelsWanted | LabelingStopped, as_json: bool) -> int:
    """Say what is missing; nothing is certified and nothing written."""
    wanted = len(error.positions) if isinstance(error, LabelsWanted) else None
    told = {
        "certified": False,
        "reason": "labels wanted" if wanted else "stopped",
        "labels_wanted": wanted,
        "labels_in_hand": len(error.state["labels"]),
    }
    if as_json:
        write_text(to_json(told))
    again = "; fill in the column label and give the same command again" if wanted else ""
    return verdict([f"not certified yet: {error}{again}"])


def _text(found: Certificate | RecallCertificate, probabilities: bool) -> str:
    text = str(found)
    return text.replace("score ", "probability ", 1) if probabilities else text
