"""A folder of images: what streaming costs, how many cores it keeps busy, how much memory it takes.

    python benchmarks/folder.py
    python benchmarks/folder.py --folders 1000 20000 --json folder.json

The reference is the sum of the parts, each alone on one thread, one image at a time: decode, find faces, cut out,
classify. The candidate is what ``gafas predict`` does with a folder: all parts at once, on all cores. Compared are
seconds of processor time, so that more cores do not hide what each image costs. Then whole processes of
``gafas predict FOLDER -o rows.csv`` run on folders of links to the same images, and every row is counted.

The images are photographs of CelebA and of the CMU Face Images (all three resolutions) in turns, from ``$GAFAS_DATA``;
without it, drawn ones.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any

import gafas
from common import cores, finish, markdown, paired, run_process, show_ratio
from gafas.datasets.synthetic import draw_synthetic
from gafas.imaging import read_image
from gafas.runtime.answers import judge_sources
from gafas.runtime.predictor import Predictor
from gafas.runtime.sources import Source

_PER_FOLDER = 1000


def find_images(folder: Path) -> tuple[list[Path], str]:
    """Return images and what they are."""
    data = Path(os.environ.get("GAFAS_DATA") or folder)
    portraits, faces = sorted(data.glob("celeba_glasses/*/*.jpg")), sorted(data.glob("cmu_faces/*/*.pgm"))
    if portraits and faces:
        # The shorter list begins anew; a stride of 7 mixes persons and resolutions.
        mixed = chain.from_iterable(zip(portraits, cycle(faces[::7]), strict=False))
        return list(mixed), "CelebA and CMU, one after the other"
    return sorted(draw_synthetic(folder / "drawn", persons=2, size=(120, 128)).rglob("*.pgm")), "drawn"


class Parts:
    """The steps of a prediction, one after the other on one thread; keeps the seconds of processor time of each."""

    def __init__(self, predictor: Predictor, images: Sequence[Path]) -> None:
        self.predictor, self.images = predictor, images
        self.milliseconds: dict[str, list[float]] = {}

    def __call__(self) -> float:
        """Run all steps over all images and return the seconds of processor time."""
        judge = self.predictor
        pixels, decoding = self._time("decode", read_image, self.images)
        boxes, finding = self._time("find faces", judge.find, pixels)
        patches, cutting = self._time(
            "cut out", lambda pair: list(judge.cut(*pair)), list(zip(pixels, boxes, strict=True))
        )
        _, classifying = self._time(
            "classify", lambda pair: judge.judge([pair[0]], pair[1]), list(zip(boxes, patches, strict=True))
        )
        return decoding + finding + cutting + classifying

    def _time(self, name: str, step: Callable[[Any], Any], values: Sequence[Any]) -> tuple[list[Any], float]:
        start = time.process_time()
        results = [step(value) for value in values]
        seconds = time.process_time() - start
        self.milliseconds.setdefault(name, []).append(1000 * seconds / len(values))
        return results, seconds


class Streamed:
    """The same images as a stream on all cores; keeps how many cores were busy and how many images passed a second."""

    def __init__(self, predictor: Predictor, images: Sequence[Path]) -> None:
        self.predictor, self.sources = predictor, [Source(str(path), path.name) for path in images]
        self.cores: list[float] = []
        self.speed: list[float] = []

    def __call__(self) -> float:
        """Judge all images and return the seconds of processor time."""
        start, wall = time.process_time(), time.perf_counter()
        failed = sum(
            answer.error is not None
            for answer in judge_sources(self.predictor, self.sources, workers=cores(), keep_images=False)
        )
        seconds, wall = time.process_time() - start, time.perf_counter() - wall
        if failed:
            raise SystemExit(f"{failed} of {len(self.sources)} images failed")
        self.cores.append(seconds / wall)
        self.speed.append(len(self.sources) / wall)
        return seconds


def link_images(folder: Path, images: Sequence[Path], count: int) -> None:
    """Fill a folder with `count` links to the images, again and again the same ones."""
    for number, image in enumerate(islice(cycle(images), count)):
        place = folder / f"{number // _PER_FOLDER:03}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:06}{image.suffix}").symlink_to(image.resolve())


def predict_folder(folder: Path, count: int) -> dict[str, float]:
    """Run ``gafas predict`` on a folder as a process of its own and count its rows."""
    rows = folder.with_suffix(".csv")
    words = [sys.executable, "-m", "gafas", "predict", str(folder), "-o", str(rows)]
    used = run_process(words, stderr=subprocess.DEVNULL)
    with rows.open(encoding="utf-8", newline="") as stream:
        paths = list(dict.fromkeys(row["path"] for row in csv.DictReader(stream)))
    if paths != sorted(paths) or len(paths) != count:
        raise SystemExit(f"{' '.join(words)}: rows of {len(paths)} of {count} images, or not in their order")
    return {
        "images": count,
        "seconds": used.seconds,
        "images_per_second": count / used.seconds,
        "cores": used.busy / used.seconds,
        "peak_mb": used.peak_mb,
    }


def measure_stream(found: Sequence[Path], *, images: int, rounds: int) -> tuple[str, dict[str, Any]]:
    """Run the parts and the stream in turns and return the table and the figures."""
    chosen = list(islice(cycle(found), images))
    predictor = gafas.load_predictor(threads=1)
    parts, streamed = Parts(predictor, chosen), Streamed(predictor, chosen)
    # The first images pay for what is opened late.
    Streamed(predictor, chosen[:8])()
    pairs = paired(parts, streamed, rounds=rounds)
    each = [1000 * seconds / images for seconds in (*pairs.reference, *pairs.candidate)]
    rows = [[name, *_summary(values, ".2f")] for name, values in parts.milliseconds.items()]
    rows += [
        ["sum of the parts", *_summary(each[:rounds], ".2f")],
        ["streamed", *_summary(each[rounds:], ".2f")],
        ["streamed / sum of the parts", *show_ratio(pairs).rstrip(")").split(" (")],
        ["cores busy", *_summary(streamed.cores, ".2f")],
        ["images a second", *_summary(streamed.speed, ".0f")],
    ]
    figures = {"images": images, "n": rounds, "cores": streamed.cores, "images_per_second": streamed.speed,
               "parts_ms": parts.milliseconds, **pairs.to_json()}  # fmt: skip
    return markdown(["processor time of an image, ms", f"median of {rounds}", "range"], rows), figures


def measure_folders(found: Sequence[Path], folder: Path, sizes: Sequence[int]) -> tuple[str, list[dict[str, float]]]:
    """Run the command on folders of these sizes and return the table and the figures."""
    runs = []
    for size in sizes:
        link_images(folder / str(size), found, size)
        runs.append(predict_folder(folder / str(size), size))
    rows = [
        [f"{run['images']:,}", f"{run['seconds']:.1f}", f"{run['images_per_second']:.0f}", f"{run['cores']:.2f}",
         f"{run['peak_mb']:.0f}"]
        for run in runs
    ]  # fmt: skip
    return markdown(["images in the folder", "s", "images/s", "cores busy", "peak MB"], rows), runs


def _summary(values: Sequence[float], form: str) -> tuple[str, str]:
    ordered = sorted(values)
    return format(ordered[len(ordered) // 2], form), f"{ordered[0]:{form}}-{ordered[-1]:{form}}"


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=400, help="images of a round (400)")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of parts and stream (5)")
    parser.add_argument("--folders", type=int, nargs="+", default=[1000], help="sizes of the folders (1000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--smoke", action="store_true", help="few images, once: does it run?")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.images, arguments.rounds, arguments.folders = 12, 1, [24]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found, kind = find_images(folder)
        # First: a process that is started counts the memory of this one as its own, until its program begins.
        folders, runs = measure_folders(found, folder, arguments.folders)
        stream, figures = measure_stream(found, images=arguments.images, rounds=arguments.rounds)
    table = f"{arguments.images} images: {kind}\n\n{stream}\n\n{folders}"
    finish("folder", table, {"kind": kind, "stream": figures, "folders": runs}, arguments.json)


if __name__ == "__main__":
    main()
