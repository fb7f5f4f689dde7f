"""``gafas explain``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gafas.cli import options
from gafas.cli.console import note, warn
from gafas.cli.prediction import Target
from gafas.errors import UsageError

if TYPE_CHECKING:
    from gafas.imaging import Rgb
    from gafas.runtime.explain import Explanation
    from gafas.runtime.predictor import Predictor
    from gafas.runtime.sources import Source


def explain(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…", help="Files, folders (searched to the bottom), globs; - is an image on stdin."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Write a picture for each face into DIR.")
    ],
    model: options.Model = None,
    kind: Annotated[str | None, typer.Option("--format", "-f", help="Of the rows: table, csv, json or jsonl.")] = None,
    attribute: Annotated[str, typer.Option(help="sunglasses or eyeglasses, as far as the model knows it.")] = (
        "sunglasses"
    ),
    method: Annotated[
        str,
        typer.Option(
            help="activation: the network's own maps. occlusion: cover parts of the picture and see what that "
            "changes; slower, for every model. auto: activation where the model can."
        ),
    ] = "auto",
    region: options.Region = "auto",
    thorough: options.Thorough = False,
    threshold: options.Threshold = None,
    precision: options.Precision = "auto",
    threads: options.Threads = 0,
    overwrite: options.Overwrite = False,
) -> None:
    """Draw for each face, or for each image, where the evidence for the answer lies. Rows as [bold]predict[/bold]'s.

    Examples: [bold]gafas explain photo.jpg -o why[/bold]

    [bold]gafas explain photos/ -o why --attribute eyeglasses -f csv[/bold]

    Exit code 1 when some images failed; their rows say why.
    """
    from gafas.cli.copies import check_target
    from gafas.cli.finding import find_model
    from gafas.runtime.explain import column_of, resolve_method
    from gafas.runtime.predictor import load_predictor
    from gafas.runtime.sources import find_sources
    from gafas.runtime.writers import format_of

    chosen = format_of(None, kind)
    found = find_model(model)
    if found.is_file():
        raise UsageError(f"{found}: explain takes a bundle or a run folder")
    images = list(find_sources(sources))
    check_target(images, output, "--output", overwrite=overwrite)
    predictor = load_predictor(
        found, threads=threads, threshold=threshold, region=region, precision=precision, thorough=thorough
    )
    column_of(predictor, attribute)
    way = resolve_method(predictor, method)
    if way != method and way == "occlusion":
        warn(f"{predictor.name} does not say itself where its evidence lies: parts of the picture are covered instead")
    drawn = failed = 0
    with Target(None, chosen, None).open(eyeglasses=predictor.knows_eyeglasses) as write:
        for record in _explain_all(predictor, images, output, attribute=attribute, method=way):
            failed += record["status"] == "error"
            drawn += record["status"] == "ok"
            write(record)
    note(f"{len(images)} images, {failed} failed, {drawn} pictures: {output}")
    if failed:
        raise typer.Exit(1)


def _explain_all(
    predictor: Predictor, images: list[Source], folder: Path, *, attribute: str, method: str
) -> Iterator[Mapping[str, Any]]:
    """Explain and draw one image after the other; yield its rows."""
    from gafas.runtime.explain import explain as explain_image
    from gafas.runtime.reading import read_source
    from gafas.runtime.rows import Row, row_of

    taken: set[str] = set()
    for source in images:
        image = read_source(source)
        if isinstance(image, str):
            yield asdict(Row(path=source.path, status="error", error=image))
            continue
        explanations = explain_image(predictor, image, attribute=attribute, method=method)
        for number, explanation in enumerate(explanations, start=1):
            _draw(folder, source, image, explanation, number, predictor, taken)
            yield asdict(row_of(source.path, explanation.verdict))


def _draw(
    folder: Path,
    source: Source,
    image: Rgb,
    explanation: Explanation,
    number: int,
    predictor: Predictor,
    taken: set[str],
) -> None:
    from gafas.cli.copies import free_name
    from gafas.imaging import write_image
    from gafas.runtime.heatmap import draw_explanation

    part = f"face{number}" if explanation.verdict.region == "face" else "whole"
    path = free_name((folder / source.relative).with_suffix(".png"), taken, behind=f"_{part}")
    threshold = predictor.threshold if explanation.attribute == "sunglasses" else predictor.eyeglasses_threshold
    what = f"face {number}" if part != "whole" else "the whole image"
    write_image(path, draw_explanation(explanation, image, threshold=threshold, caption=f"{source.path}, {what}"))
