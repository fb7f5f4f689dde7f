"""Bytes → upright RGB ``uint8``, and back. The only preprocessing, for training and for serving.

An image is a ``uint8`` array ``(height, width, 3)``, RGB, 0-255, upright (EXIF applied).
Pure but for `read_image`, `pixels_of` and `write_image`; each call stands alone, in any thread.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gafas.errors import ImageError, NotAnImageError, TooManyPixelsError, UsageError
from gafas.files import write_beside
from gafas.netpbm import read_samples
from gafas.structure import MAX_EXIF, check_structure

Rgb = NDArray[np.uint8]

LUMA = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue in grey (ITU-R BT.601)."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
"""Pillow's names of the formats that are read (JPEG opens MPO too); every other decoder stays closed."""

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp"}
    | {".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm", ".avif"}
)
"""File endings, lower case, by which a folder is searched."""

MAX_PIXELS = 178_956_970
"""The largest picture that is decoded, in pixels: Pillow's own limit against image bombs."""

MAX_FLAT_PIXELS = 12_000_000
"""The largest picture of which `MAX_PIXELS_PER_BYTE` is not asked."""

MAX_PIXELS_PER_BYTE = 50
"""Pixels for each byte of a larger picture's file; a photograph has 1 to 30, an image bomb up to millions."""

MAX_PIXELS_PER_BYTE_LOSSLESS = 20
"""The same of PNG, GIF, TIFF, BMP and PPM, where a photograph has 2 at the most."""

_LOSSY = frozenset({"JPEG", "MPO", "WEBP", "AVIF"})

MAX_BYTES = 2**26
"""Bytes of a file that are read in any case, 64 MiB; a larger one may have `MAX_BYTES_PER_PIXEL` more."""

MAX_BYTES_PER_PIXEL = 16

_MEMORY = {"WEBP": 16, "AVIF": 10, "progressive": 10}
"""Bytes for each pixel while it is decoded, measured, where they are not 7: four in Pillow and three in the array."""

_SIXTEEN_BIT_MODES = {"I", "I;16", "I;16L", "I;16B", "I;16N"}

_ORIENTATION = 0x0112
_AS_STORED: dict[int, Callable[[Rgb], Rgb]] = {
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: np.rot90,
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}
"""How an upright array looks when it lies as in the file, by EXIF orientation: views, nothing is copied."""

_STRIP = 2**18
"""Pixels converted at once: whole copies of a large picture would cost several times its own memory, and time."""

_LARGE = 2**22
"""Pixels from which a picture is also resized strip by strip."""


class _Quiet:
    """Ignores warnings while any thread is inside: Pillow only warns between its two bomb limits and of odd metadata.

    Threads that each used `warnings.catch_warnings` would restore the filters in the wrong order.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._caught = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._caught.__exit__(None, None, None)


_QUIET = _Quiet()


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
    NotAnImageError
        Not a picture in one of `FORMATS`.
    TooManyPixelsError
        Larger than `max_pixels`, or an image bomb: over `MAX_FLAT_PIXELS` with over `MAX_PIXELS_PER_BYTE`.
    ImageError
        Damaged, truncated, of a pixel type without a defined range, or built to keep its reader busy; see
        `gafas.structure`.
    """
    if not data:
        raise NotAnImageError("the file is empty (0 bytes)")
    check_structure(io.BytesIO(data))
    try:
        with _QUIET, Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image, len(data), max_pixels)
            if (pixels := read_samples(image, data)) is not None:
                return pixels
            image.load()
            return _to_array(image)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise NotAnImageError("not a picture in a known format (" + ", ".join(FORMATS) + ")") from error
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError(f"expected at most {max_pixels:,} pixels, got more; make it smaller") from error
    except Exception as error:  # Pillow's decoders let almost any exception out on damaged input.
        raise ImageError(f"damaged or truncated picture: {error or type(error).__name__}") from error


