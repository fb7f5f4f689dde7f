"""``gafas crossval``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gafas.cli import options
from gafas.cli.console import ERR, note, print_json, warn
from gafas.errors import UsageError

if TYPE_CHECKING:
    from gafas.cli.training import DataRequest
    from gafas.learn.config import Config
    from gafas.learn.crossval import Crossval
    from gafas.learn.fold_files import FoldResult
    from gafas.values import Dataset


def crossval(
    compare: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR]...", help="Finished cross-validations to print in one table; trains nothing."),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="notebook, pca, or adapt (the shipped model, adapted). Default: notebook.")
    ] = None,
    data: options.Data = None,
    folds: Annotated[
        str | None,
        typer.Option(help="person (leave one person out) or a number of folds with whole persons. Default: person."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Default: runs/<time>-<recipe>-crossval."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Go on after an interruption; takes --jobs and where to run besides."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Folds at once; 0 takes all cores.")] = 0,
    engine: options.Engine = None,
    address: options.Address = None,
    weights: options.Weights = None,
    seed: Annotated[int | None, typer.Option(help="Of folds, weights, order and augmentation.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any value of the recipe, e.g. epochs=2.")
    ] = None,
    classes: options.Classes = None,
    skip_unknown: options.SkipUnknown = False,
    skip_broken: options.SkipBroken = False,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Judge a recipe on persons that it was not trained on: every image by a model that never saw its person.

    Example: [bold]gafas crossval --recipe pca --folds person -o runs/pca-persons[/bold]

    Several in one table: [bold]gafas crossval runs/pca-persons runs/notebook-persons[/bold]

    After Ctrl-C or a crash: [bold]gafas crossval --resume runs/notebook-persons[/bold]
    """
    from gafas.cli.crossval_output import compare_crossvals, draw_crossval, print_crossval
    from gafas.cli.training import DataRequest
    from gafas.learn.config import make_config
    from gafas.learn.fold_recipes import find_fold_recipe

    use_ray = options.choose_engine(engine, address) == "ray"
    request = DataRequest(
        data=data, classes=options.parse_classes(classes), skip_unknown=skip_unknown, skip_broken=skip_broken
    )
    given = (recipe, folds, output, weights, seed, settings, request.data, request.classes)
    named = any(value is not None for value in given) or skip_unknown or skip_broken or overwrite
    if compare:
        if named or resume is not None:
            raise UsageError("comparing takes finished folders only; leave the other options out")
        compare_crossvals(compare, json=json)
        return
    if resume is not None:
        if named:
            raise UsageError(
                "--resume takes everything from the folder; leave all out save --jobs, --engine, --address"
            )
        planned, dataset = _reopen(resume)
    else:
        name = recipe or "notebook"
        find_fold_recipe(name)
        config = make_config(name, {"seed": seed, **options.parse_settings(settings)})
        planned, dataset = _start(
            config, request, parse_folds(folds or "person"), weights=weights, output=output, overwrite=overwrite
        )
    result = _run_on_ray(planned, jobs, address) if use_ray else _run(planned, jobs=jobs or os.cpu_count() or 1)
    draw_crossval(planned, dataset, result)
    if json:
        print_json(result)
    else:
        print_crossval(planned, dataset, result)


def parse_folds(word: str) -> int | None:
    """Return how many folds a word asks for; ``None`` for one person at a time.

    Raises
    ------
    UsageError
        Neither ``person`` nor a number from 2 up.
    """
    if word == "person":
        return None
    if word.isdecimal() and int(word) >= 2:
        return int(word)
    raise UsageError(f"--folds: expected person or a number from 2 up, got {word}")


def _start(
    config: Config,
    request: DataRequest,
    folds: int | None,
    *,
    weights: str | None,
    output: Path | None,
    overwrite: bool,
) -> tuple[Crossval, Dataset]:
    from gafas.cli.holding import hold
    from gafas.learn.crossval import plan
    from gafas.learn.crossval_folder import new_folder, remove_results, write_record
    from gafas.learn.fold_recipes import find_fold_recipe
    from gafas.learn.weights import find_weights

    recipe = find_fold_recipe(config.recipe)
    if weights is not None and recipe.weights not in {None, weights}:
        raise UsageError(f"--weights: recipe {config.recipe} takes {recipe.weights} only, got {weights}")
    weights = recipe.weights or weights
    source = find_weights(weights)
    dataset = request.load()
    samples = dataset.at("full")
    # Before minutes of reading pictures, and before anything is written.
    folder = new_folder(output, config, overwrite=overwrite, hold=hold)
    pictures, broken = recipe.load(config, dataset, samples, skip_broken=request.skip_broken)
    for path in broken:
        warn(f"cannot be read, left out: {path}")
    planned = plan(folder, config, pictures, folds, weights=source)
    if overwrite:
        remove_results(folder)
    write_record(planned, folds, data=request.record(dataset, broken), weights_given=weights)
    return planned, dataset


def _reopen(folder: Path) -> tuple[Crossval, Dataset]:
    from gafas.cli.holding import hold
    from gafas.cli.training import DataRequest
    from gafas.learn.crossval import plan
    from gafas.learn.crossval_folder import read_record
    from gafas.learn.fold_recipes import find_fold_recipe
    from gafas.learn.weights import find_weights

    record = read_record(folder)
    hold(folder)
    dataset = DataRequest.of_record(record.data).load()
    left_out = set(record.data["skipped"])
    samples = [sample for sample in dataset.at("full") if sample.path not in left_out]
    recipe = find_fold_recipe(record.config.recipe)
    pictures, _ = recipe.load(record.config, dataset, samples, skip_broken=False)
    weights = find_weights(record.weights_given)
    return plan(folder, record.config, pictures, record.folds, weights=weights), dataset


def _run_on_ray(planned: Crossval, jobs: int, address: str | None) -> dict[str, Any]:
    from gafas.scale.on_ray import connected, cores

    with connected(address, jobs or None) as ray:
        return _run(planned, jobs=jobs or cores(ray), engine="ray")


def _run(planned: Crossval, *, jobs: int, engine: Literal["local", "ray"] = "local") -> dict[str, Any]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from gafas.learn.crossval import run_crossval

    count = len(planned.folds)
    ERR.print(f"cross-validation folder: [bold]{planned.folder}[/bold]")
    note(f"{count} folds of {len(planned.pictures.samples)} images, {min(jobs, count)} at once")
    bar = Progress(
        TextColumn("folds"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=ERR,
        transient=True,
        disable=not ERR.is_terminal,
    )
    try:
        with bar:
            task = bar.add_task("folds", total=count)

            def listen(result: FoldResult, done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)
                note(f"fold {result.fold}: {len(result.paths)} images, {result.seconds:.1f} s ({done} of {total})")

            return run_crossval(planned, jobs=min(jobs, count), listener=listen, engine=engine)
    except KeyboardInterrupt:
        ERR.print(f"interrupted; go on with: gafas crossval --resume {planned.folder}")
        raise typer.Exit(130) from None
