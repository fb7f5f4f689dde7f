"""Random views of faces for training: what the world does to a face before a camera gives it to us.

OpenCV does the pixels' work. Everything is drawn from one generator, so a view is repeatable.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gafas.imaging import LUMA, Rgb
from gafas.learn.turning import Pose, Worn, turn
from gafas.values import FaceBox

Float = NDArray[np.float32]


_LUMA = LUMA.astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewConfig:
    """How often, and how far, a view departs from the photograph; probabilities unless said otherwise.

    Attributes
    ----------
    yaw, pitch, roll : float
        Largest angle, in degrees; looking down goes only part of the way.
    turned, nodding : float
        How often the head may be turned, or look up or down, by any angle up to the largest.
    grey, low, blur, noise, jpeg, light, occlude, shade
        How often a view is grey, of low resolution, blurred, noisy, compressed, lit otherwise, partly covered,
        or has shaded eyes.
    wide : float
        How often much more than the face is seen, and not in the middle: where no face is found, the whole picture
        is judged.
    """

    yaw: float = 80.0
    pitch: float = 66.0
    roll: float = 25.0
    turned: float = 0.5
    nodding: float = 0.35
    grey: float = 0.4
    low: float = 0.6
    blur: float = 0.3
    noise: float = 0.35
    jpeg: float = 0.4
    light: float = 0.7
    occlude: float = 0.3
    shade: float = 0.25
    wide: float = 0.12


PLAIN = ViewConfig(
    yaw=0,
    pitch=0,
    roll=0,
    turned=0,
    nodding=0,
    grey=0,
    low=0,
    blur=0,
    noise=0,
    jpeg=0,
    light=0,
    occlude=0,
    shade=0,
    wide=0,
)


def random_view(
    image: Rgb,
    box: FaceBox,
    size: int,
    random: np.random.Generator,
    config: ViewConfig,
    *,
    margin: float,
    worn: Worn | None = None,
) -> Rgb:
    """Return one random view of a face.

    Parameters
    ----------
    image : uint8 array (height, width, 3)
    box : FaceBox
    size : int
        Side of the view, in pixels.
    margin : float
        As in serving: the square's side in long sides of the box.
    worn : Worn or None
        Glasses to add.

    Returns
    -------
    uint8 array (size, size, 3)
    """
    if random.random() < config.shade:
        image = shade_eyes(image, box, random)
    if random.random() < config.occlude:
        image = occlude(image, box, random)
    view = turn(image, box, size, random_pose(random, config, margin=margin), worn)
    if random.random() < config.light:
        view = relight(view, random)
    if random.random() < config.grey:
        view[:] = (view @ _LUMA)[..., None]
    elif random.random() < 0.5:
        view = recolour(view, random)
    return degrade(view, random, config)


# What the detector's box of a turned head has left of the frontal one's long side. Medians over 80 portraits of the
# validation part, turned by `turn` and searched again; the serving crop shrinks with the box, and so must the view.
_BY_YAW = ((0, 30, 45, 80), (1.0, 0.94, 0.9, 0.88))
_BY_PITCH = ((-70, -60, -50, -35, -20, 0, 30), (0.62, 0.69, 0.75, 0.89, 0.98, 1.0, 0.79))


def box_side(yaw: float, pitch: float) -> float:
    """Return the long side that the detector's box has on a head turned by these degrees, relative to the frontal."""
    return float(np.interp(abs(yaw), *_BY_YAW) * np.interp(pitch, *_BY_PITCH))


