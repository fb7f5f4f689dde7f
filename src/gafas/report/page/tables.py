"""Tables that several sections of the page share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any

from gafas.report.page.blocks import Cell, Matrix, Scale, Table, Whisker
from gafas.report.words import Words

_SHARES = ("accuracy", "precision", "recall", "f1")


def figures_table(figures: Mapping[str, Any], words: Words, *, caption: str) -> Table:
    """Return accuracy, loss, precision, …, each with its interval where it has one."""
    rows = []
    for name, interval in (
        ("accuracy", "interval"),
        ("loss", None),
        ("precision", "precision_interval"),
        ("recall", "recall_interval"),
        ("f1", "f1_interval"),
        ("roc_auc", "roc_auc_interval"),
        ("average_precision", None),
    ):
        value = figures.get(name)
        ends = figures.get(interval) if interval else None
        share = name in _SHARES
        shown = words.share(value) if share else words.number(value)
        between = "" if interval is None else (words.share_between(ends) if share else words.between(ends))
        rows.append((words(f"results.{name}"), shown, between))
    columns = ("", words("page.value"), words("page.interval"))
    return Table(caption=caption, columns=columns, rows=rows)


def accuracy_table(
    caption: str, first: str, rows: Sequence[tuple[str, Mapping[str, Any]]], words: Words, *, note: str = ""
) -> Table:
    """Return names with accuracy, a drawing of it, its interval, how many were right, and n.

    Parameters
    ----------
    rows : sequence of (name, figures)
        The figures have ``accuracy``, ``interval`` and ``n``.
    """
    # The drawing begins at a whole tenth below the lowest interval, and the note says where.
    start = floor(10 * min((figures["interval"][0] for _, figures in rows), default=0.0)) / 10
    start = min(start, 0.9)
    cells: list[tuple[Cell, ...]] = [
        (
            name,
            words.share(figures["accuracy"]),
            whisker(figures["accuracy"], figures["interval"], start=start),
            words.share_between(figures["interval"]),
            words.count(figures.get("correct", round(figures["accuracy"] * figures["n"]))),
            words.count(figures["n"]),
        )
        for name, figures in rows
    ]
    columns = (
        first,
        words("results.accuracy"),
        Scale(*(words("number.percent", number=round(100 * end)) for end in (start, 1))),
        words("page.interval"),
        words("page.right"),
        words("page.n"),
    )
    return Table(caption=caption, columns=columns, rows=cells, note=note)


def whisker(value: float, interval: Sequence[float], *, start: float) -> Whisker:
    """Return the drawing of a share in a column that goes from `start` to 1."""

    def place(share: float) -> float:
        return round(100 * (max(share, start) - start) / (1 - start), 2)

    return Whisker(place(value), place(interval[0]), place(interval[1]))


def matrix(counts: Sequence[Sequence[int]], labels: Sequence[str], words: Words, *, caption: str) -> Matrix:
    """Return a confusion matrix with counts and shares of each true class."""
    rows = []
    for line in counts:
        total = sum(line)
        shares = [count / total if total else 0.0 for count in line]
        cells = [
            (words.count(count), words("results.of_row", share=words.share(share)), share)
            for count, share in zip(line, shares, strict=True)
        ]
        rows.append(cells)
    totals = [words.count(sum(line)) for line in counts]
    return Matrix(
        caption=caption,
        corner=words("results.corner"),
        labels=[words("results.row_n", label=label, n=n) for label, n in zip(labels, totals, strict=True)],
        predicted=[words("results.predicted", label=label) for label in labels],
        rows=rows,
    )
