"""``fastcal info``."""

from __future__ import annotations

import json

import typer

import fastcal as fc
from fastcal.cli._options import AsJson


def info(as_json: AsJson = False) -> None:
    """Show the version, the backend, the instruction sets and the number of threads.

    Examples:
    fastcal info
    fastcal info --json
    """
    backend = fc.backend()
    facts = {"version": fc.__version__, "backend": backend.name, "isa": backend.isa, "num_threads": backend.num_threads, **fc.cpu_info()}
    typer.echo(json.dumps(facts, indent=2) if as_json else "\n".join(f"{name:<16}{_written(value)}" for name, value in facts.items()))


def _written(value: object) -> str:
    return " ".join(value) or "none" if isinstance(value, list) else str(value)
