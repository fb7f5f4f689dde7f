"""Pictures for the browser: drawn ones, so that nobody's photographs are needed."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from gafas.datasets.drawing import draw_face, make_person
from gafas.datasets.drawing_head import Shot
from gafas.imaging import Rgb, encode, resize, write_image

PERSON = 1
"""Whom detector and model are sure of, but not to the last digit: P(sunglasses) is 0.9973 with and 0.0016 without."""

PAIR = 4
"""Whom the detector finds twice in one picture."""


@lru_cache(maxsize=4)
def face(*, sunglasses: bool, seed: int = PERSON) -> Rgb:
    """One drawn person, 256 wide and 240 high."""
    person = make_person(np.random.default_rng(seed), clear_glasses=False)
    shot = Shot("straight", "neutral", sunglasses=sunglasses)
    grey = draw_face(person, shot, np.random.default_rng(100 + seed))
    return resize(np.stack([grey] * 3, axis=-1), (240, 256))


def grass() -> Rgb:
    """No face at all."""
    noise = np.random.default_rng(1).integers(80, 170, (40, 60, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((600, 400), Image.Resampling.BICUBIC))


def write_pictures(folder: Path) -> Path:
    """Write one picture for each thing that may happen."""
    write_image(folder / "dark.png", face(sunglasses=True))
    write_image(folder / "light.png", face(sunglasses=False))
    write_image(folder / "grass.png", grass())
    write_image(
        folder / "two.png", np.concatenate([face(sunglasses=worn, seed=PAIR) for worn in (True, False)], axis=1)
    )
    write_image(folder / "dark.pgm", face(sunglasses=True))
    write_image(folder / "huge.png", np.full((1200, 1800, 3), 200, np.uint8))
    (folder / "broken.png").write_bytes(encode(face(sunglasses=True), ".png")[:2000])
    (folder / "words.txt").write_text("not a picture", encoding="utf-8")
    (folder / "large.png").write_bytes(b"\x89PNG" + bytes(1_200_000))
    (folder / "turned.jpg").write_bytes(_turned(face(sunglasses=True)))
    return folder


def write_video(path: Path) -> Path:
    """Write what Chromium's false camera shows: JPEG after JPEG of a person with sunglasses."""
    stage = np.full((480, 640, 3), 128, np.uint8)
    stage[90:390, 160:480] = resize(face(sunglasses=True), (300, 320))
    path.write_bytes(encode(stage, ".jpg") * 5)
    return path


def _turned(image: Rgb) -> bytes:
    """Store a picture lying on its side, with the EXIF orientation that puts it upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(np.rot90(image)).save(stream, "JPEG", quality=95, exif=exif)
    return stream.getvalue()
