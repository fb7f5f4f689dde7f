"""How a picture's file is built, looked at before Pillow parses it: parts without number, scans without end.

Pillow reads headers and chunks one at a time in Python, and libjpeg goes over all pixels for each scan, so that a
file of a few megabytes can take them minutes. What no camera or program writes is refused here. Nothing is decoded.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from typing import BinaryIO

from gafas.errors import ImageError, TooManyPixelsError

MAX_PARTS = 10_000
"""Chunks of a PNG or segments of a JPEG, beyond one for each KiB of the file; a photograph has some 30."""

MAX_BLOCKS = 100_000
"""Blocks of a GIF, notes and their parts, before its first frame."""

MAX_VALUES = 2**17
"""Values of one TIFF tag, bytes and texts aside: one for each row of a picture are far fewer."""

MAX_EXIF = 2**20
"""Bytes of EXIF that are looked into; a segment of a JPEG holds 64 KiB."""

MAX_SCANS = 16
"""Scans of a JPEG that are always read; a progressive one has about 10."""

MAX_SCANNED = 500_000_000
"""Pixels times scans of a JPEG with more scans than that: 1.6 ns each were measured."""

MAX_HEADER = 2**16
"""Bytes of a PGM's or PPM's header, its comments included."""

MAX_PLAIN = 2**22
"""Bytes of a PGM or PPM in plain text: where comments lie between its numbers, Pillow takes 0.6 µs for each."""

MAX_WHOLE = 2**26
"""Bytes of a WebP or AVIF: Pillow reads all of it to learn its size."""

_SIGNATURE = 12
_MANY = 2**18
_BEGINNING = 2**20
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FRAME = re.compile(rb"\xff([\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf])..\x08(.{5})", re.DOTALL)
_COMMENT = re.compile(rb"#[^\r\n]*[\r\n]")
_END, _SCAN = 0xD9, 0xDA
_ALONE = frozenset({0x01, 0xD8})
"""Markers without a segment."""

_WIDE = frozenset({1, 2, 6, 7})
"""TIFF's types of one byte: profiles and previews, which are taken as they lie."""


def check_structure(file: BinaryIO) -> None:
    """Refuse a file that is built to keep its reader busy. The file is left at its beginning.

    Raises
    ------
    ImageError
        It has more parts than any picture needs. Anything else that is wrong with it is left to the decoder.
    """
    file.seek(0)
    start = file.read(_SIGNATURE)
    try:
        if start[4:8] == b"ftyp":
            _check_whole(file)
        for signature, check in _CHECKS:
            if start.startswith(signature):
                check(file)
                break
    except struct.error:
        pass  # cut off; the decoder has better words
    finally:
        file.seek(0)


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)


