"""Glasses that are pasted on faces for training: from transparent pictures, and drawn.

A pair of glasses is a frame and two lenses. From any frame, clear or dark glasses are made: the lenses get a random
colour, opacity, gradient and mirror.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gafas.errors import DataError
from gafas.imaging import Rgb
from gafas.values import Eyewear

Plane = NDArray[np.float32]
"""One value for each pixel, in [0, 1]."""

FOLDERS: tuple[Eyewear, ...] = ("eyeglasses", "sunglasses")
_WIDTH = 320
_OPAQUE = 0.15


@dataclass(frozen=True, slots=True)
class Glasses:
    """A pair of glasses seen from the front.

    Attributes
    ----------
    colour : float32 array (height, width, 3), 0-255
        Of frame and printed lenses.
    frame : float32 array (height, width), 0-1
        Opacity of what is printed.
    lenses : float32 array (height, width), 0-1
        Where the lenses are.
    centres : ((x, y), (x, y))
        Of the left and the right lens in the picture, in pixels.
    dark : bool
        True where the printed lenses are those of sunglasses.
    """

    colour: NDArray[np.float32]
    frame: Plane
    lenses: Plane
    centres: tuple[tuple[float, float], tuple[float, float]]
    dark: bool


def read_overlays(root: Path) -> tuple[Glasses, ...]:
    """Read transparent glasses from the folders ``eyeglasses`` and ``sunglasses`` below `root`.

    Raises
    ------
    DataError
        No picture is there, or one is not a transparent picture of glasses.
    """
    found = [(path, kind) for kind in FOLDERS for path in sorted((root / kind).glob("*.png"))]
    if not found:
        raise DataError(f"{root}: expected transparent PNG pictures in eyeglasses/ and sunglasses/, got none")
    return tuple(read_overlay(path, dark=kind == "sunglasses") for path, kind in found)


def read_overlay(path: Path, *, dark: bool) -> Glasses:
    """Read one transparent picture of glasses.

    Raises
    ------
    DataError
        It cannot be read, has no transparency, or shows nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as opened:
                transparent = opened.has_transparency_data
                picture = opened.convert("RGBA")
    except Exception as error:  # Pillow's decoders let almost any exception out on damaged input.
        raise DataError(f"{path}: cannot be read: {error}") from error
    alpha = picture.getchannel("A")
    if not transparent or np.asarray(alpha).min() > 0:
        raise DataError(f"{path}: expected a picture with transparent parts (an alpha channel), got an opaque one")
    box = alpha.point(lambda value: 255 * (value > 255 * _OPAQUE)).getbbox()
    if box is None:
        raise DataError(f"{path}: every pixel is transparent")
    picture = picture.crop(box)
    height = max(2, round(picture.height * _WIDTH / picture.width))
    values = np.asarray(picture.resize((_WIDTH, height), Image.Resampling.BOX), dtype=np.float32)
    frame = values[..., 3] / np.float32(255)
    opaque = frame > _OPAQUE
    lenses = opaque if dark else ndimage.binary_fill_holes(opaque) & ~opaque
    # The bridge of a pair of sunglasses is narrow: what is left and right of it are the lenses.
    left, right = lenses.copy(), lenses.copy()
    left[:, _WIDTH // 2 :] = False
    right[:, : _WIDTH // 2] = False
    closed = min(left.sum(), right.sum()) > 0.05 * left.size
    if not closed:  # an open frame: its lenses cannot be told from the air around them
        lenses = np.zeros_like(opaque)
    return Glasses(
        values[..., :3].copy(),
        frame,
        np.zeros_like(frame) if dark else lenses.astype(np.float32),
        (
            _centre(left) if closed else (0.25 * _WIDTH, 0.5 * height),
            _centre(right) if closed else (0.75 * _WIDTH, 0.5 * height),
        ),
        dark,
    )


def _centre(mask: NDArray[np.bool_]) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float((rows.min() + rows.max()) / 2)


def draw_glasses(random: np.random.Generator) -> Glasses:
    """Draw a random pair: round to rectangular, drooping or raised outward, thin or thick, or one wide shield."""
    width, height = _WIDTH, 150
    grid_x, grid_y = np.meshgrid(np.arange(width), np.arange(height))
    half = random.uniform(0.62, 0.92) * width / 4
    tall = half * random.uniform(0.55, 1.0)
    apart = random.uniform(0.48, 0.54) * width / 2
    power = random.uniform(2, 5)
    droop, raised = random.uniform(-0.35, 0.35), random.uniform(-0.25, 0.25)
    lenses = np.zeros((height, width), dtype=bool)
    centres = ((width / 2 - apart, height / 2), (width / 2 + apart, height / 2))
    for side, (x, y) in zip((-1, 1), centres, strict=True):
        outward = side * (grid_x - x) / half
        below = (grid_y - y) / tall + raised * outward
        # A drooping lens is wider towards its outer lower corner, as an aviator's.
        outward = outward - droop * below
        lenses |= np.abs(outward) ** power + np.abs(below) ** power < 1
    thick = int(random.choice([2, 3, 4, 6, 9, 13]))
    grown = cv2.dilate(lenses.astype(np.uint8), np.ones((thick, thick), np.uint8)) > 0
    if random.random() < 0.12:  # a shield: no gap between the lenses
        bar = (np.abs(grid_x - width / 2) < apart) & (np.abs(grid_y - height / 2 + 0.15 * tall) < 0.6 * tall)
        lenses, grown = lenses | bar, grown | bar
    rim = grown & ~lenses if random.random() < 0.85 else np.zeros_like(grown)
    bridge_y = height / 2 - random.uniform(0, 0.6) * tall
    bridge = (np.abs(grid_x - width / 2) < apart - 0.9 * half) & (np.abs(grid_y - bridge_y) < max(2, thick / 2))
    hinge_y = height / 2 - random.uniform(0.2, 0.7) * tall
    hinges = (np.abs(grid_x - width / 2) > apart + 0.85 * half) & (np.abs(grid_y - hinge_y) < max(2, thick / 2))
    hinges &= np.abs(grid_x - width / 2) < apart + half + 8
    frame = _soften(rim | ((bridge | hinges) & ~lenses))
    colour = np.empty((height, width, 3), dtype=np.float32)
    colour[:] = _frame_colour(random)
    return Glasses(colour, frame, _soften(lenses), centres, dark=False)


def _soften(mask: NDArray[np.bool_]) -> Plane:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7), dtype=np.float32)


