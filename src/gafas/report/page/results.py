"""How good it is: figures, confusion, curves, calibration, thresholds, groups and worse conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gafas.report.calibration import draw_reliability
from gafas.report.page.blocks import Block, Cell, Chart, Charts, Pair, Part, Section, Table, Text
from gafas.report.page.charts import to_svg
from gafas.report.page.figures import FigureSet, read_calibration
from gafas.report.page.material import Scored
from gafas.report.page.tables import accuracy_table, figures_table, matrix
from gafas.report.scores import draw_precision_recall, draw_roc
from gafas.report.words import Words
from gafas.values import LABELS

Build = Callable[[FigureSet, Words], list[Block]]

_HALF = (4.8, 4.8)
"""Inches of a drawing that has half of the page's width: its words stay as large as those of the others."""

_SHARES = ("precision", "recall", "f1", "accuracy")


def _section(name: str, sets: Sequence[FigureSet], words: Words, build: Build, *, lead: str = "") -> Section | None:
    """Return one section of all sets, each under its name; ``None`` where none has anything to say."""
    blocks: list[Block] = []
    for one in sets:
        built = build(one, words)
        if built and one.name:
            blocks.append(Part(one.name))
        blocks += built
    if not blocks:
        return None
    return Section(name=name, title=words(f"{name}.title"), blocks=[*([Text(lead)] if lead else []), *blocks])


def results_section(sets: Sequence[FigureSet], words: Words, *, exported: bool = False) -> Section | None:
    """Return figures, confusion and curves; `exported` says that they are of an exported model, not of the trained."""
    return _section("results", sets, words, _results, lead=words("results.exported") if exported else "")


def _results(one: FigureSet, words: Words) -> list[Block]:
    figures = one.figures
    caption = words(
        "results.figures_caption",
        part=words.term("part", one.part),
        n=words.count(figures["n"]),
        positives=words.count(figures["positives"]),
        threshold=words.short(figures["threshold"]),
    )
    counts = figures["confusion"]
    square = [[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]]
    labels = [words.term("label", label) for label in LABELS]
    blocks: list[Block] = [
        figures_table(figures, words, caption=caption),
        matrix(square, labels, words, caption=words("results.confusion_caption")),
    ]
    if figures.get("eyewear"):
        blocks += _eyewear(figures["eyewear"], words)
    if one.scored is None:
        return [*blocks, *([] if one.place else [Text(words("results.no_rows"), "missing")])]
    return [*blocks, Charts([_roc(one.scored, words), _precision_recall(one.scored, words)])]


def _eyewear(eyewear: Mapping[str, Any], words: Words) -> list[Block]:
    caption = words(
        "results.eyewear_caption",
        accuracy=words.share(eyewear["accuracy"]),
        interval=words.share_between(eyewear["interval"]),
        n=words.count(eyewear["n"]),
    )
    labels = [words.term("eyewear", label) for label in eyewear["labels"]]
    blocks: list[Block] = [matrix(eyewear["confusion"], labels, words, caption=caption)]
    mixed = eyewear["mixed_up"]
    if mixed["n"]:
        values = {"count": words.count(mixed["count"]), "n": words.count(mixed["n"])}
        shares = {"share": words.share(mixed["share"]), "interval": words.share_between(mixed["interval"])}
        blocks.append(Text(words("results.mixed_up", **values, **shares)))
    return blocks


def _roc(scored: Scored, words: Words) -> Chart:
    figures, counts = scored.figures, scored.figures["confusion"]
    figure = draw_roc(scored.targets, scored.probabilities, threshold=scored.threshold, words=words)
    negatives = counts["fp"] + counts["tn"]
    alt = words(
        "results.roc_alt",
        auc=words.number(figures.get("roc_auc")),
        threshold=words.short(scored.threshold),
        recall=words.share(figures.get("recall")),
        fpr=words.share(counts["fp"] / negatives if negatives else None),
    )
    return Chart(svg=to_svg(figure, name="roc", words=words, size=_HALF), caption=words("results.roc_caption"), alt=alt)


def _precision_recall(scored: Scored, words: Words) -> Chart:
    figures = scored.figures
    figure = draw_precision_recall(scored.targets, scored.probabilities, threshold=scored.threshold, words=words)
    alt = words(
        "results.precision_recall_alt",
        ap=words.number(figures.get("average_precision")),
        threshold=words.short(scored.threshold),
        precision=words.share(figures.get("precision")),
        recall=words.share(figures.get("recall")),
    )
    svg = to_svg(figure, name="precision-recall", words=words, size=_HALF)
    return Chart(svg=svg, caption=words("results.precision_recall_caption"), alt=alt)


