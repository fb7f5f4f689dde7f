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
from gafas.scoring.metrics import Evaluation, evaluate
from gafas.scoring.ranking import precision_recall_curve, roc_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CLASSES = ("no sunglasses", "sunglasses")


def plot_roc(
    path: Path,
    targets: ArrayLike,
    probabilities: ArrayLike,
    *,
    threshold: float,
    title: str,
    synthetic: bool = False,
) -> None:
    """Draw the ROC curve with its area and the point where the threshold stands.

    With one class only there is no such curve: the picture says so in words.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    targets : (n,) of 0 and 1
        1 is sunglasses.
    probabilities : (n,) in [0, 1]
        P(sunglasses).
    threshold : float
        In [0, 1]; ``p >= threshold`` is called positive.
    title : str
        Which model and which examples.
    synthetic : bool
        True when the data was drawn, not taken: the title says so.

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.metrics.evaluate`.
    OutputError
        The file cannot be written.
    """
    result = evaluate(targets, probabilities, threshold=threshold)
    figure = _titled(6.4, 6.4, title, synthetic)
    axes = _unit_square(figure, "False positive rate", "True positive rate (recall)")
    curve = roc_curve(targets, probabilities)
    if curve is None:
        _say_one_class(axes, result, "ROC curve")
    else:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label="chance (AUC 0.5)")
        axes.plot(
            curve.false_positive_rate,
            curve.true_positive_rate,
            color=BLUE,
            linewidth=2.2,
            clip_on=False,
            label=f"model (AUC {_floor3(result.roc_auc)}, n = {result.n})",
        )
        counts = result.confusion
        _mark_threshold(axes, counts.fp / (counts.fp + counts.tn), counts.recall, threshold, ("FPR", "TPR"))
        axes.legend(loc="lower right", fontsize=LABEL_SIZE)
    save_figure(figure, path)


def plot_precision_recall(
    path: Path,
    targets: ArrayLike,
    probabilities: ArrayLike,
    *,
    threshold: float,
    title: str,
    synthetic: bool = False,
) -> None:
    """Draw precision against recall, the average precision and the point of the threshold.

    With one class only there is no such curve: the picture says so in words. Arguments and errors
    as `plot_roc`.
    """
    result = evaluate(targets, probabilities, threshold=threshold)
    figure = _titled(6.4, 6.4, title, synthetic)
    axes = _unit_square(figure, "Recall", "Precision")
    curve = precision_recall_curve(targets, probabilities)
    if curve is None:
        _say_one_class(axes, result, "precision-recall curve")
    else:
        share = result.positives / result.n
        axes.axhline(share, color=GREY, linestyle="--", linewidth=1.2, label=f"chance ({share:.2f})")
        # Steps, for between two thresholds nothing is promised; from recall 0 at the first precision.
        axes.step(
            np.concatenate([[0.0], curve.recall]),
            np.concatenate([curve.precision[:1], curve.precision]),
            where="pre",
            color=BLUE,
            linewidth=2.2,
            clip_on=False,
            label=f"model (average precision {_floor3(result.average_precision)}, n = {result.n})",
        )
        _mark_threshold(axes, result.recall, result.precision, threshold, ("recall", "precision"))
        axes.legend(loc="lower left", fontsize=LABEL_SIZE)
    save_figure(figure, path)


def _titled(width: float, height: float, title: str, synthetic: bool) -> Figure:
    figure = new_figure(width, height)
    set_title(figure, title, synthetic=synthetic)
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
    axes: Axes, across: float | None, up: float | None, threshold: float, names: tuple[str, str]
) -> None:
    if across is None or up is None:
        # Nothing was called positive: the threshold has no precision, so it has no place to stand.
        axes.plot([], [], linestyle="none", label=f"threshold {threshold:.3g}: nothing called positive")
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
        label=f"threshold {threshold:.3g}: {names[0]} {across:.3f}, {names[1]} {up:.3f}",
    )


def _say_one_class(axes: Axes, result: Evaluation, what: str) -> None:
    present = _CLASSES[1 if result.positives else 0]
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        f"No {what}:\nall {result.n} examples are of one class,\n“{present}”.",
        ha="center",
        va="center",
        fontsize=TITLE_SIZE,
        linespacing=1.6,
        color=INK,
    )


def _floor3(value: float | None) -> str:
    # Rounded down: 0.9999 must not read as a perfect 1.000.
    return "–" if value is None else f"{int(value * 1000 + 1e-9) / 1000:.3f}"
