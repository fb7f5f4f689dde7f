"""Accuracy and loss epoch by epoch, with the mark where fine-tuning starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from gafas.errors import UsageError
from gafas.report.style import (
    BLUE,
    GREY,
    INK,
    LABEL_SIZE,
    LIGHT_GREY,
    NOTE_SIZE,
    ORANGE,
    Figure,
    MaxNLocator,
    new_figure,
    save_figure,
    set_title,
)
from gafas.report.words import ENGLISH, Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

History = Mapping[str, Sequence[float]]

_SERIES = ("accuracy", "loss", "val_accuracy", "val_loss")


def plot_curves(
    path: Path,
    history: History,
    *,
    fine_tune_at: int | None,
    title_note: str = "",
    synthetic: bool = False,
) -> None:
    """Write `draw_curves` as a PNG file, titled; `title_note` is what else the title should say, such as the seed.

    Raises
    ------
    UsageError
        As `draw_curves`.
    OutputError
        The file cannot be written.
    """
    title = f"Accuracy and loss by epoch{f' · {title_note}' if title_note else ''}"
    figure = draw_curves(history, fine_tune_at=fine_tune_at)
    set_title(figure, title, synthetic=synthetic)
    save_figure(figure, path)


def draw_curves(history: History, *, fine_tune_at: int | None, words: Words = ENGLISH) -> Figure:
    """Draw accuracy above loss, each for training and validation.

    Parameters
    ----------
    history : mapping
        ``accuracy``, ``loss``, ``val_accuracy``, ``val_loss``: one number for each epoch, over all
        stages together.
    fine_tune_at : int or None
        How many epochs had been trained when fine-tuning started: the mark stands between that
        epoch and the next, so 15 puts it between the 15th and the 16th. ``None`` for no mark.
    words : Words
        The language of the labels.

    Raises
    ------
    UsageError
        A series is missing, empty or of another length, or `fine_tune_at` lies outside.
    """
    epochs = _check_history(history)
    if fine_tune_at is not None and not 0 <= fine_tune_at <= epochs:
        raise UsageError(f"fine_tune_at: expected 0 to {epochs} epochs, got {fine_tune_at}")
    figure = new_figure(8, 8)
    upper, lower = figure.subplots(2, 1, sharex=True)
    _draw_panel(upper, history, "accuracy", words)
    _draw_panel(lower, history, "loss", words)
    upper.set_ylim(*_accuracy_limits([*history["accuracy"], *history["val_accuracy"]]))
    lower.set_ylim(*_loss_limits([*history["loss"], *history["val_loss"]]))
    lower.set_xlabel(words("axis.epoch"), fontsize=LABEL_SIZE)
    lower.set_xlim(0.5, epochs + 0.5)
    lower.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    if fine_tune_at is not None:
        _mark_fine_tuning(upper, fine_tune_at, epochs, label=words("axis.fine_tuning"))
        _mark_fine_tuning(lower, fine_tune_at, epochs, label="")
    return figure


def _check_history(history: History) -> int:
    missing = [name for name in _SERIES if name not in history]
    if missing:
        raise UsageError(f"history: expected {', '.join(_SERIES)}; {', '.join(missing)} missing")
    lengths = {name: len(history[name]) for name in _SERIES}
    if len(set(lengths.values())) != 1:
        got = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise UsageError(f"history: expected one number for each epoch in every series, got {got}")
    epochs = lengths["loss"]
    if epochs == 0:
        raise UsageError("history: expected at least one epoch, got 0; nothing was trained")
    return epochs


def _draw_panel(axes: Axes, history: History, name: str, words: Words) -> None:
    numbers = range(1, len(history[name]) + 1)
    # Markers carry the difference where colour does not, and make a single epoch visible.
    axes.plot(numbers, history[name], color=BLUE, marker="o", markersize=4, label=words("axis.training"))
    axes.plot(
        numbers,
        history[f"val_{name}"],
        color=ORANGE,
        marker="s",
        markersize=4,
        linestyle="--",
        label=words("axis.validation"),
    )
    axes.set_ylabel(words(f"axis.{name}"), fontsize=LABEL_SIZE)
    axes.grid(color=LIGHT_GREY, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(loc="best", fontsize=LABEL_SIZE)


def _accuracy_limits(values: Sequence[float]) -> tuple[float, float]:
    """Return 0.5 to 1 as in the notebook, or lower by whole tenths when the data is lower."""
    floor = min(0.5, int(min(_finite(values), default=0.5) * 10) / 10)
    # A little air: a marker at 1.0 or on the floor stays whole.
    return max(-0.01, floor - 0.01), 1.01


def _loss_limits(values: Sequence[float]) -> tuple[float, float]:
    """Return 0 to 1 as in the notebook, or what the data needs when it is far from that."""
    top = max(_finite(values), default=1.0) * 1.05
    ceiling = 1.0 if 0.5 < top <= 1 else max(top, 0.01)
    return -0.02 * ceiling, ceiling * 1.02


def _finite(values: Sequence[float]) -> list[float]:
    # A training that diverged has NaN in its history: the gap in the curve shows it.
    return [value for value in values if isfinite(value)]


def _mark_fine_tuning(axes: Axes, fine_tune_at: int, epochs: int, *, label: str) -> None:
    place = fine_tune_at + 0.5
    axes.axvline(place, color=GREY, linestyle=":", linewidth=1.8)
    if not label:
        return
    # Above the panel no curve can cross the words; near the right edge they grow to the left.
    side = "left" if fine_tune_at < epochs / 4 else "right" if fine_tune_at > epochs * 3 / 4 else "center"
    axes.annotate(
        label,
        (place, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha=side,
        va="bottom",
        fontsize=NOTE_SIZE + 1,
        color=INK,
    )
