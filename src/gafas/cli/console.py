"""Words for people: results on standard output, progress and remarks on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from gafas.values import Interval

    OUT: Console
    ERR: Console


def __getattr__(name: str) -> Any:
    """Open `OUT` and `ERR`, Rich's consoles, when they are first asked for: not every command prints."""
    if name not in {"OUT", "ERR"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _open_console(stderr=name == "ERR")


@cache
def _open_console(*, stderr: bool) -> Console:
    from rich.console import Console

    # Into a file or a pipe nothing is cut to the width of a terminal that is not there.
    wide = not stderr and (sys.stdout is None or not sys.stdout.isatty())
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=160 if wide else None)


def _print(message: str, *, before: str, after: str = "") -> None:
    from rich.markup import escape

    _open_console(stderr=True).print(f"{before}{escape(message)}{after}")


def fail(message: str) -> None:
    """Print an error as one line."""
    _print(" ".join(message.split()), before="[bold red]error:[/bold red] ")


def note(message: str) -> None:
    """Print a remark."""
    _print(message, before="[dim]", after="[/dim]")


def warn(message: str) -> None:
    """Print a warning."""
    _print(message, before="[bold yellow]note:[/bold yellow] ")


def print_json(value: Any) -> None:
    """Print JSON on standard output, unstyled."""
    from gafas.files import json_text

    sys.stdout.write(json_text(value, indent=2) + "\n")


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, text: Sequence[str] = ()
) -> None:
    """Print a table; the first column and `text` ones are aligned left, the others, figures, right."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", title_style="bold", header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(escape(column), justify="left" if number == 0 or column in text else "right", overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    _open_console(stderr=False).print(table)


def share(value: float | None) -> str:
    """Return a share in [0, 1] with four digits; a dash where it is undefined."""
    return "–" if value is None else f"{value:.4f}"


def between(interval: Interval | Sequence[float] | None) -> str:
    """Return an interval as ``[low, high]``."""
    if interval is None:
        return "–"
    low, high = interval if isinstance(interval, Sequence) else (interval.low, interval.high)
    return f"[{low:.3f}, {high:.3f}]"
