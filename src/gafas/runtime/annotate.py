"""Draw verdicts on a copy of an image: a frame for each region, and a plate that says what is worn. Pure.

Frames are written straight into the array, so that a large picture costs one copy of itself and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gafas.imaging import Rgb
from gafas.runtime.eyewear import eyewear_of
from gafas.values import Eyewear, FaceBox, Verdict

Colour = tuple[int, int, int]

_DARK: Colour = (20, 20, 20)
_WHITE: Colour = (255, 255, 255)

# Told apart by lightness as well as by hue, after Okabe and Ito's palette for the colour-blind: plate, then text.
_COLOURS: dict[Eyewear, tuple[Colour, Colour]] = {
    "sunglasses": ((0, 122, 88), _WHITE),
    "eyeglasses": ((86, 180, 233), _DARK),
    "none": ((235, 235, 235), _DARK),
}
_WORDS: dict[Eyewear, str] = {"sunglasses": "sunglasses", "eyeglasses": "eyeglasses", "none": "no sunglasses"}

_SMALLEST_TEXT = 12
"""Pixels: below this nobody can read it."""

_CROWD = 20
"""Faces from which a plate may not be much wider than its face: there is no room between them."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How one verdict is drawn; lengths in pixels."""

    box: FaceBox
    whole: bool
    worn: Eyewear
    texts: tuple[str, ...]
    line: int
    text_size: int


def annotate(image: Rgb, verdicts: Sequence[Verdict], *, eyeglasses_threshold: float = 0.5) -> Rgb:
    """Return a copy of an image with frames, and with words and probabilities where they fit.

    Parameters
    ----------
    image : uint8 array (height, width, 3), RGB, upright
        Stays as it is.
    verdicts : sequence of Verdict
        The probability beside a word is that of the word: ``no sunglasses 97 %`` is P(sunglasses) = 0.03.
    eyeglasses_threshold : float
        P(eyeglasses) from which the plate says so.

    Returns
    -------
    uint8 array (height, width, 3)
    """
    drawn = image.copy()
    looks = [_look(image.shape[0], image.shape[1], verdict, eyeglasses_threshold) for verdict in verdicts]
    for look in looks:
        _draw_frame(drawn, look)
    _draw_plates(drawn, looks)
    return drawn


def _look(height: int, width: int, verdict: Verdict, eyeglasses_threshold: float) -> _Look:
    worn, probability = eyewear_of(verdict, eyeglasses_threshold=eyeglasses_threshold)
    short = f"{100 * probability:.0f} %"
    full = f"{_WORDS[worn]} {short}"
    whole = verdict.region == "whole"
    long_side = max(verdict.box.width, verdict.box.height)
    line = max(1, min(round(max(height, width) / 400), long_side // 16))
    smallest = min(28.0, max(_SMALLEST_TEXT, min(height, width) / 48))
    text_size = round(min(max(0.14 * long_side, smallest), max(smallest, min(height, width) / 20)))
    texts = (f"{full}, whole image", full, short) if whole else (full, short)
    return _Look(verdict.box, whole, worn, texts, line, text_size)


def _draw_frame(drawn: Rgb, look: _Look) -> None:
    box, edge = look.box, max(1, look.line // 3)
    # A dark edge on both sides keeps the frame visible on any background.
    _frame(drawn, (box.x0 - edge, box.y0 - edge, box.x1 + edge, box.y1 + edge), look.line + 2 * edge, _DARK)
    _frame(drawn, (box.x0, box.y0, box.x1, box.y1), look.line, _COLOURS[look.worn][0])


def _frame(drawn: Rgb, box: tuple[int, int, int, int], thickness: int, colour: Colour) -> None:
    x0, y0, x1, y1 = box
    _fill(drawn, x0, y0, x1, y0 + thickness, colour)
    _fill(drawn, x0, y1 - thickness, x1, y1, colour)
    _fill(drawn, x0, y0, x0 + thickness, y1, colour)
    _fill(drawn, x1 - thickness, y0, x1, y1, colour)


def _fill(drawn: Rgb, x0: int, y0: int, x1: int, y1: int, colour: Colour) -> None:
    drawn[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = colour


def _draw_plates(drawn: Rgb, looks: Sequence[_Look]) -> None:
    height, width = drawn.shape[:2]
    boxes = np.array([(b.x0, b.y0, b.x1, b.y1) for b in (look.box for look in looks)]).reshape(-1, 4)
    taken = np.zeros((0, 4), dtype=boxes.dtype)
    for number, look in enumerate(looks):
        others = np.delete(boxes, number, axis=0)
        best: tuple[int, int, int, Rgb] | None = None
        widest = 2.5 * look.box.width if len(looks) > _CROWD else width
        for x, y, plate in _places(look, height, width, widest):
            place = (x, y, x + plate.shape[1], y + plate.shape[0])
            cost = 2 * _covers(place, taken) + _covers(place, others)
            if best is None or cost < best[0]:
                best = (cost, x, y, plate)
            if not cost:
                break
        # In a picture too small for words the frame's colour says it alone.
        if best is not None:
            _, x, y, plate = best
            drawn[y : y + plate.shape[0], x : x + plate.shape[1]] = plate
            taken = np.vstack([taken, (x, y, x + plate.shape[1], y + plate.shape[0])])


def _places(look: _Look, height: int, width: int, widest: float) -> Iterator[tuple[int, int, Rgb]]:
    """Yield plates no wider than `widest` and where they may stand, the best first; all lie inside the image."""
    box, gap = look.box, max(1, look.line // 3)
    inset = look.line + 2 * gap if look.whole else -gap
    for text, size in _wordings(look):
        plate = _plate(text, size, look.worn)
        tall, wide = plate.shape[:2]
        if wide > min(width, widest):
            continue
        x = min(max(0, box.x0 + inset), width - wide)
        inside = box.y0 + look.line + gap
        for y in (inside,) if look.whole else (box.y0 - gap - tall, box.y1 + gap, inside):
            if 0 <= y <= height - tall:
                yield x, y, plate


def _wordings(look: _Look) -> Iterator[tuple[str, int]]:
    smaller = max(_SMALLEST_TEXT, round(0.7 * look.text_size))
    for text in look.texts:
        yield from ((text, size) for size in dict.fromkeys((look.text_size, smaller)))
    yield look.texts[-1], _SMALLEST_TEXT


def _covers(place: tuple[int, int, int, int], others: NDArray[np.int_]) -> int:
    x0, y0, x1, y1 = place
    hit = (others[:, 0] < x1) & (others[:, 2] > x0) & (others[:, 1] < y1) & (others[:, 3] > y0)
    return int(np.count_nonzero(hit))


@lru_cache(maxsize=1024)
def _plate(text: str, size: int, worn: Eyewear) -> Rgb:
    font = ImageFont.load_default(size)
    plate_colour, text_colour = _COLOURS[worn]
    _, top, _, bottom = font.getbbox("Ag 0%", anchor="ls")
    wide, pad = round(font.getlength(text)), max(2, round(0.3 * size))
    picture = Image.new("RGB", (wide + 2 * pad, round(bottom - top) + 2 * pad), plate_colour)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, picture.width - 1, picture.height - 1), outline=_DARK)
    draw.text((pad, pad - top), text, fill=text_colour, font=font, anchor="ls")
    return np.asarray(picture)
