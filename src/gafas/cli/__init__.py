"""The command line: parses, prints, exits. Commands import what is heavy only when they run."""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gafas import __version__
from gafas.cli import crossval, data, doctor, evaluate, export, models, predict, reproduce, train
from gafas.cli.console import fail
from gafas.errors import GafasError, OutputError, UsageError


class _Group(TyperGroup):
    """Turns every error that gafas raises on purpose into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except GafasError as error:
            fail(str(error))
            ctx.exit(2 if isinstance(error, UsageError | OutputError) else 1)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
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


app.command("reproduce")(reproduce.reproduce)
app.add_typer(data.app, name="data", help="Fetch, check, organise and describe the CMU Face Images.")
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("crossval")(crossval.crossval)
app.command("predict")(predict.predict)
app.command("export")(export.export)
app.add_typer(models.app, name="models", help="List, describe and verify model bundles.")
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line; a polite kill cleans up behind itself like Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    app(prog_name="gafas")
