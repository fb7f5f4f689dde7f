"""``gafas predict``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gafas.cli import options
from gafas.cli.console import note
from gafas.errors import UsageError

if TYPE_CHECKING:
    from gafas.cli.copies import TakeAnswer
    from gafas.runtime.predictor import Predictor
    from gafas.runtime.sources import Source
    from gafas.runtime.writers import WriteRecord


def predict(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…", help="Files, folders (searched to the bottom), globs; - is an image on stdin."
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="Bundle, run folder or gafas-base. Default: $GAFAS_MODEL, else gafas-base."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the rows here; .csv, .json or .jsonl."),
    ] = None,
    kind: Annotated[str | None, typer.Option("--format", "-f", help="table, csv, json or jsonl.")] = None,
    schema: Annotated[
        str,
        typer.Option(
            help="native: a row for each face. aws, azure: an object for each image in the form of Rekognition or "
            "Azure Face, for json and jsonl."
        ),
    ] = "native",
    region: options.Region = "auto",
    min_face: Annotated[
        int, typer.Option(min=1, help="Leave out faces whose long side has fewer pixels in the image.")
    ] = 8,
    detector_size: Annotated[
        int,
        typer.Option(
            min=64,
            max=4096,
            help="Long side to which large images are shrunk to look for faces. More finds smaller faces and takes "
            "more time and memory.",
        ),
    ] = 640,
    thorough: options.Thorough = False,
    threshold: options.Threshold = None,
    annotate: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write copies with boxes, labels and probabilities into DIR."),
    ] = None,
    sort_into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Copy the images into DIR/sunglasses and DIR/no_sunglasses."),
    ] = None,
    runtime: Annotated[str, typer.Option(help="auto, onnx, litert or litert-full.")] = "auto",
    precision: options.Precision = "auto",
    batch_size: Annotated[int, typer.Option("--batch-size", "-b", min=1, help="Images classified together.")] = 32,
    threads: options.Threads = 0,
    overwrite: options.Overwrite = False,
) -> None:
    """Say for each face, or for each image, whether sunglasses are worn. An image that cannot be read has a row too.

    Examples: [bold]gafas predict photos/ -o result.csv[/bold]

    [bold]gafas predict 'holiday/*.jpg' --region face --annotate drawn[/bold]

    [bold]cat photo.jpg | gafas predict - --format json[/bold]

    Exit code 1 when some images failed; their rows say why.
    """
    from gafas.cli.copies import check_copies
    from gafas.cli.finding import find_model
    from gafas.runtime.answers import judge_sources
    from gafas.runtime.predictor import load_predictor
    from gafas.runtime.schemas import check_schema
    from gafas.runtime.sources import find_sources
    from gafas.runtime.writers import format_of

    chosen = format_of(output, kind)
    found = find_model(model)
    if found.is_file():
        raise UsageError(f"{found}: predict takes a bundle or a run folder; judge a bare model with: gafas evaluate")
    images = list(find_sources(sources))
    workers, threads_each = _share_cores(threads, len(images))
    with ThreadPoolExecutor(1) as pool:
        # Opening graphs leaves Python's lock to what the table needs.
        loading = pool.submit(
            load_predictor,
            found,
            threads=threads_each,
            threshold=threshold,
            runtime=cast(Any, runtime),
            precision=precision,
            region=region,
            detector_size=detector_size,
            min_face=min_face,
            thorough=thorough,
        )
        if chosen is None:
            import_module("gafas.cli.tables")
        predictor = loading.result()
    to_records = check_schema(schema, chosen, knows_eyeglasses=predictor.knows_eyeglasses, model=predictor.name)
    check_copies(images, sort_into, annotate, overwrite=overwrite)
    takers = _takers(predictor, sort_into, annotate)
    # Rows that run over the terminal show the progress themselves.
    shown = images if output is None and chosen is not None else _track(images)
    failed = 0
    with _open_output(output, chosen, overwrite=overwrite, eyeglasses=predictor.knows_eyeglasses) as write:
        for answer in judge_sources(
            predictor, shown, batch_size=batch_size, workers=workers, keep_images=annotate is not None
        ):
            failed += answer.error is not None
            for take in takers:
                take(answer)
            for record in to_records(answer, predictor.eyeglasses_threshold):
                write(record)
            # It may hold a large picture, and the next one is about to be read.
            del answer
    if output is not None:
        note(f"{len(images)} images, {failed} failed: {output}")
    if failed:
        raise typer.Exit(1)


def _track(images: list[Source]) -> Iterable[Source]:
    from gafas.cli.console import ERR

    if not ERR.is_terminal:
        return images
    from rich.progress import track

    return track(images, "judging", total=len(images), console=ERR, transient=True)


def _share_cores(threads: int, images: int) -> tuple[int, int]:
    """Return how many images are judged at the same time, and the threads for each: several images come first."""
    threads = threads or os.cpu_count() or 1
    workers = max(1, min(threads, images))
    return workers, threads // workers


def _takers(predictor: Predictor, sort_into: Path | None, annotate: Path | None) -> list[TakeAnswer]:
    from gafas.cli.copies import annotator, sorter

    takers = [] if sort_into is None else [sorter(sort_into)]
    if annotate is not None:
        takers.append(annotator(annotate, eyeglasses_threshold=predictor.eyeglasses_threshold))
    return takers


def _open_output(
    output: Path | None, kind: str | None, *, overwrite: bool, eyeglasses: bool
) -> AbstractContextManager[WriteRecord]:
    from gafas.runtime.writers import open_file_writer, open_stdout_writer

    if kind is None:
        from gafas.cli.tables import open_table

        return open_table(eyeglasses=eyeglasses)
    return open_stdout_writer(kind) if output is None else open_file_writer(output, kind, overwrite=overwrite)
