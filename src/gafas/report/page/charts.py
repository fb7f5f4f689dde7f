"""A Matplotlib figure as SVG inside a page: text stays text, colours follow the page, nothing clashes with others."""

from __future__ import annotations

import io
import re

from matplotlib import rc_context
from matplotlib.ticker import ScalarFormatter

from gafas.report.style import BLUE, GREY, INK, LIGHT_GREY, ORANGE, Figure
from gafas.report.words import Words

_COLOURS = {
    INK: "var(--ink)",
    "#000000": "var(--ink)",
    GREY: "var(--faint)",
    LIGHT_GREY: "var(--rule)",
    "#cccccc": "var(--rule)",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    "#ffffff": "var(--paper)",
}
"""Every colour of `gafas.report.style`, and those of frames and legends, → the page's own, light and dark."""


class _Localised(ScalarFormatter):
    """Ticks with the language's own decimal mark."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self._words.localise(super().__call__(x, pos))


def to_svg(figure: Figure, *, name: str, words: Words, size: tuple[float, float] | None = None) -> str:
    """Return a figure as an ``<svg>`` element.

    Parameters
    ----------
    figure : Figure
        From a drawing function of this room; its tick labels are changed to the language's form.
    name : str
        Of its own on the page: its ids begin with it.
    words : Words
        The language.
    size : (width, height), optional
        Inches, where they are to be others than the figure's own.
    """
    if size is not None:
        figure.set_size_inches(*size)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), ScalarFormatter):
                axis.set_major_formatter(_Localised(words))
    stream = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    # The salt makes the same ids of the same drawing, so that the same run gives the same bytes.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(stream, format="svg", transparent=True, metadata=nothing)
    # Without the XML head and, so that it fills its place, without a size of its own.
    text = stream.getvalue()
    opening, rest = text[text.index("<svg") :].split(">", 1)
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    svg = f'{opening} aria-hidden="true" focusable="false">{rest}'
    for colour, own in _COLOURS.items():
        svg = re.sub(re.escape(colour) + r"\b", own, svg, flags=re.IGNORECASE)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="|url\()#', rf"\g<1>#{name}-", svg)
    return svg.strip()
