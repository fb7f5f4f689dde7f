"""The command line: parses, prints, exits. A command is imported when it is called, what is heavy when it runs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from gafas import __version__
from gafas.cli import streams
from gafas.cli.holding import holding
from gafas.errors import GafasError, MissingExtraError, OutputError, UsageError

_TRAINING = ("reproduce", "train", "evaluate", "crossval")
_USING = ("predict", "explain", "serve", "export", "report", "doctor", "data", "models")
_COMMANDS = (*_TRAINING, *_USING)
"""In the order of the help; each is a function in the module of its name, or an app of several commands."""

_GROUPS = {
    "data": "Fetch, check, organise and describe the CMU Face Images.",
    "models": "List, describe and verify model bundles.",
}
_MARKUP: Final = "rich"


class _Commands(Mapping[str, Any]):
    """The commands by name; each is imported when it is first asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in _COMMANDS:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


def _load(name: str) -> Any:
    """Import one command and make of it what Typer would have made at the start."""
    module = import_module(f"gafas.cli.{name}")
    owner = typer.Typer(rich_markup_mode=_MARKUP)
    if name in _GROUPS:
        owner.add_typer(module.app, name=name, help=_GROUPS[name])
    else:
        owner.command(name)(getattr(module, name))
    return typer.main.get_group(owner).commands[name]


class _Group(TyperGroup):
    """Loads commands late, and turns every error that gafas raises on purpose into one line and an exit code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = _Commands()

    def invoke(self, ctx: Any) -> Any:
        try:
            with holding():
                return super().invoke(ctx)
        except GafasError as error:
            from gafas.cli.console import fail

            fail(str(error))
            ctx.exit(2 if isinstance(error, UsageError | OutputError | MissingExtraError) else 1)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=_MARKUP,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gafas {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Find who wears sunglasses in images: train, judge, export and use a small classifier.

    Start with [bold]gafas reproduce[/bold] (the whole job, from data to exported model), then
    [bold]gafas predict PHOTOS[/bold].

    Exit codes: 0 all well, 1 some inputs failed, 2 wrong usage.
    """


def main() -> None:
    """Run the command line; a polite kill cleans up behind itself like Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    streams.name_stdout()
    try:
        try:
            app(prog_name="gafas")
        finally:
            streams.end_stdout()
    except OSError as error:
        if error.filename != streams.NAME:
            raise
        from gafas.cli.console import fail

        streams.silence_stdout()
        fail(f"{streams.NAME}: not written: {error.strerror}; make room, or write elsewhere")
        sys.exit(2)
