"""``gafas data``: fetch, organise and describe the data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gafas.cli import options
from gafas.cli.console import ERR, OUT, note, print_json, print_table, warn
from gafas.cli.training import DataRequest
from gafas.errors import DataError, ImageError, MissingExtraError

if TYPE_CHECKING:
    from gafas.datasets.summary import Summary
    from gafas.values import Dataset, Sample, Split

app = typer.Typer(no_args_is_help=True)

_SHOWN = 20
"""How many broken files are listed one by one."""


class _Format(StrEnum):
    jpg = "jpg"
    png = "png"


@app.command()
def fetch(
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="A folder, an archive (zip, tar, tar.gz) or a URL. Default: the public archive.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where to. Default: the user's cache, where it is found."),
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Get the CMU Face Images (CC BY 4.0), verified picture by picture.

    Example: [bold]gafas data fetch[/bold] or [bold]gafas data fetch --from cmu+face+images.zip[/bold]
    """
    from gafas.datasets.fetch import fetch_cmu

    with _bar("Verifying") as progress:
        fetched = fetch_cmu(output, source=source, overwrite=overwrite, progress=progress)
    report = fetched.report
    bad = sum(count for (_, size), count in report.counts.items() if size == "bad")
    if fetched.already_there:
        note("it was there already; --overwrite gets it again")
    OUT.print(
        f"{fetched.path}: complete and verified, {report.persons} persons, {report.right - bad:,} pictures, "
        f"{bad} spoilt ones"
    )


@app.command()
def organize(
    data: options.Data = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where to.")] = Path("data"),
    image_format: Annotated[
        _Format, typer.Option("--image-format", help="jpg as the notebook, png without loss.")
    ] = _Format.jpg,
    classes: options.Classes = None,
    skip_unknown: options.SkipUnknown = False,
) -> None:
    """Write the notebook's folders: {full,media,cuarto}/{glasses,no_glasses} and bad.

    What is there and right is left alone, so an interrupted run can simply be started again.

    Example: [bold]gafas data organize -o data --image-format png[/bold]
    """
    from gafas.cli.holding import hold
    from gafas.datasets.organize import organize as write_tree

    dataset = _load(data, classes, skip_unknown=skip_unknown)
    hold(output)
    with _bar("Organising") as progress:
        report = write_tree(dataset, output, image_format=image_format.value, progress=progress)
    OUT.print(
        f"{output}: {report.written:,} files written, {report.unchanged:,} unchanged, {len(report.failed)} failed"
    )
    for problem in report.failed[:_SHOWN]:
        warn(f"{problem.path}: {problem.reason}")
    if len(report.failed) > _SHOWN:
        warn(f"{len(report.failed) - _SHOWN} more files failed")
    if report.failed:
        raise typer.Exit(1)


@app.command()
def summary(
    data: options.Data = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write the pictures of the data set here.")
    ] = None,
    classes: options.Classes = None,
    skip_unknown: options.SkipUnknown = False,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Which pictures are shown.")] = 123456,
    json: options.Json = False,
) -> None:
    """Count the pictures by class, person, pose, expression and resolution; draw some of them.

    Example: [bold]gafas data summary -o pictures[/bold]
    """
    from gafas.datasets.summary import summarise

    dataset = _load(data, classes, skip_unknown=skip_unknown)
    if json:
        print_json(summarise(dataset).to_json())
    else:
        print_summary(dataset)
    if output is not None:
        draw_data(dataset, output, seed=seed)


def print_summary(dataset: Dataset) -> None:
    """Print the notebook's count sentence and the tables of a data set."""
    from gafas.datasets.summary import summarise

    counted = summarise(dataset)
    OUT.print(counted.sentence)
    OUT.print(_remarks(counted))
    for attribute, counts in counted.by.items():
        rows = [(c.value, c.total, c.sunglasses, c.no_sunglasses, c.bad) for c in counts]
        print_table(f"By {attribute}", (attribute, "good", "sunglasses", "no sunglasses", "bad"), rows)


def _remarks(counted: Summary) -> str:
    words = [f"{counted.files:,} good files", f"{counted.bad} spoilt ones"]
    if counted.skipped:
        words.append(f"{counted.skipped} left out")
    return f"{counted.name}: {', '.join(words)}."


def draw_data(dataset: Dataset, folder: Path, *, split: Split | None = None, seed: int = 123456) -> list[Path]:
    """Write the pictures of a data set and return their paths.

    Parameters
    ----------
    dataset : Dataset
    folder : Path
        Where the PNG files go.
    split : Split, optional
        Whose training images are shown; ``None``: those of the notebook's split with `seed`.
    seed : int
        Which photographs are shown at each resolution, and how one is augmented.

    Raises
    ------
    OutputError
        A picture cannot be written.
    """
    from gafas.report import data_pictures

    training = _training_samples(dataset, split, seed)
    drawn: list[Path] = []

    def keep(name: str, done: bool, otherwise: str) -> None:
        if done:
            drawn.append(folder / name)
        else:
            note(f"{name}: not drawn, {otherwise}")

    resolutions = data_pictures.plot_resolutions(folder / "resolutions.png", dataset, seed=seed)
    keep("resolutions.png", resolutions, "the data set has one resolution")
    keep("bad.png", data_pictures.plot_bad(folder / "bad.png", dataset), "the data set has no spoilt pictures")
    data_pictures.plot_training(folder / "training.png", dataset, training[:9])
    keep("training.png", True, "")
    keep("augmented.png", *_draw_augmented(folder / "augmented.png", dataset, training[0], seed))
    for path in drawn:
        note(f"picture: {path}")
    return drawn


def _training_samples(dataset: Dataset, split: Split | None, seed: int) -> list[Sample]:
    from gafas.datasets.splits import keras_order, split_files
    from gafas.datasets.summary import largest

    samples = largest(dataset)
    if split is None:
        try:
            split = split_files(samples, seed=seed)
        except DataError as error:
            # Too few to train on is no reason not to look at them.
            note(f"{error}")
            return keras_order(samples)
    by_path = {sample.path: sample for sample in samples}
    return [by_path[path] for path in split.train if path in by_path]


def _draw_augmented(path: Path, dataset: Dataset, sample: Sample, seed: int) -> tuple[bool, str]:
    from gafas.imaging import read_image
    from gafas.report.data_pictures import plot_augmented

    try:
        from gafas.learn.augment import augmented_views

        views = augmented_views(read_image(dataset.root / sample.path), 9, seed=seed)
    except ImportError:
        return False, str(MissingExtraError("augmentation", "train"))
    except (MissingExtraError, ImageError) as error:
        return False, str(error)
    plot_augmented(path, views, synthetic=dataset.synthetic)
    return True, ""


def _load(data: str | None, classes: list[str] | None, *, skip_unknown: bool) -> Dataset:
    return DataRequest(data=data, classes=options.parse_classes(classes), skip_unknown=skip_unknown).load()


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error; the function given moves it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True) as bar:
        # It appears with the first step: before it, a download shows pooch's own bar.
        task = bar.add_task(title, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
