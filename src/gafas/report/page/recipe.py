"""What was done: the recipe's values, and how the training went."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from gafas.errors import ImageError
from gafas.imaging import read_image
from gafas.report.curves import draw_curves
from gafas.report.page.blocks import Block, Chart, Facts, Part, Photo, Photos, Section, Table
from gafas.report.page.charts import to_svg
from gafas.report.page.material import Material
from gafas.report.page.photos import to_uri
from gafas.report.page.tables import accuracy_table
from gafas.report.words import Words

_PCA = (("eigenfaces.png", "eigenfaces_caption"), ("explained_variance.png", "variance_caption"))
_PICTURE_SIDE = 1200


def recipe_section(material: Material, words: Words) -> Section | None:
    """Return the values of the recipe; ``None`` where nobody wrote them down."""
    folder = material.folder
    if not folder.config:
        return None
    rows = [(words.term("setting", name), _value(name, value, words)) for name, value in folder.config.items()]
    training = folder.bundle.manifest.training if folder.bundle is not None else {}
    weights = folder.record.get("weights") or training.get("weights")
    if isinstance(weights, Mapping) and weights.get("kind"):
        shown = words("recipe.weights_of", file=weights.get("file") or "–", kind=weights["kind"])
        rows.append((words("recipe.weights"), shown))
    if folder.kind == "crossval":
        folds = folder.record["folds"]
        shown = words("recipe.folds_person") if folds == "person" else str(folds)
        rows.append((words("recipe.folds"), shown))
    for stage, seconds in _seconds(folder.metrics.get("seconds")):
        name = words("recipe.seconds", stage=words.term("stage", stage)).rstrip(", ")
        rows.append((name, words("recipe.seconds_value", value=words.count(round(seconds)))))
    return Section(name="recipe", title=words("recipe.title"), blocks=[Facts(rows, short=True)])


def _value(name: str, value: Any, words: Words) -> str:
    if name == "split":
        return words.term("split_by", str(value))
    # A seed is a name, not a quantity.
    if isinstance(value, float):
        return words.short(value)
    return str(value)


def _seconds(value: Any) -> list[tuple[str, float]]:
    if isinstance(value, Mapping):
        return [(str(stage), float(seconds)) for stage, seconds in value.items()]
    return [("", float(value))] if isinstance(value, int | float) else []


def training_section(material: Material, words: Words) -> Section | None:
    """Return curves and the figures after each stage; ``None`` for what was not trained here."""
    folder = material.folder
    if folder.kind != "run":
        return None
    blocks: list[Block] = []
    if folder.history and folder.history.get("loss"):
        blocks.append(_curves(folder.history, words))
    rows = [
        (f"{words.term('stage', stage)}, {words.term('part', part)}", figures)
        for stage, parts in folder.stages.items()
        for part, figures in parts.items()
    ]
    blocks.append(_with_loss(rows, words))
    # Of recipe pca its own; of `gafas reproduce` those of its baseline.
    for place in (folder.path, folder.path / "pca"):
        blocks += _components(place, words)
    return Section(name="training", title=words("training.title"), blocks=blocks)


def _with_loss(rows: list[tuple[str, Mapping[str, Any]]], words: Words) -> Table:
    table = accuracy_table(words("training.stages_caption"), words("training.stage"), rows, words)
    # Loss in the place of how many were right, which accuracy and n say already.
    cells = [(*line[:4], words.number(of["loss"]), line[5]) for line, (_, of) in zip(table.rows, rows, strict=True)]
    columns = (*table.columns[:4], words("compare.loss"), table.columns[5])
    return Table(caption=table.caption, columns=columns, rows=cells)


def _curves(history: Mapping[str, Any], words: Words) -> Chart:
    start = history.get("fine_tune_at")
    figure = draw_curves(history, fine_tune_at=start, words=words)
    caption = words("training.curves_caption")
    if start is not None:
        caption = words("training.curves_caption_tuned", before=start, after=start + 1)
    ends = {
        f"{series}_{name}": words.number(value if isfinite(value) else None, 3)
        for series in ("accuracy", "val_accuracy", "loss", "val_loss")
        for name, value in (("first", history[series][0]), ("last", history[series][-1]))
    }
    alt = words("training.curves_alt", epochs=len(history["loss"]), **ends)
    return Chart(svg=to_svg(figure, name="curves", words=words), caption=caption, alt=alt)


def _components(folder: Path, words: Words) -> list[Block]:
    items = []
    for name, caption in _PCA:
        try:
            uri = to_uri(read_image(folder / name), side=_PICTURE_SIDE)
        except ImageError:
            continue
        text = words(f"training.{caption}")
        items.append(Photo(uris=[uri], alts=[text], title=text, width=480))
    if not items:
        return []
    return [Part(words("training.pca")), Photos(caption=words("training.pca_caption"), items=items)]
