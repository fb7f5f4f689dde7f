"""Films of persons who stand, stroll and walk through a picture: portraits that move, and where each face is. Pure.

Portraits of the validation part of ``celeba_glasses`` (drawn ones where it is missing), half of them with sunglasses,
are cut out softly, tilted and pasted at fractions of a pixel. Persons enter at one side and leave at the other, sway,
nod, come nearer and go away, pass in front of each other, and are blurred by their motion as with a shutter of 1/100 s;
the ground pans behind them. Faces do not turn, as the portraits are single photographs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detection import HEIGHT, WIDTH, Place, place_of  # isort: skip  # its neighbour
from gafas.bundle import shipped_bundle
from gafas.imaging import Rgb, read_image, resize
from gafas.runtime.faces import FaceDetector
from gafas.values import FaceBox

RATE = 25
SHUTTER = 1 / 100
SPEEDS = {"stand": (0.0, 0.3), "stroll": (1.0, 3.0), "walk": (6.0, 10.0)}
"""Widths of their own face that persons move in a second, sideways: with 0.15 m, the last is 0.9 to 1.5 m/s."""

_VISIBLE = 0.75
"""Of a face's box that must be in the picture and not behind somebody else, to count."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A portrait, softly cut out: colours with their opacity (height, width, 4), where its face is, what it wears."""

    cutout: NDArray[np.uint8]
    face: FaceBox
    sunglasses: bool

    @property
    def place(self) -> Place:
        """The whole portrait."""
        return (0, 0, self.cutout.shape[1], self.cutout.shape[0])


@dataclass(frozen=True, slots=True)
class Shown:
    """A face on a frame.

    Attributes
    ----------
    way : int
        One person's from one side to the other.
    counts : bool
        Most of it can be seen; of others nobody can say whether they should be found.
    """

    way: int
    place: Place
    sunglasses: bool
    counts: bool


def people(most: int = 90) -> list[Person]:
    """Return persons with and without sunglasses in turns, at most so many of each."""
    detector = FaceDetector(thorough=True, threads=0)
    dark, clear = (
        [_person(image, faces, wears) for image in images if (faces := detector.detect(image))]
        for wears, images in ((True, _portraits(True, most)), (False, _portraits(False, most)))
    )
    return [one for pair in zip(dark or clear, clear, strict=False) for one in pair]


