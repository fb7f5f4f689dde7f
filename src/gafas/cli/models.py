"""``gafas models``: bundles that are here."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gafas.cli import options
from gafas.cli.console import between, fail, print_json, print_table, share

app = typer.Typer(no_args_is_help=True)
Model = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle or a run folder.")]


@app.command("list")
def list_models(
    folder: Annotated[Path | None, typer.Argument(help="Where the run folders are. Default: runs.")] = None,
    json: options.Json = False,
) -> None:
    """List the bundles of a folder of runs, newest first, and those that the package carries.

    Example: [bold]gafas models list runs[/bold]
    """
    from gafas.bundle import CARRIED, HELD_OUT, load_bundle
    from gafas.cli.finding import bundles_below
    from gafas.errors import BundleError, UsageError

    if folder is not None and not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; expected one with run folders, such as runs")
    rows, failed = [], False
    for found in [*bundles_below(folder or Path("runs")), *([] if folder else map(Path, CARRIED))]:
        try:
            manifest = load_bundle(found, verify=False).manifest
        except BundleError as error:
            fail(str(error))
            failed = True
            continue
        test = manifest.metrics.get("test") or manifest.metrics.get(HELD_OUT, {})
        rows.append({"bundle": str(found), "name": manifest.name, "test_accuracy": test.get("accuracy"),
                     "interval": test.get("interval"), "n": test.get("n")})  # fmt: skip
    if json:
        print_json(rows)
    else:
        cells = [[r["bundle"], r["name"], share(r["test_accuracy"]), between(r["interval"]), r["n"]] for r in rows]
        print_table(f"{len(rows)} bundles", ["bundle", "name", "test accuracy", "95 % interval", "n"], cells)
    if failed:
        raise typer.Exit(1)


@app.command()
def info(bundle: Model) -> None:
    """Print the manifest of a bundle as JSON: what it judges, what it knows, its thresholds, where it comes from.

    Example: [bold]gafas models info runs/20260101-120000-notebook[/bold]
    """
    from gafas.bundle import load_bundle

    print_json(asdict(load_bundle(bundle, verify=False).manifest))


@app.command()
def verify(bundle: Model) -> None:
    """Check the SHA-256 of every file of a bundle.

    Example: [bold]gafas models verify runs/20260101-120000-notebook[/bold]
    """
    from gafas.bundle import load_bundle
    from gafas.cli.console import OUT

    loaded = load_bundle(bundle)
    OUT.print(f"{loaded.folder}: {len(loaded.manifest.files)} files as the manifest says")
