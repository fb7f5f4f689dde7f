"""Turned heads for training: a frontal photograph on a simple solid, seen from another side, with glasses in space.

The head is an ellipsoid with a nose, the lenses lie on a plane or a cylinder before the eyes, the arms are strips from
the frame to the ears. Every output pixel's line of sight is cut with these shapes in closed form, so a view costs a few
array operations and one resampling. The idea of making profiles from frontal photographs is that of Zhu, X. et al.
(2016), Face Alignment Across Large Poses: A 3D Solution, CVPR; the solid here is much simpler.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gafas.imaging import Rgb
from gafas.learn.glasses import Layer
from gafas.values import FaceBox

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the camera stands; angles in radians.

    Attributes
    ----------
    yaw, pitch, roll : float
        Positive: the head turns to the right of the picture, looks down, tilts clockwise.
    zoom : float
        Side of the view in long sides of the face's box.
    shift : (float, float)
        Of the view's middle, in long sides of the box.
    aspect : float
        By which the view is stretched.
    mirror : bool
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    zoom: float = 1.3
    shift: tuple[float, float] = (0.0, 0.0)
    aspect: float = 1.0
    mirror: bool = False


@dataclass(frozen=True, slots=True)
class Worn:
    """Glasses in their place.

    Attributes
    ----------
    layer : Layer or None
        ``None``: the photograph shows the lenses, only the arms are added.
    matrix : float array (2, 3)
        From the layer's pixels to the photograph's.
    arms : (red, green, blue) or None
        Colour of the arms, ``None`` where they are not seen.
    thick : float
        Width of the arms, in pixels of the photograph.
    wrap : float
        Sine of the angle by which the frame's ends bend back around the head; 0 is flat.
    """

    layer: Layer | None
    matrix: NDArray[np.float64]
    arms: tuple[float, float, float] | None
    thick: float
    wrap: float = 0.0


@dataclass(frozen=True, slots=True)
class _Rays:
    """The lines of sight of all pixels, in the head's coordinates: ``start + t * along``."""

    start: tuple[Float, Float, Float]
    along: tuple[float, float, float]

    def at(self, t: Float) -> tuple[Float, Float, Float]:
        x, y, z = (s + t * np.float32(a) for s, a in zip(self.start, self.along, strict=True))
        return x, y, z

    def meet_ellipsoid(
        self, centre: tuple[float, float, float], radii: tuple[float, float, float]
    ) -> tuple[Float, NDArray[np.bool_]]:
        """Return where each line leaves the ellipsoid towards the camera, and whether it meets it at all."""
        a = sum((v / r) ** 2 for v, r in zip(self.along, radii, strict=True))
        b = np.zeros_like(self.start[0])
        c = np.full_like(b, -1.0)
        for s, v, m, r in zip(self.start, self.along, centre, radii, strict=True):
            b += (s - m) * (v / r**2)
            c += ((s - m) / r) ** 2
        inside = b * b - a * c
        return ((-b + np.sqrt(inside.clip(0))) / np.float32(a)).astype(np.float32), inside > 0

    def meet_plane(self, normal: tuple[float, float, float], height: float) -> Float:
        """Return where each line meets the plane ``normal · p = height``; far away where it runs along it."""
        slope = sum(n * v for n, v in zip(normal, self.along, strict=True))
        if abs(slope) < 0.02 * float(np.hypot(*normal[::2])):
            return np.full_like(self.start[0], -1e6)
        level = sum(n * s for n, s in zip(normal, self.start, strict=True))
        return np.asarray((height - level) / np.float32(slope), dtype=np.float32)


