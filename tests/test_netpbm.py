"""PGM and PPM that NumPy reads: the pixels that Pillow's own loops give, many times sooner."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

from gafas.errors import ImageError
from gafas.imaging import decode

MAXIMA = (1, 2, 7, 156, 254, 255, 256, 4000, 65534, 65535)


def _file(kind: int, maximum: int, size: tuple[int, int] = (17, 5)) -> bytes:
    width, height = size
    samples = np.random.default_rng(0).integers(0, maximum + 1, width * height * (3 if kind in {3, 6} else 1))
    head = f"P{kind}\n{width} {height}\n{maximum}\n".encode()
    if kind in {2, 3}:
        return head + b"\n".join(b"%d" % sample for sample in samples)
    return head + samples.astype(">u2" if maximum > 255 else "u1").tobytes()


@pytest.mark.parametrize("maximum", MAXIMA)
@pytest.mark.parametrize("kind", [2, 3, 5, 6])
def test_pixels_are_those_of_pillow(kind: int, maximum: int) -> None:
    data = _file(kind, maximum)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image)
    if maximum > 255 and kind in {2, 5}:
        expected = (expected.astype(np.int64) / 257).round()
    if expected.ndim == 2:
        expected = np.repeat(expected[..., None], 3, axis=2)
    np.testing.assert_array_equal(decode(data), expected)


@pytest.mark.parametrize("kind", [5, 6])
def test_an_odd_maximum_keeps_nobody_busy(kind: int) -> None:
    data = _file(kind, 254, (4000, 3000))
    start = time.thread_time()
    assert decode(data).shape == (3000, 4000, 3)
    with pytest.raises(ImageError, match="not enough image data"):
        decode(data[:-1])
    # Pillow takes 8 s for the grey one.
    assert time.thread_time() - start < 2
