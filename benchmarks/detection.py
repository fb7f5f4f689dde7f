"""Time and recall of the face detector, one thread: the thorough look against the quick one that comes first.

    python benchmarks/detection.py [--rounds 3] [--json FILE]

Scenes of 640×480 pixels hold portraits of the validation part of ``celeba_glasses`` (drawn ones where it is missing) at
known places. Recall counts faces found with an overlap (intersection over union) of at least 0.4. On the real data it
is also counted on every photograph of the CMU Face Images and on the held-out part of CelebA: found, and the largest
face at the same place as with the thorough look.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common import finish, markdown, paired, show_ratio  # isort: skip  # its neighbour
from gafas.bundle import shipped_bundle
from gafas.imaging import Rgb, read_image, resize
from gafas.runtime.faces import FaceDetector
from gafas.values import FaceBox

HEIGHT, WIDTH = 480, 640
Place = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """An image and where its faces are."""

    image: Rgb
    faces: tuple[Place, ...]


def overlap(a: Place, b: Place) -> float:
    """Return intersection over union."""
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    tall = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return wide * tall / (areas - wide * tall)


def place_of(face: FaceBox) -> Place:
    """Return the corners of a box."""
    return (face.x0, face.y0, face.x1, face.y1)


def portraits() -> list[tuple[Rgb, FaceBox]]:
    """Return portraits with their face: photographs where they are, else drawn ones."""
    images = _photographs() or _drawn()
    detector = FaceDetector(thorough=True, threads=0)
    found = ((image, detector.detect(image)) for image in images)
    return [(image, max(faces, key=lambda face: face.area)) for image, faces in found if faces]


def _photographs() -> list[Rgb]:
    from gafas.datasets.splits import find_split, read_split

    root, split = Path(os.environ.get("GAFAS_DATA", "data")) / "celeba_glasses", find_split(shipped_bundle())
    if not root.is_dir() or split is None:
        return []
    return [read_image(root / path) for path in read_split(split).validation[:120]]


def _drawn() -> list[Rgb]:
    from gafas.datasets.drawing import draw_portrait

    return [resize(draw_portrait(seed), (240, 256)) for seed in range(40)]


def make_scene(sides: Sequence[float], known: Sequence[tuple[Rgb, FaceBox]], random: np.random.Generator) -> Scene:
    """Return a scene with faces of the given long sides, as far as there is room."""
    ground = float(random.integers(20, 230)) + random.normal(0, 8, (HEIGHT, WIDTH, 3))
    image = ground.clip(0, 255).astype(np.uint8)
    frames: list[Place] = []
    faces: list[Place] = []
    for side in sides:
        for _ in range(50):
            portrait, face = known[int(random.integers(len(known)))]
            factor = side / max(face.width, face.height)
            height, width = int(portrait.shape[0] * factor), int(portrait.shape[1] * factor)
            if height > HEIGHT or width > WIDTH:
                continue
            top, left = int(random.integers(HEIGHT - height + 1)), int(random.integers(WIDTH - width + 1))
            frame = (left, top, left + width, top + height)
            if any(overlap(frame, other) > 0 for other in frames):
                continue
            image[top : top + height, left : left + width] = resize(portrait, (height, width))
            frames.append(frame)
            x0, y0, x1, y1 = (factor * value for value in place_of(face))
            faces.append((left + x0, top + y0, left + x1, top + y1))
            break
    return Scene(image, tuple(faces))


def make_scenes(known: Sequence[tuple[Rgb, FaceBox]], count: int) -> dict[str, list[Scene]]:
    """Return kinds of scenes; the same at every call."""
    random = np.random.default_rng(5)

    def sides(low: float, high: float, count: int) -> list[float]:
        return [float(value) for value in np.exp(random.uniform(np.log(low), np.log(high), count))]

    return {
        "one face of 90-200 pixels": [make_scene(sides(90, 200, 1), known, random) for _ in range(count)],
        "five faces of 30-90 pixels": [make_scene(sides(30, 90, 5), known, random) for _ in range(count)],
        "one of 100-180 and four of 14-60": [
            make_scene([*sides(100, 180, 1), *sides(14, 60, 4)], known, random) for _ in range(count)
        ],
    }


def recall(detector: FaceDetector, scenes: Sequence[Scene]) -> tuple[int, int]:
    """Return how many faces are found, and how many there are."""
    found = total = 0
    for scene in scenes:
        boxes = [place_of(face) for face in detector.detect(scene.image)]
        found += sum(max((overlap(face, box) for box in boxes), default=0) >= 0.4 for face in scene.faces)
        total += len(scene.faces)
    return found, total


def on_real_data(thorough: FaceDetector, quick: FaceDetector) -> dict[str, dict[str, int]]:
    """Count found faces on CMU and on held-out CelebA; nothing where the data are missing."""
    from gafas.datasets.locate import load_dataset
    from gafas.datasets.splits import find_split, read_split

    split = find_split(shipped_bundle())
    if "GAFAS_DATA" not in os.environ or split is None:
        return {}
    cmu, celeba = load_dataset("cmu_faces"), load_dataset("celeba_glasses")
    paths = {f"CMU, {size}": [cmu.root / one.path for one in cmu.at(size)] for size in ("full", "half", "quarter")}
    paths["held-out CelebA"] = [celeba.root / path for path in read_split(split).test]
    counted = {}
    for name, files in paths.items():
        counts = {"n": len(files), "thorough": 0, "quick": 0, "same place": 0}
        for file in files:
            image = read_image(file)
            want, got = thorough.detect(image), quick.detect(image)
            counts["thorough"] += bool(want)
            counts["quick"] += bool(got)
            if want and got:
                largest = [place_of(max(faces, key=lambda face: face.area)) for faces in (want, got)]
                counts["same place"] += overlap(*largest) >= 0.5
        counted[name] = counts
    return counted


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", default="auto", help="of the quick look")
    parser.add_argument("--smoke", action="store_true", help="seconds instead of minutes: that it runs, not how fast")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    thorough, quick = FaceDetector(thorough=True), FaceDetector(precision=arguments.precision)
    scenes = make_scenes(portraits(), 3 if arguments.smoke else 40)

    def timer(detector: FaceDetector, images: Sequence[Rgb]) -> float:
        seconds = []
        for image in images:
            started = time.perf_counter()
            detector.detect(image)
            seconds.append(time.perf_counter() - started)
        return statistics.median(seconds)

    rows, payload = [], dict[str, Any]()
    for name, kind in scenes.items():
        images = [scene.image for scene in kind]
        timer(thorough, images[:2]), timer(quick, images[:2])
        pairs = paired(
            lambda images=images: timer(thorough, images),  # type: ignore[misc]
            lambda images=images: timer(quick, images),  # type: ignore[misc]
            rounds=2 if arguments.smoke else arguments.rounds,
        )
        (slow, total), (fast, _) = recall(thorough, kind), recall(quick, kind)
        rows.append(
            (
                name,
                f"{1000 * statistics.median(pairs.reference):.1f}",
                f"{1000 * statistics.median(pairs.candidate):.1f}",
                show_ratio(pairs),
                f"{slow / total:.4f}",
                f"{fast / total:.4f}",
                total,
            )
        )
        payload[name] = {**pairs.to_json(), "faces": total, "thorough": slow, "quick": fast}
    headers = ["640×480, 1 thread", "thorough, ms", "quick, ms", "ratio: median (min-max)"]
    table = markdown([*headers, "thorough, recall", "quick, recall", "faces"], rows)
    real = {} if arguments.smoke else on_real_data(thorough, quick)
    if real:
        lines = [(name, c["n"], c["thorough"], c["quick"], c["same place"]) for name, c in real.items()]
        table += "\n\n" + markdown(["photographs", "n", "thorough", "quick", "largest at the same place"], lines)
    finish("Face detection", table, {"scenes": payload, "real": real}, arguments.json)


if __name__ == "__main__":
    main()
