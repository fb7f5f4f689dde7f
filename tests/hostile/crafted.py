"""Files that are made to hurt: bombs, endless animations, absurd metadata, floods of parts. Seeded; most are small."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from tests.hostile.seeds import encoded, picture, png_chunk

Crafted = tuple[str, str, bytes]
"""Kind, name, content."""


def make_crafted(rng: np.random.Generator, *, kinds: tuple[str, ...] = ()) -> Iterator[Crafted]:
    """Yield all of them, or those of some kinds."""
    for kind, make in _MAKERS:
        for name, data in make(rng) if not kinds or kind in kinds else ():
            yield kind, name, data


def _claims(rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Headers that promise more than there is."""
    for width, height in ((15_000, 15_000), (13_000, 13_000), (2**31 - 1, 1), (1, 2**31 - 1), (60_000, 2_900)):
        name = f"claims-{width}x{height}"
        head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        yield f"{name}.png", b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", bytes(10)) + png_chunk(b"IEND", b"")
        yield f"{name}.pgm", f"P5 {width} {height} 255\n".encode()
        yield f"{name}.ppm", f"P3 {width} {height} 255\n1 2 3".encode()
        bmp = bytearray(encoded(picture(rng), "BMP"))
        bmp[18:26] = struct.pack("<ii", width, height)
        yield f"{name}.bmp", bytes(bmp)
        sides = min(width, 65_535), min(height, 65_535)
        gif = bytearray(encoded(picture(rng, "P"), "GIF"))
        gif[6:10] = struct.pack("<HH", *sides)
        yield f"{name}.gif", bytes(gif)
        jpeg = encoded(picture(rng), "JPEG")
        place = jpeg.index(b"\xff\xc0") + 5
        yield f"{name}.jpg", jpeg[:place] + struct.pack(">HH", *sides[::-1]) + jpeg[place + 4 :]
        tiff = encoded(picture(rng), "TIFF")
        sized = _tiff([(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8)])
        yield f"{name}.tif", sized + tiff


