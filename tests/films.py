"""Films made for tests: written with PyAV, of drawn faces or of single colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gafas.imaging import Rgb
from gafas.runtime.sources import FilmSource, find_films
from gafas.runtime.video import Film, FilmFrame, open_film
from gafas.values import FaceBox
from tests.faces import SEEDS, portrait

CLOCK = Fraction(1, 1000)


def make_film(
    path: Path,
    images: Iterable[Rgb],
    *,
    times: Sequence[int] | None = None,
    rate: int = 25,
    codec: str = "mpeg4",
    matrix: list[int] | None = None,
    sound: bool = False,
    container: str | None = None,
) -> Path:
    """Write a film and return its path.

    Parameters
    ----------
    times : sequence of int or None
        Of each frame in milliseconds; ``None`` is even, at `rate`.
    matrix : list of int or None
        How the player is to place the picture: FFmpeg's display matrix.
    sound : bool
        A tone as long as the pictures.
    """
    av = pytest.importorskip("av", reason="the video extra is not installed")
    with av.open(str(path), "w", format=container) as film:
        video = film.add_stream(codec, rate=rate)
        # Some containers and codecs know even times only.
        uneven = times is not None and any(rate * time % 1000 for time in times)
        video.codec_context.time_base = CLOCK if uneven else Fraction(1, rate)
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.codec_context.bit_rate = 4_000_000
        tone = film.add_stream("aac", rate=8000) if sound else None
        if matrix is not None:
            video.set_display_matrix(matrix)
        end = 0
        clock = iter(times) if times is not None else (round(1000 * n / rate) for n in range(10**6))
        for image in images:
            end = next(clock)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            if not video.codec_context.is_open:
                video.width, video.height = image.shape[1], image.shape[0]
            frame.pts, frame.time_base = end, CLOCK
            film.mux(video.encode(frame))
        film.mux(video.encode(None))
        if tone is not None:
            _add_tone(film, tone, end + 1000 // rate)
    return path


def _add_tone(film: Any, tone: Any, milliseconds: int) -> None:
    import av

    samples = np.sin(np.arange(8 * milliseconds) / 4).astype(np.float32)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 8000, 0, Fraction(1, 8000)
    film.mux(tone.encode(frame))
    film.mux(tone.encode(None))


def greys(count: int, *, size: tuple[int, int] = (48, 64), step: int = 2) -> list[Rgb]:
    """Frames of one grey each, every one a little lighter than the one before."""
    return [np.full((*size, 3), min(255, step * n), np.uint8) for n in range(count)]


def moving(
    count: int, *, faces: int = 1, speed: float = 2.0, size: tuple[int, int] = (240, 320), side: int = 110
) -> Iterator[tuple[Rgb, list[tuple[float, float]]]]:
    """Yield frames of drawn persons who walk to the right, one above the other, and the top left of each portrait."""
    people = [portrait(seed, (side, side)) for seed in SEEDS[:faces]]
    for n in range(count):
        image = np.full((*size, 3), 90, np.uint8)
        corners = []
        for row, person in enumerate(people):
            x, y = round(10 + speed * n), 5 + row * (side + 5)
            image[y : y + side, x : x + side] = person[:, : size[1] - x]
            corners.append((float(x), float(y)))
        yield image, corners


def source_of(path: Path | str) -> FilmSource:
    """Return the one film of a path."""
    (film,) = find_films([str(path)])
    return film


def opened(path: Path | str) -> Film:
    """Open a film."""
    return open_film(source_of(path))


def read(path: Path | str, **settings: Any) -> list[FilmFrame]:
    """Return all frames of a film."""
    with opened(path) as film:
        return list(film.frames(**settings))


def frames_of(images: Iterable[Rgb], *, rate: float = 25) -> Iterator[FilmFrame]:
    """Yield images as the frames of a film."""
    for number, image in enumerate(images):
        yield FilmFrame(number, number / rate, image)


class Seeing:
    """A detector made of a function; counts its looks."""

    def __init__(self, faces: Callable[[Rgb], tuple[FaceBox, ...]]) -> None:
        self._faces, self.looks = faces, 0

    def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
        """Return the faces."""
        self.looks += 1
        return self._faces(image)
