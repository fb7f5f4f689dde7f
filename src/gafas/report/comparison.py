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
from gafas.report.words import DASH, ENGLISH, Words


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
    words: Words = ENGLISH,
) -> list[Line]:
    """Return the comparison, in the notebook's order.

    Parameters
    ----------
    counts : mapping
        ``photographs``, ``with_sunglasses``, ``without_sunglasses``.
    split : mapping
        Files in ``train``, ``validation`` and ``test``.
    network : mapping
        ``features``, ``backbone_layers``, ``parameters``, ``trainable``; as `gafas.learn.model.describe`. Empty where
        a run did not keep them: the lines are then left out.
    history : mapping
        A run's ``history.json``.
    stages : mapping
        A run's ``metrics.json``: stage → part → metrics.
    words : Words
        The language of names and numbers.
    """
    theirs = notebook_figures()
    return [
        *_of_data(theirs, counts, split, batch_size, words),
        *(_of_network(theirs, network, words) if network else ()),
        *_of_training(theirs, history, stages, words),
    ]


def _of_data(
    theirs: Mapping[str, Any], counts: Mapping[str, int], split: Mapping[str, int], batch_size: int, words: Words
) -> Iterator[Line]:
    for key in ("photographs", "with_sunglasses", "without_sunglasses"):
        yield Line(words(f"compare.{key}"), str(theirs[key]), str(counts[key]))
    yield Line(words("compare.training_files"), str(theirs["training_files"]), str(split["train"]))
    held_out = split["validation"] + split["test"]
    yield Line(words("compare.held_out"), str(theirs["validation_files"]), str(held_out))
    for part in ("train", "validation", "test"):
        ours = math.ceil(split[part] / batch_size)
        yield Line(words("compare.batches", part=words.term("part", part)), str(theirs["batches"][part]), str(ours))


def _of_network(theirs: Mapping[str, Any], network: Mapping[str, Any], words: Words) -> Iterator[Line]:
    def percent(value: float) -> str:
        return words("number.percent", number=words.number(value, 2))

    side = network["input_size"]
    yield Line(words("compare.features"), _shape(theirs["features"]), _shape(network["features"]))
    pixels = side * side * 3
    pooled = network["features"][-1]
    for said, dropped_to in zip(theirs["reduction"], (math.prod(network["features"]), pooled), strict=True):
        a, b = pixels, dropped_to
        sizes = {"before": words.count(a), "after": words.count(b)}
        yield Line(words("compare.reduction", **sizes), percent(said), percent(100 * (a - b) / (a + b)))
        yield Line(words("compare.dropped", **sizes), DASH, percent(100 * (1 - b / a)))
    yield Line(words("compare.layers"), str(theirs["backbone_layers"]), str(network["backbone_layers"]))
    yield Line(words("compare.parameters"), words.count(theirs["parameters"]), words.count(network["parameters"]))
    for stage, (variables, parameters) in network["trainable"].items():
        said = theirs["trainable"][stage]
        named = {"stage": words.term("stage", stage)}
        yield Line(words("compare.variables", **named), str(said[0]), str(variables))
        yield Line(words("compare.trainable", **named), words.count(said[1]), words.count(parameters))


def _of_training(
    theirs: Mapping[str, Any], history: Mapping[str, Any], stages: Mapping[str, Any], words: Words
) -> Iterator[Line]:
    initial = history.get("initial") or {}
    for key in ("val_loss", "val_accuracy"):
        if key in initial:
            said, ours = theirs["initial"][key], initial[key]
            yield Line(words(f"compare.initial_{key}"), words.number(said), words.number(ours))
    for stage, parts in stages.items():
        for part in ("test", "train", "validation"):
            said = theirs["stages"][stage][part]
            ours = parts[part]
            named = {"stage": words.term("stage", stage), "part": words.term("part", part)}
            with_interval = f"{words.number(ours['accuracy'])} {words.between(ours['interval'])}, n = {ours['n']}"
            yield Line(words("compare.stage_accuracy", **named), words.number(said["accuracy"]), with_interval)
            yield Line(words("compare.stage_loss", **named), words.number(said["loss"]), words.number(ours["loss"]))


def compare_epochs(history: Mapping[str, Any], *, words: Words = ENGLISH) -> list[tuple[str, ...]]:
    """Return one row an epoch: its number, then the notebook's and this run's figure of each metric."""
    theirs = notebook_figures()["history"]
    metrics = ("accuracy", "val_accuracy", "loss", "val_loss")
    epochs = max(len(theirs["loss"]), len(history["loss"]))
    return [
        (str(epoch + 1), *(_at(source[metric], epoch, words) for metric in metrics for source in (theirs, history)))
        for epoch in range(epochs)
    ]


def epoch_columns(*, words: Words = ENGLISH) -> tuple[str, ...]:
    """Return the headings of `compare_epochs`."""
    metrics = ("accuracy", "val_accuracy", "loss", "val_loss")
    whose = (words("compare.notebook"), words("compare.this_run"))
    return (words("compare.epoch"), *(f"{words(f'compare.{metric}')}, {who}" for metric in metrics for who in whose))


def _at(values: Sequence[float], index: int, words: Words) -> str:
    return words.number(values[index]) if index < len(values) else DASH


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
