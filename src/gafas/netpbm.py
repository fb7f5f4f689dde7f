"""PGM and PPM whose samples Pillow takes one after the other in Python, 0.6 µs each: plain text, and odd maxima."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PpmImagePlugin

from gafas.errors import ImageError

_STRIP = 2**18
"""Samples scaled at once: NumPy takes eight bytes for each on the way."""


def read_samples(image: Image.Image, data: bytes) -> NDArray[np.uint8] | None:
    """Read such a picture as Pillow would; ``None`` for every other one, and where Pillow is to say what is wrong.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, its pixels not yet read; its size is not looked at.
    data : bytes
        The whole file.

    Returns
    -------
    uint8 array (height, width, 3), RGB, 0-255, or None

    Raises
    ------
    ImageError
        A binary file is truncated, or has samples above the maximum that it names: Pillow would clip them.
    """
    tile = image.tile[0] if isinstance(image, PpmImagePlugin.PpmImageFile) and image.tile else None
    if tile is None or not tile.codec_name.startswith("ppm") or not isinstance(tile.args, tuple):
        return None
    maximum = int(tile.args[1])
    shape = (image.height, image.width, len(image.getbands()))
    count = math.prod(shape)
    read = _binary if tile.codec_name == "ppm" else _plain
    if (samples := read(data, tile.offset, count, maximum)) is None:
        return None
    # Grey of more than 8 bits becomes 16 bits first, as in every other format.
    levels = np.arange(maximum + 1) / maximum
    table = ((levels * 65535).round() / 257 if image.mode == "I" else levels * 255).round().astype(np.uint8)
    samples, pixels = samples.reshape(shape), np.empty((*shape[:2], 3), dtype=np.uint8)
    rows = max(1, _STRIP // (shape[1] * shape[2]))
    for top in range(0, shape[0], rows):
        pixels[top : top + rows] = table[samples[top : top + rows]]
    return pixels


def _binary(data: bytes, offset: int, count: int, maximum: int) -> NDArray[Any]:
    dtype = np.dtype(">u2" if maximum > 255 else "u1")
    samples = np.frombuffer(data, dtype, min(count, (len(data) - offset) // dtype.itemsize), offset)
    if len(samples) and samples.max() > maximum:
        raise ImageError(f"the header says that the largest sample is {maximum}, got {samples.max()}; damaged picture")
    if len(samples) < count:
        raise ImageError(f"damaged or truncated picture: not enough image data: {len(samples)} of {count} samples")
    return samples


def _plain(data: bytes, offset: int, count: int, maximum: int) -> NDArray[Any] | None:
    """Return the numbers of a text; ``None`` where it holds too few or anything else than digits, such as comments."""
    text = data[offset:]
    # NumPy makes a number of spaces alone.
    if text.isspace() or text.translate(None, b"0123456789 \t\n\v\f\r"):
        return None
    samples = np.fromstring(text, dtype=np.int64, sep=" ")[:count]
    return samples if len(samples) == count and samples.max() <= maximum else None
