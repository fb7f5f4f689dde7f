"""The table *notebook | this run*: every figure that the notebook prints beside ours."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from gafas.files import write_text


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: its name, the notebook's value and this run's, as text."""

    figure: str
    notebook: str
    this_run: str


@cache
def notebook_figures() -> dict[str, Any]:
    """Return the notebook's printed figures, as the package carries them."""
    text = (resources.files("gafas") / "assets" / "notebook_figures.json").read_text(encoding="utf-8")
    figures: dict[str, Any] = json.loads(text)
    return figures


def compare(
    *,
    counts: Mapping[str, int],
    split: Mapping[str, int],
    batch_size: int,
    network: Mapping[str, Any],
    history: Mapping[str, Any],
    stages: Mapping[str, Any],
) -> list[Line]:
    """Return the comparison, in the notebook's order.

    Parameters
    ----------
    counts : mapping
        ``photographs``, ``with_sunglasses``, ``without_sunglasses``.
    split : mapping
        Files in ``train``, ``validation`` and ``test``.
    network : mapping
        ``features``, ``backbone_layers``, ``parameters``, ``trainable``; as `gafas.learn.model.describe`.
    history : mapping
        A run's ``history.json``.
    stages : mapping
        A run's ``metrics.json``: stage → part → metrics.
    """
    theirs = notebook_figures()
    return [
        *_of_data(theirs, counts, split, batch_size),
        *_of_network(theirs, network),
        *_of_training(theirs, history, stages),
    ]


def _of_data(
    theirs: Mapping[str, Any], counts: Mapping[str, int], split: Mapping[str, int], batch_size: int
) -> Iterator[Line]:
    for key in ("photographs", "with_sunglasses", "without_sunglasses"):
        yield Line(key.replace("_", " "), str(theirs[key]), str(counts[key]))
    yield Line("training files", str(theirs["training_files"]), str(split["train"]))
    held_out = split["validation"] + split["test"]
    yield Line("files held out (validation + test)", str(theirs["validation_files"]), str(held_out))
    for part in ("train", "validation", "test"):
        ours = math.ceil(split[part] / batch_size)
        yield Line(f"{part} batches", str(theirs["batches"][part]), str(ours))


def _of_network(theirs: Mapping[str, Any], network: Mapping[str, Any]) -> Iterator[Line]:
    side = network["input_size"]
    yield Line("features of one image", _shape(theirs["features"]), _shape(network["features"]))
    pixels = side * side * 3
    pooled = network["features"][-1]
    for said, dropped_to in zip(theirs["reduction"], (math.prod(network["features"]), pooled), strict=True):
        a, b = pixels, dropped_to
        name = f'"reduction" {a:,} → {b:,} values, (a-b)/(a+b)'
        yield Line(name, f"{said:.2f} %", f"{100 * (a - b) / (a + b):.2f} %")
        yield Line(f"really dropped {a:,} → {b:,} values, 1-b/a", "–", f"{100 * (1 - b / a):.2f} %")
    yield Line("layers of the backbone", str(theirs["backbone_layers"]), str(network["backbone_layers"]))
    yield Line("parameters", f"{theirs['parameters']:,}", f"{network['parameters']:,}")
    for stage, (variables, parameters) in network["trainable"].items():
        said = theirs["trainable"][stage]
        yield Line(f"trainable variables, {stage}", str(said[0]), str(variables))
        yield Line(f"trainable parameters, {stage}", f"{said[1]:,}", f"{parameters:,}")


def _of_training(theirs: Mapping[str, Any], history: Mapping[str, Any], stages: Mapping[str, Any]) -> Iterator[Line]:
    initial = history.get("initial") or {}
    for key, name in (("val_loss", "loss"), ("val_accuracy", "accuracy")):
        if key in initial:
            yield Line(f"validation {name} before training", f"{theirs['initial'][key]:.4f}", f"{initial[key]:.4f}")
    for stage, parts in stages.items():
        for part in ("test", "train", "validation"):
            said = theirs["stages"][stage][part]
            ours = parts[part]
            low, high = ours["interval"]
            accuracy = f"{ours['accuracy']:.4f} [{low:.3f}, {high:.3f}], n = {ours['n']}"
            yield Line(f"{stage}: {part} accuracy", f"{said['accuracy']:.4f}", accuracy)
            yield Line(f"{stage}: {part} loss", f"{said['loss']:.4f}", f"{ours['loss']:.4f}")


def compare_epochs(history: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return one row an epoch: its number, then the notebook's and this run's figure of each metric."""
    theirs = notebook_figures()["history"]
    metrics = ("accuracy", "val_accuracy", "loss", "val_loss")
    epochs = max(len(theirs["loss"]), len(history["loss"]))
    return [
        (str(epoch + 1), *(_at(source[metric], epoch) for metric in metrics for source in (theirs, history)))
        for epoch in range(epochs)
    ]


EPOCH_COLUMNS = (
    "epoch",
    *(
        f"{name}, {whose}"
        for name in ("accuracy", "validation accuracy", "loss", "validation loss")
        for whose in ("notebook", "this run")
    ),
)


def _at(values: Sequence[float], index: int) -> str:
    return f"{values[index]:.4f}" if index < len(values) else "–"


def _shape(values: Sequence[int]) -> str:
    return "×".join(str(value) for value in values)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, the first column left, the others right."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    lines = ["| " + " | ".join(columns) + " |", "|---|" + "---:|" * (len(columns) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in cells)])


def write_summary(path: Path, *, title: str, notes: Sequence[str], tables: Mapping[str, str]) -> None:
    """Write the run's ``summary.md``: notes, then each table under its heading."""
    blocks = [f"# {title}", *notes, *(f"## {heading}\n\n{table}" for heading, table in tables.items())]
    write_text(path, "\n\n".join(blocks) + "\n")
