"""Films: frames a second, and how well faces are followed, for detections every 1, 2, 5 and 10 frames.

    python benchmarks/video.py [--frames 250] [--rounds 3] [--json FILE]

The film is made here: portraits of the validation part of ``celeba_glasses`` (drawn ones where it is missing) move on
ellipses of their own over a noisy background of 640×480 pixels, 25 frames a second, H.264 or MPEG-4. Reading, search,
following, classification and smoothing are measured together, one thread for each graph, in turns with a detection on
every frame. ``followed`` is the share of the faces that are detected on every frame for which the run has a box with an
overlap (intersection over union) of at least 0.5 on the same frame; ``tracks`` is how many faces it takes them for.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common import finish, markdown, paired, show_ratio  # isort: skip  # its neighbours
from detection import HEIGHT, WIDTH, Place, overlap, place_of, portraits  # isort: skip
from gafas.imaging import Rgb, resize
from gafas.runtime.films import FrameAnswer, judge_frames
from gafas.runtime.predictor import Predictor, load_predictor
from gafas.runtime.sources import find_films
from gafas.runtime.video import open_film
from gafas.runtime.video_writer import FilmWriter

EVERY = (1, 2, 5, 10)
RATE = 25
Places = list[list[Place]]


class Walker:
    """A portrait that moves on an ellipse and comes nearer and goes away; within its own column of the picture."""

    def __init__(self, image: Rgb, column: int, columns: int, random: np.random.Generator) -> None:
        self._wide = WIDTH // columns
        self._left = column * self._wide
        self._image = image
        self._side = float(random.uniform(0.45, 0.6)) * self._wide
        self._phase = random.uniform(0, 2 * np.pi, 3)
        # Rounds in a second: the fastest walk covers its own width in about a second.
        self._rounds = random.uniform(0.1, 0.4, 3)

    def draw(self, picture: Rgb, seconds: float) -> None:
        """Paste the portrait where it is at that time."""
        x, y, near = np.sin(2 * np.pi * self._rounds * seconds + self._phase)
        wide = round(self._side * (1 + 0.2 * near))
        tall = round(wide * self._image.shape[0] / self._image.shape[1])
        left = self._left + round((self._wide - wide) * (1 + x) / 2)
        top = round((HEIGHT - tall) * (1 + 0.8 * y) / 2)
        picture[top : top + tall, left : left + wide] = resize(self._image, (tall, wide))


def pictures(count: int, faces: int) -> Iterator[Rgb]:
    """Yield the frames; the same at every call."""
    random = np.random.default_rng(11)
    known = portraits()
    chosen = [known[int(number)][0] for number in random.permutation(len(known))[:faces]]
    walkers = [Walker(image, column, faces, random) for column, image in enumerate(chosen)]
    ground = (110 + random.normal(0, 12, (HEIGHT, WIDTH, 3))).clip(0, 255).astype(np.uint8)
    for number in range(count):
        picture = ground.copy()
        for walker in walkers:
            walker.draw(picture, number / RATE)
        yield picture


def write_film(path: Path, frames: Iterator[Rgb]) -> None:
    """Write them as a film."""

    class Nothing:
        rate, audio, start = float(RATE), None, None

    with FilmWriter(path, Nothing()) as writer:  # type: ignore[arg-type]  # a film's rate and sound is all it asks for
        for number, frame in enumerate(frames):
            writer.write(frame, number / RATE)


def judge(predictor: Predictor, path: Path, every: int) -> Iterator[FrameAnswer]:
    """Judge the film."""
    (source,) = find_films([str(path)])
    with open_film(source) as film:
        yield from judge_frames(predictor, film.frames(), detect_every=every)


def seconds_of(predictor: Predictor, path: Path, every: int) -> float:
    """Return how long it takes."""
    started = time.perf_counter()
    for _ in judge(predictor, path, every):
        pass
    return time.perf_counter() - started


def look(predictor: Predictor, path: Path, every: int) -> tuple[Places, set[int]]:
    """Return the faces of each frame, and the numbers that they bear."""
    places: Places = []
    tracks: set[int] = set()
    for answer in judge(predictor, path, every):
        faces = [sighting for sighting in answer.sightings if sighting.track is not None]
        places.append([place_of(sighting.verdict.box) for sighting in faces])
        tracks.update(sighting.track for sighting in faces if sighting.track is not None)
    return places, tracks


def followed(want: Places, got: Places) -> tuple[int, int]:
    """Return how many faces have a box at their place, and how many there are."""
    hits = [
        max((overlap(face, box) for box in boxes), default=0) >= 0.5
        for faces, boxes in zip(want, got, strict=True)
        for face in faces
    ]
    return sum(hits), len(hits)


def measure(
    predictor: Predictor, path: Path, frames: int, rounds: int
) -> tuple[list[Sequence[object]], dict[str, Any]]:
    """Return the rows of the table, and everything as JSON."""
    rows: list[Sequence[object]] = []
    payload: dict[str, Any] = {}
    want, _ = look(predictor, path, 1)
    for every in EVERY:
        pairs = paired(
            lambda: seconds_of(predictor, path, 1),
            lambda every=every: seconds_of(predictor, path, every),  # type: ignore[misc]
            rounds=rounds,
        )
        got, tracks = look(predictor, path, every)
        hits, total = followed(want, got)
        speed = frames / statistics.median(pairs.candidate)
        rows.append((every, f"{speed:.1f}", show_ratio(pairs), f"{hits / total:.4f}", total, len(tracks)))
        payload[str(every)] = {
            **pairs.to_json(), "frames": frames, "followed": hits, "faces": total, "tracks": len(tracks),
        }  # fmt: skip
    return rows, payload


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--faces", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help="seconds instead of minutes: that it runs, not how fast")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    frames = 12 if arguments.smoke else arguments.frames
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film.mp4")
        write_film(path, pictures(frames, arguments.faces))
        predictor = load_predictor(threads=1, region="face")
        rows, payload = measure(predictor, path, frames, 1 if arguments.smoke else arguments.rounds)
    headers = ["detection every … frames", "frames/s", "time, ratio: median (min-max)", "followed", "n", "tracks"]
    finish(f"Films, {arguments.faces} faces", markdown(headers, rows), {"every": payload}, arguments.json)


if __name__ == "__main__":
    main()
