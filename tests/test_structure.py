"""Files that are built to keep their reader busy are refused before anything reads them; whole pictures are not."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gafas.errors import ImageError
from gafas.imaging import MAX_BYTES, decode, memory_of, pixels_of, read_bytes, read_image
from gafas.structure import check_structure
from tests.hostile.crafted import make_crafted
from tests.hostile.seeds import encoded, make_seeds, picture

REFUSED = {
    "chunks.png": "a PNG of more than 13,",
    "texts.png": "a PNG of more than 12,",
    "empty-idat.png": "a PNG of more than 13,",
    "segments.jpg": r"a JPEG of more than 1\d,\d+ segments",
    "filling.jpg": "bytes that belong to no segment",
    "junk.jpg": "bytes that belong to no segment",
    "starts.jpg": r"a JPEG of more than 1\d,\d+ segments",
    "photoshop.jpg": "a JPEG with more than 1,048,576 bytes of EXIF and notes",
    "orientation-3000000.jpg": "a JPEG with more than 1,048,576 bytes of EXIF and notes",
    "scans-200-of-4000.jpg": "a JPEG of more than 31 scans over 4000×4000 pixels",
    "scans-3000-of-500.jpg": "a JPEG of more than 2,000 scans over 500×500 pixels",
    "blocks.gif": "a GIF of more than 100,000 blocks",
    "notes.gif": "a GIF of more than 100,000 blocks",
    "zeros.gif": "a GIF of more than 100,000 blocks",
    "strips-2000000.tif": "a TIFF with 2,000,000 values of tag 273, expected at most 131,072",
    "resolutions-2000000.tif": "a TIFF with 2,000,000 values of tag 282, expected at most 131,072",
    "plain-12-megapixels.pgm": "a picture in plain text of 24,000,017 bytes, expected at most 4,194,304",
    "spaces.ppm": "no whole header in the first 65,536 bytes",
    "comment.ppm": "no whole header in the first 65,536 bytes",
    "flat-13000-1-PNG.png": r"13000×13000 pixels in 20,\d+ bytes, .* at most 20 for each byte",
    "flat-9000-RGB-WEBP.webp": "9000×9000 pixels in 34 bytes, .* at most 50 for each byte",
}


@pytest.fixture(scope="module")
def crafted() -> dict[str, bytes]:
    made = make_crafted(np.random.default_rng(0), kinds=("metadata", "flood"))
    files = {name: data for _, name, data in made}
    with Image.new("1", (13_000, 13_000)) as black, Image.new("RGB", (9000, 9000)) as colour:
        files["flat-13000-1-PNG.png"] = encoded(black, "PNG")
        files["flat-9000-RGB-WEBP.webp"] = encoded(colour, "WEBP", lossless=True, quality=0, method=0)
    return files


@pytest.mark.parametrize("name", REFUSED)
def test_floods_and_bombs_are_refused_at_once(name: str, crafted: dict[str, bytes]) -> None:
    start = time.thread_time()
    with pytest.raises(ImageError, match=REFUSED[name]):
        decode(crafted[name])
    assert pixels_of(io.BytesIO(crafted[name])) in (0, 13_000**2, 9_000**2)
    assert time.thread_time() - start < 2


@pytest.mark.parametrize("name", ["orientation-3000000.webp", "orientation-3000000.png", "comment.gif", "profile.jpg"])
def test_much_metadata_does_not_lose_a_good_picture(name: str, crafted: dict[str, bytes]) -> None:
    start = time.thread_time()
    assert decode(crafted[name]).shape == (40, 48, 3)
    assert time.thread_time() - start < 1


def test_good_files_of_every_format_pass() -> None:
    for seed in make_seeds(np.random.default_rng(0)):
        file = io.BytesIO(seed.data)
        check_structure(file)
        assert file.tell() == 0


def test_whatever_follows_a_signature_is_left_to_the_decoder() -> None:
    rng = np.random.default_rng(0)
    for start in (
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8",
        b"GIF89a",
        b"II*\0",
        b"MM\0+",
        b"P5",
        b"RIFF",
        b"\0\0\0\0ftyp",
    ):
        for size in range(40):
            check_structure(io.BytesIO(start + rng.bytes(size)))


def test_a_progressive_photograph_of_ten_scans_passes() -> None:
    data = encoded(picture(np.random.default_rng(0), "RGB", (3000, 2000)), "JPEG", progressive=True)
    assert 8 <= data.count(b"\xff\xda") <= 16
    check_structure(io.BytesIO(data))


@pytest.mark.parametrize(
    ("kind", "settings", "each"),
    [
        ("PNG", {}, 7),
        ("JPEG", {}, 7),
        ("JPEG", {"progressive": True}, 10),
        ("WEBP", {}, 16),
        ("AVIF", {"speed": 10}, 10),
    ],
)
def test_the_memory_of_a_picture_is_known_from_its_header(kind: str, settings: dict[str, int], each: int) -> None:
    data = encoded(picture(np.random.default_rng(0)), kind, **settings)
    assert memory_of(io.BytesIO(data)) == each * 48 * 40
    assert memory_of(io.BytesIO(data), max_pixels=1000) == 0


# Files that are larger than any picture


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"", "more than 67,108,864 bytes for 0 pixels"),
        (b"P5 4 4 255\n", "more than 67,109,120 bytes for 16 pixels"),
        (b"RIFF\0\0\0\x80WEBPVP8L", "more than 67,108,864 bytes for 0 pixels"),
    ],
)
def test_a_file_far_too_large_for_its_picture_is_not_read(tmp_path: Path, start: bytes, message: str) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(3 * 2**30)
    with pytest.raises(ImageError, match=message):
        read_image(path)


def test_a_large_file_of_a_large_picture_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.pgm"
    with path.open("wb") as file:
        file.write(b"P5 9000 8000 255\n")
        file.truncate(17 + 9000 * 8000)
    with path.open("rb") as file:
        data = read_bytes(file)
    assert len(data) == 17 + 9000 * 8000 > MAX_BYTES


def test_a_pipe_without_end_is_not_read_to_its_end() -> None:
    with Path("/dev/zero").open("rb") as file, pytest.raises(ImageError, match="more than 67,108,864 bytes"):
        read_bytes(file)
