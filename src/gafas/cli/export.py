"""``gafas export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gafas.cli import options
from gafas.cli.console import note, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gafas.cli.training import Job
    from gafas.learn.export import Comparison

_CALIBRATION = 200
"""Training pictures by which the quantised formats are scaled and corrected."""


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")],
    formats: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="Comma-separated: saved_model, tflite, tflite-full, onnx, onnx-int8, keras."
        ),
    ] = "saved_model,tflite,tflite-full,onnx,onnx-int8,keras",
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Export a trained model and compare each format with Keras on the test and validation images.

    tflite is quantised to dynamic range as in the notebook; tflite-full is float32. onnx-int8 calculates with 8-bit
    integers, scaled on training images. The files and the comparison go into RUN/bundle. A format that disagrees
    with the trained model is refused.

    Example: [bold]gafas export runs/20260101-120000-notebook --format tflite,onnx[/bold]
    """
    from dataclasses import asdict

    from gafas.cli.training import resume_job
    from gafas.learn.export import parse_formats, require_agreement

    wanted = parse_formats(formats)
    comparisons = export_job(resume_job(run, data=data), wanted)
    if json:
        print_json([asdict(comparison) for comparison in comparisons])
    else:
        print_comparisons(comparisons)
        note(f"bundle: {run / 'bundle'}")
    require_agreement(comparisons)


def export_job(job: Job, formats: Sequence[str]) -> list[Comparison]:
    """Export a run's bundle, compared on the run's test and validation images."""
    from gafas.bundle import load_bundle
    from gafas.learn.export import export_bundle

    pictures = job.pictures.take([*job.split.test, *job.split.validation])
    calibration = job.pictures.take(job.split.train[:_CALIBRATION])
    bundle = load_bundle(job.run.bundle)
    _, comparisons = export_bundle(bundle, formats, pictures.images, calibration=calibration.images)
    return comparisons


def print_comparisons(comparisons: Sequence[Comparison]) -> None:
    """Print the table of exported formats."""
    rows = [
        (
            c.format,
            c.file,
            f"{c.size / 1e6:.2f} MB",
            f"{c.max_difference:.1e}",
            f"{c.labels_changed} of {c.n}",
            f"{c.ms_per_image:.1f}",
            "refused" if c.problem else "yes",
        )
        for c in comparisons
    ]
    print_table(
        "Exported formats against Keras (batches of 32, 7 and 1)",
        ["format", "file", "size", "largest |ΔP|", "labels changed", "ms/image", "agrees"],
        rows,
    )
