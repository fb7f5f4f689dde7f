"""Words for people: results on standard output, progress and remarks on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gafas.values import Interval

# Into a file or a pipe nothing is cut to the width of a terminal that is not there.
OUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout is not None and sys.stdout.isatty() else 160)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(message: str) -> None:
    """Print an error as one line."""
    ERR.print(f"[bold red]error:[/bold red] {escape(' '.join(message.split()))}")


def note(message: str) -> None:
    """Print a remark."""
    ERR.print(f"[dim]{escape(message)}[/dim]")


def warn(message: str) -> None:
    """Print a warning."""
    ERR.print(f"[bold yellow]note:[/bold yellow] {escape(message)}")


def print_json(value: Any) -> None:
    """Print JSON on standard output, unstyled."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, text: Sequence[str] = ()
) -> None:
    """Print a table; the first column and `text` ones are aligned left, the others, figures, right."""
    table = Table(title=escape(title), title_justify="left", title_style="bold", header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(escape(column), justify="left" if number == 0 or column in text else "right", overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    OUT.print(table)


def share(value: float | None) -> str:
    """Return a share in [0, 1] with four digits; a dash where it is undefined."""
    return "–" if value is None else f"{value:.4f}"


def between(interval: Interval | Sequence[float] | None) -> str:
    """Return an interval as ``[low, high]``."""
    if interval is None:
        return "–"
    low, high = (interval.low, interval.high) if isinstance(interval, Interval) else interval
    return f"[{low:.3f}, {high:.3f}]"
