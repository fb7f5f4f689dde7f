"""Drawn portraits in which the detector finds a face, and pictures made of them: nobody's photographs are needed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gafas.datasets.drawing import draw_portrait
from gafas.imaging import Rgb, resize

SEEDS = (4, 9)
"""Persons whom the detector finds surely; drawn faces are not what it was trained on."""


@lru_cache(maxsize=8)
def portrait(seed: int = SEEDS[0], size: tuple[int, int] = (240, 256)) -> Rgb:
    """One drawn person, upright and grey."""
    return resize(draw_portrait(seed), size)


def crowd(rows: int, columns: int, size: tuple[int, int] = (60, 64)) -> Rgb:
    """Many portraits side by side."""
    people = [portrait(seed, size) for seed in SEEDS]
    lines = [np.concatenate([people[(r + c) % 2] for c in range(columns)], axis=1) for r in range(rows)]
    return np.concatenate(lines, axis=0)
