"""Every wrong answer as a picture, to be looked at one by one."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gafas.errors import UsageError
from gafas.imaging import Rgb
from gafas.report.style import INK, NOTE_SIZE, TITLE_SIZE, new_figure, save_figure, set_title
from gafas.report.words import ENGLISH
from gafas.scoring.checks import check_scores, check_threshold
from gafas.values import LABELS, Sample

MAX_SHOWN = 240
"""Pictures in one sheet at most."""

_MAX_COLUMNS = 12
_CELL = (1.75, 2.5)  # inches
_PATH_LETTERS = 24


def worst_errors(samples: Sequence[Sample], probabilities: ArrayLike, *, threshold: float) -> list[int]:
    """Return the places of the wrong answers, the farthest from the threshold first.

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.metrics.evaluate`.
    """
    targets, scores = check_scores([sample.target for sample in samples], probabilities)
    wrong = np.flatnonzero((scores >= check_threshold(threshold)) != (targets == 1))
    return [int(place) for place in wrong[np.argsort(-np.abs(scores[wrong] - threshold), kind="stable")]]


def plot_errors(
    path: Path,
    images: Sequence[Rgb],
    samples: Sequence[Sample],
    probabilities: ArrayLike,
    *,
    n: int,
    title: str,
    synthetic: bool = False,
) -> None:
    """Draw wrongly judged images, each with its file, its truth and P(sunglasses); without any, say so in words.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    images : uint8 arrays (height, width, 3), RGB, 0-255
        The first `MAX_SHOWN` of `samples`, or all of them.
    samples : sequence of Sample
        Those judged wrongly, in the order to be shown.
    probabilities : (k,) in [0, 1]
        P(sunglasses) of each.
    n : int
        Images that were judged, right or wrong.
    title : str
        Which model and which examples.
    synthetic : bool
        True when the pictures were drawn, not taken: the title says so.

    Raises
    ------
    UsageError
        Not one image and one score for each sample.
    OutputError
        The file cannot be written.
    """
    scores = np.asarray(probabilities, dtype=np.float64)
    shown = min(len(samples), MAX_SHOWN)
    if scores.shape != (len(samples),) or len(images) < shown:
        raise UsageError(
            f"errors: expected an image and a score for each of {len(samples)} samples, got {len(images)} and "
            f"{scores.size}"
        )
    columns = min(_MAX_COLUMNS, max(3, ceil(sqrt(shown))))
    rows = max(1, ceil(shown / columns))
    figure = new_figure(max(5.0, _CELL[0] * columns), _CELL[1] * rows + 0.8)
    note = f"{len(samples)} of {n} wrong" + (f" · the worst {shown} shown" if shown < len(samples) else "")
    set_title(figure, title, synthetic=synthetic, note=note)
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).ravel()):
        axes.set_axis_off()
        if place < shown:
            sample = samples[place]
            axes.imshow(images[place], interpolation="nearest")
            words = [*textwrap.wrap(sample.path, _PATH_LETTERS), f"P {ENGLISH.probability(float(scores[place]))}"]
            words.append(f"truth: {_truth(sample)}")
            axes.set_title("\n".join(words), fontsize=NOTE_SIZE - 2, linespacing=1.25, color=INK, parse_math=False)
    if not shown:
        figure.text(0.5, 0.45, "no errors", ha="center", fontsize=TITLE_SIZE, color=INK)
    save_figure(figure, path)


def _truth(sample: Sample) -> str:
    return (sample.eyewear if sample.eyewear is not None else LABELS[sample.target]).replace("_", " ")
