"""``fastcal fuse``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

import fastcal as fc
from fastcal import files
from fastcal.cli._located import located
from fastcal.cli._options import AsJson, Out, Untie, of_trec
from fastcal.cli._output import write_text
from fastcal.cli._progress import progress
from fastcal.cli._reading import Columns, pool
from fastcal.cli._spread import spread
from fastcal.errors import FastcalError, InvalidValueError


@spread
def fuse(
    context: typer.Context,
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="As RUN of fastcal apply; one of them may be -, stdin.")],
    method: Annotated[str | None, typer.Option(metavar="NAME", help="rrf (default), or another method of fastcal.fuse.", show_default=False)] = None,
    k: Annotated[float | None, typer.Option("--k", metavar="K", help="Of rrf; default 60.", show_default=False)] = None,
    weights: Annotated[str | None, typer.Option(metavar="W W...", help="A weight for each run: 1 0.5, or 1,0.5.", show_default=False)] = None,
    norm: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Method of fastcal.normalize for every run, or NAME,NAME,... for each.", show_default=False),
    ] = None,
    missing: Annotated[
        str | None, typer.Option(metavar="zero|skip|min|SCORE", help="What a run says of what it does not list.", show_default=False)
    ] = None,
    duplicates: Annotated[str | None, typer.Option(metavar="first|max|sum|error", help="A document listed twice.", show_default=False)] = None,
    ties: Annotated[str, typer.Option(metavar="source|id|id_desc|trec", help="Order of equal scores.")] = "source",
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Fuse as another system does: qdrant-rrf, ...", show_default=False)] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Other options of the method, as --set gamma=2.", show_default=False)
    ] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", metavar="K", min=1, help="Keep the best K of each query.", show_default=False)] = None,
    *,
    columns: Columns,
    untie: Untie = False,
    tag: Annotated[str, typer.Option(help="Last column of TREC.")] = "fastcal",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Fuse runs, by rank or by score.

    A query that a run lacks counts there as one that found nothing. Methods, presets and their options are those of
    fastcal.fuse in Python; docs/fusion.md and docs/presets.md describe them.

    Examples:
    fastcal fuse run.trec run2.trec --method rrf --k 60 --weights 1 0.5 -o fused.trec
    fastcal fuse run.trec run2.trec --method sum --norm minmax --top-k 10 -o fused.parquet
    fastcal fuse run.trec run2.trec --method sum --norm minmax --top-k 40 | fastcal fit - qrels.trec --model toy --metric fused -o fused.json
    fastcal search --beir beir -k 20 | fastcal fuse - run2.trec --preset qdrant-rrf --untie | head -n 3
    """
    of_trec(context, out, as_json)
    if runs.count("-") > 1:
        raise InvalidValueError("several runs are -, and there is one standard input")
    columns.judge(runs)
    given = {"k": k, "weight": _numbers(weights), "missing": _number_or_word(missing), "duplicates": duplicates, "preset": preset, "top_k": top_k}
    with progress("fusing"):
        read = [pool(path, columns, duplicates="keep") for path in runs]
        alike = _same_queries(read)
        with located(alike[0], runs[0], columns, **{f"runs[{at}]": each for at, each in enumerate(zip(alike, runs, strict=True))}):
            fused = _fused(alike, method, norm, ties, given | _settings(settings or ()))
    if as_json:
        write_text(files.run_json(fused))
    if out is not None or not as_json:
        files.write_run(fused, out or "-", tag=tag, untie=untie)


def _fused(runs: Sequence[fc.Run], method: str | None, norm: str | None, ties: str, given: dict[str, Any]) -> fc.Run:
    """Hand over what was given; what is None has the library's default."""
    norms: Any = norm if norm is None or "," not in norm else norm.split(",")
    weights = given.pop("weight")
    options = {name: value for name, value in given.items() if value is not None} | ({} if weights is None else {"weights": weights})
    fused = fc.fuse(runs, method, norms, ties=ties, **options)
    assert isinstance(fused, fc.Run)
    return fused


def _same_queries(runs: list[fc.Run]) -> list[fc.Run]:
    queries = list(dict.fromkeys(name for run in runs for name in (run.query_ids.tolist() if run.query_ids is not None else range(run.n_queries))))
    try:
        return [run.with_queries(queries) for run in runs]
    except FastcalError as error:
        raise InvalidValueError(f"the runs name their queries in different ways: {error}") from error


def _numbers(text: str | None) -> list[float] | None:
    try:
        return None if text is None else [float(part) for part in text.split(",")]
    except ValueError:
        raise InvalidValueError(f"--weights must be numbers, got {text!r}") from None


def _number_or_word(text: str | None) -> Any:
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _settings(texts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise InvalidValueError(f"--set must be NAME=VALUE, got {text!r}")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
