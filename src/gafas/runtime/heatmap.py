"""Pictures of explanations: a crop, the same crop under its evidence, a colour bar, and what was found, in words. Pure.

Pillow and NumPy only. Orange speaks for the attribute and blue against it: told apart by the colour-blind, and each
the stronger the further from nothing, for the colours are mixed in Oklab, where equal steps look equal. Source:
Ottosson, B. (2020). A perceptual color space for image processing.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from gafas.imaging import LUMA, Rgb, crop
from gafas.runtime.explain import Explanation, enlarge

_AGAINST, _NOTHING, _FOR = (13, 71, 161), (222, 222, 222), (230, 81, 0)
_LEVELS = 255

_OPAQUE = 0.78
"""How much of the photograph the strongest evidence covers."""

_PAPER, _INK, _PALE = (255, 255, 255), (28, 28, 30), (110, 110, 115)
_SIDE = 420
_GAP = 24
_BAR = 18
_TITLE, _TEXT = 30, 16

_TO_CONES = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                      [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                    [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip


@cache
def _table() -> NDArray[np.uint8]:
    """Return the colours (255, 3) from the strongest evidence against, over none in the middle, to that for."""
    ends = np.array([_AGAINST, _NOTHING, _FOR]) / 255
    linear = np.where(ends <= 0.04045, ends / 12.92, ((ends + 0.055) / 1.055) ** 2.4)
    lab = np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T
    mixed = np.stack([np.interp(np.linspace(-1, 1, _LEVELS), (-1, 0, 1), lab[:, axis]) for axis in range(3)], axis=1)
    linear = ((mixed @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T).clip(0, 1)
    display = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray((255 * display).round(), dtype=np.uint8)


def paint(evidence: ArrayLike, *, limit: float | None = None) -> NDArray[np.uint8]:
    """Colour a map, to be laid over the picture that it belongs to.

    Parameters
    ----------
    evidence : (height, width)
        Above 0 for, below 0 against.
    limit : float or None
        The value of the strongest colours; ``None`` takes the map's own largest, for or against.

    Returns
    -------
    uint8 array (height, width, 4)
        RGB and opacity; where there is no evidence nothing covers the picture.
    """
    values = np.asarray(evidence, dtype=np.float64)
    largest = float(np.abs(values).max(initial=0)) if limit is None else limit
    strength = (values / (largest or 1)).clip(-1, 1)
    # Colour comes early and cover late: a pale veil over all of the picture would hide what is dark and mark nothing.
    hue = np.sign(strength) * np.sqrt(np.abs(strength))
    colours = _table()[((hue + 1) / 2 * (_LEVELS - 1)).round().astype(int)]
    opacity = (255 * _OPAQUE * np.abs(strength) ** 0.8).round().astype(np.uint8)
    return np.dstack([colours, opacity])


def draw_explanation(explanation: Explanation, photograph: Rgb, *, threshold: float, caption: str = "") -> Rgb:
    """Draw one explanation as a picture of its own.

    Parameters
    ----------
    photograph : uint8 array (height, width, 3)
        The upright image that was explained: its part is shown sharper than the model saw it.
    threshold : float
        From which the attribute is said to be there.
    caption : str
        A line below everything: which file, which face.

    Returns
    -------
    uint8 array (height, width, 3)
    """
    part = Image.fromarray(crop(photograph, *explanation.square))
    scale = _SIDE / max(part.size)
    size = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    shown = part.resize(size, Image.Resampling.LANCZOS)
    grey = np.asarray(shown) @ LUMA
    under = Image.fromarray(grey.round().clip(0, 255).astype(np.uint8)).convert("RGBA")
    veil = Image.fromarray(paint(enlarge(explanation.evidence, size[::-1])))
    return _lay_out(shown, Image.alpha_composite(under, veil), explanation, threshold, caption)


def _lay_out(
    photograph: Image.Image, explained: Image.Image, explanation: Explanation, threshold: float, caption: str
) -> Rgb:
    width, height = photograph.size
    # A narrow picture must leave room for the words.
    wide = max(2 * width + 3 * _GAP, 2 * _SIDE + 3 * _GAP)
    left = (wide - 2 * width - _GAP) // 2
    top = _GAP + 2 * _TITLE + _TEXT
    bar_top = top + height + _GAP
    page = Image.new("RGB", (wide, bar_top + _BAR + 5 * _TEXT + _GAP), _PAPER)
    draw = ImageDraw.Draw(page)
    title, details = _words(explanation, threshold)
    _write(draw, (_GAP, _GAP), title, _TITLE)
    _write(draw, (_GAP, _GAP + _TITLE + 10), details, _TEXT, colour=_PALE)
    page.paste(photograph, (left, top))
    page.paste(explained.convert("RGB"), (left + width + _GAP, top))
    _draw_bar(page, draw, bar_top, explanation.attribute)
    _write(draw, (_GAP, page.height - _GAP - _TEXT), _shorten(caption, wide - 2 * _GAP), _TEXT, colour=_PALE)
    return np.asarray(page)


def _words(explanation: Explanation, threshold: float) -> tuple[str, str]:
    there = explanation.probability >= threshold
    name = explanation.attribute if there else f"no {explanation.attribute}"
    sure = explanation.probability if there else 1 - explanation.probability
    ways = {"activation": "from the network's own activations", "occlusion": "by covering parts of the picture"}
    details = (
        f"P({explanation.attribute}) = {explanation.probability:.4f}, threshold {threshold:.4g}; "
        f"evidence found {ways[explanation.method]}"
    )
    return f"{name} {100 * sure:.0f} %", details


def _draw_bar(page: Image.Image, draw: ImageDraw.ImageDraw, top: int, attribute: str) -> None:
    """Draw the colours as they look on middle grey, with three ticks."""
    length = page.width - 2 * _GAP
    ramp = np.tile(np.linspace(-1, 1, length), (_BAR, 1))
    under = Image.new("RGBA", (length, _BAR), (150, 150, 150, 255))
    page.paste(Image.alpha_composite(under, Image.fromarray(paint(ramp))).convert("RGB"), (_GAP, top))
    ticks = (
        (0.0, "la", f"speaks against {attribute}"),
        (0.5, "ma", "says nothing"),
        (1.0, "ra", f"speaks for {attribute}"),
    )
    for place, anchor, words in ticks:
        x = _GAP + round(place * (length - 1))
        draw.line((x, top + _BAR, x, top + _BAR + 6), fill=_INK, width=1)
        _write(draw, (x, top + _BAR + 9), words, _TEXT, anchor=anchor)


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    words: str,
    size: int,
    *,
    colour: tuple[int, int, int] = _INK,
    anchor: str = "la",
) -> None:
    draw.text(place, words, fill=colour, font=ImageFont.load_default(size), anchor=anchor)


def _shorten(words: str, width: int) -> str:
    """Cut a line's beginning off until it fits: of a path, the end says most."""
    font = ImageFont.load_default(_TEXT)
    # Pillow's font has no sign for a byte that is no UTF-8, and draws a line break as a second line.
    printable = "".join(sign if sign.isprintable() else "?" for sign in words)
    while printable and font.getlength(printable) > width:
        printable = "…" + printable[2:]
    return printable
