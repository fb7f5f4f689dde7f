"""A split by blocks of consecutive numbers in the file names, for photographs whose persons are not known.

Pictures that were taken or collected one after the other often show the same person or event; in one block they stay
on one side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from gafas.errors import DataError
from gafas.values import LABELS, Sample, Split

BLOCK = 100
"""Consecutive numbers that stay together."""

_LANES = 20


def split_blocks(
    samples: Sequence[Sample], *, seed: int, validation: float = 0.15, test: float = 0.15, batch_size: int = 1
) -> Split:
    """Deal out blocks of `BLOCK` consecutive file numbers.

    Every twentieth block goes the same way, so that all parts hold low and high numbers; the seed says which.

    Parameters
    ----------
    samples : sequence of Sample
        The first number in each file's name counts; a part lists them in the order given here.
    seed : int
        From 0 up.
    validation, test : float
        Shares of the blocks, rounded to twentieths.
    batch_size : int
        The least number of training images.

    Raises
    ------
    DataError
        A file name without a number, a part without images or without one of the classes, or fewer training images
        than one batch.
    """
    if seed < 0:
        raise DataError(f"seed: expected 0 or more, got {seed}")
    lanes = np.random.default_rng(seed).permutation(_LANES)
    for_validation = set(lanes[: max(1, round(validation * _LANES))].tolist())
    for_test = set(lanes[len(for_validation) :][: max(1, round(test * _LANES))].tolist())
    parts: dict[str, list[Sample]] = {"train": [], "validation": [], "test": []}
    for sample in samples:
        lane = file_number(sample) // BLOCK % _LANES
        name = "validation" if lane in for_validation else "test" if lane in for_test else "train"
        parts[name].append(sample)
    for name, part in parts.items():
        missing = [label for label in LABELS if all(sample.label != label for sample in part)]
        if missing:
            raise DataError(
                f"{name}: no image with {missing[0]} among {len(part)}; add images, or split by file: --split file"
            )
    if len(parts["train"]) < batch_size:
        raise DataError(f"train: expected at least one batch of {batch_size} images, got {len(parts['train'])}")
    train, held, tested = (tuple(sample.path for sample in parts[name]) for name in ("train", "validation", "test"))
    return Split("block", seed, train, held, tested)


def file_number(sample: Sample) -> int:
    """Return the first number in a file's name.

    Raises
    ------
    DataError
        There is none.
    """
    found = re.search(r"[0-9]{1,18}", PurePosixPath(sample.path).stem)
    if found is None:
        raise DataError(f"{sample.path}: expected a number in the file's name; split by file: --split file")
    return int(found.group())
