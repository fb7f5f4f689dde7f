"""The eyes of one photograph in the face of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the train extra is not installed")

from gafas.imaging import Rgb
from gafas.learn.grafting import graft
from gafas.values import FaceBox

LANDMARKS = ((40.0, 50.0), (60.0, 50.0), (50.0, 62.0), (42.0, 74.0), (58.0, 74.0))
BOX = FaceBox(30, 30, 70, 85, confidence=0.9, landmarks=LANDMARKS)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def face(skin: int, eyes: int, *, scale: int = 1) -> Rgb:
    """A plain face of one colour with two spots for eyes."""
    image = np.full((120 * scale, 100 * scale, 3), skin, dtype=np.uint8)
    for x in (40, 60):
        image[45 * scale : 55 * scale, (x - 5) * scale : (x + 5) * scale] = eyes
    return image


def test_the_eyes_come_from_the_donor_and_the_rest_from_the_host(random: np.random.Generator) -> None:
    host, donor = face(150, 220), face(150, 10)
    out = graft(host, BOX, donor, BOX, random)
    assert out.dtype == np.uint8
    assert out.shape == host.shape
    assert out[50, 40].max() < 40
    assert out[50, 60].max() < 40
    assert (out[90:] == host[90:]).all()
    assert (out[:25] == host[:25]).all()


def test_a_donor_of_another_size_and_place_is_laid_on_the_hosts_eyes(random: np.random.Generator) -> None:
    donor = np.roll(face(150, 10, scale=2), 30, axis=1)
    points = tuple((2 * x + 30, 2 * y) for x, y in LANDMARKS)
    out = graft(face(150, 220), BOX, donor, FaceBox(90, 60, 170, 170, landmarks=points), random)
    assert out[50, 40].max() < 40
    assert out[50, 60].max() < 40
    assert abs(int(out[50, 50, 0]) - 150) < 15


def test_the_brightness_is_the_hosts(random: np.random.Generator) -> None:
    out = graft(face(160, 200), BOX, face(100, 10), BOX, random)
    assert out[60, 50, 0] == pytest.approx(160, abs=6)


def test_without_landmarks_nothing_is_done(random: np.random.Generator) -> None:
    host, donor = face(150, 220), face(150, 10)
    bare = replace(BOX, landmarks=None)
    assert (graft(host, bare, donor, BOX, random) == host).all()
    assert (graft(host, BOX, donor, bare, random) == host).all()


@pytest.mark.parametrize(
    "points",
    [
        ((-40.0, -10.0), (300.0, 400.0), (0.0, 900.0), (-5.0, 3.0), (2.0, 1.0)),
        ((50.0, 50.0),) * 5,
        ((5e5, 5e5), (5e5 + 1, 5e5), (-5e5, -5e5), (0.0, 0.0), (0.0, 0.0)),
    ],
)
def test_landmarks_outside_or_in_one_place_break_nothing(
    points: tuple[tuple[float, float], ...], random: np.random.Generator
) -> None:
    strange = replace(BOX, landmarks=points)
    for host, donor in ((strange, BOX), (BOX, strange), (strange, strange)):
        out = graft(face(150, 220), host, face(150, 10), donor, random)
        assert out.shape == (120, 100, 3)
        assert out.dtype == np.uint8
