"""``gafas reproduce``: the notebook from the first cell to the last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gafas.cli import options
from gafas.cli.console import ERR, OUT, note, print_table, warn
from gafas.errors import DataError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from gafas.cli.training import Job
    from gafas.learn.export import Comparison
    from gafas.learn.recipes import Trained


def reproduce(
    data: options.Data = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Run folder. Default: runs/<time>-notebook.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with an interrupted run.")] = None,
    weights: options.Weights = None,
    seed: Annotated[int | None, typer.Option(help="Of split, weights, order and augmentation.")] = None,
    split: Annotated[str | None, typer.Option(help="file, as the notebook, or person.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any value of the recipe, e.g. epochs=2.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Train as plain Keras does: the same figures, several times slower.")
    ] = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Do all of the notebook in one run folder: data, training, evaluation, prediction, export.

    Without data here and on the network it draws synthetic data and says so. It ends with a table
    [bold]notebook | this run[/bold] of every figure that the notebook prints, and a report of it all, report.html.

    Example: [bold]gafas reproduce --seed 1[/bold]
    """
    from gafas.cli.training import DataRequest, print_stages, resume_job, start_job, train_job
    from gafas.learn.config import make_config
    from gafas.learn.export import require_agreement

    if resume is not None:
        if plain or any(value is not None for value in (data, output, weights, seed, split, settings)):
            raise UsageError("--resume takes everything from the run folder; leave the other options out")
        job = resume_job(resume)
    else:
        _step("Data")
        config = make_config("notebook", {"seed": seed, "split": split, **options.parse_settings(settings)})
        request = DataRequest(data=data or _find_data())
        job = start_job(config, request, weights=weights, output=output, overwrite=overwrite, plain=plain)
    folder = job.run.folder
    _describe_data(job)
    _step("Training: two stages, as the notebook")
    trained = train_job(job)
    print_stages(trained.stages, title=f"Trained, split by {job.split.kind}")
    _step("Export")
    comparisons = _export(job)
    _step("Evaluation with the exported model, as users will run it")
    _evaluate(folder)
    _step("Baseline: principal components")
    baseline = _baseline(job)
    _step("Notebook | this run")
    _conclude(job, trained, comparisons, baseline)
    _step("Report")
    page = _report(folder)
    OUT.print(f"\nrun folder: {folder}\ntry it: gafas predict PHOTO --model {folder}")
    if page is not None:
        OUT.print(f"report: {page}")
    # 8 bits may flip a label that is a hair from the threshold: that file is left out and named, the run is good.
    for comparison in comparisons:
        if comparison.format == "tflite" and comparison.problem:
            warn(f"{comparison.file} is not in the bundle, for it disagrees with Keras: {comparison.problem}")
    require_agreement([c for c in comparisons if c.format != "tflite"])


def _step(title: str) -> None:
    ERR.rule(f"[bold]{title}[/bold]", align="left")


def _find_data() -> str:
    from gafas.datasets.fetch import fetch_cmu
    from gafas.datasets.locate import find_data

    try:
        return str(find_data("cmu_faces", None))
    except DataError:
        note("the CMU Face Images are not here; trying the public download")
    try:
        return str(fetch_cmu().path)
    except DataError as error:
        warn(f"the CMU Face Images cannot be had ({error})")
        warn("going on with SYNTHETIC DATA, so that every step runs; its figures mean nothing")
        return "synthetic"


def _describe_data(job: Job) -> None:
    from gafas.cli.data import draw_data, print_summary
    from gafas.datasets.organize import organize

    print_summary(job.dataset)
    draw_data(job.dataset, job.run.folder / "data_pictures", split=job.split)
    report = organize(job.dataset, job.run.folder / "data")
    note(f"organised as in the notebook: {job.run.folder / 'data'} ({report.written} files written)")