def _check_png(file: BinaryIO) -> None:
    limit = MAX_PARTS + min(_size(file) // 1024, _MANY)
    file.seek(8)
    for _ in range(limit):
        head = file.read(8)
        if len(head) < 8:
            return
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    raise ImageError(f"a PNG of more than {limit:,} chunks; no picture needs so many, save it anew")


def _check_jpeg(file: BinaryIO) -> None:
    file.seek(0)
    # Of a file the beginning is enough: what is to be decoded is looked at once more, in memory and as a whole.
    data = file.read() if isinstance(file, io.BytesIO) else file.read(_BEGINNING)
    limit = MAX_PARTS + len(data) // 1024
    position, loose, notes = 2, 0, 0
    for _ in range(limit):
        found = _MARKER.search(data, position)
        # Between segments Pillow goes over filling and junk byte by byte.
        loose += (found.start() if found else len(data)) - position
        if loose > limit:
            raise ImageError(f"a JPEG of more than {limit:,} bytes that belong to no segment; damaged picture")
        if not found:
            return
        marker, position = data[found.start() + 1], found.end()
        if marker == _END:
            return
        if marker in _ALONE:
            continue
        if marker == _SCAN:
            _check_scans(data, position)
            return
        if data[position + 2 : position + 6] in (b"Exif", b"Phot"):
            notes += int.from_bytes(data[position : position + 2], "big")
        if notes > MAX_EXIF:
            raise ImageError(f"a JPEG with more than {MAX_EXIF:,} bytes of EXIF and notes; save it anew")
        position += int.from_bytes(data[position : position + 2], "big")
    raise ImageError(f"a JPEG of more than {limit:,} segments; no picture needs so many, save it anew")


def _check_scans(data: bytes, position: int) -> None:
    """Count the scans of a JPEG from the first one on, which begins at `position`."""
    frame = _FRAME.search(data, 0, position)
    if frame is None:
        return
    height, width, components = struct.unpack(">HHB", frame[2])
    # The scan of an ordinary JPEG has all components and is the only one.
    if frame[1] in b"\xc0\xc1" and data[position + 2 : position + 3] >= bytes([components]):
        return
    most = max(MAX_SCANS, MAX_SCANNED // max(1, height * width))
    scans = 1
    while (found := _MARKER.search(data, position)) and data[found.start() + 1] != _END:
        scans += data[found.start() + 1] == _SCAN
        if scans > most:
            raise ImageError(f"a JPEG of more than {most:,} scans over {width}×{height} pixels; save it anew")
        position = found.end()


def _check_gif(file: BinaryIO) -> None:
    file.seek(10)
    (flags,) = file.read(1) or b"\0"
    file.seek(13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0))
    inside = False
    for _ in range(MAX_BLOCKS):
        byte = file.read(1)
        if not byte or (not inside and byte in b",;"):
            return
        if inside:
            inside = byte != b"\0"
            file.seek(byte[0], 1)
        elif byte == b"!":
            file.read(1)
            inside = True
    raise ImageError(f"a GIF of more than {MAX_BLOCKS:,} blocks before its first frame; save it anew")


def _check_tiff(file: BinaryIO) -> None:
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = 43 in head[2:4]
    (place,) = struct.unpack_from(order + ("Q" if big else "L"), head, 8 if big else 4)
    file.seek(min(place, 2**62))
    (count,) = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))
    for _ in range(min(count, 2**16)):
        tag, kind, values = struct.unpack(order + ("HHQ8x" if big else "HHL4x"), file.read(20 if big else 12))
        if values > MAX_VALUES and kind not in _WIDE:
            raise ImageError(f"a TIFF with {values:,} values of tag {tag}, expected at most {MAX_VALUES:,}; damaged")


def _check_netpbm(file: BinaryIO) -> None:
    size = _size(file)
    file.seek(0)
    head = file.read(MAX_HEADER)
    if head[1:2] in b"123" and size > MAX_PLAIN:
        raise TooManyPixelsError(
            f"a picture in plain text of {size:,} bytes, expected at most {MAX_PLAIN:,}; save it as binary PGM or PPM"
        )
    fields = _COMMENT.sub(b" ", head).partition(b"#")[0].split(None, 4)
    if size > MAX_HEADER and len(fields) < (3 if head[1:2] in b"14" else 4):
        raise ImageError(f"no whole header in the first {MAX_HEADER:,} bytes; damaged picture")


def _check_whole(file: BinaryIO) -> None:
    if (size := _size(file)) > MAX_WHOLE:
        raise TooManyPixelsError(f"a WebP or AVIF of {size:,} bytes, expected at most {MAX_WHOLE:,}; make it smaller")


_CHECKS: tuple[tuple[bytes, Callable[[BinaryIO], None]], ...] = (
    (b"\x89PNG", _check_png),
    (b"\xff\xd8", _check_jpeg),
    (b"GIF8", _check_gif),
    (b"RIFF", _check_whole),
    (b"II", _check_tiff),
    (b"MM", _check_tiff),
    *((b"P" + kind, _check_netpbm) for kind in (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"f", b"y")),
)
