"""Drawing one cartoon face in grey. Pure: a person, a shot and a generator in, pixels out.

It is drawn large, to be shrunk, which smooths the edges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from gafas.datasets.drawing_head import HEIGHT, WIDTH, Head, Person, Point, Shot

Grey = NDArray[np.uint8]

HAIR = ("short", "parted", "long", "curly", "bald")
BEARDS = ("none", "none", "none", "moustache", "beard")
FRAMES = ("wayfarer", "round", "aviator", "wrap")


def draw_portrait(seed: int) -> NDArray[np.uint8]:
    """Draw somebody who looks into the camera, without glasses.

    Returns
    -------
    uint8 array (height, width, 3), RGB
        All three channels alike.
    """
    person = make_person(np.random.default_rng(seed), clear_glasses=False)
    grey = draw_face(person, Shot("straight", "neutral", sunglasses=False), np.random.default_rng(100 + seed))
    return np.stack([grey] * 3, axis=-1)


def make_person(rng: np.random.Generator, *, clear_glasses: bool) -> Person:
    """Invent a person."""
    skin = int(rng.integers(95, 215))
    return Person(
        skin=skin,
        hair=int(rng.choice([12, 25, 40, 70, 120, 175])),
        style=str(rng.choice(HAIR, p=[0.34, 0.22, 0.2, 0.14, 0.1])),
        beard=str(rng.choice(BEARDS)),
        shirt=int(rng.integers(20, 235)),
        stripes=bool(rng.random() < 0.35),
        frame=str(rng.choice(FRAMES)),
        dark=int(rng.integers(6, 42)),
        clear_glasses=clear_glasses,
        face_width=float(rng.uniform(78, 98)),
        face_height=float(rng.uniform(104, 124)),
        eye=float(rng.uniform(0.85, 1.2)),
        brow=int(rng.integers(5, 13)),
        room=int(rng.integers(2**31)),
    )


def draw_face(person: Person, shot: Shot, rng: np.random.Generator) -> Grey:
    """Draw one picture: uint8 array (480, 512), grey, 0-255."""
    board = Image.new("L", (WIDTH, HEIGHT), 0)
    shift = (float(rng.normal(0, 22)), float(rng.normal(0, 14)))
    _draw_room(board, person, (shift[0] * 0.4, shift[1] * 0.4))
    head = Head(board, person, shot, shift, rng)
    head.draw()
    return _photograph(board, rng)


def glitch(image: Grey, rng: np.random.Generator) -> Grey:
    """Spoil a picture as a failing frame grabber does: rolled, torn or with bands of noise."""
    height, width = image.shape
    spoilt = image.copy()
    kind = int(rng.integers(3))
    if kind == 0:
        spoilt = np.roll(spoilt, (int(rng.integers(height // 4, height // 2)), int(rng.integers(width))), (0, 1))
    start = int(rng.integers(height // 6, height // 2))
    slope = float(rng.uniform(0.8, 2.5)) * float(rng.choice([-1, 1]))
    if kind <= 1:
        for row in range(start, height):
            spoilt[row] = np.roll(spoilt[row], int((row - start) * slope) + width // 3)
    else:
        for _ in range(int(rng.integers(4, 8))):
            top = int(rng.integers(0, height - height // 12))
            band = spoilt[top : top + height // 12]
            band[:] = rng.integers(0, 256, band.shape) if rng.random() < 0.5 else band[:, ::-1]
    return spoilt


def _draw_room(board: Image.Image, person: Person, shift: Point) -> None:
    """Draw what stands behind a person: the same things in each picture, a little moved."""
    rng = np.random.default_rng(person.room)
    pen = ImageDraw.Draw(board)
    wall = int(rng.integers(40, 190))
    pen.rectangle((0, 0, WIDTH, HEIGHT), fill=wall)
    for _ in range(int(rng.integers(4, 11))):
        x, y = rng.uniform(-60, WIDTH) + shift[0], rng.uniform(-60, HEIGHT * 0.8) + shift[1]
        w, h = rng.uniform(25, 190), rng.uniform(25, 210)
        tone = int(np.clip(wall + rng.normal(0, 55), 5, 245))
        if rng.random() < 0.75:
            pen.rectangle((x, y, x + w, y + h), fill=tone)
        else:
            pen.ellipse((x, y, x + w, y + h), fill=tone)
        if rng.random() < 0.35:
            for shelf in np.arange(y + 12, y + h, 26):
                pen.line((x, shelf, x + w, shelf), fill=int(np.clip(tone - 45, 0, 255)), width=5)


def _photograph(board: Image.Image, rng: np.random.Generator) -> Grey:
    """Light the scene, blur it a little, and add the camera's noise."""
    soft = board.filter(ImageFilter.GaussianBlur(float(rng.uniform(1.5, 4.0))))
    pixels = np.asarray(soft, dtype=np.float32)
    across = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None]
    light = 1 + rng.normal(0, 0.14) * across + rng.normal(0, 0.08) * down - 0.08 * (across**2 + down**2)
    pixels = pixels * light * rng.uniform(0.65, 1.1) + rng.uniform(0, 22)
    # Noise of the small picture's grain: four board pixels wide.
    grain = rng.normal(0, rng.uniform(2.5, 7), (HEIGHT // 4, WIDTH // 4)).astype(np.float32)
    pixels += np.repeat(np.repeat(grain, 4, axis=0), 4, axis=1)
    return np.asarray(pixels.clip(0, 255).round(), dtype=np.uint8)
