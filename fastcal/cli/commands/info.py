"""``fastcal info``."""

from __future__ import annotations

import importlib.util

import typer

import fastcal as fc
from fastcal.cli._options import AsJson
from fastcal.cli._output import to_json, written

# Modules that the extras of pyproject.toml bring.
_EXTRAS = {
    "numba": ("numba",),
    "cli": ("typer", "rich"),
    "report": ("matplotlib",),
    "parquet": ("pyarrow",),
    "ray": ("pyarrow", "ray"),
    "duckdb": ("pyarrow", "duckdb"),
    "polars": ("polars",),
    "sklearn": ("sklearn",),
    "metrics": ("ir_measures",),
    "demo": ("typer", "rich", "matplotlib", "sklearn", "ir_measures", "bm25s"),
}


def info(as_json: AsJson = False) -> None:
    """Show version, backend, instruction sets, threads, and which extras are installed.

    Examples:
    fastcal info
    fastcal info --json
    """
    backend = fc.backend()
    facts = {"version": fc.__version__, "backend": backend.name, "isa": backend.isa, "num_threads": backend.num_threads, **fc.cpu_info()}
    extras = {name: all(importlib.util.find_spec(module) for module in modules) for name, modules in _EXTRAS.items()}
    if as_json:
        typer.echo(to_json(facts | {"extras": extras}), nl=False)
        return
    told = facts | {"extras": [name for name, there in extras.items() if there], "not installed": [name for name in extras if not extras[name]]}
    typer.echo("\n".join(f"{name:<16}{written(value)}" for name, value in told.items()))
