"""What a cross-validation writes, and the proof that nobody was judged by a model that had seen them. No Keras.

``folds/FOLD.json`` is written by the process that trained the fold, complete or not at all: whoever is killed loses
only the folds that were being trained.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from gafas.errors import DataError
from gafas.files import csv_text, read_json, write_json, write_text
from gafas.values import Sample

FOLDS = "folds"
PREDICTIONS = "predictions.csv"
COLUMNS = ("path", "person", "label", "probability", "fold")

_AGAIN = "remove it and go on with: gafas crossval --resume DIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldResult:
    """One finished fold.

    Attributes
    ----------
    fold : str
    fingerprint : str
        Of all that it follows from; see `gafas.learn.folds.fingerprint`.
    persons : tuple of str
        Held out.
    train, validation : tuple of str
        Paths that the model was trained on, and that something was chosen by.
    paths : tuple of str
        Held out, in the order of `probabilities`.
    probabilities : tuple of float
        P(sunglasses).
    seconds : float
        Of training and prediction.
    """

    fold: str
    fingerprint: str
    persons: tuple[str, ...]
    train: tuple[str, ...]
    validation: tuple[str, ...]
    paths: tuple[str, ...]
    probabilities: tuple[float, ...]
    seconds: float


def write_fold(folder: Path, result: FoldResult) -> None:
    """Write ``folds/FOLD.json``, atomically.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    write_json(folder / FOLDS / f"{result.fold}.json", asdict(result))


def read_fold(path: Path) -> FoldResult:
    """Read one finished fold.

    Raises
    ------
    DataError
        It cannot be read, or is none.
    """
    try:
        raw = read_json(path)
        values: dict[str, Any] = {field.name: raw[field.name] for field in fields(FoldResult)}
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        result = FoldResult(**values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: expected a finished fold, got {type(error).__name__}: {error}; {_AGAIN}") from error
    if len(result.paths) != len(result.probabilities):
        raise DataError(
            f"{path}: expected a probability for each of {len(result.paths)} images, got "
            f"{len(result.probabilities)}; {_AGAIN}"
        )
    return result


def write_rows(path: Path, samples: Sequence[Sample], results: Sequence[FoldResult]) -> None:
    """Write ``predictions.csv``, a row for each image that a fold has judged, in the order of the samples.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    judged = {
        where: (probability, result.fold)
        for result in results
        for where, probability in zip(result.paths, result.probabilities, strict=True)
    }
    rows = (
        (sample.path, sample.person, sample.label, f"{probability:.6f}", fold)
        for sample in samples
        if sample.path in judged
        for probability, fold in (judged[sample.path],)
    )
    write_text(path, csv_text(COLUMNS, rows))


def verify(folder: Path, samples: Sequence[Sample]) -> dict[str, float]:
    """Prove from the files alone that every row was predicted by a fold that never saw its person.

    Parameters
    ----------
    folder : Path
        Of a cross-validation, with ``folds/`` and ``predictions.csv``.
    samples : sequence of Sample
        Every image that must have exactly one row.

    Returns
    -------
    dict
        Path → P(sunglasses) with all digits, for each sample.

    Raises
    ------
    DataError
        A person among those that the fold was trained on or chosen by; an image without a row, with two, or unknown;
        a row that its fold does not know or whose person or probability is another.
    """
    known = {sample.path: sample for sample in samples}
    results = {result.fold: result for result in map(read_fold, sorted((folder / FOLDS).glob("*.json")))}
    rows = _read_rows(folder / PREDICTIONS)
    seen = {name: _persons_seen(result, known) for name, result in results.items()}
    answers = {name: dict(zip(result.paths, result.probabilities, strict=True)) for name, result in results.items()}
    for row in rows:
        _check_row(row, known, answers, seen)
    counts = Counter(row["path"] for row in rows)
    if twice := [path for path, n in counts.items() if n > 1]:
        raise DataError(f"{folder / PREDICTIONS}: {twice[0]} has {counts[twice[0]]} rows, expected one")
    if missing := [path for path in known if path not in counts]:
        raise DataError(
            f"{folder / PREDICTIONS}: {missing[0]} has no row ({len(missing)} of {len(known)} images have none)"
        )
    return {row["path"]: answers[row["fold"]][row["path"]] for row in rows}


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as handle:
            reader = csv.DictReader(handle)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}; {_AGAIN}") from error
    if tuple(reader.fieldnames or ()) != COLUMNS or any(None in row.values() for row in rows):
        raise DataError(f"{path}: expected the columns {', '.join(COLUMNS)} in each row; {_AGAIN}")
    return rows


def _persons_seen(result: FoldResult, known: Mapping[str, Sample]) -> set[str | None]:
    """Return whom a fold was trained on, from its paths and not from its word."""
    strangers = [path for path in (*result.train, *result.validation) if path not in known]
    if strangers:
        raise DataError(f"fold {result.fold}: was trained on {strangers[0]}, which is not in the data set")
    return {known[path].person for path in (*result.train, *result.validation)}


def _check_row(
    row: Mapping[str, str],
    known: Mapping[str, Sample],
    answers: Mapping[str, Mapping[str, float]],
    seen: Mapping[str, set[str | None]],
) -> None:
    path, fold = row["path"], row["fold"]
    if path not in known:
        raise DataError(f"{PREDICTIONS}: {path} is not in the data set; pass the --data it was made from")
    if fold not in answers or path not in answers[fold]:
        raise DataError(f"{PREDICTIONS}: {path} is said to be of fold {fold}, which did not judge it")
    person = known[path].person
    if person in seen[fold]:
        raise DataError(f"{PREDICTIONS}: {path} shows {person}, whom fold {fold} was trained on: a leak")
    same = row["person"] == str(person) and row["label"] == known[path].label
    if not same or row["probability"] != f"{answers[fold][path]:.6f}":
        raise DataError(f"{PREDICTIONS}: the row of {path} is not what the data set and fold {fold} say")