def _bombs(rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Whole pictures of one colour: a few bytes for many pixels, below and above what is let through."""
    for side in (3_000, 3_464, 4_000, 9_000, 13_000):
        for kind, mode, settings in _BOMBS:
            if side > _LARGEST.get(kind, 13_000):
                continue
            with Image.new(mode, (side, side)) as blank:
                yield f"flat-{side}-{mode}-{kind}.{_ENDINGS[kind]}".replace(";", ""), encoded(blank, kind, **settings)


_BOMBS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("PNG", "1", {}),
    ("PNG", "RGB", {"compress_level": 6}),
    ("WEBP", "RGB", {"lossless": True, "quality": 0, "method": 0}),
    ("GIF", "P", {}),
    ("AVIF", "RGB", {"speed": 10}),
    ("JPEG", "L", {"progressive": True}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "1", {"compression": "group4"}),
)
_LARGEST = {"AVIF": 4_000, "WEBP": 9_000, "JPEG": 4_000, "GIF": 9_000, "TIFF": 9_000}
_ENDINGS = {"PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif", "JPEG": "jpg", "TIFF": "tif"}


def _animations(rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    frames = [picture(rng, "P", (16, 16)) for _ in range(3)]
    for kind, ending in (("GIF", "gif"), ("PNG", "png"), ("WEBP", "webp"), ("TIFF", "tif")):
        many = [frame if kind != "WEBP" else frame.convert("RGB") for frame in frames * 100]
        buffer = io.BytesIO()
        settings = {} if kind == "TIFF" else {"loop": 0, "duration": 1}
        many[0].save(buffer, kind, save_all=True, append_images=many[1:], **settings)
        yield f"frames-300.{ending}", buffer.getvalue()
    gif = encoded(frames[0], "GIF")
    first = gif[gif.index(b",\0\0\0\0") : -1]
    yield "frames-60000.gif", gif[:-1] + first * 10_000 + b";"
    yield "endless.gif", gif[:-1] + first * 10_000
    # An IFD that names itself, and two that name each other, as the next page.
    yield "page-is-itself.tif", _tiff([(256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (262, 3, 1, 1)], following=8)
    jpeg = encoded(picture(rng), "JPEG")
    yield "nested-in-exif.jpg", jpeg[:2] + b"".join(_app(1, b"Exif\0\0" + jpeg[:60_000]) for _ in range(9)) + jpeg[2:]
    yield "mpo-in-mpo.mpo", encoded(picture(rng), "MPO", save_all=True) * 50
    png = encoded(picture(rng), "PNG")
    yield "png-in-png.png", png[:33] + png_chunk(b"iDOT", png) * 500 + png[33:]
    yield "apng-claims-frames.png", png[:33] + png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)) + png[33:]


def _metadata(rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    small = picture(rng)
    notes = PngImagePlugin.PngInfo()
    for number in range(70):
        notes.add_text(f"note{number}", "a" * 2**20, zip=True)
    yield "text-bomb.png", encoded(small, "PNG", pnginfo=notes)
    yield "profile-bomb.png", encoded(small, "PNG", icc_profile=bytes(30_000_000))
    yield "profile.jpg", encoded(small, "JPEG", icc_profile=rng.bytes(2_000_000))
    yield "profile.webp", encoded(small, "WEBP", icc_profile=rng.bytes(2_000_000))
    count = 3_000_000
    place = struct.pack("<HHHII", 1, 0x112, 3, count, 26) + bytes(4) + b"\1\0" * count
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + place
    yield "orientation-3000000.webp", encoded(small, "WEBP", exif=exif)
    yield "orientation-3000000.png", encoded(small, "PNG", exif=exif)
    jpeg = encoded(small, "JPEG")
    parts = [exif[6 + start : 60_006 + start] for start in range(0, len(exif) - 6, 60_000)]
    yield "orientation-3000000.jpg", jpeg[:2] + b"".join(_app(1, b"Exif\0\0" + part) for part in parts) + jpeg[2:]
    loop = b"Exif\0\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 8, 8)
    yield "exif-names-itself.jpg", encoded(small, "JPEG", exif=loop)
    yield "photoshop.jpg", jpeg[:2] + _app(13, (b"Photoshop 3.0\0" + b"8BIM\0\1\0\0\0\0\0\0" * 5_000)) * 50 + jpeg[2:]
    gif = encoded(picture(rng, "P"), "GIF")
    start = 13 + (3 << (gif[10] & 7) + 1)
    yield "comment.gif", gif[:start] + b"!\xfe" + (b"\xff" + b"c" * 255) * 16_000 + b"\0" + gif[start:]
    yield "comment.ppm", b"P5 #" + b"c" * 8_000_000 + b"\n4 4 255\n" + bytes(16)


def _floods(rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    small = picture(rng)
    png, jpeg, gif = (encoded(small, kind) for kind in ("PNG", "JPEG", "GIF"))
    yield "chunks.png", png[:33] + png_chunk(b"teSt", b"") * 300_000 + png[33:]
    yield "texts.png", png[:33] + png_chunk(b"tEXt", b"a\0b") * 200_000 + png[33:]
    body = png.index(b"IDAT") - 4
    yield "empty-idat.png", png[:body] + png_chunk(b"IDAT", b"") * 300_000 + png[body:]
    yield "segments.jpg", jpeg[:2] + b"\xff\xe5\0\2" * 1_500_000 + jpeg[2:]
    yield "filling.jpg", jpeg[:2] + b"\xff" * 8_000_000 + jpeg[2:]
    yield "junk.jpg", jpeg[:2] + bytes(8_000_000) + jpeg[2:]
    yield "starts.jpg", b"\xff\xd8" * 3_000_000 + jpeg[2:]
    start = 13 + (3 << (gif[10] & 7) + 1)
    yield "blocks.gif", gif[:start] + b"!\xfe" + b"\1c" * 3_000_000 + b"\0" + gif[start:]
    yield "notes.gif", gif[:start] + b"!\xfe\0" * 2_000_000 + gif[start:]
    yield "zeros.gif", gif[:start] + bytes(8_000_000) + gif[start:]
    yield "plain-12-megapixels.pgm", b"P2 4000 3000 255\n" + b"0 " * 12_000_000
    yield "plain-1-megapixel.ppm", b"P3 1000 680 255\n" + b"0 " * 2_040_000
    yield "maximum-254.ppm", b"P6 2400 2000 254\n" + bytes(14_400_000)
    yield "maximum-254-cut.ppm", b"P6 2400 2000 254\n" + bytes(14_399_999)
    yield "spaces.ppm", b"P5 " + b" " * 8_000_000 + b"4 4 255\n" + bytes(16)


def _scans(rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Progressive pictures that are gone over again and again."""
    for side, again in ((4_000, 200), (3_000, 40), (500, 3_000)):
        data = encoded(picture(rng, "L", (side, side)).point(lambda value: 128), "JPEG", progressive=True)
        scan = data[data.rindex(b"\xff\xda") : -2]
        yield f"scans-{again}-of-{side}.jpg", data[:-2] + scan * again + data[-2:]


def _tiffs(rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    least = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    for count in (200_000, 2_000_000):
        place = 8 + 2 + 12 * 8 + 4
        strips = [*least, (273, 4, count, place), (278, 4, 1, 1), (279, 4, count, place)]
        yield f"strips-{count}.tif", _tiff(strips, behind=struct.pack("<I", 100) * count)
        ratios = [*least, (273, 4, 1, 8), (278, 4, 1, 1), (282, 5, count, place)]
        yield f"resolutions-{count}.tif", _tiff(ratios, behind=struct.pack("<II", 1, 3) * count)
    yield "tags-65535.tif", _tiff([*least, *((number, 3, 1, 1) for number in range(300, 60_000))])
    yield "tile-of-2-gigabytes.tif", _tiff([*least, (322, 4, 1, 65_536), (323, 4, 1, 32_768), (324, 4, 1, 8)])


def _tiff(entries: list[tuple[int, int, int, int]], *, following: int = 0, behind: bytes = b"") -> bytes:
    tags = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + tags + struct.pack("<I", following) + behind


def _app(number: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, 0xE0 + number, len(body) + 2) + body


_MAKERS: tuple[tuple[str, Callable[[np.random.Generator], Iterator[tuple[str, bytes]]]], ...] = (
    ("claim", _claims),
    ("bomb", _bombs),
    ("animation", _animations),
    ("metadata", _metadata),
    ("flood", _floods),
    ("flood", _scans),
    ("flood", _tiffs),
)
