"""What is done to good files: every kind of damage, from a generator that is handed in. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

Damage = Callable[[bytes, np.random.Generator, int], bytes]

_BLOCKS = {
    b"\x89PNG": re.compile(rb"IHDR|PLTE|IDAT|tRNS|acTL|fdAT|fcTL|IEND"),
    b"\xff\xd8": re.compile(rb"\xff[\xc0-\xfe]"),
}
"""Where the blocks of a format begin; others are cut into sixteenths."""

_SIGNATURES = (
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"),
    *(b"P2 ", b"P3 ", b"P5 9 9 255\n", b"P6 9 9 255\n", b"P1 ", b"II+\0\x08\0\0\0", b""),
    *(b"RIFF\xff\xff\xff\xffWEBPVP8X", b"\0\0\0\x1cftypavif"),
)
_EXTREMES = tuple(
    number.to_bytes(size, order)
    for size in (1, 2, 4, 8)
    for number in (0, 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1)
    for order in ("big", "little")
)


def flip_bits(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """Turn 1 to 32 bits round, anywhere."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    bits[rng.integers(0, len(bits), 1 + turn % 32)] ^= 1
    return np.packbits(bits).tobytes()


def truncate(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """Cut off at a block: at one after the other, of the format and of sixteenths, then somewhere inside of one."""
    starts = next((pattern for magic, pattern in _BLOCKS.items() if data.startswith(magic)), None)
    blocks = [found.start() for found in starts.finditer(data)] if starts else []
    places = sorted({*range(0, len(data), max(1, len(data) // 16)), *blocks})
    place = places[turn % len(places)] + (int(rng.integers(0, 9)) if turn >= len(places) else 0)
    return data[:place]


def change_header(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """Put random bytes or the largest and smallest numbers into the first 64 bytes."""
    changed = bytearray(data)
    for _ in range(1 + turn % 3):
        place = int(rng.integers(0, min(64, len(data))))
        new = _EXTREMES[int(rng.integers(len(_EXTREMES)))] if turn % 2 else rng.bytes(2)
        changed[place : place + len(new)] = new
    return bytes(changed[: max(1, len(data))])


def put_extremes(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """Put the largest and smallest numbers anywhere."""
    changed = bytearray(data)
    for _ in range(1 + turn % 8):
        place = int(rng.integers(0, len(data)))
        new = _EXTREMES[int(rng.integers(len(_EXTREMES)))]
        changed[place : place + len(new)] = new
    return bytes(changed)


def change_signature(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """Say that it is of another format: the first bytes replaced, or put before."""
    new = _SIGNATURES[turn % len(_SIGNATURES)]
    return new + (data[len(new) :] if turn % 2 else data)


def move_pieces(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """Leave a piece out, repeat it, exchange it with zeros or noise, or append something."""
    low, high = sorted(rng.integers(0, len(data) + 1, 2).tolist())
    piece = data[low:high]
    new = (b"", piece * 2, piece * 50, bytes(len(piece)), rng.bytes(len(piece)), piece[::-1])[turn % 6]
    return data[:low] + new + data[high:] + (rng.bytes(200) if turn % 7 == 0 else b"")


DAMAGES: dict[str, Damage] = {
    "bit flips": flip_bits,
    "truncated": truncate,
    "wrong header": change_header,
    "extreme numbers": put_extremes,
    "wrong signature": change_signature,
    "pieces moved": move_pieces,
}