def _frame_colour(random: np.random.Generator) -> NDArray[np.float64]:
    if random.random() < 0.6:
        return np.full(3, random.uniform(5, 60)) + random.uniform(-5, 5, 3)
    return random.uniform(20, 235, 3)


@dataclass(frozen=True, slots=True)
class Layer:
    """What lies over a face: ``out = face * (1 - opacity) + colour * opacity``.

    Attributes
    ----------
    colour : float32 array (height, width, 3), 0-255
    opacity : float32 array (height, width), 0-1
    centres : ((x, y), (x, y))
        Of the lenses.
    """

    colour: NDArray[np.float32]
    opacity: Plane
    centres: tuple[tuple[float, float], tuple[float, float]]


def wear(glasses: Glasses, *, dark: bool, random: np.random.Generator) -> Layer:
    """Choose how the lenses look: clear with a glint, or dark with a colour, a gradient and a mirror."""
    height, width = glasses.frame.shape
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    frame_colour = (glasses.colour * random.uniform(0.6, 1.3) + random.uniform(-10, 10)).clip(0, 255)
    if glasses.dark:
        return Layer(frame_colour, glasses.frame * random.uniform(0.85, 1.0), glasses.centres)
    lens = np.empty((height, width, 3), dtype=np.float32)
    if dark:
        lens[:] = random.uniform(0, 55) + random.uniform(-12, 12, 3) * (random.random() < 0.6)
        if random.random() < 0.2:  # brown, blue, green, red lenses
            lens[:] = random.uniform(5, 110, 3)
        opacity = np.full((height, width), random.uniform(0.72, 1.0), dtype=np.float32)
        if random.random() < 0.35:
            opacity *= 1 - random.uniform(0.1, 0.45) * down
        if random.random() < 0.3:  # a mirror: bright above, dark below, or streaks of sky
            sky = random.uniform(60, 210, 3).astype(np.float32)
            edge = random.uniform(0.2, 0.7)
            mirror = 1 / (1 + np.exp((down + random.uniform(-0.4, 0.4) * across - edge) * 14))
            lens += (sky - lens) * (mirror * random.uniform(0.2, 0.8))[..., None]
        if random.random() < 0.3:
            spot = np.exp(-(((across - random.random()) * 8) ** 2 + ((down - random.random()) * 4) ** 2))
            lens += (255 - lens) * (spot * random.uniform(0.1, 0.5))[..., None]
    else:
        # Clear lenses still reflect: a pale veil, often only along one edge.
        lens[:] = random.uniform(150, 255)
        slant = np.exp(-(((across + random.uniform(-1, 1) * down - random.random()) * 6) ** 2))
        opacity = np.broadcast_to(slant * random.uniform(0, 0.45) + random.uniform(0, 0.1), (height, width))
    behind = glasses.lenses * opacity * (1 - glasses.frame)
    total = (glasses.frame + behind).clip(0, 1)
    share = (glasses.frame / np.maximum(total, 1e-3))[..., None]
    colour = (frame_colour * share + lens * (1 - share)).clip(0, 255)
    return Layer(colour.astype(np.float32), total.astype(np.float32), glasses.centres)


