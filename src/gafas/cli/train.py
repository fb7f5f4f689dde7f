"""``gafas train``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gafas.cli import options
from gafas.cli.console import OUT, note, print_json
from gafas.errors import UsageError


def train(
    recipe: Annotated[
        str,
        typer.Option(
            help="notebook (two-stage MobileNetV2), pca (baseline), gafas (faces; the shipped model), nano (a small "
            "one that the shipped model teaches) or adapt (the shipped model on your own data)."
        ),
    ] = "notebook",
    data: options.Data = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Run folder. Default: runs/<time>-<recipe>."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with an interrupted run; takes no other option.")
    ] = None,
    weights: options.Weights = None,
    overlays: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Transparent glasses for recipe gafas: folders eyeglasses and sunglasses of PNG pictures. "
            "Default: $GAFAS_DATA/overlays; where there are none, all glasses are drawn.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="file (as the notebook; persons on both sides), person (person-disjoint) or block (of file numbers)."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of split, weights, order and augmentation.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs; of notebook's frozen stage.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of notebook's frozen stage (Adam), of gafas (AdamW).")
    ] = None,
    fine_tune_epochs: Annotated[int | None, typer.Option(help="Epochs of the tuned stage; 0 leaves it out.")] = None,
    fine_tune_learning_rate: Annotated[float | None, typer.Option(help="Of the tuned stage (RMSprop).")] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", "-b", help="Images in one step.")] = None,
    input_size: Annotated[int | None, typer.Option(help="Side of the model's input, in pixels.")] = None,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain", help="Train recipe notebook as plain Keras does: the same figures, several times slower."
        ),
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other value of the recipe, e.g. dropout=0.3."),
    ] = None,
    classes: options.Classes = None,
    skip_unknown: options.SkipUnknown = False,
    skip_broken: options.SkipBroken = False,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Train a classifier and write a run folder: figures, pictures and a model bundle.

    Example: [bold]gafas train --recipe notebook --split person --seed 1[/bold]

    The shipped model: [bold]gafas train --recipe gafas --data celeba_glasses[/bold]

    After Ctrl-C or a crash: [bold]gafas train --resume runs/20260101-120000-notebook[/bold]
    """
    from gafas.cli.training import DataRequest, find_overlays, print_stages, resume_job, start_job, train_job
    from gafas.learn.config import make_config
    from gafas.learn.weights import FACES

    overrides: dict[str, Any] = {
        "split": split,
        "seed": seed,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "fine_tune_epochs": fine_tune_epochs,
        "fine_tune_learning_rate": fine_tune_learning_rate,
        "batch_size": batch_size,
        "input_size": input_size,
    }
    given = {key: value for key, value in overrides.items() if value is not None}
    request = DataRequest(
        data=data,
        classes=options.parse_classes(classes),
        skip_unknown=skip_unknown,
        skip_broken=skip_broken,
    )
    if resume is not None:
        if given or settings or output or weights or overlays or plain or request != DataRequest(data=None):
            raise UsageError("--resume takes everything from the run folder; leave the other options out")
        job = resume_job(resume)
        if job.run.finished:
            note(f"{job.run.folder}: finished already; nothing to do")
            return
    else:
        if plain and recipe != "notebook":
            raise UsageError(f"--plain: only recipe notebook has two ways to train, got {recipe}")
        config = make_config(recipe, {**given, **options.parse_settings(settings)})
        if recipe in {"gafas", "nano"}:
            request = replace(request, data=data or "celeba_glasses")
            overlays = find_overlays(overlays)
        if recipe == "nano":
            # It begins with a part of its teacher's.
            weights = weights or FACES
        job = start_job(
            config, request, weights=weights, output=output, overwrite=overwrite, overlays=overlays, plain=plain
        )
    trained = train_job(job)
    if json:
        print_json({"run": str(job.run.folder), **trained.stages, "seconds": trained.seconds})
        return
    print_stages(trained.stages, title=f"{job.run.record['name']}, split by {job.split.kind}, {job.dataset.name}")
    OUT.print(f"bundle: {job.run.bundle}")
