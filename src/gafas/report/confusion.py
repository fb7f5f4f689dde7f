"""Confusion matrices: two classes, and the three of eyewear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gafas.report.style import INK, LABEL_SIZE, new_figure, save_figure, set_title
from gafas.scoring.eyewear import EyewearScores
from gafas.scoring.metrics import Confusion
from gafas.values import EYEWEAR

_CLASSES = ("no sunglasses", "sunglasses")


def plot_confusion(path: Path, confusion: Confusion, *, title: str, synthetic: bool = False) -> None:
    """Draw the confusion matrix: true classes down, predicted across, counts and row percentages.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    confusion : Confusion
        Counts; all zero is drawn as such.
    title : str
        Which model and which examples.
    synthetic : bool
        True when the data was drawn, not taken: the title says so.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    counts = np.array([[confusion.tn, confusion.fp], [confusion.fn, confusion.tp]])
    _plot_matrix(path, counts, _CLASSES, title=title, note="", synthetic=synthetic)


def plot_eyewear_confusion(path: Path, scores: EyewearScores, *, title: str, synthetic: bool = False) -> None:
    """Draw the confusion of nothing, clear eyeglasses and sunglasses, as `plot_confusion`.

    The title says how often the two kinds of glasses are mixed up.
    """
    low, high = scores.interval.low, scores.interval.high
    note = f"accuracy {scores.accuracy:.3f} [{low:.3f}, {high:.3f}]"
    if scores.mixed_up_share is not None:
        note += f" · dark and clear mixed up: {scores.mixed_up} of {scores.glasses}"
    _plot_matrix(path, np.array(scores.confusion), EYEWEAR, title=title, note=note, synthetic=synthetic)


def _plot_matrix(
    path: Path, counts: NDArray[np.int64], classes: Sequence[str], *, title: str, note: str, synthetic: bool
) -> None:
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    size = len(classes)
    figure = new_figure(2.6 + 1.9 * size, 1.9 + 1.7 * size)
    set_title(figure, title, synthetic=synthetic, note=note)
    axes = figure.subplots()
    shades = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(size, size):
        share = f"{shares[row, column]:.1%} of row" if totals[row, 0] else "no examples"
        axes.text(
            column,
            row,
            f"{counts[row, column]}\n{share}",
            ha="center",
            va="center",
            fontsize=15 if size == 2 else 14,
            linespacing=1.5,
            color="white" if shares[row, column] > 0.5 else INK,
        )
    places = list(range(size))
    axes.set_xticks(places, classes, fontsize=LABEL_SIZE)
    names = [f"{name}\nn = {total}" for name, total in zip(classes, totals[:, 0].tolist(), strict=True)]
    axes.set_yticks(places, names, fontsize=LABEL_SIZE, rotation=90, va="center", linespacing=1.4)
    axes.tick_params(length=0)
    axes.set_xlabel("Predicted", fontsize=LABEL_SIZE + 1)
    axes.set_ylabel("True", fontsize=LABEL_SIZE + 1)
    bar = figure.colorbar(shades, ax=axes, ticks=[0, 0.5, 1], shrink=0.85)
    bar.ax.set_yticklabels(["0%", "50%", "100%"])
    bar.set_label("Share of the true class", fontsize=LABEL_SIZE)
    save_figure(figure, path)
