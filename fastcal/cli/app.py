"""The commands; each one is a module of ``fastcal.cli.commands`` and hands over to the one that does the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

import fastcal as fc
from fastcal.cli._command import LazyGroup
from fastcal.errors import InvalidValueError

# Some releases of typer bring their own click, so its ClickException is found through a subclass that typer exports.
_ClickException: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


# In the order of the help.
COMMANDS = (
    "search",
    "fuse",
    "apply",
    "fit",
    "threshold",
    "certify",
    "evaluate",
    "report",
    "revalidate",
    "rescore",
    "demo",
    "info",
)


class _Fastcal(LazyGroup):
    names = COMMANDS


app = typer.Typer(cls=_Fastcal, name="fastcal", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; bad usage is an InvalidValueError."""
    try:
        with typer.main.get_command(app).make_context("fastcal", list(arguments)) as context:
            code = context.command.invoke(context)
    except _ClickException as error:
        raise InvalidValueError(_told(error)) from error
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except typer.Exit as leaving:
        code = leaving.exit_code
    return code if isinstance(code, int) else 0


def _told(error: Exception) -> str:
    """Say what click says, and where the help is."""
    context = getattr(error, "ctx", None)
    message: str = _mismatch(error) or error.format_message()  # type: ignore[attr-defined]
    return f"{message.rstrip('.')}; see {context.command_path if context else 'fastcal'} --help"


def _mismatch(error: Exception) -> str | None:
    """Say what was got and what is expected where pydantic refused the value of an option."""
    errors, names = getattr(error.__cause__, "errors", None), getattr(getattr(error, "param", None), "opts", None)
    if not callable(errors) or not names:
        return None
    found = errors()[0]
    limits = found.get("ctx", {})
    kinds = {"int": "an integer", "float": "a number", "greater": f"at least {limits.get('ge')}", "less": f"at most {limits.get('le')}"}
    kind = kinds.get(found["type"].partition("_")[0])
    return kind and f"{names[0]} must be {kind}, got {found['input']!r}"


def _version(value: bool) -> None:
    if value:
        typer.echo(f"fastcal {fc.__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """From a raw similarity score to a decision."""
