"""Commands that are imported when they are asked for, with examples at the end of their help."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = "fastcal.cli.commands"
_EXAMPLES = "\nExamples:\n"


def _cheap(option: Any) -> Any:
    """Give --help a default: typer loads pydantic (60 ms) to convert a flag that has none."""
    if option is not None:
        option.default = False
    return option


class Command(TyperCommand):
    """A command that costs no more to start than its options; one whose metavar is as ``W W...`` takes numbers until they end."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join the numbers of an option: ``--weights 1 2`` is ``--weights 1,2``."""
        several = {name for option in self.params if (getattr(option, "metavar", None) or "").endswith(" W...") for name in option.opts}
        return super().parse_args(ctx, list(_joined(args, several)))

    def get_help_option(self, ctx: Any) -> Any:
        """Return --help."""
        return _cheap(super().get_help_option(ctx))


def _joined(args: list[str], several: set[str]) -> Iterator[str]:
    at = 0
    while at < len(args):
        yield args[at]
        at += 1
        if args[at - 1] in several:
            end = at
            while end < len(args) and _is_number(args[end]):
                end += 1
            if end > at:
                yield ",".join(args[at:end])
            at = end


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class LazyGroup(TyperGroup):
    """The commands of a folder, one module each; `names` says which, in the order of the help."""

    names: tuple[str, ...] = ()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: Any = _Commands(self.names)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the names."""
        return list(self.names)

    def get_help_option(self, ctx: Any) -> Any:
        """Return --help."""
        return _cheap(super().get_help_option(ctx))


class _Commands(Mapping[str, Any]):
    def __init__(self, names: tuple[str, ...]) -> None:
        self._names, self._known = names, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = command(getattr(importlib.import_module(f"{COMMANDS}.{name}"), name), name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def command(function: Any, name: str) -> Any:
    """Make a command of a function; what follows "Examples:" in its docstring stands as it is at the end of the help."""
    text, heading, examples = (inspect.getdoc(function) or "").partition(_EXAMPLES)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name, cls=Command, help=text, epilog=f"\b{heading}{examples}" if heading else None)(function)
    return typer.main.get_command(app)
