"""``gafas predict``."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gafas.cli import options
from gafas.cli.console import ERR, OUT, note
from gafas.errors import OutputError, UsageError
from gafas.values import LABELS

if TYPE_CHECKING:
    from gafas.runtime.rows import Row
    from gafas.runtime.sources import Source
    from gafas.runtime.writers import WriteRow

_TABLE_ROWS = 1000


def predict(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…", help="Files, folders (searched to the bottom), globs; - is an image on stdin."
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="Bundle or run folder. Default: $GAFAS_MODEL, else the newest in runs/."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the rows here; .csv, .json or .jsonl."),
    ] = None,
    kind: Annotated[str | None, typer.Option("--format", "-f", help="table, csv, json or jsonl.")] = None,
    threshold: options.Threshold = None,
    sort_into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Copy the images into DIR/sunglasses and DIR/no_sunglasses."),
    ] = None,
    runtime: Annotated[str, typer.Option(help="auto, onnx, litert or litert-full.")] = "auto",
    batch_size: Annotated[int, typer.Option("--batch-size", "-b", min=1, help="Images classified together.")] = 32,
    threads: options.Threads = 0,
    overwrite: options.Overwrite = False,
) -> None:
    """Say for each image whether sunglasses are worn: a row each, also for those that cannot be read.

    Examples: [bold]gafas predict photos/ -o result.csv[/bold]

    [bold]gafas predict 'holiday/*.jpg' --sort-into sorted[/bold]

    [bold]cat photo.jpg | gafas predict - --format json[/bold]

    Exit code 1 when some images failed; their rows say why.
    """
    from rich.progress import track

    from gafas.cli.finding import find_model
    from gafas.runtime.predictor import load_predictor
    from gafas.runtime.rows import predict_sources
    from gafas.runtime.sources import find_sources
    from gafas.runtime.writers import format_of

    chosen = format_of(output, kind)
    found = find_model(model)
    if found.is_file():
        raise UsageError(f"{found}: predict takes a bundle or a run folder; judge a bare model with: gafas evaluate")
    predictor = load_predictor(found, threads=threads, threshold=threshold, runtime=cast(Any, runtime))
    images = list(find_sources(sources))
    if sort_into is not None:
        _check_copies(images, sort_into, overwrite=overwrite)
    judged = predict_sources(predictor, images, batch_size=batch_size)
    if sort_into is not None:
        judged = _copy_along(judged, sort_into)
    # Rows that run over the terminal show the progress themselves.
    hidden = not ERR.is_terminal or (output is None and chosen is not None)
    shown = track(judged, "judging", total=len(images), console=ERR, transient=True, disable=hidden)
    failed = 0
    with _open_output(output, chosen, overwrite=overwrite) as write:
        for _, rows in shown:
            failed += any(row.status == "error" for row in rows)
            for row in rows:
                write(row)
    if output is not None:
        note(f"{len(images)} images, {failed} failed: {output}")
    if failed:
        raise typer.Exit(1)


def _open_output(output: Path | None, kind: str | None, *, overwrite: bool) -> AbstractContextManager[WriteRow]:
    from gafas.runtime.writers import open_file_writer, open_stdout_writer

    if kind is None:
        return _open_table()
    return open_stdout_writer(kind) if output is None else open_file_writer(output, kind, overwrite=overwrite)


@contextmanager
def _open_table() -> Iterator[WriteRow]:
    """Give a function that adds a row to a table, which is printed at the end."""
    from rich.table import Table
    from rich.text import Text

    from gafas.runtime.writers import naming_stdout

    table = Table("path", "label", header_style="bold")
    table.add_column("P(sunglasses)", justify="right")
    table.add_column("region")
    total = 0

    def write(row: Row) -> None:
        nonlocal total
        total += 1
        if total > _TABLE_ROWS:
            return
        path = Text(_printable(row.path))
        if row.status == "error":
            table.add_row(path, "[red]error[/red]", "", Text(_printable(row.error or "")))
        else:
            colour = "green" if row.label == "sunglasses" else "default"
            table.add_row(path, f"[{colour}]{row.label}[/{colour}]", f"{row.sunglasses:.4f}", row.region)

    yield write
    with naming_stdout():
        OUT.print(table)
    if total > _TABLE_ROWS:
        note(f"the first {_TABLE_ROWS} of {total} rows are shown; write all with: -o result.csv")


def _printable(text: str) -> str:
    # A file name may hold bytes that are no UTF-8, which cannot be printed, and codes that would steer the terminal.
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _check_copies(images: Iterable[Source], folder: Path, *, overwrite: bool) -> None:
    """Refuse, before anything is written, copies that would replace what is here or what is still to be judged."""
    from gafas.files import require_free

    for label in LABELS:
        require_free(folder / label, overwrite=overwrite)
        target = (folder / label).resolve()
        for image in images:
            path = Path(image.path)
            # A link counts at both of its ends.
            places = (path.resolve(), path.parent.resolve() / path.name) if image.problem is None else ()
            if any(place.is_relative_to(target) for place in places):
                raise OutputError(
                    f"{path}: would be copied into the folder that it lies in; choose another --sort-into"
                )


def _copy_along(judged: Iterable[tuple[Source, list[Row]]], folder: Path) -> Iterator[tuple[Source, list[Row]]]:
    """Copy each judged image into the folder of its label, on its way to the output."""
    from gafas.files import write_beside
    from gafas.runtime.sources import STDIN

    taken: set[str] = set()
    for source, rows in judged:
        labels = {row.label for row in rows if row.status == "ok"}
        if labels and source.path != STDIN:
            # Several faces: whoever wears sunglasses decides.
            label = "sunglasses" if "sunglasses" in labels else "no_sunglasses"
            with write_beside(_free_name(folder / label / source.relative, taken)) as temporary:
                shutil.copy2(source.path, temporary)
        yield source, rows


def _free_name(target: Path, taken: set[str]) -> Path:
    """Return `target`, numbered where this run has used it: the same name from two folders, both are kept."""
    free, number = target, 2
    # Some file systems take A.jpg and a.jpg for one name.
    while str(free).casefold() in taken:
        free = target.with_stem(f"{target.stem}-{number}")
        number += 1
    taken.add(str(free).casefold())
    return free
