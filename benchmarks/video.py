"""Films: what it costs, in faces and in labels, to look for faces on every k-th frame only; and what it saves.

    python benchmarks/video.py [--frames 200] [--rounds 3] [--json FILE]
    python benchmarks/video.py --times
    python benchmarks/video.py --long 5000

The films are made here (`walkers`): 640×480 pixels, 25 frames a second, H.264 or MPEG-4; for each speed (persons who
stand, stroll, walk) films of 1, 3 and 5 persons. Counted on every frame, for each face of which three quarters show:

- ``followed``: there is a box with an overlap (intersection over union) of at least 0.5 at its place;
- ``right``: and that box has the right label, sunglasses or not, smoothed as by default;
- ``extra``: boxes, of all, that overlap no face by 0.3;
- ``numbers``: how often a person's number changed.

The interval is that of the difference to k = 1 in ``right``, by bootstrap over the persons' ways. The rule of the
default is `choose`. Time is processor time of reading, search, following, classification and smoothing together, one
thread for each graph, in turns with a detection on every frame, on the film of three who stroll.

``--times`` gives the times alone. ``--long`` instead runs ``gafas predict --annotate`` on a tenth of so many frames and
on all, 320×240 pixels, ``--detect-every 10``: seconds and peak memory.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from common import finish, markdown, paired, run_process, show_ratio  # isort: skip  # its neighbours
from detection import overlap, place_of  # isort: skip
from walkers import RATE, SPEEDS, Person, Shown, film, people  # isort: skip
from gafas.imaging import Rgb, resize
from gafas.runtime.faces import FaceDetector
from gafas.runtime.films import FrameAnswer, judge_frames
from gafas.runtime.predictor import Predictor, load_predictor
from gafas.runtime.sources import find_films
from gafas.runtime.video import open_film
from gafas.runtime.video_writer import FilmWriter
from gafas.values import FaceBox

EVERY = (1, 2, 3, 4, 5, 8, 10, 15)
TIMED = (2, 3, 5, 10)
PERSONS = (1, 3, 5)
MOST_LOST = 0.01
Truth = list[list[Shown]]


@dataclass(slots=True)
class Tally:
    """What was counted at one k and speed; the first two by way."""

    followed: dict[int, int] = field(default_factory=dict)
    right: dict[int, int] = field(default_factory=dict)
    faces: dict[int, int] = field(default_factory=dict)
    boxes: int = 0
    extra: int = 0
    numbers: int = 0

    def share(self, name: str) -> float:
        """Return followed or right faces, of all."""
        counts = {"followed": self.followed, "right": self.right}[name]
        return sum(counts.values()) / max(1, sum(self.faces.values()))

    def add(self, other: Tally) -> None:
        """Take in the counts of another one of other films."""
        for mine, theirs in ((self.followed, other.followed), (self.right, other.right), (self.faces, other.faces)):
            mine.update(theirs)
        self.boxes, self.extra, self.numbers = (
            self.boxes + other.boxes, self.extra + other.extra, self.numbers + other.numbers,
        )  # fmt: skip


class Remembering:
    """A detector that looks at each frame once: what it finds there does not depend on how often it is asked."""

    def __init__(self) -> None:
        self._detector = FaceDetector(threads=0)
        self._known: dict[int, tuple[FaceBox, ...]] = {}

    def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
        """Return the faces."""
        key = zlib.crc32(image.tobytes())
        if key not in self._known:
            self._known[key] = self._detector.detect(image)
        return self._known[key]


def write_film(path: Path, frames: Iterable[Rgb]) -> None:
    """Write them as a film."""

    class Nothing:
        rate, audio, start = float(RATE), None, None

    with FilmWriter(path, Nothing()) as writer:  # type: ignore[arg-type]  # a film's rate and sound is all it asks for
        for number, frame in enumerate(frames):
            writer.write(frame, number / RATE)


def judge(predictor: Predictor, path: Path, every: int) -> Iterator[FrameAnswer]:
    """Judge a film."""
    (source,) = find_films([str(path)])
    with open_film(source) as opened:
        yield from judge_frames(predictor, opened.frames(), detect_every=every)


def seconds_of(predictor: Predictor, path: Path, every: int) -> float:
    """Return the seconds of processor time that it takes: other processes on the machine count for less."""
    started = time.process_time()
    for _ in judge(predictor, path, every):
        pass
    return time.process_time() - started


def count(truth: Truth, answers: Iterable[FrameAnswer]) -> Tally:
    """Compare what was said of each frame with what is there."""
    tally, last = Tally(), dict[int, int | None]()
    for shown, answer in zip(truth, answers, strict=True):
        boxes = [(place_of(one.verdict.box), one) for one in answer.sightings if one.track is not None]
        tally.boxes += len(boxes)
        tally.extra += sum(max((overlap(place, one.place) for one in shown), default=0) < 0.3 for place, _ in boxes)
        for face in (one for one in shown if one.counts):
            place, best = max(boxes, key=lambda box: overlap(face.place, box[0]), default=(None, None))
            hit = best is not None and place is not None and overlap(face.place, place) >= 0.5
            good = hit and best is not None and (best.verdict.label == "sunglasses") == face.sunglasses
            for counts, value in ((tally.faces, 1), (tally.followed, hit), (tally.right, good)):
                counts[face.way] = counts.get(face.way, 0) + value
            if hit and best is not None:
                tally.numbers += last.get(face.way, best.track) != best.track
                last[face.way] = best.track
    return tally


def interval(tally: Tally, reference: Tally) -> tuple[float, float]:
    """Return the 95 % interval of the difference in ``right``: a bootstrap over ways, as frames of one are alike."""
    ways = sorted(reference.faces)
    faces = np.array([reference.faces[way] for way in ways])
    gained = np.array([tally.right[way] - reference.right[way] for way in ways])
    if not gained.any():
        return 0.0, 0.0

    def difference(chosen: Any) -> float:
        return float(gained[chosen].sum() / faces[chosen].sum())

    found = stats.bootstrap(
        (np.arange(len(ways)),), difference, vectorized=False, method="percentile", n_resamples=2000, rng=0
    ).confidence_interval
    return float(found.low), float(found.high)


def choose(shares: dict[int, tuple[float, float]]) -> int:
    """Return the largest k whose shares of followed and of right faces are within one point of those of k = 1.

    Every smaller k that was measured must be so, too: else it would be luck.
    """
    best = 1
    for every in sorted(shares):
        if any(first - one > MOST_LOST for one, first in zip(shares[every], shares[1], strict=True)):
            break
        best = every
    return best


def measure_labels(
    folder: Path, persons: Sequence[Person], frames: int, counts: Sequence[int]
) -> dict[str, dict[int, Tally]]:
    """Return the tallies of each speed and k; leaves ``stroll-3.mp4`` and its like in `folder`."""
    base = load_predictor(threads=0, region="face")
    predictor = Predictor(
        base.backend, threshold=base.threshold, eyeglasses_threshold=base.eyeglasses_threshold, outputs=base.outputs,
        region="face", margin=base.margin, detector=Remembering(),
    )  # fmt: skip
    tallies = {speed: {every: Tally() for every in EVERY} for speed in SPEEDS}
    seed = 0
    for speed in SPEEDS:
        for number in counts:
            seed += 1
            truth: Truth = []

            def pictures(number: int = number, speed: str = speed, seed: int = seed, truth: Truth = truth) -> Any:
                for picture, shown in film(persons, speed, number, frames, seed):
                    truth.append(shown)
                    yield picture

            path = folder / f"{speed}-{number}.mp4"
            write_film(path, pictures())
            for every in EVERY:
                tallies[speed][every].add(count(truth, judge(predictor, path, every)))
    return tallies


def label_rows(tallies: dict[str, dict[int, Tally]]) -> tuple[list[list[object]], dict[int, tuple[float, float]]]:
    """Return the rows of the table, and the shares of each k over all speeds."""
    pooled = {every: Tally() for every in EVERY}
    for every, whole in pooled.items():
        for speed in tallies.values():
            whole.add(speed[every])
    rows: list[list[object]] = []
    for every, whole in pooled.items():
        low, high = interval(whole, pooled[1])
        rows.append([
            every, *(f"{speed[every].share('right'):.4f}" for speed in tallies.values()),
            f"{whole.share('followed'):.4f}", f"{whole.share('right'):.4f}", f"{low:+.4f} to {high:+.4f}",
            f"{whole.extra / max(1, whole.boxes):.4f}", whole.numbers,
        ])  # fmt: skip
    return rows, {every: (one.share("followed"), one.share("right")) for every, one in pooled.items()}


def measure_long(folder: Path, persons: Sequence[Person], frames: int) -> tuple[str, dict[str, Any]]:
    """Run ``gafas predict`` on a film and on one that is ten times as long; small pictures, as memory counts."""
    pictures = [resize(picture, (240, 320)) for picture, _ in film(persons, "stroll", 3, min(100, frames // 10), 1)]
    rows, payload = [], dict[str, Any]()
    for number in (frames // 10, frames):
        path = folder / f"long-{number}.mp4"
        write_film(path, islice(cycle(pictures), number))
        words = [sys.executable, "-m", "gafas", "predict", str(path), "--annotate", str(folder / f"drawn-{number}")]
        used = run_process([*words, "--detect-every", "10", "-o", str(folder / f"{number}.csv")])
        rows.append([f"{number:,}", f"{used.seconds:.1f}", f"{number / used.seconds:.1f}", f"{used.peak_mb:.0f}"])
        payload[str(number)] = {"seconds": used.seconds, "peak_mb": used.peak_mb}
    return markdown(["frames", "seconds", "frames/s", "peak memory, MB"], rows), payload


def measure_time(path: Path, frames: int, rounds: int) -> tuple[list[list[object]], dict[str, Any]]:
    """Return milliseconds a frame at each k, and the time against k = 1."""
    predictor = load_predictor(threads=1, region="face")
    alone = seconds_of(predictor, path, 1)
    rows: list[list[object]] = [[1, f"{1000 * alone / frames:.1f}", "1"]]
    payload: dict[str, Any] = {}
    for every in TIMED:
        pairs = paired(
            lambda: seconds_of(predictor, path, 1),
            lambda every=every: seconds_of(predictor, path, every),  # type: ignore[misc]
            rounds=rounds,
        )
        rows.append([every, f"{1000 * statistics.median(pairs.candidate) / frames:.1f}", show_ratio(pairs)])
        payload[str(every)] = pairs.to_json()
    return rows, payload


def _time_table(rows: list[list[object]]) -> str:
    return markdown(["k", "processor, ms/frame", "ratio to k = 1: median (min-max)"], rows)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200, help="of each film (200)")
    parser.add_argument("--rounds", type=int, default=3, help="of the times; 0 leaves them out (3)")
    parser.add_argument("--times", action="store_true", help="times alone")
    parser.add_argument("--long", type=int, metavar="FRAMES", help="memory on a film of so many frames instead")
    parser.add_argument("--smoke", action="store_true", help="seconds instead of minutes: that it runs, not how fast")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    smoke = (6, (3,), 1)
    frames, counts, rounds = smoke if arguments.smoke else (arguments.frames, PERSONS, arguments.rounds)
    with tempfile.TemporaryDirectory() as name:
        persons = people(6) if arguments.smoke or arguments.long else people()
        if arguments.long:
            table, payload = measure_long(Path(name), persons, arguments.long)
            finish("Long films", table, payload, arguments.json)
            return
        if arguments.times:
            path = Path(name, "stroll-3.mp4")
            write_film(path, (picture for picture, _ in film(persons, "stroll", 3, frames, 5)))
            times, timed = measure_time(path, frames, rounds)
            finish("Films", _time_table(times), {"times": timed}, arguments.json)
            return
        tallies = measure_labels(Path(name), persons, frames, counts)
        rows, shares = label_rows(tallies)
        times, timed = measure_time(Path(name, "stroll-3.mp4"), frames, rounds) if rounds else ([], {})
    faces = {speed: sum(one[1].faces.values()) for speed, one in tallies.items()}
    headers = ["k", *(f"right, {speed}" for speed in tallies), "followed", "right", "right − that of 1 (95 %)", "extra",
               "numbers"]  # fmt: skip
    ways = sum(len(one[1].faces) for one in tallies.values())
    words = (
        f"{len(counts) * len(SPEEDS)} films of {frames} frames, {ways} ways of persons; n faces: "
        f"{', '.join(f'{speed} {n:,}' for speed, n in faces.items())}. By the rule: --detect-every {choose(shares)}."
    )
    table = markdown(headers, rows)
    if times:
        table += "\n\n" + _time_table(times)
    payload = {
        "chosen": choose(shares), "faces": faces, "times": timed,
        "shares": {str(every): {"followed": one, "right": other} for every, (one, other) in shares.items()},
    }  # fmt: skip
    finish("Films", f"{words}\n\n{table}", payload, arguments.json)


if __name__ == "__main__":
    main()
