"""The pictures of a set of scores, for a run folder or an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gafas.imaging import Rgb, read_image
from gafas.values import Dataset, Sample


def draw_scores(
    folder: Path,
    samples: Sequence[Sample],
    probabilities: Sequence[float],
    threshold: float,
    part: str,
    synthetic: bool,
    *,
    images: Sequence[Rgb],
) -> None:
    """Write confusion matrix, ROC, precision-recall and the images with their predicted class.

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed.
    OutputError
        A picture cannot be written.
    """
    from gafas.report import confusion as matrices
    from gafas.report import predictions, scores
    from gafas.scoring.metrics import confusion

    targets = [sample.target for sample in samples]
    name = f"{part.capitalize()} images, n = {len(samples)}"
    counts = confusion(targets, probabilities, threshold=threshold)
    matrices.plot_confusion(folder / "confusion.png", counts, title=name, synthetic=synthetic)
    scores.plot_roc(folder / "roc.png", targets, probabilities, threshold=threshold, title=name, synthetic=synthetic)
    scores.plot_precision_recall(
        folder / "precision_recall.png", targets, probabilities, threshold=threshold, title=name, synthetic=synthetic
    )
    predictions.plot_predictions(
        folder / "predictions.png",
        images,
        samples,
        probabilities,
        threshold=threshold,
        limit=30,
        title=name,
        synthetic=synthetic,
    )


def draw_errors(
    path: Path,
    dataset: Dataset,
    samples: Sequence[Sample],
    probabilities: Sequence[float],
    threshold: float,
    *,
    title: str,
) -> None:
    """Write the sheet of all wrongly judged images, the worst first.

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed.
    ImageError
        An image that was judged cannot be read any more.
    OutputError
        The picture cannot be written.
    """
    from gafas.report import errors

    worst = errors.worst_errors(samples, probabilities, threshold=threshold)
    errors.plot_errors(
        path,
        [read_image(dataset.root / samples[place].path) for place in worst[: errors.MAX_SHOWN]],
        [samples[place] for place in worst],
        [probabilities[place] for place in worst],
        n=len(samples),
        title=title,
        synthetic=dataset.synthetic,
    )
