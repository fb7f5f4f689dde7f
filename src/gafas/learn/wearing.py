"""What a face wears in one training view: what it wore, or glasses pasted on a bare face; and the targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gafas.imaging import Rgb
from gafas.learn.glasses import Glasses, Layer, draw_glasses, place, throw_shadow, wear
from gafas.learn.turning import Worn
from gafas.learn.views import eyes_of
from gafas.values import EYEWEAR, FaceBox

OUTPUTS = ("sunglasses", "eyeglasses")

TARGETS = np.array([[name == output for output in OUTPUTS] for name in EYEWEAR], dtype=np.float32)
"""Row: index in `EYEWEAR`; columns: as `OUTPUTS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasteConfig:
    """How often a face gets other eyes, and a bare one glasses; probabilities.

    Attributes
    ----------
    graft : float
        Of the eye region, with what is worn there, of another photograph; see `gafas.learn.grafting`.
    dark, clear : float
        Of sunglasses and of eyeglasses before the eyes.
    hair : float
        Of glasses pushed up on the forehead or into the hair: none are worn then.
    drawn : float
        Of drawn glasses among the pasted ones; the others come from pictures.
    arms : float
        Of arms that run from the frame to the ears, on pasted and on photographed glasses.
    """

    graft: float = 0.4
    dark: float = 0.38
    clear: float = 0.2
    hair: float = 0.06
    drawn: float = 0.5
    arms: float = 0.8


def dress(
    photograph: Rgb,
    box: FaceBox,
    eyewear: int,
    overlays: tuple[Glasses, ...],
    random: np.random.Generator,
    config: PasteConfig,
) -> tuple[Rgb, Worn | None, NDArray[np.float32]]:
    """Perhaps put glasses on a bare face, or arms on glasses that the photograph shows.

    Parameters
    ----------
    eyewear : int
        Index in `EYEWEAR` of what the face wears.

    Returns
    -------
    uint8 array, Worn or None, float32 array (2,)
        The photograph, what is to be added to it, and the targets of `OUTPUTS`.
    """
    eyes = eyes_of(box)
    distance = max(2.0, eyes[1][0] - eyes[0][0])
    if EYEWEAR[eyewear] != "none":
        return photograph, _arms_only(eyewear, eyes, distance, random, config), TARGETS[eyewear]
    dice = random.random()
    if dice >= config.dark + config.clear + config.hair:
        return photograph, None, TARGETS[eyewear]
    if dice < config.dark:
        worn, dark, lift = "sunglasses", True, 0.0
    elif dice < config.dark + config.clear:
        worn, dark, lift = "eyeglasses", False, 0.0
    else:
        worn, dark, lift = "none", random.random() < 0.8, random.uniform(1.0, 1.7)
    layer = wear(_choose(overlays, random, dark=dark, drawn=config.drawn), dark=dark, random=random)
    matrix = place(layer, eyes, random, lift=lift)
    if lift == 0 and random.random() < 0.5:
        photograph = throw_shadow(photograph, layer, matrix, random)
    # The light of the picture falls on the glasses too.
    light = np.float32((float(photograph.mean()) / 125) ** 0.5)
    layer = Layer(layer.colour * light, layer.opacity, layer.centres)
    arms = _arm_colour(layer) if random.random() < config.arms else None
    thick = max(1.0, distance * random.uniform(0.05, 0.3))
    # Most sunglasses follow the head; few clear ones do.
    wrap = random.uniform(0, 0.6 if dark else 0.3)
    return photograph, Worn(layer, matrix, arms, thick, wrap), TARGETS[EYEWEAR.index(worn)]


def _arms_only(
    eyewear: int,
    eyes: tuple[tuple[float, float], tuple[float, float]],
    distance: float,
    random: np.random.Generator,
    config: PasteConfig,
) -> Worn | None:
    if random.random() >= config.arms:
        return None
    # Frames of sunglasses are mostly dark.
    shade = random.uniform(5, 60 if EYEWEAR[eyewear] == "sunglasses" or random.random() < 0.5 else 200)
    width = distance * random.uniform(1.9, 2.2)
    (lx, ly), (rx, ry) = eyes
    matrix = np.array([[width, 0.0, (lx + rx - width) / 2], [0.0, 1.0, (ly + ry) / 2 - 0.5 - 0.05 * distance]])
    return Worn(None, matrix, (shade, shade, shade), max(1.0, distance * random.uniform(0.05, 0.3)))


def _arm_colour(layer: Layer) -> tuple[float, float, float]:
    edge = layer.colour[:, :12][layer.opacity[:, :12] > 0.5]
    colour = edge.mean(axis=0) if len(edge) else layer.colour.mean(axis=(0, 1))
    return float(colour[0]), float(colour[1]), float(colour[2])


def _choose(overlays: tuple[Glasses, ...], random: np.random.Generator, *, dark: bool, drawn: float) -> Glasses:
    # Printed dark lenses cannot be made clear, and an open frame has no lenses to darken.
    fitting = [one for one in overlays if (one.dark or one.lenses.any() if dark else not one.dark)]
    if not fitting or random.random() < drawn:
        return draw_glasses(random)
    return fitting[int(random.integers(len(fitting)))]