def _portraits(wears: bool, most: int) -> list[Rgb]:
    from gafas.datasets.drawing import draw_portrait
    from gafas.datasets.splits import find_split, read_split

    root, split = Path(os.environ.get("GAFAS_DATA", "data")) / "celeba_glasses", find_split(shipped_bundle())
    if not root.is_dir() or split is None:
        return [] if wears else [resize(draw_portrait(seed), (240, 256)) for seed in range(min(20, most))]
    paths = [path for path in read_split(split).validation if path.startswith("sunglasses/") == wears]
    # Clear glasses and none lie in blocks.
    return [read_image(root / path) for path in paths[:: max(1, len(paths) // most)][:most]]


def _person(image: Rgb, faces: Sequence[FaceBox], wears: bool) -> Person:
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    # An oval with a soft edge, as wide and as high as the portrait; shoulders stay at its foot.
    far = np.hypot((x - width / 2) / (width / 2), np.maximum(0, height / 2 - y) / (height / 2))
    opacity = (255 * np.clip((1 - far) / 0.12, 0, 1)).astype(np.uint8)
    return Person(np.dstack([image, opacity]), max(faces, key=lambda face: face.area), wears)


class Walker:
    """One person in a film: goes from one side to the other and comes again, or sways around one place."""

    def __init__(self, person: Person, number: int, speed: str, random: np.random.Generator) -> None:
        self.person, self.number = person, number
        # Of a face, in pixels.
        self.size = float(np.exp(random.uniform(np.log(36), np.log(150))))
        low, high = SPEEDS[speed]
        self._pace = float(random.uniform(low, high)) * self.size * float(random.choice([-1, 1]))
        self._x = float(random.uniform(0, WIDTH))
        self._y = float(random.uniform(0.3, 0.7)) * HEIGHT
        self._rounds, self._phase = random.uniform(0.1, 0.5, 3), random.uniform(0, 2 * np.pi, 3)

    def placed(self, seconds: float) -> tuple[NDArray[np.float64], int]:
        """Return the matrix (2, 3) that takes the portrait's pixels to the picture's, and the number of the way."""
        sway, near, nod = np.sin(2 * np.pi * self._rounds * seconds + self._phase)
        face = self.person.face
        factor = self.size * (1 + 0.15 * near) / max(face.width, face.height)
        centre = ((face.x0 + face.x1) / 2, (face.y0 + face.y1) / 2)
        matrix: NDArray[np.float64] = cv2.getRotationMatrix2D(centre, 6 * nod, factor)
        # Out of sight on both sides for a while.
        way, x = divmod(self._x + self._pace * seconds + 2 * self.size, WIDTH + 4 * self.size)
        x += 0.15 * self.size * sway - 2 * self.size
        y = self._y + 0.1 * self.size * abs(nod)
        matrix[:, 2] += (x - centre[0], y - centre[1])
        return matrix, 1000 * self.number + int(way)

    @property
    def blur(self) -> int:
        """Pixels that it moves while the shutter is open, odd."""
        return round(abs(self._pace) * SHUTTER) | 1


def film(people: Sequence[Person], speed: str, count: int, frames: int, seed: int) -> Iterator[tuple[Rgb, list[Shown]]]:
    """Yield frames with their faces; the same at every call."""
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(people))[:count]
    walkers = [Walker(people[int(which)], number, speed, random) for number, which in enumerate(chosen, 100 * seed)]
    # Who is larger is nearer.
    walkers.sort(key=lambda walker: walker.size)
    ground = _ground(random)
    for number in range(frames):
        left = round((ground.shape[1] - WIDTH) * (1 + np.sin(number / 60)) / 2)
        picture = ground[:, left : left + WIDTH].copy()
        shown: list[Shown] = []
        for walker in walkers:
            person = walker.person
            matrix, way = walker.placed(number / RATE)
            _paste(picture, person, matrix, walker.blur)
            face, body = _moved(place_of(person.face), matrix), _moved(person.place, matrix)
            shown = [replace(one, counts=one.counts and _covered(one.place, body) <= 1 - _VISIBLE) for one in shown]
            inside = _covered(face, (0, 0, WIDTH, HEIGHT)) >= _VISIBLE
            shown.append(Shown(way, face, person.sunglasses, inside))
        yield picture, shown


def _ground(random: np.random.Generator) -> Rgb:
    """Return soft colours with edges and noise, wider than the picture."""
    soft = np.array(resize(random.integers(30, 220, (6, 10, 3), dtype=np.uint8), (HEIGHT, WIDTH + 160)))
    for _ in range(25):
        x, y = int(random.integers(WIDTH + 160)), int(random.integers(HEIGHT))
        far = (x + int(random.integers(10, 150)), y + int(random.integers(10, 150)))
        cv2.rectangle(soft, (x, y), far, [int(value) for value in random.integers(20, 230, 3)], -1)
    noisy = cv2.GaussianBlur(soft, (0, 0), 1.5) + random.normal(0, 6, soft.shape)
    return np.asarray(noisy.clip(0, 255), dtype=np.uint8)


def _paste(picture: Rgb, person: Person, matrix: NDArray[np.float64], blur: int) -> None:
    # Tilted corners reach a little beyond the upright box.
    x0, y0, x1, y1 = (round(value) for value in _moved(person.place, matrix))
    edge = blur + (x1 - x0) // 8
    x0, y0, x1, y1 = max(0, x0 - edge), max(0, y0 - edge), min(WIDTH, x1 + edge), min(HEIGHT, y1 + edge)
    if x0 >= x1 or y0 >= y1:
        return
    shifted = matrix - [[0, 0, x0], [0, 0, y0]]
    warped = cv2.warpAffine(person.cutout, shifted, (x1 - x0, y1 - y0), flags=cv2.INTER_AREA).astype(np.float32)
    warped[..., 3] /= 255
    warped[..., :3] *= warped[..., 3:]
    warped = cv2.blur(warped, (blur, 1))
    place = picture[y0:y1, x0:x1]
    place[:] = place * (1 - warped[..., 3:]) + warped[..., :3]


def _moved(place: Place, matrix: NDArray[np.float64]) -> Place:
    x0, y0, x1, y1 = place
    x, y = matrix @ ((x0 + x1) / 2, (y0 + y1) / 2, 1)
    factor = float(np.hypot(matrix[0, 0], matrix[0, 1])) / 2
    wide, tall = factor * (x1 - x0), factor * (y1 - y0)
    return (float(x) - wide, float(y) - tall, float(x) + wide, float(y) + tall)


def _covered(place: Place, by: Place) -> float:
    """Return the share of a place that lies inside another."""
    wide = max(0.0, min(place[2], by[2]) - max(place[0], by[0]))
    tall = max(0.0, min(place[3], by[3]) - max(place[1], by[1]))
    return wide * tall / ((place[2] - place[0]) * (place[3] - place[1]))