def _export(job: Job) -> list[Comparison]:
    from gafas.cli.export import export_job, print_comparisons
    from gafas.learn.export import FORMATS

    comparisons = export_job(job, tuple(FORMATS))
    print_comparisons(comparisons)
    return comparisons


def _evaluate(folder: Path) -> None:
    from gafas.cli.evaluate import evaluate

    evaluate(folder, part="test", output=folder / "evaluation", overwrite=True)


def _report(folder: Path) -> Path | None:
    from gafas.cli.report import write_report

    try:
        return write_report(folder, overwrite=True)
    except MissingExtraError as error:
        warn(f"no report: {error}")
        return None


def _baseline(job: Job) -> Trained:
    from gafas.cli.training import DataRequest, print_stages, start_job, train_job
    from gafas.learn.config import make_config

    config = make_config("pca", {"seed": job.run.config.seed, "split": job.run.config.split})
    request = DataRequest(data=job.run.record["data"]["root"])
    other = start_job(config, request, weights=None, output=job.run.folder / "pca", overwrite=True)
    trained = train_job(other)
    print_stages(trained.stages, title=f"PCA, {len(trained.details['pca'].explained)} components")
    return trained


def _conclude(job: Job, trained: Trained, comparisons: list[Comparison], baseline: Trained) -> None:
    from gafas.report import comparison as report

    samples = job.dataset.at("full")
    positives = sum(sample.target for sample in samples)
    lines = report.compare(
        counts={
            "photographs": len(samples),
            "with_sunglasses": positives,
            "without_sunglasses": len(samples) - positives,
        },
        split=job.run.record["split"],
        batch_size=job.run.config.batch_size,
        network=trained.details["network"],
        history=trained.details["history"],
        stages=trained.stages,
    )
    rows = [(line.figure, line.notebook, line.this_run) for line in lines]
    columns = ("figure", "notebook", "this run")
    epochs = report.compare_epochs(trained.details["history"])
    exported = [
        (
            c.format,
            f"{c.size:,}",
            f"{c.max_difference:.1e}",
            f"{c.labels_changed} of {c.n}",
            f"{c.ms_per_image:.2f}",
            "refused" if c.problem else "yes",
        )
        for c in comparisons
    ]
    export_columns = ("format", "bytes", "largest difference of P", "labels changed", "ms per image", "agrees")
    report.write_summary(
        job.run.folder / "summary.md",
        title=f"{job.run.record['name']}: {job.dataset.name}",
        notes=_notes(job, baseline),
        tables={
            "Notebook | this run": report.markdown_table(columns, rows),
            "Epoch by epoch": report.markdown_table(report.epoch_columns(), epochs),
            "Exported formats": report.markdown_table(export_columns, exported),
        },
    )
    print_table("Epoch by epoch", report.epoch_columns(), epochs)
    print_table("Notebook | this run", columns, rows)
    for text in _notes(job, baseline):
        note(text)


def _notes(job: Job, baseline: Trained) -> list[str]:
    test = baseline.stages["fitted"]["test"]
    low, high = test["interval"]
    kept = len(baseline.details["pca"].explained)
    pixels = job.run.config.input_size**2
    notes = [
        "Split by file: the same persons are in training and test, which flatters. See `--split person`."
        if job.split.kind == "file"
        else "Split by person: nobody in validation or test was seen in training; the notebook's figures were.",
        (
            "The notebook's accuracy while training counts a logit above 0.5, not above 0, as class 1; ours cuts at 0. "
            "Its test set is drawn anew at each pass; ours is fixed."
        ),
        (
            f"Principal components done properly (recipe pca): {kept} of {pixels:,} grey values kept, "
            f"{100 * (1 - kept / pixels):.2f} % dropped; test accuracy {test['accuracy']:.4f} "
            f"[{low:.3f}, {high:.3f}], n = {test['n']}."
        ),
    ]
    if job.dataset.synthetic:
        notes.insert(0, "**SYNTHETIC DATA**: drawn faces, not photographs. The figures say nothing about real ones.")
    return notes
