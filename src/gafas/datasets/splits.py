"""Splits by file and by person. Pure but for `read_split`: no clock, no global random.

A split is made once, from the samples of one resolution, and saved with the run as ``split.json``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from gafas.errors import DataError
from gafas.files import read_json
from gafas.values import LABELS, SPLIT_NAMES, Sample, Split


def split_files(
    samples: Sequence[Sample],
    *,
    seed: int,
    validation: float = 0.3,
    test_count: int | None = None,
    batch_size: int = 10,
) -> Split:
    """Deal out files as the notebook does; the same person may be on both sides.

    Training files are exactly those of Keras's ``image_dataset_from_directory(subset="training",
    validation_split=validation, seed=seed)`` on the notebook's tree; the first of the others are
    the test set, fixed here, and the rest is for validation.

    Parameters
    ----------
    samples : sequence of Sample
        Of one resolution.
    seed : int
        From 0 up.
    validation : float
        The share that is not for training, between 0 and 1.
    test_count : int, optional
        How many of that share are for testing. ``None``: as many as fill a fifth of its batches,
        at least one batch (30 of 187 for batches of 10, as in the notebook).
    batch_size : int
        Also the least number of training images.

    Raises
    ------
    DataError
        A photograph at two resolutions, too few images for one batch, an empty part, or training
        images of one class only.
    """
    if not 0 < validation < 1:
        raise DataError(f"validation share: expected a number between 0 and 1, got {validation}")
    _check_samples(samples)
    _check_seed(seed)
    listed = keras_order(samples)
    # Keras shuffles with the legacy generator; a Generator would deal out other files.
    dealt = [listed[index] for index in np.random.RandomState(seed).permutation(len(listed))]
    held_out = int(validation * len(dealt))
    train, rest = dealt[: len(dealt) - held_out], dealt[len(dealt) - held_out :]
    if test_count is None:
        batches = -(-len(rest) // batch_size)
        test_count = max(1, batches // 5) * batch_size
    if not 0 < test_count < len(rest):
        raise DataError(
            f"{len(rest)} of {len(dealt)} images are held out, expected more than the {test_count} for "
            "testing; add images, lower --batch-size, or --set test_count=N for fewer"
        )
    split = Split("file", seed, _paths(train), _paths(rest[test_count:]), _paths(rest[:test_count]))
    _check_parts(split, samples, batch_size=batch_size)
    return split


def split_persons(
    samples: Sequence[Sample],
    *,
    seed: int,
    validation: float = 0.15,
    test: float = 0.15,
    batch_size: int = 10,
) -> Split:
    """Deal out persons, so that nobody is in two parts: of 20 persons 14, 3 and 3.

    Parameters
    ----------
    samples : sequence of Sample
        Of one resolution, each with its person; a part lists them in the order given here.
    seed : int
        From 0 up.
    validation, test : float
        Shares of the persons, each rounded and at least one person.
    batch_size : int
        The least number of training images.

    Raises
    ------
    DataError
        Persons unknown or too few, or as `split_files`.
    """
    _check_samples(samples)
    _check_seed(seed)
    if anonymous := [sample.path for sample in samples if sample.person is None]:
        raise DataError(
            f"{anonymous[0]}: the person is not known ({len(anonymous)} such images), so persons cannot "
            "be kept apart; split by file: --split file"
        )
    persons = sorted({str(sample.person) for sample in samples})
    n_validation = max(1, round(validation * len(persons)))
    n_test = max(1, round(test * len(persons)))
    if len(persons) - n_validation - n_test < 1:
        raise DataError(
            f"expected at least {n_validation + n_test + 1} persons, got {len(persons)}; "
            "add persons or split by file: --split file"
        )
    order = np.random.default_rng(seed).permutation(len(persons))
    shuffled = [persons[index] for index in order]
    for_test, for_validation = set(shuffled[:n_test]), set(shuffled[n_test : n_test + n_validation])
    for_train = set(shuffled[n_test + n_validation :])

    def of(chosen: set[str]) -> tuple[str, ...]:
        return _paths(sample for sample in samples if sample.person in chosen)

    split = Split("person", seed, of(for_train), of(for_validation), of(for_test))
    _check_parts(split, samples, batch_size=batch_size)
    return split


def person_folds(samples: Sequence[Sample], folds: int | None, *, seed: int) -> tuple[tuple[str, ...], ...]:
    """Deal persons out into folds, each person into exactly one.

    Parameters
    ----------
    samples : sequence of Sample
        Of one resolution, each with its person.
    folds : int or None
        How many folds, balanced by their images; ``None`` makes one for each person: leave one person out.
    seed : int
        From 0 up; with ``None`` for the folds nothing is drawn.

    Returns
    -------
    tuple of tuple of str
        The persons of each fold, by name.

    Raises
    ------
    DataError
        Persons unknown, or fewer than the folds; fewer than two folds.
    """
    _check_samples(samples)
    _check_seed(seed)
    if anonymous := [sample.path for sample in samples if sample.person is None]:
        raise DataError(
            f"{anonymous[0]}: the person is not known ({len(anonymous)} of {len(samples)} images), so persons cannot "
            "be left out; name files PERSON_POSE_EXPRESSION_EYES, or judge by file: gafas train --split file"
        )
    counts = Counter(str(sample.person) for sample in samples)
    if len(counts) < 2:
        raise DataError("folds: expected two persons or more, got 1, and nobody is left to train on; add persons")
    wanted = len(counts) if folds is None else folds
    if wanted < 2 or wanted > len(counts):
        raise DataError(
            f"folds: expected 2 to {len(counts)} for {len(counts)} persons, got {wanted}; lower --folds, or add persons"
        )
    if folds is None:
        return tuple((person,) for person in sorted(counts))
    names = sorted(counts)
    shuffled = [names[index] for index in np.random.default_rng(seed).permutation(len(names))]
    dealt: list[list[str]] = [[] for _ in range(wanted)]
    # Who has most images first, each to the fold that has fewest so far; persons count where images are equal.
    for person in sorted(shuffled, key=lambda name: -counts[name]):
        min(dealt, key=lambda fold: (sum(counts[name] for name in fold), len(fold))).append(person)
    return tuple(tuple(sorted(fold)) for fold in dealt)


def keras_order(samples: Iterable[Sample]) -> list[Sample]:
    """Sort samples as Keras lists the notebook's tree: ``glasses`` before ``no_glasses``, by name."""
    return sorted(samples, key=lambda s: (s.label != "sunglasses", f"{PurePosixPath(s.path).stem}.", s.path))


