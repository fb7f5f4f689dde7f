"""The table of ``gafas predict``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from gafas.cli.console import OUT, note

if TYPE_CHECKING:
    from gafas.runtime.writers import WriteRecord

_TABLE_ROWS = 1000


@contextmanager
def open_table(*, eyeglasses: bool, film: bool = False) -> Iterator[WriteRecord]:
    """Give a function that adds a native record to a table, which is printed at the end.

    Parameters
    ----------
    eyeglasses : bool
        Show P(eyeglasses) as well.
    film : bool
        Show when, and which track.
    """
    from gafas.runtime.writers import naming_stdout

    table = Table("path", header_style="bold")
    times = ("frame", "time_s", "track") if film else ()
    for name in times:
        table.add_column(name, justify="right")
    table.add_column("label")
    table.add_column("P(sunglasses)", justify="right")
    if eyeglasses:
        table.add_column("P(eyeglasses)", justify="right")
    table.add_column("region")
    table.add_column("x0, y0, x1, y1")
    blank = [""] * (1 + eyeglasses)
    total = 0

    def write(record: Mapping[str, Any]) -> None:
        nonlocal total
        total += 1
        if total > _TABLE_ROWS:
            return
        path = Text(_printable(record["path"]))
        when = ["" if record[name] is None else str(record[name]) for name in times]
        if record["status"] == "error":
            table.add_row(path, *when, "[red]error[/red]", *blank, Text(_printable(record["error"] or "")), "")
            return
        colour = "green" if record["label"] == "sunglasses" else "default"
        figures = [f"{record[name]:.4f}" for name in ("sunglasses", "eyeglasses")[: len(blank)]]
        box = ", ".join(str(record[name]) for name in ("x0", "y0", "x1", "y1"))
        table.add_row(path, *when, f"[{colour}]{record['label']}[/{colour}]", *figures, record["region"], box)

    yield write
    with naming_stdout():
        OUT.print(table)
    if total > _TABLE_ROWS:
        note(f"the first {_TABLE_ROWS} of {total} rows are shown; write all with: -o result.csv")


def _printable(text: str) -> str:
    # A file name may hold bytes that are no UTF-8, which cannot be printed, and codes that would steer the terminal.
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
