"""Photographs small enough to lie inside a page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image

from gafas.errors import ImageError
from gafas.imaging import Rgb, read_image

_SIDE = 192
"""Pixels of the longer side at most: shown at 160, with something left for denser screens."""

_EXACT = 9_000
"""Pixels up to which a picture is kept exactly: the small ones are to look as coarse as they are."""


def to_uri(image: Rgb, *, side: int = _SIDE) -> str:
    """Return a picture as a ``data:`` address: grey and lossless PNG where it is small, else JPEG.

    Parameters
    ----------
    image : uint8 array (height, width, 3), RGB, 0-255
    side : int
        The longer side at most, in pixels.
    """
    picture = Image.fromarray(image)
    if max(picture.size) > side:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    # Grey pictures take a third of the bytes as such.
    if (image[..., 0] == image[..., 1]).all() and (image[..., 1] == image[..., 2]).all():
        picture = picture.convert("L")
    stream = io.BytesIO()
    if picture.width * picture.height <= _EXACT:
        kind = "png"
        picture.save(stream, format="PNG", optimize=True)
    else:
        kind = "jpeg"
        picture.save(stream, format="JPEG", quality=82, optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def file_to_uri(path: Path, *, side: int = _SIDE) -> str | None:
    """Return a file as `to_uri`; ``None`` where it cannot be read."""
    try:
        return to_uri(read_image(path), side=side)
    except ImageError:
        return None