def turn(image: Rgb, box: FaceBox, size: int, pose: Pose, worn: Worn | None = None) -> Float:
    """Return a face as seen from another side.

    Parameters
    ----------
    image : uint8 array (height, width, 3)
        The photograph.
    box : FaceBox
    size : int
        Side of the view, in pixels.
    pose : Pose
    worn : Worn or None
        Glasses to add.

    Returns
    -------
    float32 array (size, size, 3), 0-255
    """
    wide, tall = float(box.width), float(box.height)
    long_side = max(wide, tall)
    middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2 - 0.12 * tall)
    # Hair included: from above the forehead to the chin.
    radii = (0.65 * wide, 0.67 * tall, 0.64 * long_side)
    rotation = _rotation(pose.yaw, pose.pitch)
    half = long_side * pose.zoom / 2
    line = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1) * np.float32(half)
    u, v = np.meshgrid(-line if pose.mirror else line, line)
    cos, sin = np.float32(np.cos(pose.roll)), np.float32(np.sin(pose.roll))
    # The detector's box follows the face's front, not the head's axis.
    front = rotation @ np.array([0.0, 0.12 * tall, 0.55 * radii[2]])
    x = (cos * u + sin * v) * pose.aspect + front[0] + pose.shift[0] * long_side
    y = (cos * v - sin * u) / pose.aspect + front[1] + pose.shift[1] * long_side
    x, y = x.astype(np.float32), y.astype(np.float32)
    rays = _rays(x, y, rotation)

    t, hit = rays.meet_ellipsoid((0.0, 0.0, 0.0), radii)
    nose, size_of_nose = _nose(box, middle, radii)
    nose_t, nose_hit = rays.meet_ellipsoid(nose, size_of_nose)
    t = np.where(nose_hit & (~hit | (nose_t > t)), nose_t, t)
    hit |= nose_hit
    source_x, source_y = _texture(rays, t, hit, x, y, radii, tall, away=min(1.0, abs(pose.yaw) + abs(pose.pitch)))
    soft = 2 * half / size
    if soft > 1.3:  # averaging first, as a proper shrinking does
        image = cv2.GaussianBlur(image, (0, 0), 0.42 * soft)
    view = cv2.remap(
        image,
        source_x + np.float32(middle[0] - 0.5),
        source_y + np.float32(middle[1] - 0.5),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    if worn is not None:
        _add_glasses(view, rays, np.where(hit, t, np.float32(-1e5)), worn, middle, box, radii, soft)
    return np.asarray(view, dtype=np.float32)


def _rotation(yaw: float, pitch: float) -> NDArray[np.float64]:
    """From the head to the camera; x to the right, y down, z towards the camera."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    turned = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nodded = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    return np.asarray(nodded @ turned, dtype=np.float64)


def _rays(x: Float, y: Float, rotation: NDArray[np.float64]) -> _Rays:
    # The camera looks along its z; the columns of the transposed rotation say how that runs through the head.
    start = tuple((x * np.float32(rotation[0, i]) + y * np.float32(rotation[1, i])) for i in range(3))
    along = (float(rotation[2, 0]), float(rotation[2, 1]), float(rotation[2, 2]))
    return _Rays((start[0], start[1], start[2]), along)


def _nose(
    box: FaceBox, middle: tuple[float, float], radii: tuple[float, float, float]
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    x, y = box.landmarks[2] if box.landmarks is not None else (middle[0], middle[1] + 0.14 * box.height)
    x, y = x - middle[0], y - middle[1] - 0.03 * box.height
    room = max(0.1, 1 - (x / radii[0]) ** 2 - (y / radii[1]) ** 2)
    return (x, y, radii[2] * room**0.5 - 0.04 * box.height), (
        0.09 * box.width,
        0.13 * box.height,
        0.15 * box.height,
    )


def _texture(
    rays: _Rays,
    t: Float,
    hit: NDArray[np.bool_],
    x: Float,
    y: Float,
    radii: tuple[float, float, float],
    tall: float,
    *,
    away: float,
) -> tuple[Float, Float]:
    """Return where on the photograph, from the head's middle, each pixel's colour is taken.

    `away` says how far the background moves outward: from 0 for a head that is not turned to 1.
    """
    head_x, head_y, head_z = rays.at(t)
    # The photograph shows the front; the back of the head continues what is at its outline.
    reach = np.sqrt((head_x / radii[0]) ** 2 + (head_y / radii[1]) ** 2)
    outline = np.where((head_z < 0) | (reach > 0.96), 0.96 / np.maximum(reach, 1e-3), 1.0)
    # Beside the head the background is drawn from farther out, where the photograph shows no face;
    # the shoulders stay where they are.
    aside = np.where(y < 0.45 * tall, 1 + 0.35 * away, 1.0)
    above = np.where(y < 0, 1 + 0.2 * away, 1.0)
    return (
        np.where(hit, head_x * outline, x * aside).astype(np.float32),
        np.where(hit, head_y * outline, y * above).astype(np.float32),
    )


def _add_glasses(
    view: Float,
    rays: _Rays,
    head: Float,
    worn: Worn,
    middle: tuple[float, float],
    box: FaceBox,
    radii: tuple[float, float, float],
    soft: float,
) -> None:
    # Photographed lenses lie on the head's surface, added ones stand before it.
    depth = (0.86 if worn.layer is None else 1.0) * radii[2]
    corners = worn.matrix @ _corners(worn)
    left, right = float(corners[0].min() - middle[0]), float(corners[0].max() - middle[0])
    level = float(corners[1].mean() - middle[1]) - 0.02 * box.height
    near = np.float32(0.06 * box.height)
    half = (right - left) / 2
    # A chord of a circle: how far the ends of a bent frame lie behind its middle.
    behind = half * float(np.tan(np.arcsin(worn.wrap) / 2))
    if worn.arms is not None:
        # The far arm is behind the head.
        for side, x in ((-1, left), (1, right)):
            if side * rays.along[0] <= 0:
                continue
            _add_arm(view, rays, head - near, worn, side, x, level, depth - behind, radii)
    if worn.layer is None:
        return
    if behind < 0.01 * half:
        t = rays.meet_plane((0.0, 0.0, 1.0), depth)
    else:
        radius = half / worn.wrap
        axis = ((left + right) / 2, 0.0, depth - radius)
        t, hit = rays.meet_ellipsoid(axis, (radius, 1e3 * radii[1], radius))
        t = np.where(hit, t, np.float32(-1e6))
    on_x, on_y, _ = rays.at(t)
    on_x, on_y = on_x + np.float32(middle[0]), on_y + np.float32(middle[1])
    back = cv2.invertAffineTransform(worn.matrix)
    map_x = back[0, 0] * on_x + back[0, 1] * on_y + back[0, 2]
    map_y = back[1, 0] * on_x + back[1, 1] * on_y + back[1, 2]
    blur = 0.4 * soft * float(np.hypot(back[0, 0], back[1, 0]))
    colour, opacity = worn.layer.colour, worn.layer.opacity
    if blur > 0.6:
        colour, opacity = cv2.GaussianBlur(colour, (0, 0), blur), cv2.GaussianBlur(opacity, (0, 0), blur)
    maps = map_x.astype(np.float32), map_y.astype(np.float32)
    seen = cv2.remap(opacity, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0.0)
    seen = seen * (t > head - near)
    paint = cv2.remap(colour, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    view += (paint - view) * seen[..., None]


def _corners(worn: Worn) -> NDArray[np.float64]:
    """Where the arms begin, in the layer's pixels; without a layer the frame is a unit square."""
    if worn.layer is None:
        return np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 1.0]])
    height, width = worn.layer.opacity.shape
    row = worn.layer.centres[0][1] - 0.1 * height
    return np.array([[2.0, width - 2.0], [row, row], [1.0, 1.0]])


def _add_arm(
    view: Float,
    rays: _Rays,
    head: Float,
    worn: Worn,
    side: int,
    x: float,
    level: float,
    depth: float,
    radii: tuple[float, float, float],
) -> None:
    """Draw a strip in the upright plane that runs from the frame's end to the ear."""
    ear_x, ear_z = side * max(abs(x), 1.0 * radii[0]), 0.05 * radii[2]
    # The plane holds both ends and the vertical.
    normal = (depth - ear_z, 0.0, ear_x - x)
    t = rays.meet_plane(normal, normal[0] * x + normal[2] * depth)
    _, y, z = rays.at(t)
    part = (z - ear_z) / (depth - ear_z)
    sag = level + (1 - part) * 0.03 * radii[1]
    inside = (part > 0) & (part < 1) & (t > head)
    edge = (worn.thick / 2 - np.abs(y - sag)).clip(0, 1)
    seen = edge * inside
    view += (np.asarray(worn.arms, dtype=np.float32) - view) * seen[..., None].astype(np.float32)