def calibration_section(sets: Sequence[FigureSet], words: Words) -> Section | None:
    """Return reliability diagrams and calibration errors."""
    return _section("calibration", sets, words, _calibration, lead=words("calibration.lead"))


def _calibration(one: FigureSet, words: Words) -> list[Block]:
    if "calibration" not in one.figures:
        return []
    calibration = read_calibration(one.figures["calibration"])
    svg = to_svg(draw_reliability(calibration, words=words), name=f"reliability-{one.place}", words=words)
    alt = words(
        "calibration.alt",
        n=words.count(calibration.n),
        bins=len(calibration.bins),
        ece=words.number(calibration.ece, 3),
    )
    rows = [
        (words("calibration.ece"), words.number(calibration.ece), words.between(calibration.ece_interval)),
        (words("calibration.adaptive_ece"), words.number(calibration.adaptive_ece), ""),
        (words("calibration.brier"), words.number(calibration.brier), ""),
    ]
    columns = ("", words("page.value"), words("page.interval"))
    return [
        Table(caption=words("calibration.figures_caption"), columns=columns, rows=rows),
        Chart(svg=svg, caption=words("calibration.caption"), alt=alt),
    ]


def thresholds_section(sets: Sequence[FigureSet], words: Words) -> Section | None:
    """Return what each threshold would give."""
    return _section("thresholds", sets, words, _thresholds, lead=words("thresholds.lead"))


def _thresholds(one: FigureSet, words: Words) -> list[Block]:
    found = one.figures.get("thresholds")
    if not found:
        return []
    own = one.figures["threshold"]
    marked = next((place for place, row in enumerate(found) if row["threshold"] == own), None)
    rows: list[list[Cell]] = []
    for place, row in enumerate(found):
        threshold = words.short(row["threshold"])
        name = words("thresholds.chosen", threshold=threshold) if place == marked else threshold
        rows.append([name, *(_with_interval(row, share, words) for share in _SHARES)])
    columns = [words("thresholds.threshold"), *(words(f"results.{name}") for name in _SHARES)]
    return [Table(caption=words("thresholds.caption"), columns=columns, rows=rows, marked=marked)]


def _with_interval(row: Mapping[str, Any], name: str, words: Words) -> Pair:
    if row[name] is None:
        return Pair(words.share(None), "")
    return Pair(words.share(row[name]), words.share_between((row[f"{name}_low"], row[f"{name}_high"])))


def groups_section(sets: Sequence[FigureSet], words: Words, *, without: Sequence[str] = ()) -> Section | None:
    """Return the results of each group; `without` names groupings that stand elsewhere."""

    def build(one: FigureSet, words: Words) -> list[Block]:
        return [
            group_table(key, rows, words, unknown=one.figures.get("in_no_group", {}).get(key, 0))
            for key, rows in one.figures.get("by", {}).items()
            if key not in without and rows
        ]

    return _section("groups", sets, words, build, lead=words("groups.lead"))


def group_table(key: str, rows: Sequence[Mapping[str, Any]], words: Words, *, unknown: int) -> Table:
    """Return the accuracy of each group of one grouping."""
    caption = words("groups.caption", by=words(f"groups.by_{key}"))
    named = [(words.term(key, row["group"]), row) for row in rows]
    note = words("groups.unknown", n=words.count(unknown)) if unknown else ""
    return accuracy_table(caption, words(f"group.{key}"), named, words, note=note)


def conditions_section(sets: Sequence[FigureSet], words: Words) -> Section | None:
    """Return the results at each resolution and under each corruption, and what was said of unclear images."""
    return _section("conditions", sets, words, _conditions)


def _conditions(one: FigureSet, words: Words) -> list[Block]:
    blocks: list[Block] = []
    for key, term, first in (
        ("by_resolution", "resolution", "group.resolution"),
        ("robustness", "condition", "conditions.condition"),
    ):
        if found := one.figures.get(key):
            named = [(words.term(term, name), figures) for name, figures in found.items()]
            blocks.append(accuracy_table(words(f"conditions.{key}_caption"), words(first), named, words))
    if unclear := one.figures.get("unclear"):
        rows = [
            (words.term("eyewear", said), words.share(of["share"]), words.count(of["count"]))
            for said, of in unclear["said"].items()
        ]
        caption = words("conditions.unclear_caption", n=words.count(unclear["n"]))
        columns = (words("conditions.said"), words("conditions.share"), words("conditions.count"))
        blocks.append(Table(caption=caption, columns=columns, rows=rows))
    return blocks