def place(
    layer: Layer, eyes: Sequence[tuple[float, float]], random: np.random.Generator, *, lift: float = 0.0
) -> NDArray[np.float64]:
    """Put glasses before the eyes of a face.

    Parameters
    ----------
    eyes : two (x, y)
        The eye at the left of the picture first.
    lift : float
        How far above the eyes, in distances between the eyes: 1 puts them on the hair.

    Returns
    -------
    float array (2, 3)
        The affine map from the layer's pixels to the photograph's.
    """
    left, right = np.array(eyes[0], dtype=np.float64), np.array(eyes[1], dtype=np.float64)
    across = right - left
    distance = max(2.0, float(np.hypot(*across)))
    (lx, ly), (rx, _) = layer.centres
    scale = distance / (rx - lx) * random.uniform(0.92, 1.18)
    angle = np.arctan2(across[1], across[0]) + np.deg2rad(random.normal(0, 2))
    down = np.array([-np.sin(angle), np.cos(angle)])
    middle = (left + right) / 2 + down * distance * (random.uniform(-0.04, 0.14) - lift)
    middle += across * random.uniform(-0.03, 0.03)
    tall = scale * random.uniform(0.88, 1.2)
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos * scale, -sin * tall], [sin * scale, cos * tall]])
    return np.column_stack([linear, middle - linear @ np.array([(lx + rx) / 2, ly])])


def throw_shadow(face: Rgb, layer: Layer, matrix: NDArray[np.float64], random: np.random.Generator) -> Rgb:
    """Darken the cheeks where the frame and the lenses keep the light away."""
    height, width = face.shape[:2]
    distance = float(np.hypot(*matrix[:, 0])) * (layer.centres[1][0] - layer.centres[0][0])
    moved = matrix.copy()
    moved[:, 2] += (random.uniform(-2, 2), distance * random.uniform(0.03, 0.12))
    shadow = cv2.GaussianBlur(cv2.warpAffine(layer.opacity, moved, (width, height)), (0, 0), distance / 12)
    dark = face * (1 - shadow[..., None] * random.uniform(0.1, 0.5))
    return np.asarray(dark, dtype=np.uint8)
