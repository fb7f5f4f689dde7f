"""``gafas predict``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gafas.cli import options
from gafas.cli.console import note
from gafas.cli.prediction import FilmWords, JobWords, Load, Target, load_with_table
from gafas.errors import UsageError

if TYPE_CHECKING:
    from gafas.cli.copies import TakeAnswer
    from gafas.runtime.predictor import Predictor
    from gafas.runtime.sources import Source


def predict(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…",
            help="Files, folders (searched to the bottom), globs; - is an image on stdin. Or films; 0 is the first "
            "camera, rtsp://… a stream.",
        ),
    ],
    model: options.Model = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the rows here; .csv, .json or .jsonl. Jobs: a folder."
        ),
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
        typer.Option(
            metavar="DIR", help="Write copies with boxes, labels and probabilities into DIR; a film for a film."
        ),
    ] = None,
    sort_into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Copy the images into DIR/sunglasses and DIR/no_sunglasses."),
    ] = None,
    runtime: Annotated[str, typer.Option(help="auto, onnx, litert or litert-full.")] = "auto",
    precision: options.Precision = "auto",
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", "-b", min=1, help="Images classified together. Default: 32.")
    ] = None,
    every: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Films: judge every N-th frame only. Default: 1.")
    ] = None,
    detect_every: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="K",
            help="Films: look for faces every K frames and follow them in between. Default: 1.",
        ),
    ] = None,
    smooth: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=3600,
            metavar="SECONDS",
            help="Films: average each face's log-odds with this time constant; 0: not at all. Default: 0.5.",
        ),
    ] = None,
    max_frames: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Films and cameras: stop after N frames.")
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option(min=0, metavar="S", help="Films and cameras: stop after S seconds of it.")
    ] = None,
    threads: options.Threads = 0,
    overwrite: options.Overwrite = False,
    engine: options.Engine = None,
    address: options.Address = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Jobs: processes or actors of one core. Default: all cores.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Jobs: go on with the job in the output folder; begin where there is none.")
    ] = False,
    block_size: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Jobs: images that are finished together. Default: 1000.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Jobs: where a manifest or Parquet file has paths or images.")
    ] = None,
) -> None:
    """Say for each face, or for each image, whether sunglasses are worn. An image that cannot be read has a row too.

    Examples: [bold]gafas predict photos/ -o result.csv[/bold]

    [bold]gafas predict 'holiday/*.jpg' --region face --annotate drawn[/bold]

    [bold]cat photo.jpg | gafas predict - --format json[/bold]

    [bold]gafas predict film.mp4 -o result.csv --annotate drawn[/bold]

    Any option of jobs makes a job of it, which writes Parquet files into a folder and can be resumed, of images here
    or at an address (s3://…, gs://…), of manifests (.csv, .parquet), Parquet files with images, and .tar shards:

    [bold]gafas predict s3://bucket/shards -o s3://bucket/rows --engine ray --address auto --resume[/bold]

    Exit code 1 when some images failed; their rows say why.
    """
    from gafas.cli.finding import find_model
    from gafas.runtime.sources import film_kind
    from gafas.runtime.writers import format_of

    job_words = JobWords(engine, address, workers, resume, block_size, column)
    film_words = FilmWords(every, detect_every, smooth, max_frames, max_seconds)
    settings: dict[str, Any] = {
        "threshold": threshold,
        "runtime": runtime,
        "precision": precision,
        "region": region,
        "detector_size": detector_size,
        "min_face": min_face,
        "thorough": thorough,
    }
    if job_words.given:
        from gafas.cli.jobs import judge_job, refuse_others

        film_words.refuse()
        refuse_others(kind=kind, schema=schema, annotate=annotate, sort_into=sort_into, threads=threads)
        judge_job(sources, find_model(model), output, job_words, settings, batch_size or 32, overwrite=overwrite)
        return
    file = None if output is None else Path(output)
    chosen = format_of(file, kind)
    found = find_model(model)
    if found.is_file():
        raise UsageError(f"{found}: predict takes a bundle or a run folder; judge a bare model with: gafas evaluate")
    load: Load = partial(load_with_table, found, chosen, **settings)
    target = Target(file, chosen, annotate, overwrite=overwrite)
    films = [word for word in sources if film_kind(word) is not None]
    if not films:
        film_words.refuse()
        _judge_images(sources, load, target, schema, sort_into, threads=threads, batch_size=batch_size or 32)
        return
    from gafas.cli.films import judge_films

    if len(films) < len(sources):
        other = next(word for word in sources if word not in films)
        raise UsageError(f"{films[0]} and {other}: expected images or films, got both; judge them one after another")
    for option, given in (("--sort-into", sort_into), ("--batch-size", batch_size)):
        if given is not None:
            raise UsageError(f"{option}: is for images, got {films[0]}; leave it out")
    if schema != "native":
        raise UsageError(f"--schema {schema}: is for images, got {films[0]}; leave it out")
    judge_films(sources, partial(load, threads=threads), target, film_words)


def _judge_images(
    words: list[str],
    load: Load,
    target: Target,
    schema: str,
    sort_into: Path | None,
    *,
    threads: int,
    batch_size: int,
) -> None:
    from gafas.cli.copies import check_copies
    from gafas.runtime.answers import judge_sources
    from gafas.runtime.schemas import check_schema
    from gafas.runtime.sources import find_sources

    images = list(find_sources(words))
    workers, threads_each = _share_cores(threads, len(images))
    predictor = load(threads=threads_each)
    to_records = check_schema(schema, target.kind, knows_eyeglasses=predictor.knows_eyeglasses, model=predictor.name)
    check_copies(images, sort_into, target.annotate, overwrite=target.overwrite)
    takers = _takers(predictor, sort_into, target.annotate)
    # Rows that run over the terminal show the progress themselves.
    shown = images if target.output is None and target.kind is not None else _track(images)
    failed = 0
    with target.open(eyeglasses=predictor.knows_eyeglasses) as write:
        for answer in judge_sources(
            predictor, shown, batch_size=batch_size, workers=workers, keep_images=target.annotate is not None
        ):
            failed += answer.error is not None
            for take in takers:
                take(answer)
            for record in to_records(answer, predictor.eyeglasses_threshold):
                write(record)
            # It may hold a large picture, and the next one is about to be read.
            del answer
    if target.output is not None:
        note(f"{len(images)} images, {failed} failed: {target.output}")
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
