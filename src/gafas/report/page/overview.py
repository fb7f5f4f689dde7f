"""The first look: what this is, how good it is, and what to know before believing it."""

from __future__ import annotations

from typing import Any

from gafas.report.page.blocks import Block, Headline, Headlines, Section, Text
from gafas.report.page.figures import FigureSet
from gafas.report.page.material import Material
from gafas.report.words import Words


def page_title(material: Material, words: Words) -> str:
    """Return what the page is called."""
    folder = material.folder
    data = str(folder.data["name"])
    if folder.kind == "evaluation":
        return words("page.evaluation_title", model=folder.metrics["model"], data=data)
    if folder.kind == "crossval":
        return words("page.crossval_title", recipe=folder.config.get("recipe", ""), data=data)
    if folder.kind == "bundle" and folder.bundle is not None:
        return folder.bundle.manifest.name
    return words("page.crossval_title", recipe=folder.record.get("name") or folder.config.get("recipe", ""), data=data)


def overview(material: Material, sets: list[FigureSet], words: Words) -> Section:
    """Return the section of the headline figures."""
    blocks: list[Block] = []
    if material.synthetic:
        blocks.append(Text(words("page.synthetic"), "warning"))
    if sets:
        first = sets[0]
        blocks += [Text(_lead(material, first, words)), Headlines(_headlines(first.figures, words))]
    blocks += [Text(text) for text in _remarks(material, sets[0].part if sets else "", words)]
    failed = len((material.folder.evaluation or {}).get("failed", {}))
    if failed:
        blocks.append(Text(words("overview.failed", n=failed), "warning"))
    return Section(name="overview", title=words("overview.title"), blocks=blocks)


def _lead(material: Material, first: FigureSet, words: Words) -> str:
    figures = first.figures
    right = figures["confusion"]["tn"] + figures["confusion"]["tp"]
    values = {"right": words.count(right), "n": words.count(figures["n"])}
    if material.folder.kind == "crossval":
        return words("overview.lead_folds", **values)
    part = words.term("part", first.part)
    part = f"{first.name}, {part}" if first.name else part
    return words("overview.lead", **values, part=part, threshold=words.short(figures["threshold"]))


def _headlines(figures: dict[str, Any], words: Words) -> list[Headline]:
    shown = [("accuracy", "interval", figures["n"], "note_n")]
    shown += [("recall", "recall_interval", figures["positives"], "recall_note")]
    said = figures["confusion"]["tp"] + figures["confusion"]["fp"]
    shown += [("precision", "precision_interval", said, "note_n")]
    items = [
        Headline(
            words(f"overview.{name}"),
            words.share(figures.get(name)),
            words(f"overview.{note}", interval=words.share_between(figures.get(interval)), n=words.count(n)),
        )
        for name, interval, n, note in shown
    ]
    auc = words("overview.note_n", interval=words.between(figures.get("roc_auc_interval")), n=words.count(figures["n"]))
    return [items[0], Headline(words("overview.roc_auc"), words.number(figures.get("roc_auc")), auc), *items[1:]]


def _remarks(material: Material, part: str, words: Words) -> list[str]:
    folder = material.folder
    if folder.kind == "crossval":
        return [words("overview.folds")]
    if folder.kind == "evaluation":
        return [words("overview.all")] if folder.metrics["split"] == "all" else []
    kind = (folder.split or {}).get("kind") or folder.config.get("split")
    remarks = [words(f"overview.{kind}")] if kind in ("file", "person", "block") else []
    # Some recipes choose it on the validation images.
    return [*remarks, words("overview.threshold")] if part == "test" else remarks
