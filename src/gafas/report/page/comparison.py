"""The notebook beside this run, and the persons that no fold had seen."""

from __future__ import annotations

from typing import Any

from gafas.report.comparison import compare, compare_epochs, epoch_columns, notebook_figures
from gafas.report.page.blocks import Block, Section, Table, Text
from gafas.report.page.folder import Folder
from gafas.report.page.material import Material
from gafas.report.page.tables import accuracy_table
from gafas.report.words import Words
from gafas.values import SPLIT_NAMES


def comparison_section(material: Material, words: Words) -> Section | None:
    """Return every figure that the notebook prints beside this run's; ``None`` for anything but its recipe."""
    folder = material.folder
    if not _comparable(folder):
        return None
    positives = sum(row.sample.target for row in folder.rows)
    counts = {
        "photographs": len(folder.rows),
        "with_sunglasses": positives,
        "without_sunglasses": len(folder.rows) - positives,
    }
    history = folder.history or {}
    lines = compare(
        counts=counts,
        split=folder.record["split"],
        batch_size=folder.config["batch_size"],
        network=folder.network or {},
        history=history,
        stages=folder.stages,
        words=words,
    )
    blocks: list[Block] = [
        Text(words("comparison.lead")),
        *([] if folder.network else [Text(words("comparison.no_network"), "missing")]),
        Table(
            caption=words("comparison.caption"),
            columns=(words("compare.figure"), words("compare.notebook"), words("compare.this_run")),
            rows=[(line.figure, line.notebook, line.this_run) for line in lines],
            note=words("comparison.note"),
        ),
    ]
    if all(history.get(name) for name in ("loss", "accuracy", "val_loss", "val_accuracy")):
        blocks.append(
            Table(
                caption=words("comparison.epochs_caption"),
                columns=epoch_columns(words=words),
                rows=compare_epochs(history, words=words),
            )
        )
    return Section(name="comparison", title=words("comparison.title"), blocks=blocks)


def _comparable(folder: Folder) -> bool:
    """Tell whether a run has what the comparison asks for."""
    if folder.kind != "run" or folder.config.get("recipe") != "notebook" or not folder.rows:
        return False
    theirs: dict[str, Any] = notebook_figures()["stages"]
    parts = folder.record.get("split")
    return (
        isinstance(parts, dict)
        and set(SPLIT_NAMES) <= parts.keys()
        and all(stage in theirs and set(SPLIT_NAMES) <= found.keys() for stage, found in folder.stages.items())
    )


def persons_section(material: Material, words: Words) -> Section | None:
    """Return the results of a cross-validation on each person; ``None`` where none is at hand."""
    folder = material.crossval
    if folder is None:
        return None
    figures = folder.metrics
    counts = figures["confusion"]
    right = counts["tn"] + counts["tp"]
    lead = words(
        "persons.lead",
        persons=figures.get("persons", len({row.sample.person for row in folder.rows})),
        folds=figures.get("folds", len({row.part for row in folder.rows})),
        right=words.count(right),
        n=words.count(figures["n"]),
    )
    blocks: list[Block] = [Text(lead)]
    if between := figures.get("interval_over_persons"):
        blocks.append(Text(words("persons.over_persons", interval=words.share_between(between))))
    if folder is not material.folder:
        recipe = folder.config.get("recipe", "")
        blocks.append(Text(words("persons.source", folder=folder.path.name, recipe=recipe)))
        if folder.data["name"] != material.folder.data["name"]:
            blocks.append(Text(words("persons.other_data", data=folder.data["name"]), "warning"))
    rows = figures.get("by", {}).get("person", [])
    if rows:
        named = [(row["group"], row) for row in rows]
        table = accuracy_table(words("persons.caption"), words("group.person"), named, words)
        blocks.append(_with_folds(folder, table, words))
    return Section(name="persons", title=words("persons.title"), blocks=blocks)


def _with_folds(folder: Folder, table: Table, words: Words) -> Table:
    folds = {row.sample.person: row.part for row in folder.rows}
    if all(person == fold for person, fold in folds.items()):
        return table
    rows = [(line[0], folds.get(str(line[0]), ""), *line[1:]) for line in table.rows]
    columns = (table.columns[0], words("persons.fold"), *table.columns[1:])
    return Table(caption=table.caption, columns=columns, rows=rows, words=1)