def check_split(split: Split, samples: Iterable[Sample]) -> None:
    """Check a split against the data set that it is used with.

    Raises
    ------
    DataError
        An empty part, a path twice, a path that the data set lacks, or, in a split by person, a
        person in two parts.
    """
    known = {sample.path: sample for sample in samples}
    place: dict[str, str] = {}
    home: dict[str, str] = {}
    for name in SPLIT_NAMES:
        if not split.part(name):
            raise DataError(f"split: the {name} part is empty; make a new split")
        for path in split.part(name):
            if path in place:
                both = f"both {place[path]} and {name}" if place[path] != name else f"{name} twice"
                raise DataError(f"split: {path} is in {both}; make a new split")
            place[path] = name
            if path not in known:
                raise DataError(f"split: {path} is not in the data set; pass the --data it was made from")
            person = known[path].person
            if split.kind == "person" and person is not None and home.setdefault(person, name) != name:
                raise DataError(
                    f"split: {person} is in both {home[person]} and {name}, although it is a split by "
                    "person; make a new split"
                )


def split_to_json(split: Split) -> dict[str, Any]:
    """Return a split as ``split.json`` holds it."""
    value: dict[str, Any] = {"kind": split.kind, "seed": split.seed}
    return value | {name: list(split.part(name)) for name in SPLIT_NAMES}


def split_from_json(value: Any) -> Split:
    """Return the split that a ``split.json`` holds.

    Raises
    ------
    DataError
        Not of that form.
    """
    if not isinstance(value, dict):
        raise DataError(f"split: expected a JSON object, got {type(value).__name__}")
    kind, seed = value.get("kind"), value.get("seed")
    if kind not in ("file", "person", "block"):
        raise DataError(f"split: kind: expected 'file', 'person' or 'block', got {kind!r}")
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise DataError(f"split: seed: expected a whole number, got {seed!r}")
    for name in SPLIT_NAMES:
        part = value.get(name)
        if not isinstance(part, list) or not all(isinstance(path, str) for path in part):
            raise DataError(f"split: {name}: expected a list of paths, got {type(part).__name__}")
    return Split(kind, seed, *(tuple(value[name]) for name in SPLIT_NAMES))


def find_split(bundle: Path) -> Path | None:
    """Return the ``split.json`` inside a shipped bundle or beside that of a run; ``None`` where there is none."""
    return next((path for folder in (bundle, bundle.parent) if (path := folder / "split.json").is_file()), None)


def read_split(path: Path) -> Split:
    """Read ``split.json``.

    Raises
    ------
    DataError
        It cannot be read, or is not a split.
    """
    try:
        return split_from_json(read_json(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except DataError as error:
        raise DataError(f"{path}: {error}; train again, or restore the file") from error
    except ValueError as error:
        raise DataError(f"{path}: damaged JSON: {error}; train again, or restore the file") from error


def _paths(samples: Iterable[Sample]) -> tuple[str, ...]:
    return tuple(sample.path for sample in samples)


def _check_samples(samples: Sequence[Sample]) -> None:
    sizes = {sample.resolution or "full" for sample in samples}
    if len(sizes) > 1:
        # The same photograph at another size on the other side would be a leak.
        raise DataError(f"expected images of one resolution, got {', '.join(sorted(sizes))}; choose one")
    twice = [path for path, n in Counter(sample.path for sample in samples).items() if n > 1]
    if twice:
        raise DataError(f"{twice[0]}: listed twice; a data set lists each image once")


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**32:
        raise DataError(f"seed: expected a whole number from 0 to {2**32 - 1}, got {seed}")


def _check_parts(split: Split, samples: Sequence[Sample], *, batch_size: int) -> None:
    if len(split.train) < batch_size:
        raise DataError(
            f"expected at least one batch of {batch_size} images for training, got {len(split.train)} "
            f"of {len(samples)}; add images or lower --batch-size"
        )
    labels = {sample.path: sample.label for sample in samples}
    for label in LABELS:
        if not any(labels[path] == label for path in split.train):
            raise DataError(f"expected both classes among the training images, got no {label}; add images")
    check_split(split, samples)
