"""Films made for tests: written with PyAV, of drawn faces or of single colours."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
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


def noise(count: int) -> list[Rgb]:
    """Frames that do not compress: each takes its part of a file."""
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(count)]


@contextmanager
def sender(data: bytes, way: str) -> Iterator[str]:
    """Give the address of a stream that ends in some way after `data`: closed, reset, silent, short or chunked."""
    heads = {
        "short": f"Content-Length: {2 * len(data)}\r\n\r\n".encode(),
        "chunked": f"Transfer-Encoding: chunked\r\n\r\n{len(data):x}\r\n".encode(),
    }
    over = threading.Event()

    def serve(opened: socket.socket) -> None:
        with opened, opened.accept()[0] as connection:
            if way in heads:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n" + heads[way])
            connection.sendall(data)
            if way == "silent":
                over.wait(30)
            elif way == "reset":
                # Time to read what has been sent.
                over.wait(0.5)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    opened = socket.create_server(("127.0.0.1", 0))
    port = opened.getsockname()[1]
    thread = threading.Thread(target=serve, args=(opened,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/a.ts" if way in heads else f"tcp://127.0.0.1:{port}"
    finally:
        over.set()
        thread.join(10)


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