def random_pose(random: np.random.Generator, config: ViewConfig, *, margin: float) -> Pose:
    """Draw a pose: most heads look about ahead, some to the side, some up or down."""
    yaw = random.normal(0, 10)
    if random.random() < config.turned:
        # Profiles are the hardest and show the least of the lenses: more of them.
        yaw = config.yaw * random.uniform(0, 1) ** 0.7 * random.choice((-1, 1))
    pitch = random.normal(0, 7)
    if random.random() < config.nodding:
        pitch = random.uniform(-config.pitch, 0.5 * config.pitch)
    yaw = float(np.clip(yaw, -config.yaw, config.yaw))
    pitch = float(np.clip(pitch, -config.pitch, config.pitch))
    zoom = margin * box_side(yaw, pitch) * float(np.exp(random.normal(0, 0.12)))
    across, down = random.normal(0, (0.06, 0.07))
    if random.random() < config.wide:
        zoom *= random.uniform(1.2, 1.9)
        across, down = random.normal(0, (0.15, 0.15))
    return Pose(
        yaw=float(np.deg2rad(yaw)),
        pitch=float(np.deg2rad(pitch)),
        roll=float(np.deg2rad(random.uniform(-config.roll, config.roll))),
        zoom=zoom,
        shift=(float(across), float(down)),
        aspect=float(np.exp(random.normal(0, 0.05))),
        mirror=bool(random.random() < 0.5),
    )


def relight(view: Float, random: np.random.Generator) -> Float:
    """Change gamma, contrast and brightness; light from one side or from behind; few grey levels."""
    gamma = float(np.exp(random.normal(0, 0.35)))
    view = np.power(view.clip(0, 255) / np.float32(255), gamma, dtype=np.float32) * np.float32(255)
    if random.random() < 0.4:
        # A ramp of light over the face; strong ones are a face with the sun beside or behind it.
        size = len(view)
        line = np.linspace(-1, 1, size, dtype=np.float32)
        angle = random.uniform(0, 2 * np.pi)
        ramp = np.cos(angle) * line[None, :] + np.sin(angle) * line[:, None]
        view = view * np.exp(ramp * random.uniform(0, 1.0))[..., None]
        if random.random() < 0.3:
            glow = np.maximum(0, line[None, :] ** 2 + line[:, None] ** 2 - 0.4)
            view = view + (glow * random.uniform(0, 160))[..., None]
    mean = float(view.mean())
    # Neither night nor glare: what is left must still show whether glasses are worn.
    bright = float(np.clip(mean * np.exp(random.normal(0, 0.4)), 22, 215))
    view = (view - mean) * np.exp(random.normal(0, 0.25)) * min(1.0, (bright / mean) ** 0.7 if mean else 1.0) + bright
    if random.random() < 0.15:  # a wrong exposure: what is too bright is lost
        view = view * np.exp(random.uniform(np.log(max(0.35, 15 / bright)), np.log(min(2.2, 225 / bright))))
    return np.asarray(view.clip(0, 255), dtype=np.float32)


def recolour(view: Float, random: np.random.Generator) -> Float:
    """Change saturation and the colour of the light."""
    grey = view.mean(axis=2, keepdims=True)
    view = grey + (view - grey) * random.uniform(0.2, 1.6)
    return np.asarray((view * random.normal(1, 0.12, 3)).clip(0, 255), dtype=np.float32)


def degrade(view: Float, random: np.random.Generator, config: ViewConfig) -> Rgb:
    """Lower the resolution, blur, add noise, compress."""
    size = len(view)
    small = size
    if random.random() < config.low:
        small = int(np.exp(random.uniform(np.log(11), np.log(size))))
        view = cv2.resize(view, (small, small), interpolation=cv2.INTER_AREA)
    if random.random() < config.blur:
        sigma = float(np.exp(random.uniform(np.log(0.35), np.log(4.5)))) * small / 112
        if random.random() < 0.75:
            view = cv2.GaussianBlur(view, (0, 0), max(sigma, 0.2))
        else:
            view = cv2.filter2D(view, -1, _motion(max(3, round(3 * sigma)), random))
    if random.random() < config.noise:
        sigma = random.uniform(2, 22) * min(1.0, small / 64)
        channels = 1 if random.random() < 0.5 else 3
        view = view + random.normal(0, sigma, (*view.shape[:2], channels)).astype(np.float32)
    pixels: Rgb = view.clip(0, 255).round().astype(np.uint8)
    if random.random() < config.jpeg:
        quality = int(random.uniform(12, 90))
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    if small != size:
        how = cv2.INTER_LINEAR if random.random() < 0.8 else cv2.INTER_CUBIC
        pixels = cv2.resize(pixels, (size, size), interpolation=how)
    return np.asarray(pixels)


