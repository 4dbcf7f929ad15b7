"""``fastcal rescore``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from fastcal.cli._options import AsJson, Distances, DocColumn, ProfilePath, QueryColumn, ScoreColumn, TargetText, target
from fastcal.cli._output import show, table
from fastcal.cli._progress import progress
from fastcal.cli._words import worded

if TYPE_CHECKING:
    from rich.console import Console

    from fastcal.bulk import RescoreReport

OPTIONS = {
    "top_k": "--top-k",
    "num_threads": "--threads",
    "escalate_from": "--escalate-from",
    "drop_not_found": "--drop-not-found",
    "higher_is_better": "--distances",
    "target_precision": "--target precision",
    "target_recall": "--target recall",
    "memory": "--memory",
    "floor": "--floor",
    "query": "--query-column",
    "doc": "--doc-column",
    "score": "--score-column",
    "by": "--group-column",
}
_VALUE = r"""=(?=[\d.'"]|True|False|None)"""
WORDS = {
    "^low must": "--escalate-from must",
    "^by= is missing": "--group-column is missing",
    "^higher_is_better is False, but": "--distances has no use:",
    "(?<=^norm )(.* needs all scores of a query at once): .* choose (one of .*)": r"\1, and files are read in pieces; fit a profile with \2 or none",
    **{rf"(?:^|(?<=[ (])){name}{_VALUE}": f"{option}{'=' if name.startswith('target_') else ' '}" for name, option in OPTIONS.items()},
    **{rf"^{name} (?=must|needs)": f"{option} " for name, option in OPTIONS.items()},
}


def rescore(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="Parquet or Arrow IPC file, or a folder of them alone; names with . or _ in front are passed over, folders name=value are columns.",
        ),
    ],
    out: Annotated[str, typer.Argument(metavar="OUT", help="Folder that is empty or not there.")],
    profile: ProfilePath,
    query_column: QueryColumn = "query_id",
    doc_column: DocColumn = "doc_id",
    score_column: ScoreColumn = "score",
    group_column: Annotated[
        str | None, typer.Option("--group-column", metavar="NAME", help="What the profile's calibrator tells apart.", show_default=False)
    ] = None,
    target_text: TargetText = None,
    escalate_from: Annotated[
        float | None, typer.Option("--escalate-from", metavar="P", help="Probability from which rows are escalated.", show_default=False)
    ] = None,
    floor: Annotated[float | None, typer.Option("--floor", metavar="X", help="Drop rows with a worse raw score.", show_default=False)] = None,
    drop_not_found: Annotated[bool, typer.Option("--drop-not-found", help="Drop rows that are neither acted on nor escalated.")] = False,
    top_k: Annotated[
        int | None,
        typer.Option(
            "--top-k", metavar="K", help="Keep the best K rows of each query; those of one query have to fit in memory.", show_default=False
        ),
    ] = None,
    distances: Distances = False,
    memory: Annotated[str, typer.Option("--memory", metavar="SIZE", help="What the process may take in all.")] = "1GiB",
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", help="Chunks at work at a time.", show_default=False)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was begun in OUT; begins if there is nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn files of candidates of any size into probabilities and decisions, in bounded memory; a killed run can be resumed.

    OUT gets part-*.parquet, with the columns of IN and probability and decision, and, when all is done, _manifest.json. (To score
    vectors, see fastcal search.)

    Examples:
    fastcal rescore candidates.parquet rescored --profile single.json
    fastcal rescore candidates best --profile profile.json --target precision=0.7 --floor 0.3 --top-k 100 --memory 512MiB --resume
    """
    from fastcal.bulk import rescore_files
    from fastcal.bulk._memory import of_command
    from fastcal.errors import InvalidValueError
    from fastcal.profile import Profile

    if "-" in (source, out):
        raise InvalidValueError("rescore reads and writes files or folders, not standard input or output")
    loaded = Profile.load(profile)
    with worded(WORDS), _kept(out), progress("rescoring", "rows") as advance:
        report = rescore_files(
            source,
            out,
            loaded,
            query=query_column,
            doc=doc_column,
            score=score_column,
            by=group_column,
            top_k=top_k,
            escalate_from=escalate_from,
            floor=floor,
            drop_not_found=drop_not_found,
            higher_is_better=False if distances else None,
            memory=of_command(memory),
            resume=resume,
            num_threads=threads,
            progress=advance,
            **target(target_text),
        )
    show(report, lambda console: _print(console, report), as_json=as_json)


@contextmanager
def _kept(out: str) -> Iterator[None]:
    """Say how to go on after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\nfastcal: what is done is kept in {out}, and the same command with --resume goes on from there", file=sys.stderr, flush=True)
        raise


def _print(console: Console, report: RescoreReport) -> None:
    lost = [("without a score", report.padding), ("below the floor", report.below_floor), ("not found", report.not_found)]
    lost.append(("beyond the best of their query", report.beyond_top_k))
    decided = [("act", report.act), ("escalate", report.escalate), ("not found", report.abstain)]
    rows = [("read", report.rows), *((f"dropped: {why}", n) for why, n in lost if n), ("written", report.kept)]
    console.print(table(("rows", ""), [*rows, *((f"of these {what}", n) for what, n in decided if n)]))
    speed = f"{report.rows / report.seconds:,.0f} rows/s" if report.seconds else ""
    if report.resumed:
        speed = f"{report.resumed} tasks were done already"
    if report.done_before:
        speed = "all was done already, and nothing has changed since"
    console.print(f"{report.files} files, {report.bytes:,} bytes in {report.target}; {report.seconds:.1f} s, {speed}")
