"""How every picture of gafas looks, and the one way it reaches the disk.

Figures are built without pyplot: no window, no global list of figures, nothing to close, so a
server or a worker thread may draw too. This module is where a missing Matplotlib is noticed;
the other modules of the room take what they need of it from here.
"""

from __future__ import annotations

import textwrap
import warnings
from pathlib import Path

from gafas.errors import MissingExtraError
from gafas.files import write_beside

try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter
except ImportError as error:
    raise MissingExtraError("drawing pictures", "report") from error

__all__ = [
    "Figure",
    "MaxNLocator",
    "PercentFormatter",
    "new_figure",
    "save_figure",
    "set_title",
    "synthetic_title",
]

DPI = 120
"""Pixels per inch of every picture: 8 inches are 960 pixels."""

# Okabe & Ito 2008, "Color Universal Design": told apart with any kind of colour vision.
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREY = "#6B6B6B"
LIGHT_GREY = "#D9D9D9"
INK = "#1A1A1A"

TITLE_SIZE = 13
LABEL_SIZE = 11
NOTE_SIZE = 9

_TITLE_LETTERS_PER_INCH = 8.5  # of TITLE_SIZE points, measured with room for wide letters


def new_figure(width: float, height: float) -> Figure:
    """Return an empty white figure whose layout keeps labels from overlapping.

    Parameters
    ----------
    width, height : float
        Inches, at `DPI` pixels each.
    """
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically, and the same bytes for the same figure.

    Raises
    ------
    OutputError
        The file cannot be written; an earlier `path` stays as it was.
    """
    with write_beside(path) as temporary, warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; only the edge talks.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        # Without metadata: the default writes Matplotlib's version into the file.
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def synthetic_title(title: str, synthetic: bool) -> str:
    """Return the title of a picture, which says so when the data was drawn, not taken."""
    if not synthetic:
        return title
    return f"SYNTHETIC DATA · {title}" if title else "SYNTHETIC DATA"


def set_title(figure: Figure, title: str, *, synthetic: bool, note: str = "") -> None:
    """Put a title over a figure, in as many lines as its width asks for.

    Parameters
    ----------
    figure : Figure
        From `new_figure`.
    title : str
        Taken literally: a ``$`` starts no formula.
    synthetic : bool
        As `synthetic_title`.
    note : str
        A line of its own below the title.
    """
    letters = int(figure.get_figwidth() * _TITLE_LETTERS_PER_INCH)
    lines = textwrap.wrap(synthetic_title(title, synthetic), letters) + textwrap.wrap(note, letters)
    figure.suptitle("\n".join(lines), fontsize=TITLE_SIZE, linespacing=1.35, parse_math=False)
