"""Good small files of every format that Pillow reads: what the damage is done to. Seeded, and checked by Pillow."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

SIZE = (48, 40)

SAVES: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "AVIF": (("RGB", {"speed": 10}), ("RGBA", {"speed": 10})),
    "BLP": (("P", {}),),
    "BMP": (("RGB", {}), ("1", {}), ("P", {}), ("RGBA", {})),
    "DDS": (("RGB", {}), ("RGBA", {})),
    "DIB": (("RGB", {}),),
    "EPS": (("RGB", {}),),
    "GIF": (("P", {}), ("L", {}), ("RGB", {"save_all": True})),
    "ICNS": (("RGBA", {}),),
    "ICO": (("RGBA", {}),),
    "IM": (("RGB", {}),),
    "JPEG": (("RGB", {}), ("L", {}), ("CMYK", {}), ("RGB", {"progressive": True}), ("RGB", {"restart_marker_rows": 1})),
    "JPEG2000": (("RGB", {}), ("L", {})),
    "MPO": (("RGB", {"save_all": True}),),
    "MSP": (("1", {}),),
    "PCX": (("RGB", {}), ("P", {})),
    "PNG": (
        *(("RGB", {}), ("P", {}), ("RGBA", {}), ("L", {}), ("1", {}), ("I;16", {})),
        ("RGB", {"save_all": True}),
    ),
    "PPM": (("RGB", {}), ("L", {}), ("1", {}), ("I;16", {})),
    "QOI": (("RGB", {}), ("RGBA", {})),
    "SGI": (("RGB", {}),),
    "SPIDER": (("F", {}),),
    "TGA": (("RGB", {}), ("RGB", {"compression": "tga_rle"})),
    "TIFF": (
        *(("RGB", {}), ("I;16", {}), ("P", {}), ("CMYK", {})),
        *(("RGB", {"compression": kind}) for kind in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")),
        ("1", {"compression": "group4"}),
        ("RGB", {"save_all": True, "big_tiff": True}),
    ),
    "WEBP": (("RGB", {}), ("RGBA", {"lossless": True}), ("RGB", {"save_all": True})),
    "XBM": (("1", {}),),
}
"""Modes and settings of the formats that Pillow writes."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One good file."""

    kind: str
    data: bytes


def picture(rng: np.random.Generator, mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a picture that no coder can make nothing of: a gradient and noise."""
    width, height = size
    slope = np.linspace(0, 200, width)[None, :, None] + np.zeros((height, 1, 3))
    pixels = (slope + rng.integers(0, 56, (height, width, 3))).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    image = Image.fromarray(pixels)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(pixels[..., 1]))
        return image
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **settings: Any) -> bytes:
    """Return a picture's file."""
    if settings.get("save_all"):
        settings["append_images"] = [image.rotate(90 * turn) for turn in (1, 2, 3)]
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def make_seeds(rng: np.random.Generator) -> list[Seed]:
    """Return good files: of each format that this Pillow writes, and by hand of those that it only reads."""
    Image.init()
    seeds: list[Seed] = []
    with warnings.catch_warnings():
        # Pillow will drop one of them some day.
        warnings.simplefilter("ignore", DeprecationWarning)
        for kind, ways in SAVES.items():
            seeds += [Seed(kind, encoded(picture(rng, mode), kind, **settings)) for mode, settings in ways]
        seeds += [Seed(kind, data) for kind, data in _by_hand(rng)]
        for seed in seeds:
            _require_opens(seed)
    return seeds


def _require_opens(seed: Seed) -> None:
    # A seed that nothing reads would make the damage that is done to it worth nothing.
    kinds = ("JPEG", "MPO") if seed.kind == "MPO" else (seed.kind,)
    try:
        with Image.open(io.BytesIO(seed.data), formats=[kind for kind in kinds if kind in Image.OPEN]):
            pass
    except UnidentifiedImageError as error:
        raise ValueError(f"the seed of {seed.kind} is none: {seed.data[:40]!r}") from error


def _by_hand(rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    grey = bytes(rng.integers(0, 256, 64, dtype=np.uint8))
    icon = encoded(picture(rng, "RGBA", (16, 16)), "ICO", bitmap_format="bmp")
    yield "CUR", b"\0\0\2\0" + icon[4:]
    pcx = encoded(picture(rng), "PCX")
    yield "DCX", struct.pack("<3L", 0x3ADE68B1, 12, 0) + pcx
    cards = [f"{key:8}= {value:>20}" for key, value in (("SIMPLE", "T"), ("BITPIX", 8), ("NAXIS", 2), ("NAXIS1", 8))]
    yield "FITS", "".join(f"{card:80}" for card in [*cards, f"NAXIS2  = {8:>20}", "END"]).ljust(2880).encode() + grey
    yield (
        "FLI",
        struct.pack("<LHHHHHHL", 128 + 16, 0xAF11, 1, 8, 8, 8, 3, 5).ljust(128, b"\0")
        + struct.pack("<LHHQ", 16, 0xF1FA, 0, 0),
    )
    yield "FTEX", b"FTEX" + struct.pack("<8i", 0x10, 8, 8, 1, 1, 1, 36, 0) + struct.pack("<i", 192) + grey * 3
    yield "GBR", struct.pack(">5L", 28, 2, 8, 8, 1) + b"GIMP" + struct.pack(">L", 10) + grey
    yield "GRIB", b"GRIB\0\0\0\1" + grey
    yield "BUFR", b"BUFR" + grey
    yield "HDF5", b"\x89HDF\r\n\x1a\n" + grey
    yield "IMT", b"width 8\nheight 8\npixel n8\n\x0c" + grey
    records = (b"\x3c\0\2\1\0", b"\x14\0\2\0\x08", b"\x1e\0\2\0\x08", b"\x78\0\2\0\1")
    yield "IPTC", b"".join(b"\x1c\3" + record for record in records) + b"\x1c\x08\x0a\0\x40" + grey
    words = [0] * 64
    words[1], words[8], words[9], words[10], words[13], words[14], words[33], words[14] = 4, 8, 8, 1, 1, 0, 256, 0
    yield "MCIDAS", struct.pack("!64l", *words)[:4] + struct.pack("!l", 4) + struct.pack("!64l", *words)[8:] + grey
    yield "MPEG", b"\0\0\1\xb3\x00\x80\x08" + grey
    yield (
        "PIXAR",
        (b"\x80\xe8\0\0".ljust(416, b"\0") + struct.pack("<2H", 8, 8)).ljust(424, b"\0")
        + struct.pack("<2H", 14, 2).ljust(600, b"\0")
        + grey * 3,
    )
    yield "PCD", (bytes(2048) + b"PCD_" + bytes(4096))
    yield "PSD", b"8BPS\0\1" + bytes(6) + struct.pack(">HLLHH", 3, 8, 8, 8, 3) + bytes(12) + b"\0\0" + grey * 3
    yield "SUN", struct.pack(">8L", 0x59A66A95, 8, 8, 8, 64, 1, 0, 0) + grey
    yield "WMF", b"\xd7\xcd\xc6\x9a\0\0" + struct.pack("<4hH", 0, 0, 99, 99, 96).ljust(16, b"\0") + b"\1\0\t\0" + grey
    yield "XPM", b'/* XPM */\nstatic char *a[] = {\n"2 2 2 1",\n"a c #ff0000",\n"b c #00ff00",\n"ab",\n"ba"\n};\n'
    yield "XVTHUMB", b"P7 332\n#END_OF_COMMENTS\n8 8 255\n" + grey


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk of a PNG with its right checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
