"""Drawing one cartoon head in grey, for `gafas.datasets.drawing`. Draws on the board it is given.

Features sit on a ball that is turned by yaw and pitch, so that a turned head foreshortens the far
eye and its lens as a photograph does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

Point = tuple[float, float]

WIDTH, HEIGHT = 512, 480
"""The drawing board in its own pixels: four times the CMU photograph, 128×120."""

_TURN = {"left": -0.72, "right": 0.72, "straight": 0.0, "up": 0.0}
_EYE_LON, _EYE_LAT = 0.43, -0.10


@dataclass(frozen=True, slots=True)
class Person:
    """What stays the same in all pictures of a person; tones are grey values 0-255."""

    skin: int
    hair: int
    style: str
    beard: str
    shirt: int
    stripes: bool
    frame: str
    dark: int
    clear_glasses: bool
    face_width: float
    face_height: float
    eye: float
    brow: int
    room: int


@dataclass(frozen=True, slots=True)
class Shot:
    """What a file name says of a picture."""

    pose: str
    expression: str
    sunglasses: bool


class Head:
    """One head on one board; lives for one picture.

    Parameters
    ----------
    board : Image
        Grey, `WIDTH` × `HEIGHT`.
    shift : Point
        How far the head is from its usual place, in pixels of the board.
    rng : Generator
        For what differs between pictures of one person.
    """

    def __init__(self, board: Image.Image, person: Person, shot: Shot, shift: Point, rng: np.random.Generator) -> None:
        self.person, self.shot, self.rng = person, shot, rng
        self.pen = ImageDraw.Draw(board)
        scale = float(rng.uniform(0.9, 1.12))
        self.a, self.b = person.face_width * scale, person.face_height * scale
        self.cx, self.cy = WIDTH / 2 + shift[0], 205 + shift[1]
        self.yaw = _TURN[shot.pose] + float(rng.normal(0, 0.06))
        self.pitch = (0.42 if shot.pose == "up" else 0.0) + float(rng.normal(0, 0.05))
        self.roll = float(rng.normal(0, 0.05))

    def draw(self) -> None:
        """Draw everything from the back to the front."""
        self._body()
        self._hair_behind()
        self._skull()
        self._beard()
        self._nose()
        self._mouth()
        for side in (-1, 1):
            self._eye(side)
            self._brow(side)
        self._hair_in_front()
        if self.shot.sunglasses:
            self._glasses(dark=True)
        elif self.person.clear_glasses:
            self._glasses(dark=False)

    def at(self, lon: float, lat: float, lift: float = 1.0) -> Point:
        """Return the board's point of a place on the face, in radians right and down of its middle."""
        x = self.a * lift * math.sin(lon + self.yaw)
        y = self.b * lift * math.sin(lat - self.pitch)
        return self.turned(x, y)

    def turned(self, x: float, y: float) -> Point:
        """Return the board's point at an offset from the head's middle, tilted with the head."""
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        return self.cx + x * cos - y * sin, self.cy + x * sin + y * cos

    def visible(self, lon: float) -> bool:
        """Tell whether a longitude faces the camera."""
        return abs(lon + self.yaw) < 1.45

    def shade(self, by: int) -> int:
        """Return the skin tone, lighter or darker."""
        return max(0, min(255, self.person.skin + by))

    def patch(self, lon: float, lat: float, size: Point, power: float = 2.0) -> list[Point]:
        """Return a patch of the face as a polygon: an ellipse, or boxier with a larger power."""
        points = []
        for step in range(28):
            angle = 2 * math.pi * step / 28
            cos, sin = math.cos(angle), math.sin(angle)
            along = math.copysign(abs(cos) ** (2 / power), cos)
            down = math.copysign(abs(sin) ** (2 / power), sin)
            points.append(self.at(_clip(lon + size[0] * along, self.yaw), lat + size[1] * down))
        return points

    def line(self, points: Sequence[Point], tone: int, width: int) -> None:
        """Draw a line through points of the board, with round joints."""
        self.pen.line(list(points), fill=tone, width=width, joint="curve")

    def _body(self) -> None:
        person = self.person
        top = self.cy + self.b * 1.25
        wide = 150 + 40 * abs(math.cos(self.yaw))
        neck = self.a * 0.52
        shoulders = [
            (self.cx - wide, HEIGHT + 5),
            (self.cx - wide * 0.88, top + 42),
            (self.cx - neck, top),
            (self.cx + neck, top),
            (self.cx + wide * 0.88, top + 42),
            (self.cx + wide, HEIGHT + 5),
        ]
        self.pen.polygon(shoulders, fill=person.shirt)
        if person.stripes:
            tone = (person.shirt + 90) % 256
            for y in range(int(top) + 50, HEIGHT, 34):
                self.pen.rectangle((self.cx - wide * 0.86, y, self.cx + wide * 0.86, y + 12), fill=tone)
        throat = [(self.cx - neck, self.cy + self.b * 0.5), (self.cx + neck, self.cy + self.b * 0.5)]
        collar = [(self.cx + neck, top + 8), (self.cx, top + 34), (self.cx - neck, top + 8)]
        self.pen.polygon(throat + collar, fill=self.shade(-28))

    def _hair_behind(self) -> None:
        if self.person.style == "bald":
            return
        back = -math.copysign(0.24, self.yaw) * self.a if abs(self.yaw) > 0.3 else 0.0
        reach = {"long": 1.35, "curly": 0.75}.get(self.person.style, 0.35)
        wide = 1.22 if self.person.style in ("long", "curly") else 1.08
        points = []
        for step in range(36):
            angle = 2 * math.pi * step / 36
            y = math.sin(angle) * self.b * (1.16 if math.sin(angle) < 0 else reach)
            points.append(self.turned(back + math.cos(angle) * self.a * wide, y))
        self.pen.polygon(points, fill=self.person.hair)

    def _skull(self) -> None:
        for side in (-1, 1):
            lon = side * 1.5
            if abs(lon + self.yaw) > 1.75:
                continue
            x, y = self.at(_clip(lon, self.yaw), 0.06, 1.04)
            self.pen.ellipse((x - 13, y - 22, x + 13, y + 22), fill=self.shade(-22))
        points = []
        for step in range(48):
            angle = 2 * math.pi * step / 48
            down = math.sin(angle)
            jaw = 1 - 0.2 * max(0.0, down) ** 2
            points.append(self.turned(self.a * jaw * math.cos(angle), self.b * down))
        self.pen.polygon(points, fill=self.person.skin)

    def _beard(self) -> None:
        tone = min(self.person.hair + 15, self.shade(-35))
        if self.person.beard == "beard":
            self.pen.polygon(self.patch(0, 0.88, (0.85, 0.42)), fill=tone)
            self.pen.polygon(self.patch(0, 0.62, (0.4, 0.2)), fill=self.person.skin)
        if self.person.beard in ("beard", "moustache"):
            self.pen.polygon(self.patch(0, 0.42, (0.32, 0.07), 3), fill=tone)

    def _nose(self) -> None:
        tip = self.at(0, 0.24)
        out = self.a * 0.2 * math.sin(self.yaw)
        bridge, wing = self.at(0.03, -0.08), self.at(0.14 if self.yaw <= 0 else -0.14, 0.28)
        self.pen.polygon([bridge, (tip[0] + out, tip[1]), wing], fill=self.shade(-26))
        self.line([bridge, (tip[0] + out, tip[1]), self.at(0, 0.31)], self.shade(-55), 4)
        if self.pitch > 0.25:
            for side in (-0.07, 0.07):
                x, y = self.at(side, 0.31)
                self.pen.ellipse((x - 5, y - 3, x + 5, y + 3), fill=self.shade(-75))

    def _mouth(self) -> None:
        bend = {"happy": 0.13, "sad": -0.11, "angry": -0.04, "neutral": 0.0}[self.shot.expression]
        bend += float(self.rng.normal(0, 0.015))
        half = 0.4 if self.shot.expression == "happy" else 0.3
        steps = [-1 + step / 5 for step in range(11)]
        lower = [self.at(half * s, 0.58 + bend * (0.6 - s * s)) for s in steps]
        if self.shot.expression == "happy" and self.rng.random() < 0.6:
            upper = [self.at(half * s, 0.55 + bend * 0.2 * (0.6 - s * s)) for s in steps]
            self.pen.polygon(upper + lower[::-1], fill=min(245, self.shade(60)))
            self.line(upper, self.shade(-70), 4)
        self.line(lower, self.shade(-80), 6)

    def _eye(self, side: int) -> None:
        lon = side * _EYE_LON
        if not self.visible(lon):
            return
        size = self.person.eye
        tall = {"happy": 0.055, "angry": 0.05, "sad": 0.06}.get(self.shot.expression, 0.068) * size
        self.pen.polygon(self.patch(lon, _EYE_LAT + 0.01, (0.19 * size, tall + 0.05)), fill=self.shade(-18))
        self.pen.polygon(self.patch(lon, _EYE_LAT, (0.16 * size, tall)), fill=min(250, self.shade(55)))
        x, y = self.at(lon + 0.06 * math.copysign(1, self.yaw) * (abs(self.yaw) > 0.3), _EYE_LAT)
        r = self.b * tall * 0.95
        self.pen.ellipse((x - r, y - r, x + r, y + r), fill=35)
        lid = [self.at(lon + 0.18 * size * s, _EYE_LAT - tall * (1 - s * s) - 0.005) for s in (-1, -0.5, 0, 0.5, 1)]
        self.line(lid, self.shade(-90), 4)

    def _brow(self, side: int) -> None:
        lon = side * _EYE_LON
        if not self.visible(lon):
            return
        inner = {"angry": 0.07, "sad": -0.07}.get(self.shot.expression, 0.0)
        lat = _EYE_LAT - 0.23 - (0.03 if self.shot.expression == "happy" else 0)
        points = [self.at(lon - side * 0.2, lat + inner), self.at(lon, lat - 0.03), self.at(lon + side * 0.2, lat)]
        self.line(points, min(self.person.hair + 10, self.shade(-45)), self.person.brow)

    def _hair_in_front(self) -> None:
        person = self.person
        if person.style == "bald":
            return
        outline = []
        for step in range(25):
            angle = math.pi + math.pi * step / 24
            bump = 1 + (0.06 * math.sin(step * 2.4) if person.style == "curly" else 0)
            outline.append(self.turned(self.a * 1.07 * bump * math.cos(angle), self.b * 1.13 * bump * math.sin(angle)))
        dip = {"parted": 0.16, "short": 0.02}.get(person.style, 0.06)
        line = []
        for step in range(13):
            s = 1 - step / 6
            lat = -0.62 - dip * math.cos(s * 2.2 + (1.0 if person.style == "parted" else 0)) + 0.5 * abs(s) ** 5
            line.append(self.turned(self.a * 1.02 * s, self.b * math.sin(lat - self.pitch * 0.6)))
        self.pen.polygon(outline + line, fill=person.hair)
        # Strands, so that hair is no flat patch.
        for _ in range(10):
            x = float(self.rng.uniform(-0.8, 0.8)) * self.a
            y = -self.b * math.sqrt(max(0.05, 1.1 - (x / self.a) ** 2))
            tone = max(0, min(255, person.hair + int(self.rng.integers(-18, 30))))
            self.line([self.turned(x, y), self.turned(x * 1.05, y + 34)], tone, 3)

    def _glasses(self, *, dark: bool) -> None:
        frame = self.person.frame
        size = {"wayfarer": (0.33, 0.19), "round": (0.27, 0.22), "aviator": (0.34, 0.24), "wrap": (0.40, 0.17)}[frame]
        power = {"wayfarer": 4.0, "round": 2.0, "aviator": 2.6, "wrap": 3.0}[frame]
        drop = 0.04 if frame == "aviator" else 0.0
        rim = self.person.dark if dark else min(self.person.dark + 25, self.shade(-50))
        width = int(self.rng.integers(6, 9)) if dark else int(self.rng.integers(3, 6))
        for side in (-1, 1):
            lon = side * (_EYE_LON + 0.01)
            ear = self.at(_clip(side * 1.5, self.yaw), 0.0, 1.02)
            if abs(side * 1.5 + self.yaw) < 1.6:
                self.line([self.at(_clip(lon + side * size[0], self.yaw), -0.14), ear], rim, width)
            if not self.visible(lon - side * 0.15):
                continue
            lens = self.patch(lon, _EYE_LAT + drop, size, power)
            if dark:
                self.pen.polygon(lens, fill=self.person.dark)
                self._reflection(lon, size)
            elif self.rng.random() < 0.3:
                self._glare(lon, size)
            self.line([*lens, lens[0], lens[1]], rim, width)
        gap = _EYE_LON - size[0]
        lat = _EYE_LAT - 0.03
        self.line([self.at(-gap, lat), self.at(0, lat - 0.03, 1.04), self.at(gap, lat)], rim, width)

    def _reflection(self, lon: float, size: Point) -> None:
        if self.rng.random() < 0.55:
            tone = self.person.dark + int(self.rng.integers(20, 90))
            where = lon + float(self.rng.uniform(-0.4, 0.4)) * size[0]
            self.pen.polygon(self.patch(where, _EYE_LAT - 0.05, (0.07, 0.05)), fill=tone)

    def _glare(self, lon: float, size: Point) -> None:
        start, end = self.at(lon - size[0] * 0.5, _EYE_LAT - 0.1), self.at(lon - size[0] * 0.1, _EYE_LAT + 0.1)
        self.line([start, end], min(255, self.shade(70)), 4)


def _clip(lon: float, yaw: float) -> float:
    # Beyond the horizon the sine would fold a shape back onto the face.
    return max(-1.5 - yaw, min(1.5 - yaw, lon))
