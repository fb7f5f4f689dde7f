"""ROC curve and precision-recall curve of one set of scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from gafas.report.style import (
    BLUE,
    GREY,
    INK,
    LABEL_SIZE,
    LIGHT_GREY,
    ORANGE,
    TITLE_SIZE,
    Figure,
    new_figure,
    save_figure,
    set_title,
)
from gafas.report.words import ENGLISH, Words
from gafas.scoring.metrics import Evaluation, evaluate
from gafas.scoring.ranking import precision_recall_curve, roc_curve
from gafas.values import LABELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_roc(
    path: Path,
    targets: ArrayLike,
    probabilities: ArrayLike,
    *,
    threshold: float,
    title: str,
    synthetic: bool = False,
) -> None:
    """Write `draw_roc` as a PNG file; `title` says which model and which examples.

    Raises
    ------
    DataError, UsageError
        As `draw_roc`.
    OutputError
        The file cannot be written.
    """
    figure = draw_roc(targets, probabilities, threshold=threshold)
    set_title(figure, title, synthetic=synthetic)
    save_figure(figure, path)


def draw_roc(targets: ArrayLike, probabilities: ArrayLike, *, threshold: float, words: Words = ENGLISH) -> Figure:
    """Draw the ROC curve with its area and the point where the threshold stands.

    With one class only there is no such curve: the picture says so in words.

    Parameters
    ----------
    targets : (n,) of 0 and 1
        1 is sunglasses.
    probabilities : (n,) in [0, 1]
        P(sunglasses).
    threshold : float
        In [0, 1]; ``p >= threshold`` is called positive.
    words : Words
        The language of the labels.

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.metrics.evaluate`.
    """
    result = evaluate(targets, probabilities, threshold=threshold)
    figure = new_figure(6.4, 6.4)
    axes = _unit_square(figure, words("axis.false_positive_rate"), words("axis.true_positive_rate"))
    curve = roc_curve(targets, probabilities)
    if curve is None:
        _say_one_class(axes, result, words("axis.no_roc"), words)
    else:
        axes.plot(
            [0, 1],
            [0, 1],
            color=GREY,
            linestyle="--",
            linewidth=1.2,
            label=words("axis.chance_auc", auc=words.number(0.5, 1)),
        )
        axes.plot(
            curve.false_positive_rate,
            curve.true_positive_rate,
            color=BLUE,
            linewidth=2.2,
            clip_on=False,
            label=words("axis.model_auc", auc=_floor3(result.roc_auc, words), n=result.n),
        )
        counts = result.confusion
        names = (words("axis.fpr"), words("axis.tpr"))
        _mark_threshold(axes, counts.fp / (counts.fp + counts.tn), counts.recall, threshold, names, words)
        axes.legend(loc="lower right", fontsize=LABEL_SIZE)
    return figure


def plot_precision_recall(
    path: Path,
    targets: ArrayLike,
    probabilities: ArrayLike,
    *,
    threshold: float,
    title: str,
    synthetic: bool = False,
) -> None:
    """Write `draw_precision_recall` as a PNG file; arguments and errors as `plot_roc`."""
    figure = draw_precision_recall(targets, probabilities, threshold=threshold)
    set_title(figure, title, synthetic=synthetic)
    save_figure(figure, path)


def draw_precision_recall(
    targets: ArrayLike, probabilities: ArrayLike, *, threshold: float, words: Words = ENGLISH
) -> Figure:
    """Draw precision against recall, the average precision and the point of the threshold.

    With one class only there is no such curve: the picture says so in words. Arguments and errors
    as `draw_roc`.
    """
    result = evaluate(targets, probabilities, threshold=threshold)
    figure = new_figure(6.4, 6.4)
    axes = _unit_square(figure, words("axis.recall"), words("axis.precision"))
    curve = precision_recall_curve(targets, probabilities)
    if curve is None:
        _say_one_class(axes, result, words("axis.no_precision_recall"), words)
    else:
        share = result.positives / result.n
        label = words("axis.chance", share=words.number(share, 2))
        axes.axhline(share, color=GREY, linestyle="--", linewidth=1.2, label=label)
        # Steps, for between two thresholds nothing is promised; from recall 0 at the first precision.
        axes.step(
            np.concatenate([[0.0], curve.recall]),
            np.concatenate([curve.precision[:1], curve.precision]),
            where="pre",
            color=BLUE,
            linewidth=2.2,
            clip_on=False,
            label=words("axis.model_ap", ap=_floor3(result.average_precision, words), n=result.n),
        )
        names = (words("axis.recall").lower(), words("axis.precision").lower())
        _mark_threshold(axes, result.recall, result.precision, threshold, names, words)
        axes.legend(loc="lower left", fontsize=LABEL_SIZE)
    return figure


def _unit_square(figure: Figure, across: str, up: str) -> Axes:
    axes = figure.subplots()
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.set_xlabel(across, fontsize=LABEL_SIZE + 1)
    axes.set_ylabel(up, fontsize=LABEL_SIZE + 1)
    axes.grid(color=LIGHT_GREY, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def _mark_threshold(
    axes: Axes, across: float | None, up: float | None, threshold: float, names: tuple[str, str], words: Words
) -> None:
    at = words("axis.threshold", threshold=words.localise(f"{threshold:.3g}"))
    if across is None or up is None:
        # Nothing was called positive: the threshold has no precision, so it has no place to stand.
        axes.plot([], [], linestyle="none", label=f"{at}:\n{words('axis.nothing_positive')}")
        return
    axes.plot(
        [across],
        [up],
        linestyle="none",
        marker="o",
        markersize=10,
        color=ORANGE,
        markeredgecolor=INK,
        markeredgewidth=1,
        clip_on=False,
        zorder=3,
        label=f"{at}:\n{names[0]} {words.number(across, 3)}{words('number.list')} {names[1]} {words.number(up, 3)}",
    )


def _say_one_class(axes: Axes, result: Evaluation, what: str, words: Words) -> None:
    present = words.term("label", LABELS[1 if result.positives else 0])
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        f"{what}:\n" + words("axis.one_class", n=result.n, label=present),
        ha="center",
        va="center",
        fontsize=TITLE_SIZE,
        linespacing=1.6,
        color=INK,
    )


def _floor3(value: float | None, words: Words) -> str:
    # Rounded down: 0.9999 must not read as a perfect 1.000.
    return words.number(None if value is None else int(value * 1000 + 1e-9) / 1000, 3)
