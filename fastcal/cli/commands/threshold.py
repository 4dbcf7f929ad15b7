"""``fastcal threshold``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from fastcal.cli._groups import groups_of
from fastcal.cli._labels import Labelled, check_folds, scores_of
from fastcal.cli._located import located
from fastcal.cli._options import (
    DROP,
    ERROR,
    KEEP,
    AsJson,
    By,
    CutProfile,
    Depth,
    Out,
    QrelsArgument,
    RunArgument,
    Splits,
    TargetTexts,
    one_of,
    target,
)
from fastcal.cli._output import show, table, to_json, write_text
from fastcal.cli._reading import Columns, Judging, pairs_of
from fastcal.cli._spread import spread
from fastcal.cli._tables import interval
from fastcal.cli._use import classes_of, probabilities_of
from fastcal.errors import InvalidValueError, SmallSampleWarning
from fastcal.profile import Profile
from fastcal.selection import held_out_threshold
from fastcal.thresholds import threshold_sweep

if TYPE_CHECKING:
    from rich.console import Console

_ALL, _FEW = "all", 30


@spread
def threshold(
    run: RunArgument,
    qrels: QrelsArgument,
    *,
    target_: TargetTexts = ["precision=0.9"],  # noqa: B006
    profile: CutProfile = None,
    seen: Annotated[str | None, one_of("--seen", "With --profile, as of fastcal evaluate; default: drop.", DROP, KEEP, ERROR)] = None,
    by: By = None,
    top_k: Depth = None,
    splits: Splits = 5,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the folds.")] = 0,
    columns: Columns,
    judging: Judging,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Choose a threshold on scores, or on the probabilities of a profile, that reaches a target.

    Precision, recall and their 95 % intervals are of queries that the choice was not made on. Recall is of the relevant documents
    that the lists hold. With --by there is a row for each group of queries; "too few" says that a group has too few queries or
    selects fewer than 30 held-out pairs. -o writes the figures as JSON.

    Examples:
    fastcal threshold run.trec qrels.trec --target precision=0.9
    fastcal threshold run.trec qrels.trec --target precision=0.8 --target recall=0.9 --by groups.csv:lang
    fastcal threshold run.trec qrels.trec --profile profile.json --json
    """
    used = None if profile is None else Profile.load(profile)
    if used is None and seen is not None:
        raise InvalidValueError("--seen goes with --profile: it is about the queries that the profile was fitted on")
    judged, _ = pairs_of(run, qrels, columns, judging, top_k=top_k, by=by, profile=used, seen=seen or DROP)
    check_folds(judged, splits, run, qrels)
    groups = groups_of(by, judged.run, columns.query_column)
    with located(judged.run, run, columns):
        values, rising = _values(judged, used, by, columns)
        rows = [_row(judged, values, rising, groups, name, text, n_splits=splits, seed=seed) for text in target_ for name in _names(groups)]
    told = {"space": "score" if used is None else "probability", "higher_is_better": rising, "counts": judged.counts, "thresholds": rows}
    if out not in {None, "-"}:
        write_text(to_json(told), out)
    show(told, lambda console: _people(console, judged, rows, used is not None, rising), as_json=as_json or out == "-")


def _values(judged: Labelled, profile: Profile | None, by: str | None, columns: Columns) -> tuple[npt.NDArray[Any], bool]:
    """Return what is cut, and whether higher is better."""
    if profile is None:
        return scores_of(judged.run, None)
    grouped = type(profile.calibrator).__name__ == "GroupCalibrator"
    classes = classes_of(profile, by if grouped else None, judged.run, columns.query_column)
    return probabilities_of(profile, judged.run, classes), True


def _names(groups: npt.NDArray[Any] | None) -> list[str | None]:
    return [None] if groups is None else [None, *sorted(set(groups.tolist()))]


def _row(
    judged: Labelled, values: npt.NDArray[Any], rising: bool, groups: npt.NDArray[Any] | None, name: str | None, wish: str, **folds: int
) -> dict[str, Any]:
    """Return the threshold of the queries of one group, or of all."""
    chosen = np.ones(len(values), np.bool_) if groups is None or name is None else (groups == name)[judged.queries]
    y, x, queries = judged.labels.labels[chosen], values[chosen], judged.groups[chosen]
    told: dict[str, Any] = {"group": name, "target": wish, "n": len(y), "n_queries": len(np.unique(queries)), "n_relevant": int(y.sum())}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SmallSampleWarning)  # the row says so
            found = held_out_threshold(x, y, queries, **target(wish), higher_is_better=rising, **folds)  # type: ignore[arg-type]
    except InvalidValueError as error:
        if name is None:
            raise
        why = f"{told['n_queries']} queries, {folds['n_splits']} folds" if told["n_queries"] < folds["n_splits"] else str(error)
        return told | {"threshold": None, "note": f"too few: {why}"}
    if found is None:
        best = threshold_sweep(x, y, higher_is_better=rising).best_precision
        return told | {"threshold": None, "note": f"out of reach: the best precision is {best:.4g}"}
    note = f"too few: {found.n_selected} held-out pairs selected" if found.n_selected < _FEW else None
    return told | found.to_dict() | {"note": note}


def _people(console: Console, judged: Labelled, rows: list[dict[str, Any]], probabilities: bool, rising: bool) -> None:
    console.print(str(judged.counts))
    cut = f"{'probability' if probabilities else 'score'} {'>=' if rising else '<='}"
    columns = ("target", "queries of", cut, "held-out precision", "95 %", "recall", "95 %", "pairs selected", "of pairs", "of queries", "")
    shown = [
        (
            row["target"], row["group"] or _ALL, row["threshold"], row.get("precision"), interval(row.get("precision_interval")),
            row.get("recall"), interval(row.get("recall_interval")), row.get("n_selected"), row["n"], row["n_queries"], row["note"],
        )
        for row in rows
    ]  # fmt: skip
    console.print(table(columns, shown))
