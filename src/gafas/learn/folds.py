"""The plan of a cross-validation: who is left out when, decided before anything is trained. Pure.

Every person is held out in exactly one fold, and is in no other part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gafas.datasets.splits import person_folds
from gafas.errors import DataError
from gafas.learn.config import Config, config_to_json
from gafas.learn.pictures import Pictures
from gafas.values import LABELS, Sample

_VALIDATION = 0.15


@dataclass(frozen=True, slots=True)
class Fold:
    """One training and whom it is asked about.

    Attributes
    ----------
    name : str
        Also of its file: the person, or ``fold-1`` and so on.
    persons : tuple of str
        Held out.
    train, validation, held_out : tuple of str
        Paths; `validation` is empty for a recipe that chooses nothing.
    """

    name: str
    persons: tuple[str, ...]
    train: tuple[str, ...]
    validation: tuple[str, ...]
    held_out: tuple[str, ...]


def plan_folds(samples: Sequence[Sample], folds: int | None, *, seed: int, validation: bool) -> tuple[Fold, ...]:
    """Return the folds of a data set.

    Parameters
    ----------
    samples : sequence of Sample
        Of one resolution, with their persons.
    folds : int or None
        How many; ``None`` leaves out one person at a time.
    seed : int
        Of who comes into which fold, and who of the others is for validation.
    validation : bool
        Whether each fold keeps some of its training persons for what the recipe chooses.

    Raises
    ------
    DataError
        As `gafas.datasets.splits.person_folds`, or a fold whose training images are of one class.
    """
    dealt = person_folds(samples, folds, seed=seed)
    planned = []
    for number, persons in enumerate(dealt, start=1):
        others = [sample for sample in samples if sample.person not in persons]
        chosen = _choose(others, np.random.default_rng([seed, number])) if validation else frozenset()
        name = persons[0] if folds is None else f"fold-{number}"
        train = [sample for sample in others if sample.person not in chosen]
        _require_both(train, name)
        planned.append(
            Fold(
                name,
                persons,
                tuple(sample.path for sample in train),
                tuple(sample.path for sample in others if sample.person in chosen),
                tuple(sample.path for sample in samples if sample.person in persons),
            )
        )
    return tuple(planned)


def _choose(others: Sequence[Sample], rng: np.random.Generator) -> frozenset[str]:
    """Return a seventh of the training persons, at least one, but never all."""
    persons = sorted({str(sample.person) for sample in others})
    if len(persons) < 2:
        raise DataError(
            f"expected two persons or more to train on, for one of them is kept for validation, got {len(persons)}; "
            "add persons"
        )
    count = max(1, round(_VALIDATION * len(persons)))
    return frozenset(persons[index] for index in rng.permutation(len(persons))[:count])


def _require_both(train: Sequence[Sample], name: str) -> None:
    for label in LABELS:
        if not any(sample.label == label for sample in train):
            raise DataError(
                f"fold {name}: expected both classes among its training images, got no {label}; "
                "add persons, or change --folds"
            )


def digest(pictures: Pictures) -> str:
    """Return the SHA-256 of the pixels and labels that all folds are made of."""
    made = hashlib.sha256()
    for sample in pictures.samples:
        made.update(f"{sample.path}\0{sample.label}\0{sample.person}\n".encode())
    made.update(str(pictures.images.shape).encode())
    made.update(np.ascontiguousarray(pictures.images).data)
    return made.hexdigest()


def fingerprint(fold: Fold, config: Config, *, pictures: str, weights: dict[str, Any] | None) -> str:
    """Return a hash of everything that a fold's result follows from.

    Parameters
    ----------
    pictures : str
        From `digest`.
    weights : dict or None
        As the run records them.
    """
    parts = {
        "config": config_to_json(config),
        "pictures": pictures,
        "weights": weights,
        "persons": fold.persons,
        "train": fold.train,
        "validation": fold.validation,
        "held_out": fold.held_out,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