def _check_size(image: Image.Image, count: int, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise TooManyPixelsError(f"{width}×{height} pixels, expected at most {max_pixels:,}; make it smaller")
    most = MAX_PIXELS_PER_BYTE if image.format in _LOSSY else MAX_PIXELS_PER_BYTE_LOSSLESS
    if width * height > max(MAX_FLAT_PIXELS, most * count):
        raise TooManyPixelsError(
            f"{width}×{height} pixels in {count:,} bytes, which only an image bomb or an empty picture has; "
            f"expected at most {most} for each byte, or make it smaller than {MAX_FLAT_PIXELS:,}"
        )


def _to_array(image: Image.Image) -> Rgb:
    """Convert strip by strip: an upright array is filled as the picture lies in the file."""
    width, height = image.size
    orientation = _orientation(image)
    upright = np.empty((width, height, 3) if orientation >= 5 else (height, width, 3), dtype=np.uint8)
    stored = _AS_STORED.get(orientation, np.asarray)(upright)
    if image.mode == "I" and image.format == "TIFF":
        raise ImageError("signed or 32-bit pixels have no defined range; convert to 8 or 16 bits")
    for top, bottom in _strips(height, width):
        stored[top:bottom] = np.asarray(_to_rgb(image.crop((0, top, width, bottom))))
    return upright


def _strips(height: int, width: int) -> Iterator[tuple[int, int]]:
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def _orientation(image: Image.Image) -> int:
    if len(image.info.get("exif", b"")) > MAX_EXIF:
        return 1
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001  # the pixels are good: broken metadata is no reason to refuse them
        return 1
    return orientation if orientation in _AS_STORED else 1


def _to_rgb(image: Image.Image) -> Image.Image:
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
        with Path(path).open("rb") as file:
            return decode(read_bytes(file, max_pixels=max_pixels), max_pixels=max_pixels)
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ImageError as error:
        raise type(error)(f"{path}: {error}") from error


def read_bytes(file: BinaryIO, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Read a file or a pipe as far as a picture may go.

    Raises
    ------
    TooManyPixelsError
        It has more than `MAX_BYTES` and `MAX_BYTES_PER_PIXEL`.
    """
    data = file.read(MAX_BYTES + 1)
    if len(data) <= MAX_BYTES:
        return data
    pixels = min(pixels_of(file if file.seekable() else io.BytesIO(data)), max_pixels)
    limit = MAX_BYTES + MAX_BYTES_PER_PIXEL * pixels
    if file.seekable():
        data = b""
        file.seek(0)
    data += file.read(limit + 1 - len(data))
    if len(data) > limit:
        raise TooManyPixelsError(f"more than {limit:,} bytes for {pixels:,} pixels; expected a picture, save it anew")
    return data


def pixels_of(file: str | Path | BinaryIO) -> int:
    """Return how many pixels a picture will have, from its header alone; 0 where it cannot be read as a picture."""
    return _look_at(file)[0]


def memory_of(file: str | Path | BinaryIO, *, max_pixels: int = MAX_PIXELS) -> int:
    """Return about how many bytes `decode` takes for a picture, from its header alone; 0 where it will be refused."""
    pixels, kind = _look_at(file)
    return 0 if pixels > max_pixels else pixels * _MEMORY.get(kind, 7)


def _look_at(file: str | Path | BinaryIO) -> tuple[int, str]:
    """Return the number of pixels and the format."""
    try:
        if isinstance(file, str | Path):
            with Path(file).open("rb") as opened:
                return _look_at(opened)
        check_structure(file)
        with _QUIET, Image.open(file, formats=FORMATS) as image:
            progressive = "progressive" if "progressive" in image.info else ""
            return image.width * image.height, progressive or image.format or ""
    except Exception:  # noqa: BLE001  # whoever reads the picture says what is wrong with it
        return 0, ""


def resize(image: Rgb, size: tuple[int, int]) -> Rgb:
    """Stretch an image to `size` ``(height, width)``, bilinear, antialiased when shrinking.

    The aspect is not kept: the notebook stretches 128×120 pictures to 128×128 as well.
    """
    height, width = size
    if image.shape[:2] == (height, width):
        return image
    if image.shape[0] * image.shape[1] > _LARGE:
        # Width before height: Pillow may choose the other order, which rounds to a neighbouring level here and there.
        strips = (image[top:bottom] for top, bottom in _strips(*image.shape[:2]))
        image = np.concatenate([_stretch(strip, (len(strip), width)) for strip in strips])
    return _stretch(image, size)


def _stretch(image: Rgb, size: tuple[int, int]) -> Rgb:
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))


def stack(images: list[Rgb], size: tuple[int, int]) -> Rgb:
    """Resize images and stack them to a batch ``(n, height, width, 3)``."""
    if not images:
        return np.zeros((0, *size, 3), dtype=np.uint8)
    return np.stack([resize(image, size) for image in images])


def crop(image: Rgb, x0: int, y0: int, x1: int, y1: int) -> Rgb:
    """Cut out a rectangle, `x1` and `y1` exclusive; what lies outside the image repeats its border.

    Raises
    ------
    ValueError
        The rectangle is empty or has no pixel in common with the image.
    """
    height, width = image.shape[:2]
    if x1 <= max(x0, 0) or y1 <= max(y0, 0) or x0 >= width or y0 >= height:
        raise ValueError(f"({x0}, {y0}, {x1}, {y1}) has no pixel in common with {width}×{height}")
    inside = image[max(y0, 0) : y1, max(x0, 0) : x1]
    border = ((max(-y0, 0), max(y1 - height, 0)), (max(-x0, 0), max(x1 - width, 0)), (0, 0))
    return np.pad(inside, border, mode="edge") if any(map(any, border)) else inside


def can_encode(suffix: str) -> bool:
    """Say whether pictures of a file ending such as ``.jpg`` can be written."""
    kind = Image.registered_extensions().get(suffix.lower())
    return suffix.lower() in SUFFIXES and kind in Image.SAVE


def encode(image: Rgb, suffix: str, *, quality: int = 95) -> bytes:
    """Encode an image in the format that a file ending such as ``.jpg`` names; grey stays grey.

    Raises
    ------
    UsageError
        No picture format that can be written has that ending.
    """
    if not can_encode(suffix):
        raise UsageError(f"expected an image ending such as .png or .jpg, got {suffix or 'none'}")
    grey = bool((image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all())
    picture = Image.fromarray(image[..., 0] if grey else image)
    buffer = io.BytesIO()
    picture.save(buffer, format=Image.registered_extensions()[suffix.lower()], quality=quality)
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
