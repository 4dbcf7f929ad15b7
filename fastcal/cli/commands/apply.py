"""``fastcal apply``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import typer

import fastcal as fc
from fastcal import files
from fastcal.bulk import Rescorer
from fastcal.cli._located import about, located
from fastcal.cli._options import AsJson, By, CheckedMetric, CheckedModel, Out, ProfilePath, RunArgument, TargetText, Untie, of_trec, target
from fastcal.cli._output import to_json, write_text
from fastcal.cli._progress import progress
from fastcal.cli._reading import Columns, pool
from fastcal.cli._spread import spread
from fastcal.cli._use import check_depth, classes_of


@spread
def apply(
    context: typer.Context,
    run: RunArgument,
    profile: ProfilePath,
    wanted: TargetText = None,
    escalate_from: Annotated[float | None, typer.Option(metavar="X", help="Decide ESCALATE between X and the threshold.", show_default=False)] = None,
    floor: Annotated[float | None, typer.Option(metavar="S", help="Drop raw scores worse than S.", show_default=False)] = None,
    drop_not_found: Annotated[bool, typer.Option("--drop-not-found", help="Drop what is decided NOT_FOUND.")] = False,
    top_k: Annotated[int | None, typer.Option("--top-k", metavar="K", min=1, help="Keep the best K of each query.", show_default=False)] = None,
    by: By = None,
    model: CheckedModel = None,
    metric: CheckedMetric = None,
    *,
    columns: Columns,
    untie: Untie = True,
    tag: Annotated[str, typer.Option(help="Last column of TREC.")] = "fastcal",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Turn the scores of a run into probabilities and decisions.

    The profile's norm is applied first, list by list. TREC has the probability as its score; equal probabilities keep the
    order of the raw scores, and --untie, the default here, lets them fall by one float32 each (never below 0), because
    trec_eval and its kin would sort them by document name, descending. A profile is for the scores it was fitted on: one for
    fused scores is fitted on fused scores. Tables (.parquet, .arrow, .csv, .tsv, .jsonl) have
    the columns query_id, doc_id, rank, score, probability and, if the profile has a threshold, decision: 0 NOT_FOUND,
    1 ESCALATE, 2 ACT. --json is {query: {document: {score, probability, decision}}}.

    Examples:
    fastcal apply run.trec --profile single.json -o probabilities.trec
    fastcal apply run.parquet -p profile.json --target precision=0.7 --escalate-from 0.3 --drop-not-found -o kept.parquet
    fastcal apply run.trec -p norm.json --json
    fastcal search --beir beir -k 40 | fastcal fuse - run2.trec --method sum --norm minmax --top-k 40 | fastcal apply - -p fused.json | head -n 3
    """
    of_trec(context, out, as_json)
    used = fc.Profile.load(profile)
    if model is not None or metric is not None:
        used.check(model=model, metric=metric)
    to_table = out is not None and files.is_table(out)
    asked = target(wanted)
    asks = wanted is not None or escalate_from is not None or drop_not_found
    with progress("applying the profile"):
        columns.judge([run], by=by)
        read = pool(run, columns)
        check_depth(used, read)
        classes = classes_of(used, by, read, columns.query_column)
        with about(profile):
            rescorer = Rescorer(
                used if to_table or as_json or asks else replace(used, thresholds=()),  # TREC has no room for decisions
                by=None if classes is None else "group",
                escalate_from=escalate_from,
                floor=floor,
                drop_not_found=drop_not_found,
                higher_is_better=read.higher_is_better,
                num_threads=None,
                target_precision=asked.get("target_precision"),
                target_recall=asked.get("target_recall"),
            )
        with located(read, run, columns):
            found = _rescored(rescorer, read, classes, top_k)
    if as_json:
        write_text(_json(found))
    if to_table:
        files.write_table(_table(found), str(out))
    elif out is not None or not as_json:
        files.write_run(found.run, out or "-", tag=tag, untie=untie, least=0.0)


class _Rescored(NamedTuple):
    """A run whose scores are probabilities, and beside its entries the raw scores and decisions."""

    run: fc.Run
    raw: npt.NDArray[np.float32]
    decision: npt.NDArray[np.uint8] | None
    higher_is_better: bool  # of the raw scores


def _rescored(rescorer: Rescorer, read: fc.Run, classes: npt.NDArray[Any] | None, top_k: int | None) -> _Rescored:
    """Rank what the rescorer keeps: by probability, equal ones in the order of the run."""
    queries = np.repeat(np.arange(read.n_queries), read.counts())
    columns: dict[str, Any] = {"query_id": queries, "doc_id": read.ids, "score": read.scores, "row": np.arange(read.ids.size)}
    if classes is not None:
        columns["group"] = classes[queries]
    found = rescorer(columns)
    offsets = np.searchsorted(found["query_id"], np.arange(read.n_queries + 1))
    ranked = fc.Run(np.arange(len(found["row"])), found["probability"], offsets, query_ids=read.query_ids)
    if top_k is not None:
        ranked = ranked.top_k(top_k)
    at = ranked.ids
    run = fc.Run(found["doc_id"][at], ranked.scores, ranked.offsets, query_ids=read.query_ids, doc_ids=read.doc_ids)
    return _Rescored(run, found["score"][at], found["decision"][at] if "decision" in found else None, read.higher_is_better)


def _table(found: _Rescored) -> Any:
    made = files.run_table(found.run)
    made = made.rename_columns([*made.column_names[:-1], "probability"])
    made = files.directed(made.add_column(3, "score", [found.raw]), higher_is_better=found.higher_is_better)
    return made if found.decision is None else made.append_column("decision", [found.decision])


def _json(found: _Rescored) -> str:
    told: dict[str, npt.NDArray[Any]] = found.run.to_columns()
    told |= {"probability": told["score"], "score": found.raw}
    if found.decision is not None:
        told["decision"] = found.decision
    lists: dict[str, dict[str, Any]] = {}
    names = list(told)[2:]
    for query, document, *values in zip(*(column.tolist() for column in told.values()), strict=True):
        lists.setdefault(str(query), {})[str(document)] = dict(zip(names, values, strict=True))
    return to_json(lists)
