"""Scored photographs side by side: what the model says of each, and where it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from gafas.errors import UsageError
from gafas.imaging import Rgb
from gafas.report.style import (
    INK,
    NOTE_SIZE,
    new_figure,
    save_figure,
    set_title,
)
from gafas.report.words import ENGLISH
from gafas.scoring.checks import check_scores, check_threshold
from gafas.values import LABELS, Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WRONG = "#C00000"
_MAX_COLUMNS = 10

MAX_SHOWN = 200
"""Images in one picture at most: more of them make a file that few viewers open."""


def plot_predictions(
    path: Path,
    images: Sequence[Rgb],
    samples: Sequence[Sample],
    probabilities: ArrayLike,
    *,
    threshold: float,
    limit: int | None = 9,
    title: str,
    synthetic: bool = False,
) -> None:
    """Draw images with the predicted class and its probability.

    A wrong one has a red frame, and its true class in words.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    images : n uint8 arrays (height, width, 3), RGB, 0-255
        Of any sizes; only the first `limit` are looked at.
    samples : n samples
        Their truth, in the order of `images`.
    probabilities : (n,) in [0, 1]
        P(sunglasses).
    threshold : float
        In [0, 1]; ``p >= threshold`` is called sunglasses.
    limit : int or None
        How many to show at most, from the first; ``None`` for all; never more than
        `MAX_SHOWN`. The title says when some are left out.
    title : str
        Which model and which examples.
    synthetic : bool
        True when the pictures were drawn, not taken: the title says so.

    Raises
    ------
    DataError
        No samples, or a score that is no probability.
    UsageError
        Not one image and one score for each sample, or a limit below 1.
    OutputError
        The file cannot be written.
    """
    targets, scores = check_scores([sample.target for sample in samples], probabilities)
    check_threshold(threshold)
    n = len(samples)
    shown = min(n, MAX_SHOWN, n if limit is None else limit)
    if shown < 1:
        raise UsageError(f"limit: expected 1 or more images, or None for all, got {limit}")
    if len(images) not in (n, shown):
        raise UsageError(f"images: expected one for each of {n} samples, got {len(images)}")
    columns = min(shown, _MAX_COLUMNS, max(3, ceil(sqrt(shown))))
    rows = ceil(shown / columns)
    figure = new_figure(max(4.5, 2.3 * columns), 2.75 * rows + 0.7)
    wrong = int(((scores >= threshold) != (targets == 1)).sum())
    counted = f"{n - wrong} of {n} right" + (f" · first {shown} shown" if shown < n else "")
    set_title(figure, title, synthetic=synthetic, note=f"{counted} · threshold {threshold:.3g}")
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for i, axes in enumerate(cells):
        if i < shown:
            _draw_cell(axes, images[i], float(scores[i]), int(targets[i]), threshold)
        else:
            axes.set_axis_off()
    save_figure(figure, path)


def _draw_cell(axes: Axes, image: Rgb, score: float, target: int, threshold: float) -> None:
    called = int(score >= threshold)
    right = called == target
    axes.imshow(image, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(not right)
        spine.set_color(_WRONG)
        spine.set_linewidth(4)
    colour = INK if right else _WRONG
    answer = f"{_words(called)}\nP(sunglasses) {ENGLISH.probability(score)}"
    axes.set_title(answer, fontsize=NOTE_SIZE + 1, linespacing=1.3, color=colour)
    if not right:
        axes.set_xlabel(f"wrong; truth: {_words(target)}", fontsize=NOTE_SIZE, color=colour, labelpad=6)


def _words(target: int) -> str:
    return LABELS[target].replace("_", " ")
