"""Bytes to upright RGB: every pixel type, orientation and kind of damage, and back again."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from gafas import imaging
from gafas.errors import ImageError, OutputError, UsageError
from gafas.imaging import (
    FORMATS,
    MAX_PIXELS,
    SUFFIXES,
    can_encode,
    decode,
    encode,
    read_image,
    resize,
    stack,
    write_image,
)

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


def encoded(picture: Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def first_pixel(data: bytes) -> tuple[int, ...]:
    return tuple(decode(data)[0, 0].tolist())


def noise(height: int = 64, width: int = 48) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises more pixels than its data holds."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


# What comes out


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_give_the_very_pixels(kind: str) -> None:
    image = noise()
    got = decode(encoded(Image.fromarray(image), kind))
    assert got.dtype == np.uint8
    assert got.flags.writeable
    np.testing.assert_array_equal(got, image)


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "GIF", "WEBP", "AVIF"])
def test_lossy_formats_give_nearly_the_pixels(kind: str) -> None:
    if kind == "AVIF" and "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow writes no AVIF")
    got = decode(encoded(Image.new("RGB", (20, 10), RED), kind))
    assert got.shape == (10, 20, 3)
    assert np.abs(got.astype(int) - RED).max() < 12


def test_other_formats_stay_closed() -> None:
    with pytest.raises(ImageError, match="not a picture in a known format"):
        decode(encoded(Image.new("RGB", (16, 16)), "ICO"))


def test_formats_are_names_that_pillow_knows() -> None:
    Image.init()
    assert set(FORMATS) <= set(Image.OPEN)
    assert all(Image.registered_extensions()[suffix] in (*FORMATS, "MPO") for suffix in SUFFIXES)


@pytest.mark.parametrize("mode", ["1", "L"])
def test_black_and_white(mode: str) -> None:
    picture = Image.new(mode, (2, 1), 0)
    picture.putpixel((1, 0), 255)
    assert decode(encoded(picture)).tolist() == [[[0, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_converted(kind: str) -> None:
    green = Image.new("CMYK", (16, 16), (255, 0, 255, 0))
    got = np.array(first_pixel(encoded(green, kind)))
    assert np.abs(got - GREEN).max() < 4


def palette() -> Image.Image:
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([*RED, *GREEN])
    picture.putpixel((3, 3), 1)
    return picture


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette_with_and_without_transparency(kind: str) -> None:
    plain = decode(encoded(palette(), kind))
    assert plain[0, 0].tolist() == list(RED)
    assert plain[3, 3].tolist() == list(GREEN)
    clear = decode(encoded(palette(), kind, transparency=0))
    assert clear[0, 0].tolist() == list(WHITE)
    assert clear[3, 3].tolist() == list(GREEN)


def test_alpha_is_laid_on_white() -> None:
    assert first_pixel(encoded(Image.new("RGBA", (2, 2), (0, 0, 0, 0)))) == WHITE
    assert first_pixel(encoded(Image.new("RGBA", (2, 2), (*RED, 255)))) == RED
    assert first_pixel(encoded(Image.new("LA", (2, 2), (0, 128)))) == (127, 127, 127)


@pytest.mark.parametrize(("mode", "colour"), [("RGB", (9, 0, 0)), ("L", 9)])
def test_one_transparent_colour_is_laid_on_white(mode: str, colour: Any) -> None:
    picture = Image.new(mode, (2, 1), colour)
    picture.putpixel((1, 0), 0)
    assert decode(encoded(picture, transparency=colour)).tolist() == [[list(WHITE), [0, 0, 0]]]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animation_gives_its_first_frame(kind: str) -> None:
    first, second = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), GREEN)
    lossless = {"lossless": True} if kind == "WEBP" else {}
    assert first_pixel(encoded(first, kind, save_all=True, append_images=[second], **lossless)) == RED


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_to_eight(kind: str) -> None:
    samples = np.array([[0, 257, 32768, 65535]], np.uint16)
    got = decode(encoded(Image.fromarray(samples), kind))
    assert got[0, :, 0].tolist() == [0, 1, 128, 255]
    assert (got == got[..., :1]).all()


@pytest.mark.parametrize(("dtype", "word"), [(np.float32, "floating-point"), (np.int32, "signed or 32-bit")])
def test_pixels_without_a_range_are_refused(dtype: Any, word: str) -> None:
    with pytest.raises(ImageError, match=f"{word} pixels have no defined range; convert to 8 or 16 bits"):
        decode(encoded(Image.fromarray(np.zeros((2, 2), dtype)), "TIFF"))


# Upright


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(orientation: int, kind: str) -> None:
    upright = np.zeros((32, 64, 3), np.uint8)
    upright[:16, :32], upright[:16, 32:], upright[16:, :32] = RED, GREEN, (0, 0, 255)
    # What a camera held that way stores.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = decode(encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif))
    assert got.shape == upright.shape
    for row, column in ((8, 16), (8, 48), (24, 16), (24, 48)):
        assert np.abs(got[row, column].astype(int) - upright[row, column]).max() < 12


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x01"]
)
def test_broken_exif_does_not_lose_a_good_picture(exif: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(encoded(Image.new("RGB", (8, 8)), "JPEG", exif=exif)).shape == (8, 8, 3)


def test_metadata_that_pillow_gives_up_on_does_not_lose_a_good_picture() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Raw profile type exif", "\nexif\n 4\nno hexadecimal digits\n")
    data = encoded(Image.new("RGB", (8, 8), RED), pnginfo=notes)
    with Image.open(io.BytesIO(data)) as picture, pytest.raises(ValueError, match="non-hexadecimal"):
        picture.getexif()
    assert first_pixel(data) == RED


# PGM: its maximum grey value counts


@pytest.mark.parametrize(
    "data",
    [
        b"P2 3 1 156\n0 78 156\n",
        b"P5 3 1 156\n" + bytes([0, 78, 156]),
        b"P2\n# written by hand\n3 1\n2\n0 1 2\n",
        b"P2 3 1 4000\n0 2000 4000\n",
        b"P5 3 1 4000\n" + struct.pack(">3H", 0, 2000, 4000),
        b"P5 3 1 65535\n" + struct.pack(">3H", 0, 32768, 65535),
        b"P2 3 1 156 0\t78\r\n\v\f156",
        b"P2 3 1 156\n0 78 # in the middle\n156\n",
        b"P2 3 1 156\n0 78 156 157 and more",
    ],
)
def test_grey_is_scaled_by_the_maximum(data: bytes) -> None:
    assert decode(data)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"P2 1 1 0\n0\n", "maxval must be greater than 0"),
        (b"P5 1 1 0\n\0", "maxval must be greater than 0"),
        (b"P5 1 1 99999\n\0\0", "less than 65536"),
        (b"P2 1 1 -5\n0\n", "maxval must be greater than 0"),
        (b"P2 1 1 many\n0\n", "invalid literal"),
        (b"P2 2 1 156\n0 200\n", "too large"),
        (b"P2 2 1 156\n0 -1\n", "negative"),
        (b"P5 2 1 156\n" + bytes([0, 200]), "largest sample is 156, got 200"),
        (b"P6 1 1 100\n" + bytes([0, 0, 101]), "largest sample is 100, got 101"),
        (b"P5 2 1 4000\n" + struct.pack(">2H", 0, 5000), "largest sample is 4000, got 5000"),
        (b"P2 20 10 255\n1 2 3\n", "not enough image data"),
        (b"P5 20 10 255\n\0\0", "truncated"),
        (b"P5 20 10 156\n\0\0", "not enough image data"),
        (b"P5 20 10 156\n", "not enough image data"),
        (b"P2 2 1 255\n1 x\n", "invalid literal"),
        (b"P5 0 5 255\n", "not a picture"),
    ],
)
def test_wrong_pgm_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        decode(data)


# Damage


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_pictures_are_refused(kind: str, share: float) -> None:
    if kind == "AVIF" and "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow writes no AVIF")
    data = encoded(Image.fromarray(noise()), kind)
    with pytest.raises(ImageError, match=r"truncated|not a picture"):
        decode(data[: int(len(data) * share)])


def test_a_png_with_a_wrong_checksum_is_refused() -> None:
    data = bytearray(encoded(Image.fromarray(noise())))
    data[200] ^= 0xFF
    with pytest.raises(ImageError, match="damaged or truncated picture"):
        decode(bytes(data))


def test_no_bytes_and_no_picture() -> None:
    with pytest.raises(ImageError, match=r"empty \(0 bytes\)"):
        decode(b"")
    with pytest.raises(ImageError, match="not a picture in a known format"):
        decode(b"Dear Sir or Madam,\n")


@pytest.mark.parametrize(
    "data",
    [
        png_claiming(100_000, 100_000),
        png_claiming(15_000, 15_000),
        png_claiming(2**31 - 1, 5),
        b"P5 100000 100000 255\n",
        b"P5 1000000000 1000000000 255\n",
    ],
)
def test_huge_pictures_are_refused_before_they_are_decoded(data: bytes) -> None:
    with pytest.raises(ImageError, match=f"at most {MAX_PIXELS:,} pixels"):
        decode(data)


def test_a_smaller_limit_can_be_set() -> None:
    data = encoded(Image.new("RGB", (20, 10)))
    assert decode(data, max_pixels=200).shape == (10, 20, 3)
    with pytest.raises(ImageError, match="20×10 pixels, expected at most 199; make it smaller"):
        decode(data, max_pixels=199)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "PPM"]), st.data())
def test_any_damage_gives_a_picture_or_an_image_error(kind: str, data: st.DataObject) -> None:
    good = bytearray(encoded(Image.fromarray(noise(12, 9)), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        got = decode(bytes(good), max_pixels=10_000)
    except ImageError:
        return
    assert got.dtype == np.uint8
    assert got.ndim == 3
    assert got.shape[2] == 3


# Files


def test_read_image_names_the_file(tmp_path: Path) -> None:
    text = tmp_path / "letter.jpg"
    text.write_text("Dear Sir or Madam,\n")
    with pytest.raises(ImageError, match=r"letter\.jpg: not a picture"):
        read_image(text)
    with pytest.raises(ImageError, match=r"gone\.jpg: cannot be read: No such file"):
        read_image(str(tmp_path / "gone.jpg"))
    with pytest.raises(ImageError, match="cannot be read: Is a directory"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tif", ".pgm", ".ppm"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    image = noise()
    write_image(tmp_path / f"a{suffix}", image)
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), image)


def test_grey_stays_grey() -> None:
    data = encode(np.full((4, 4, 3), 7, np.uint8), ".pgm")
    assert data.startswith(b"P5")


@pytest.mark.parametrize("suffix", ["", ".txt", ".pdf"])
def test_an_unknown_ending_is_refused_and_nothing_written(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match="expected an image ending"):
        write_image(tmp_path / f"a{suffix}", noise())
    assert list(tmp_path.iterdir()) == []


def test_writing_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match=r"a\.png: not written: "):
        write_image(tmp_path / "file" / "a.png", noise())


# Sizes


def test_resize_stretches_and_leaves_what_fits() -> None:
    image = noise(10, 20)
    assert resize(image, (10, 20)) is image
    assert resize(image, (128, 128)).shape == (128, 128, 3)
    flat = np.full((30, 10, 3), 77, np.uint8)
    assert (resize(flat, (4, 9)) == 77).all()


def test_stack_makes_one_batch() -> None:
    batch = stack([noise(10, 20), noise(5, 5)], (8, 6))
    assert batch.shape == (2, 8, 6, 3)
    assert batch.dtype == np.uint8
    assert stack([], (8, 6)).shape == (0, 8, 6, 3)


# Large pictures go strip by strip


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_strips_give_the_same_pixels(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    if mode == "I;16":
        picture = Image.fromarray(rng.integers(0, 65536, (31, 20)).astype(np.uint16))
    else:
        picture = Image.fromarray(rng.integers(0, 256, (31, 20, 4), dtype=np.uint8), "RGBA").convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, "TIFF" if mode == "CMYK" else "PNG")
    at_once = decode(buffer.getvalue())
    monkeypatch.setattr(imaging, "_STRIP", 60)
    assert np.array_equal(decode(buffer.getvalue()), at_once)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_strips_come_out_upright(orientation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (31, 20, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", exif=exif)
    at_once = decode(buffer.getvalue())
    assert at_once.flags.c_contiguous
    monkeypatch.setattr(imaging, "_STRIP", 1)
    assert np.array_equal(decode(buffer.getvalue()), at_once)


@pytest.mark.parametrize("size", [(40, 30), (7, 300), (300, 7), (300, 300), (1, 1)])
def test_large_pictures_are_resized_to_within_one_level(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    at_once = resize(image, size)
    monkeypatch.setattr(imaging, "_LARGE", 100)
    monkeypatch.setattr(imaging, "_STRIP", 1000)
    assert np.abs(resize(image, size).astype(int) - at_once).max() <= 1


def test_what_can_be_encoded() -> None:
    assert all(map(can_encode, (".jpg", ".PNG", ".webp", ".gif", ".pgm")))
    assert not any(map(can_encode, ("", ".txt", ".pdf", ".heic")))
