"""Make the detector's int8 file, for the quick first look, from its float file.

    python tools/quantize_detector.py src/gafas/assets/centerface.float16.onnx src/gafas/assets/centerface.int8.onnx

The ranges of activations come from scenes made of training portraits of ``celeba_glasses`` (the training part of the
shipped model's split): one to nine faces of any size on a plain ground, some grey. No picture of a test set takes part.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from gafas.bundle import shipped_bundle
from gafas.datasets.locate import load_dataset
from gafas.datasets.splits import find_split, read_split
from gafas.files import sha256, write_beside
from gafas.imaging import Rgb, read_image, resize
from gafas.learn.int8 import quantize

SCENES = 160
HEIGHT, WIDTH = 256, 320


def scenes(portraits: list[Rgb], *, random: np.random.Generator) -> Rgb:
    """Return scenes (n, height, width, 3) with portraits in a grid, each shrunk and shifted a little."""
    made = np.empty((SCENES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    for scene in made:
        scene[:] = random.integers(0, 256)
        cells = int(random.choice([1, 1, 2, 3]))
        height, width = HEIGHT // cells, WIDTH // cells
        for place in np.ndindex(cells, cells):
            portrait = portraits[random.integers(len(portraits))]
            factor = min(height / portrait.shape[0], width / portrait.shape[1]) * random.uniform(0.6, 1)
            part = resize(portrait, (int(portrait.shape[0] * factor), int(portrait.shape[1] * factor)))
            top = place[0] * height + random.integers(height - part.shape[0] + 1)
            left = place[1] * width + random.integers(width - part.shape[1] + 1)
            scene[top : top + part.shape[0], left : left + part.shape[1]] = part
        if random.random() < 0.4:
            scene[:] = scene.mean(axis=2, keepdims=True).astype(np.uint8)
    return made


def keep(nodes: Sequence[onnx.NodeProto]) -> set[str]:
    """Keep the first three convolutions, the four that give the answer, and what enlarges the maps."""
    convolutions = [node.name for node in nodes if node.op_type == "Conv"]
    others = {node.name for node in nodes if node.op_type in {"ConvTranspose", "Sigmoid"}}
    return {*convolutions[:3], *convolutions[-4:], *others}


def main() -> None:
    """Read the command line and make the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--data", default="celeba_glasses")
    arguments = parser.parse_args()
    split = find_split(shipped_bundle())
    if split is None:
        raise SystemExit(f"{shipped_bundle()}: no split.json, so the training part is not known")
    root = load_dataset(arguments.data).root
    random = np.random.default_rng(0)
    chosen = random.permutation(read_split(split).train)[:320]
    made = scenes([read_image(root / path) for path in chosen], random=random)
    quantized = quantize(onnx.load(arguments.source), made, keep=keep).SerializeToString()
    with write_beside(arguments.target) as temporary:
        temporary.write_bytes(quantized)
    print(f"{arguments.target}: {len(quantized):,} bytes, {sha256(arguments.target)}")


if __name__ == "__main__":
    main()