def _motion(length: int, random: np.random.Generator) -> Float:
    kernel = np.zeros((length, length), dtype=np.float32)
    angle = random.uniform(0, np.pi)
    middle = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    ends = [tuple(round(middle + sign * float(value)) for value in reach) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def eyes_of(box: FaceBox) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the eyes, the one at the left of the picture first; a guess where the box has no landmarks."""
    if box.landmarks is not None:
        left, right = sorted(box.landmarks[:2])
        return left, right
    y = box.y0 + 0.4 * box.height
    return (box.x0 + 0.3 * box.width, y), (box.x0 + 0.7 * box.width, y)


def shade_eyes(image: Rgb, box: FaceBox, random: np.random.Generator) -> Rgb:
    """Darken the eye region softly: deep-set eyes, a brim's shadow, light from above. No glasses are worn there."""
    height, width = image.shape[:2]
    left, right = eyes_of(box)
    distance = max(4.0, right[0] - left[0])
    mask = np.zeros((height, width), dtype=np.float32)
    if random.random() < 0.5:
        for x, y in (left, right):
            radius = (round(distance * random.uniform(0.25, 0.45)), round(distance * random.uniform(0.15, 0.3)))
            cv2.ellipse(mask, (round(x), round(y)), radius, 0, 0, 360, 1.0, -1)
    else:
        edge = (left[1] + right[1]) / 2 + distance * random.uniform(0.0, 0.7)
        cv2.rectangle(mask, (0, 0), (width, round(edge)), 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), distance * random.uniform(0.06, 0.2))
    out = image * (1 - mask[..., None] * random.uniform(0.25, 0.75))
    return np.asarray(out.clip(0, 255), dtype=np.uint8)


def occlude(image: Rgb, box: FaceBox, random: np.random.Generator) -> Rgb:
    """Cover a part of the face, but never the eyes alone: cap, mask or scarf, or something in front."""
    out = image.copy()
    left, right = eyes_of(box)
    distance = max(4.0, right[0] - left[0])
    eye_y = (left[1] + right[1]) / 2
    colour = _cloth(random)
    kind = random.random()
    middle = round((box.x0 + box.x1) / 2)
    if kind < 0.4:  # a cap: a dome over the forehead and a brim
        brim = round(eye_y - distance * random.uniform(0.3, 0.75))
        reach = round(box.width * random.uniform(0.55, 0.75))
        cv2.ellipse(
            out, (middle, brim), (reach, round(box.height * random.uniform(0.35, 0.6))), 0, 180, 360, colour, -1
        )
        dark = tuple(value * 0.7 for value in colour)
        thick = round(distance * random.uniform(0.05, 0.25))
        cv2.ellipse(out, (middle, brim), (round(reach * random.uniform(0.8, 1.15)), max(1, thick)), 0, 0, 360, dark, -1)
    elif kind < 0.75:  # a mask or a scarf: from the nose or the mouth down
        top = round(eye_y + distance * random.uniform(0.35, 1.0))
        wide = round(box.width * random.uniform(0.45, 0.7))
        bottom = round(box.y1 + box.height * random.uniform(-0.05, 0.3))
        sag = round(distance * random.uniform(0, 0.3))
        points = [(middle - wide, top + sag), (middle, top), (middle + wide, top + sag)]
        points += [(middle + round(wide * 0.8), bottom), (middle - round(wide * 0.8), bottom)]
        cv2.fillPoly(out, [np.array(points, dtype=np.int32)], colour, cv2.LINE_AA)
    else:  # a hand, a glass, a microphone
        x = round(random.uniform(box.x0, box.x1))
        # Landmarks may lie anywhere, also below the box.
        lowest = max(box.y1 + 0.2 * box.height, eye_y + 0.6 * distance)
        y = round(random.uniform(eye_y + 0.5 * distance, lowest))
        axes = (round(distance * random.uniform(0.15, 0.6)), round(distance * random.uniform(0.15, 0.9)))
        cv2.ellipse(out, (x, y), axes, random.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
    return out


def _cloth(random: np.random.Generator) -> tuple[float, float, float]:
    shade = random.uniform(5, 250, 3) if random.random() < 0.5 else np.full(3, random.uniform(5, 250))
    return float(shade[0]), float(shade[1]), float(shade[2])
