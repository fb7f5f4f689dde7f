"""Bytes → upright RGB ``uint8``, and back. The only preprocessing, for training and for serving.

An image is a ``uint8`` array ``(height, width, 3)``, RGB, 0-255, upright (EXIF applied).
Pure but for `read_image` and `write_image`; each call stands alone.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PpmImagePlugin, UnidentifiedImageError

from gafas.errors import ImageError, UsageError
from gafas.files import write_beside

Rgb = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
"""Pillow's names of the formats that are read (JPEG opens MPO too); every other decoder stays closed."""

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp"}
    | {".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm", ".avif"}
)
"""File endings, lower case, by which a folder is searched."""

MAX_PIXELS = 178_956_970
"""The largest picture that is decoded, in pixels: Pillow's own limit against image bombs."""

_SIXTEEN_BIT_MODES = {"I", "I;16", "I;16L", "I;16B", "I;16N"}

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Rgb:
    """Decode one picture.

    An animation gives its first frame; transparency is laid on white; 16-bit samples are scaled to
    8 bits; CMYK and palettes are converted.

    Parameters
    ----------
    data : bytes
        A whole file, in one of `FORMATS`.
    max_pixels : int
        Larger pictures are refused before their pixels are decoded.

    Returns
    -------
    uint8 array (height, width, 3), RGB, 0-255, upright

    Raises
    ------
    ImageError
        Not a picture, damaged, truncated, too large, or of a pixel type without a defined range.
    """
    if not data:
        raise ImageError("the file is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            # Pillow only warns between its two bomb limits and about odd metadata; max_pixels decides.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if width * height > max_pixels:
                    raise ImageError(f"{width}×{height} pixels, expected at most {max_pixels:,}; make it smaller")
                _check_samples(image, data)
                image.load()
                return np.array(_to_rgb(_upright(image)), dtype=np.uint8)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError("not a picture in a known format (" + ", ".join(FORMATS) + ")") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"expected at most {max_pixels:,} pixels, got more; make it smaller") from error
    except Exception as error:  # Pillow's decoders let almost any exception out on damaged input.
        raise ImageError(f"damaged or truncated picture: {error or type(error).__name__}") from error


def _check_samples(image: Image.Image, data: bytes) -> None:
    """Refuse a binary PGM or PPM with samples above the maximum it names: Pillow would clip them."""
    tile = image.tile[0] if isinstance(image, PpmImagePlugin.PpmImageFile) and image.tile else None
    if tile is None or tile.codec_name != "ppm" or not isinstance(tile.args, tuple):
        return
    maximum = int(tile.args[1])
    dtype = np.dtype(">u2" if maximum > 255 else "u1")
    width, height = image.size
    count = min(width * height * len(image.getbands()), (len(data) - tile.offset) // dtype.itemsize)
    samples = np.frombuffer(data, dtype, count, tile.offset)
    if count and samples.max() > maximum:
        raise ImageError(f"the header says that the largest sample is {maximum}, got {samples.max()}; damaged picture")


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001  # the pixels are good: broken metadata is no reason to refuse them
        return image
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I" and image.format == "TIFF":
        raise ImageError("signed or 32-bit pixels have no defined range; convert to 8 or 16 bits")
    if image.mode in _SIXTEEN_BIT_MODES:
        samples = np.asarray(image).astype(np.int64)
        return Image.fromarray((samples.clip(0, 65535) / 257).round().astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ImageError("floating-point pixels have no defined range; convert to 8 or 16 bits")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def read_image(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Rgb:
    """Read and decode one file; see `decode`.

    Raises
    ------
    ImageError
        As `decode`, and when the file cannot be read; the message begins with the path.
    """
    try:
        return decode(Path(path).read_bytes(), max_pixels=max_pixels)
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error


def resize(image: Rgb, size: tuple[int, int]) -> Rgb:
    """Stretch an image to `size` ``(height, width)``, bilinear, antialiased when shrinking.

    The aspect is not kept: the notebook stretches 128×120 pictures to 128×128 as well.
    """
    height, width = size
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def stack(images: list[Rgb], size: tuple[int, int]) -> Rgb:
    """Resize images and stack them to a batch ``(n, height, width, 3)``."""
    if not images:
        return np.zeros((0, *size, 3), dtype=np.uint8)
    return np.stack([resize(image, size) for image in images])


def encode(image: Rgb, suffix: str, *, quality: int = 95) -> bytes:
    """Encode an image in the format that a file ending such as ``.jpg`` names; grey stays grey.

    Raises
    ------
    UsageError
        No picture format that can be written has that ending.
    """
    kind = Image.registered_extensions().get(suffix.lower())
    if suffix.lower() not in SUFFIXES or kind not in Image.SAVE:
        raise UsageError(f"expected an image ending such as .png or .jpg, got {suffix or 'none'}")
    grey = bool((image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all())
    picture = Image.fromarray(image[..., 0] if grey else image)
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, quality=quality)
    return buffer.getvalue()


def write_image(path: Path, image: Rgb, *, quality: int = 95) -> None:
    """Write an image atomically; the file's ending chooses the format, grey pictures stay grey.

    Raises
    ------
    OutputError
        The file cannot be written.
    UsageError
        The ending names no picture format.
    """
    with write_beside(path) as temporary:
        temporary.write_bytes(encode(image, path.suffix, quality=quality))
