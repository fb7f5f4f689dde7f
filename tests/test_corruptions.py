"""Corruptions: the size stays, the strength is what the name says, the input is not touched."""

from __future__ import annotations

import numpy as np
import pytest

from gafas import corruptions
from gafas.corruptions import CORRUPTIONS
from gafas.imaging import Rgb


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def ramp(height: int = 40, width: int = 60) -> Rgb:
    line = np.linspace(0, 255, width).astype(np.uint8)
    return np.broadcast_to(line[None, :, None], (height, width, 3)).copy()


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("size", [(40, 60), (61, 32), (1, 1), (7, 200)])
def test_size_stays_and_input_is_not_touched(name: str, size: tuple[int, int]) -> None:
    image = ramp(*size)
    before = image.copy()
    out = CORRUPTIONS[name](image, rng())
    assert (out.shape, out.dtype) == (image.shape, np.dtype(np.uint8))
    assert (image == before).all()
    assert (CORRUPTIONS[name](image, rng()) == out).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_does_something(name: str) -> None:
    image = ramp()
    image[10:20, 20:30] = 255
    assert (CORRUPTIONS[name](image, rng()) != image).mean() > 0.1


def test_brightness() -> None:
    image = np.full((2, 2, 3), 100, dtype=np.uint8)
    assert corruptions.scale_brightness(image, 0.4).max() == 40
    assert corruptions.scale_brightness(image, 1.8).min() == 180
    assert corruptions.scale_brightness(image, 10).min() == 255


def test_blur_has_its_sigma() -> None:
    image = np.zeros((41, 41, 3), dtype=np.uint8)
    image[:, 20] = 255
    row = corruptions.blur(image, 2.0)[20, :, 0].astype(float)
    spread = np.sqrt(np.average((np.arange(41) - 20) ** 2, weights=row))
    assert spread == pytest.approx(2.0, rel=0.1)


def test_noise_has_its_sigma_and_another_seed_is_another_noise() -> None:
    image = np.full((100, 100, 3), 128, dtype=np.uint8)
    noisy = corruptions.add_noise(image, 15, rng())
    assert (noisy - image.astype(float)).std() == pytest.approx(15, rel=0.05)
    assert (corruptions.add_noise(image, 15, np.random.default_rng(2)) != noisy).any()


def test_rotation_turns_counter_clockwise_and_repeats_the_border() -> None:
    image = np.full((101, 101, 3), 200, dtype=np.uint8)
    image[50, 90] = 0
    turned = corruptions.rotate(image, 20)
    y, x = np.unravel_index(turned[..., 0].argmin(), (101, 101))
    assert (x, y) == pytest.approx((50 + 40 * np.cos(np.deg2rad(20)), 50 - 40 * np.sin(np.deg2rad(20))), abs=1.5)
    # No black corners.
    assert turned[[0, 0, -1, -1], [0, -1, 0, -1]].min() == 200
    back = corruptions.rotate(corruptions.rotate(ramp(101, 101), 20), -20)
    assert np.abs(back[30:70, 30:70].astype(int) - ramp(101, 101)[30:70, 30:70]).max() <= 3


def test_jpeg_loses() -> None:
    # Grey, for colour is what JPEG gives up first.
    noisy = corruptions.add_noise(np.full((64, 64, 3), 128, dtype=np.uint8), 30, rng())[..., :1].repeat(3, axis=2)
    good, bad = (np.abs(corruptions.compress(noisy, q).astype(int) - noisy).mean() for q in (95, 20))
    assert bad > 2 * good
