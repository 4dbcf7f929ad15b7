"""The commands; each one hands over to the module that does the work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import fastcal as fc
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(name="fastcal", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
# Some releases of typer bring their own click, so its ClickException is found through a subclass that typer exports.
_ClickException: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; bad usage is an InvalidValueError."""
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="fastcal", standalone_mode=False)
    except _ClickException as error:
        message: str = error.format_message()  # type: ignore[attr-defined]
        raise InvalidValueError(f"{message.rstrip('.')}; see fastcal --help") from error
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    return code if isinstance(code, int) else 0


def _version(value: bool) -> None:
    if value:
        typer.echo(f"fastcal {fc.__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """From a raw similarity score to a decision."""


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option(help="A folder in BEIR layout with corpus_emb.npy and queries_emb.npy; default: two bundled collections.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where report.md and the pictures go.")] = Path("fastcal-demo"),
) -> None:
    """Turn real retrieval scores into probabilities, a threshold and a decision."""
    from rich.console import Console

    from fastcal.cli.demo.job import run as run_demo

    run_demo(data, out, Console())


@app.command()
def info(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show the version, the backend, the instruction sets and the number of threads."""
    backend = fc.backend()
    facts = {"version": fc.__version__, "backend": backend.name, "isa": backend.isa, "num_threads": backend.num_threads, **fc.cpu_info()}
    typer.echo(json.dumps(facts, indent=2) if as_json else "\n".join(f"{name:<16}{_written(value)}" for name, value in facts.items()))


def _written(value: object) -> str:
    return " ".join(value) or "none" if isinstance(value, list) else str(value)
