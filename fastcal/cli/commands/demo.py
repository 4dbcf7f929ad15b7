"""``fastcal demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fastcal.cli._output import console


def demo(
    data: Annotated[
        Path | None, typer.Option(help="A folder in BEIR layout with corpus_emb.npy and queries_emb.npy; default: two bundled collections.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where report.md and the pictures go.")] = Path("fastcal-demo"),
) -> None:
    """Turn real retrieval scores into probabilities, a threshold and a decision.

    Examples:
    fastcal demo --data beir --out demo
    """
    from fastcal.cli.demo.job import run

    run(data, out, console(wide=False))
