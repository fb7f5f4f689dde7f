"""``gafas report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gafas.cli import options
from gafas.cli.console import OUT, note, warn
from gafas.errors import MissingExtraError, UsageError

PAGE = "report.html"
"""What the page is called inside a folder."""

_ENDINGS = {".html", ".htm"}


def report(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="Run folder, output of evaluate -o, folder of a cross-validation, or a model such as gafas-base.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: RUN/report.html; of a model NAME-report.html."),
    ] = None,
    language: Annotated[str, typer.Option("--lang", help="en or es: all words, and how numbers are written.")] = "en",
    data: Annotated[
        str | None,
        typer.Option(
            "--data", metavar="PATH", help="Where the data set is now. Default: where it was; without it no pictures."
        ),
    ] = None,
    crossval: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A cross-validation to show beside it, person by person.")
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Write one HTML file that tells everything of a run: data, recipe, curves, results, errors, exports, model card.

    The file needs nothing else, no network and no script; it follows the reader's light or dark colours and prints.

    Example: [bold]gafas report runs/20260101-120000-notebook --lang es[/bold]

    With persons it never saw: [bold]gafas report runs/first --crossval runs/notebook-persons[/bold]
    """
    page = write_report(run, output=output, language=language, data=data, crossval=crossval, overwrite=overwrite)
    OUT.print(f"report: {page}")


def write_report(
    run: Path,
    *,
    output: Path | None = None,
    language: str = "en",
    data: str | None = None,
    crossval: Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the page of a folder and return its path.

    Raises
    ------
    BundleError, DataError, UsageError
        As `gafas.report.page.material.read_material`; the output's ending or the language is unknown.
    MissingExtraError
        Matplotlib or Jinja2 is not installed.
    OutputError
        The file exists and `overwrite` is false, or it cannot be written.
    """
    from gafas.files import require_free
    from gafas.report.words import load_words

    words = load_words(language)
    page = output or (run / PAGE if run.is_dir() else Path(f"{run.name}-{PAGE}"))
    if page.suffix.lower() not in _ENDINGS:
        raise UsageError(f"--output: expected a file that ends in .html, got {page}")
    try:
        from gafas.report.page.build import write_page
        from gafas.report.page.material import read_material
    except ImportError as error:
        raise MissingExtraError("the report", "report") from error
    material = read_material(run, data=data, crossval=crossval)
    require_free(page, overwrite=overwrite)
    if material.synthetic:
        warn("SYNTHETIC DATA: drawn faces, not photographs; the figures say nothing about real ones")
    if material.dataset is None and material.folder.kind != "bundle":
        note(f"no pictures, the data set was not found: {material.missing or 'name its place with --data'}")
    write_page(page, material, words=words)
    return page
