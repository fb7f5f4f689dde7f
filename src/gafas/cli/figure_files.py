"""The figures of an evaluation as files: tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gafas.cli.figures import known_eyewear, said_of
from gafas.files import csv_text, write_text
from gafas.values import Dataset

if TYPE_CHECKING:
    from gafas.cli.figures import Judgement

_SHOWN = 30


def write_thresholds(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write ``threshold_table.csv``: a row for each threshold; undefined figures are empty.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    from gafas.scoring.thresholds import COLUMNS

    write_text(path, csv_text(COLUMNS, ([_cell(row[name]) for name in COLUMNS] for row in rows)))


def write_eyewear(path: Path, judgement: Judgement) -> None:
    """Write ``eyewear.csv``: path, true eyewear, both probabilities, the class said; ``unclear`` images last.

    Not written where neither the model knows eyeglasses nor the data set has unclear images.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    if judgement.images.eyeglasses is None and judgement.unclear is None:
        return
    rows = []
    for judged, word in ((judgement.images, None), (judgement.unclear, "unclear")):
        if judged is None:
            continue
        clear: Sequence[float | None] = judged.eyeglasses or [None] * len(judged.samples)
        for sample, dark, light, said in zip(judged.samples, judged.probabilities, clear, said_of(judged), strict=True):
            rows.append([sample.path, word or sample.eyewear or "", _cell(dark), _cell(light), said])
    write_text(path, csv_text(("path", "eyewear", "sunglasses", "eyeglasses", "said"), rows))


def draw_figures(folder: Path, judgement: Judgement, dataset: Dataset, *, part: str, seed: int) -> None:
    """Write every picture of an evaluation.

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed.
    OutputError
        A picture cannot be written.
    """
    from gafas.cli.pictures import draw_errors, draw_scores
    from gafas.imaging import read_image
    from gafas.report import calibration as report
    from gafas.scoring.calibration import calibrate

    judged, synthetic = judgement.images, dataset.synthetic
    images = [read_image(dataset.root / sample.path) for sample in judged.samples[:_SHOWN]]
    draw_scores(folder, judged.samples, judged.probabilities, judged.threshold, part, synthetic, images=images)
    title = f"{part.capitalize()} images, n = {len(judged.samples)}"
    draw_errors(folder / "errors.png", dataset, judged.samples, judged.probabilities, judged.threshold, title=title)
    calibration = calibrate(judged.targets, judged.probabilities, rng=np.random.default_rng(seed))
    report.plot_reliability(folder / "reliability.png", calibration, title=title, synthetic=synthetic)
    _draw_eyewear(folder / "eyewear_confusion.png", judgement, title=title, synthetic=synthetic)


def _draw_eyewear(path: Path, judgement: Judgement, *, title: str, synthetic: bool) -> None:
    from gafas.report.confusion import plot_eyewear_confusion
    from gafas.scoring.eyewear import score_eyewear

    judged = judgement.images
    places, truth = known_eyewear(judged)
    if judged.eyeglasses is not None and truth:
        said = said_of(judged)
        scores = score_eyewear(truth, [said[place] for place in places])
        plot_eyewear_confusion(path, scores, title=title, synthetic=synthetic)


def _cell(value: float | None) -> str | int:
    if value is None or isinstance(value, int):
        return "" if value is None else value
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"
