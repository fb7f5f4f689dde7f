"""The folder of a cross-validation: what it was asked to do, and whether it is finished. No Keras here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gafas.errors import DataError, OutputError, UsageError
from gafas.files import read_json, require_free, write_json
from gafas.learn.config import Config, config_to_json, read_config
from gafas.learn.fold_files import FOLDS, PREDICTIONS
from gafas.learn.runs import CONFIG, METRICS

if TYPE_CHECKING:
    from gafas.learn.crossval import Crossval

_PICTURES = ("confusion.png", "roc.png", "errors.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What ``config.json`` holds.

    Attributes
    ----------
    config : Config
        Of the recipe.
    folds : int or None
        ``None`` for one person at a time.
    data : dict
        The data set as a run folder records it.
    weights_given : str or None
        As the user named them.
    """

    config: Config
    folds: int | None
    data: dict[str, Any]
    weights_given: str | None


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished cross-validation: its record and its ``metrics.json``."""

    record: Record
    metrics: dict[str, Any]


def new_folder(
    output: Path | None,
    config: Config,
    *,
    overwrite: bool,
    hold: Callable[[Path], object] = lambda _: None,
) -> Path:
    """Return a folder that may be written to; ``None`` names one in ``runs/`` by time and recipe.

    `hold` is told of it before it is looked at, as by `gafas.learn.runs.new_run`.

    Raises
    ------
    OutputError
        It exists and is not empty, and `overwrite` is false.
    """
    if output is None:
        output = Path("runs") / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{config.recipe}-crossval"
    hold(output)
    require_free(output, overwrite=overwrite)
    return output


def remove_results(folder: Path) -> None:
    """Remove what an earlier cross-validation has left, and nothing else.

    Raises
    ------
    OutputError
        Something cannot be removed.
    """
    # First what makes it one: whoever is killed here must not go on with the old settings.
    names = (CONFIG, METRICS, PREDICTIONS, *_PICTURES)
    try:
        for path in (*(folder / name for name in names), *(folder / FOLDS).glob("*.json")):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: the earlier cross-validation cannot be removed: {error}; name another output"
        ) from error


def write_record(crossval: Crossval, folds: int | None, *, data: dict[str, Any], weights_given: str | None) -> None:
    """Write ``config.json``.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    record = {
        "config": config_to_json(crossval.config),
        "folds": "person" if folds is None else folds,
        "persons": {fold.name: list(fold.persons) for fold in crossval.folds},
        "data": data,
        "weights": crossval.weights.describe(),
        "weights_given": weights_given,
    }
    write_json(crossval.folder / CONFIG, record)


def read_record(folder: Path) -> Record:
    """Read ``config.json``.

    Raises
    ------
    DataError
        It is damaged.
    UsageError
        `folder` is no folder of a cross-validation.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise UsageError(f"{folder}: expected the folder of a cross-validation, got none; see: gafas crossval --help")
    config = read_config(path)
    raw = read_json(path)
    folds = raw.get("folds")
    if folds != "person" and not isinstance(folds, int):
        raise UsageError(f"{folder}: expected the folder of a cross-validation, got a run; see: gafas train --resume")
    if not isinstance(raw.get("data"), dict):
        raise DataError(f"{path}: expected a data set under data, got none; start again with --overwrite")
    return Record(
        config=config,
        folds=None if folds == "person" else folds,
        data=raw["data"],
        weights_given=raw.get("weights_given"),
    )


def read_finished(folder: Path) -> Finished:
    """Read a finished cross-validation.

    Raises
    ------
    DataError
        It is not finished, or damaged.
    UsageError
        `folder` is no folder of a cross-validation.
    """
    record = read_record(folder)
    path = folder / METRICS
    if not path.is_file():
        raise DataError(f"{folder}: not finished; go on with: gafas crossval --resume {folder}")
    try:
        metrics = read_json(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}; write it again: gafas crossval --resume {folder}") from error
    return Finished(record, metrics)
