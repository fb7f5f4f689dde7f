"""Pictures of a data set: its resolutions, its spoilt photographs, its classes, its augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from gafas.errors import ImageError
from gafas.imaging import Rgb, read_image
from gafas.report.style import GREY, INK, NOTE_SIZE, new_figure, save_figure, set_title
from gafas.values import RESOLUTIONS, Dataset, Resolution, Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE_NAMES: dict[Resolution, str] = {"full": "full", "half": "1/2", "quarter": "1/4"}
_WORDS = {"sunglasses": "sunglasses", "no_sunglasses": "no sunglasses"}
_TILE = 2.1


def plot_resolutions(path: Path, dataset: Dataset, *, seed: int, count: int = 4) -> bool:
    """Draw the same photographs at every resolution, one resolution a row.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    dataset : Dataset
        Its files are read.
    seed : int
        Which photographs are chosen.
    count : int
        How many.

    Returns
    -------
    bool
        False, and nothing written, where the data set has only one resolution.

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    chosen = choose_at_resolutions(dataset, seed=seed, count=count)
    if not chosen:
        return False
    columns = len(next(iter(chosen.values())))
    figure = new_figure(_TILE * columns + 0.4, _TILE * len(chosen) + 0.6)
    axes = figure.subplots(len(chosen), columns, squeeze=False)
    for row, (size, samples) in enumerate(chosen.items()):
        for column, sample in enumerate(samples):
            pixels = _show_file(axes[row, column], dataset, sample)
            _caption(axes[row, column], f"{describe(sample)}\n{_SIZE_NAMES[size]}, {pixels}")
    set_title(figure, "The same photographs at each resolution", synthetic=dataset.synthetic)
    save_figure(figure, path)
    return True


def choose_at_resolutions(dataset: Dataset, *, seed: int, count: int) -> dict[Resolution, list[Sample]]:
    """Return `count` photographs at each resolution, in the same order; empty where there is one resolution only."""
    sizes = [size for size in RESOLUTIONS if dataset.at(size)]
    if len(sizes) < 2:
        return {}
    by_size = {size: {_photograph(sample): sample for sample in dataset.at(size)} for size in sizes}
    shared = sorted(set.intersection(*(set(found) for found in by_size.values())))
    if not shared:
        return {}
    chosen = np.random.default_rng(seed).choice(len(shared), min(count, len(shared)), replace=False)
    return {size: [found[shared[place]] for place in chosen] for size, found in by_size.items()}


def plot_bad(path: Path, dataset: Dataset) -> bool:
    """Draw every photograph that the data set marks as spoilt, four a row.

    Returns
    -------
    bool
        False, and nothing written, where there are none.

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    if not dataset.bad:
        return False
    captions = [f"{describe(sample)} bad" for sample in dataset.bad]
    title = f"Spoilt photographs, left out (n = {len(dataset.bad)})"
    _plot_files(path, dataset, dataset.bad, captions, columns=4, title=title)
    return True


def plot_training(path: Path, dataset: Dataset, samples: Sequence[Sample]) -> None:
    """Draw training images with their class, three a row.

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    captions = [_WORDS[sample.label] for sample in samples]
    title = f"Training images and their class (n = {len(samples)})"
    _plot_files(path, dataset, samples, captions, columns=3, title=title)


def plot_augmented(path: Path, views: Rgb, *, synthetic: bool = False) -> None:
    """Draw random views of one image, three a row.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    views : uint8 array (n, height, width, 3), RGB, 0-255
        As ``gafas.learn.augment.augmented_views`` gives them.
    synthetic : bool
        Whether the image was drawn, which the title then says.

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    columns = 3
    rows = ceil(len(views) / columns)
    figure = new_figure(_TILE * columns + 0.4, _TILE * rows + 0.6)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, view in zip(axes.flat, views, strict=False):
        _show(axis, view)
    set_title(figure, f"One training image, augmented {len(views)} times", synthetic=synthetic)
    save_figure(figure, path)


def describe(sample: Sample) -> str:
    """Return what is known of a picture in words: pose, expression, eyes; else its file name."""
    if sample.pose is None or sample.expression is None:
        return PurePosixPath(sample.path).name
    return f"{sample.pose} {sample.expression} {'sunglasses' if sample.target else 'open'}"


def _photograph(sample: Sample) -> tuple[str, ...]:
    if sample.person is None or sample.pose is None or sample.expression is None:
        return (PurePosixPath(sample.path).stem, sample.label)
    return (sample.person, sample.pose, sample.expression, sample.label)


def _plot_files(
    path: Path, dataset: Dataset, samples: Sequence[Sample], captions: Sequence[str], *, columns: int, title: str
) -> None:
    rows = ceil(len(samples) / columns)
    figure = new_figure(_TILE * columns + 0.4, (_TILE + 0.15) * rows + 0.6)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, sample, caption in zip(axes.flat, samples, captions, strict=False):
        _show_file(axis, dataset, sample)
        _caption(axis, caption)
    set_title(figure, title, synthetic=dataset.synthetic)
    save_figure(figure, path)


def _show_file(axis: Axes, dataset: Dataset, sample: Sample) -> str:
    """Show a file and return its size; one that cannot be read says so in its place."""
    try:
        image = read_image(dataset.root / sample.path)
    except ImageError:
        axis.axis("off")
        axis.text(0.5, 0.5, "cannot be read", color=GREY, ha="center", va="center", transform=axis.transAxes)
        return "unreadable"
    _show(axis, image)
    return f"{image.shape[1]}×{image.shape[0]}"


def _show(axis: Axes, image: Rgb) -> None:
    # The nearest pixel: the small sizes are to look as coarse as they are.
    axis.imshow(image, vmin=0, vmax=255, interpolation="nearest")
    axis.axis("off")


def _caption(axis: Axes, text: str) -> None:
    axis.set_title(text, fontsize=NOTE_SIZE, color=INK, pad=4)
