"""How good explanations are, on the CMU pictures with sunglasses: where they point, what they mark, what they cost.

    python benchmarks/explain.py [--precision int8] [--limit 40] [--json FILE]

Pointing game: the map's highest value lies within 0.15 of the face's height of the line between the eyes, whose places
come from the detector. Deletion (low is good) and insertion (high is good): the mean P(sunglasses) while the pixels
that the map marks most are blurred first, or come first into the blurred picture. A random map and one that always
marks the middle stand beside, for what is to be had without looking.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from common import finish, markdown  # isort: skip  # its neighbour
from gafas.datasets.locate import load_dataset
from gafas.imaging import Rgb, read_image
from gafas.runtime.backends import Backend, can_explain
from gafas.runtime.explain import evidence_map
from gafas.runtime.faces import face_square
from gafas.runtime.predictor import Predictor, load_predictor
from gafas.scoring.explanations import centre_prior, deletion_area, hits_band, insertion_area
from gafas.scoring.intervals import mean_interval, wilson
from gafas.values import FaceBox

REACH = 0.15
"""Of the face's height: half a lens and what a landmark may be off under dark glass."""

BLUR = 0.1
"""Of the crop's side: sigma of what stands in place of deleted pixels."""

Map = NDArray[Any]
Way = Callable[[Rgb], Map]


def ways(backend: Backend, *, seed: int) -> dict[str, Way]:
    """Return what makes a map of a crop, by name."""
    random = np.random.default_rng(seed)
    found: dict[str, Way] = {}
    if can_explain(backend):
        found["activation, several views (default)"] = lambda crop: evidence_map(backend, crop)
        found["activation, one view"] = lambda crop: evidence_map(backend, crop, sharpen=False)
    found["occlusion"] = lambda crop: evidence_map(backend, crop, method="occlusion")
    found["the middle"] = lambda crop: centre_prior(crop.shape[:2])
    found["random"] = lambda crop: random.random(crop.shape[:2])
    return found


def faces(predictor: Predictor, limit: int | None) -> tuple[list[tuple[Rgb, FaceBox, Rgb]], int]:
    """Return (image, main face, crop) of the pictures with sunglasses, and how many have no face found."""
    dataset = load_dataset("cmu_faces")
    samples = [sample for sample in dataset.at("full") if sample.label == "sunglasses"]
    chosen = samples[:: max(1, len(samples) // limit)] if limit else samples
    found, missed = [], 0
    for sample in chosen:
        image = read_image(dataset.root / sample.path)
        box = max(predictor.find(image), key=lambda face: face.area)
        if box.landmarks is None:
            missed += 1
            continue
        found.append((image, box, next(predictor.cut(image, [box]))))
    return found, missed


def measure(predictor: Predictor, way: Way, seen: Sequence[tuple[Rgb, FaceBox, Rgb]], *, steps: int) -> dict[str, Any]:
    """Judge one way on all faces."""
    hits, deletions, insertions, seconds = 0, [], [], []

    def score(pictures: Rgb) -> NDArray[np.float32]:
        return np.concatenate([predictor.backend.probabilities(part)[:, 0] for part in np.array_split(pictures, 3)])

    for _, box, crop in seen:
        started = time.perf_counter()
        evidence = way(crop)
        seconds.append(time.perf_counter() - started)
        x0, y0, x1, y1 = face_square(box, margin=predictor.margin)
        across, down = crop.shape[1] / (x1 - x0), crop.shape[0] / (y1 - y0)
        eyes = [((x - x0) * across, (y - y0) * down) for x, y in (box.landmarks or ())[:2]]
        hits += hits_band(evidence, eyes, reach=REACH * box.height * down)
        filtered = Image.fromarray(crop).filter(ImageFilter.GaussianBlur(BLUR * crop.shape[0]))
        blank = np.asarray(filtered)
        deletions.append(deletion_area(score, crop, evidence, blank=blank, steps=steps))
        insertions.append(insertion_area(score, crop, evidence, blank=blank, steps=steps))
    between = wilson(hits, len(seen))
    return {
        "n": len(seen),
        "pointing": {"value": hits / len(seen), "interval": [between.low, between.high]},
        "deletion": summary(deletions),
        "insertion": summary(insertions),
        "seconds": statistics.median(seconds),
    }


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Return mean and bootstrapped interval."""
    between = mean_interval(values, rng=np.random.default_rng(0))
    return {"value": statistics.fmean(values), "interval": [between.low, between.high]}


def show(figure: dict[str, Any]) -> str:
    """Return ``value [low, high]``."""
    low, high = figure["interval"]
    return f"{figure['value']:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("gafas-base"))
    parser.add_argument("--precision", default="float32", help="float32 or int8")
    parser.add_argument("--limit", type=int, help="about so many pictures, evenly spread; all without it")
    parser.add_argument("--seed", type=int, default=0, help="of the random maps")
    parser.add_argument("--smoke", action="store_true", help="seconds instead of minutes: that it runs, not how well")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    limit, steps = (2, 4) if arguments.smoke else (arguments.limit, 20)
    predictor = load_predictor(arguments.model, precision=arguments.precision, region="face")
    seen, missed = faces(predictor, limit)
    found = {
        name: measure(predictor, way, seen, steps=steps)
        for name, way in ways(predictor.backend, seed=arguments.seed).items()
    }
    rows = [
        (name, show(one["pointing"]), show(one["deletion"]), show(one["insertion"]), f"{1000 * one['seconds']:.0f}")
        for name, one in found.items()
    ]
    table = markdown(["map", "pointing game", "deletion ↓", "insertion ↑", "ms"], rows)
    words = f"{predictor.name}, {arguments.precision}, n = {len(seen)} faces with sunglasses, {missed} not found"
    payload = {
        "model": predictor.name,
        "precision": arguments.precision,
        "reach": REACH,
        "steps": steps,
        "n": len(seen),
        "not_found": missed,
        "maps": found,
    }
    finish("Explanations", f"{words}\n\n{table}", payload, arguments.json)


if __name__ == "__main__":
    main()
