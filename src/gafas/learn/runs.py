"""The run folder: what a run was asked to do, how far it has come, and what came out. No Keras here."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gafas.errors import DataError, OutputError, UsageError
from gafas.files import read_json, require_free, write_json
from gafas.learn.config import Config, config_to_json, read_config

CONFIG = "config.json"
SPLIT = "split.json"
HISTORY = "history.json"
METRICS = "metrics.json"
NETWORK = "network.json"
PREDICTIONS = "predictions.csv"
BUNDLE = "bundle"
STATE = "checkpoint/state.json"


@dataclass(slots=True)
class State:
    """How far a training has come; one JSON file, replaced after each epoch.

    Attributes
    ----------
    epochs_done : int
    weights : str or None
        File in ``checkpoint/`` with the weights and the optimizer after `epochs_done` epochs.
    history : dict
        Metric name → one value an epoch.
    stages : dict
        Stage name → metrics by split part, once the stage is finished.
    seconds : dict
        Stage name → training time so far, over all sittings.
    initial : dict or None
        Validation loss and accuracy before training.
    """

    epochs_done: int = 0
    weights: str | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    stages: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    initial: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder and the config that it was made with."""

    folder: Path
    config: Config
    record: dict[str, Any]

    @property
    def bundle(self) -> Path:
        """Where the run's model bundle is, or will be."""
        return self.folder / BUNDLE

    def read_state(self) -> State:
        """Read the checkpoint's state; a fresh one where there is none yet.

        Raises
        ------
        DataError
            The file is damaged.
        """
        path = self.folder / STATE
        if not path.exists():
            return State()
        try:
            return State(**read_json(path))
        except (OSError, ValueError, TypeError) as error:
            raise DataError(f"{path}: expected a checkpoint's state: {error}; start a new run") from error

    def write_state(self, state: State) -> None:
        """Write the state; this is the moment from which the epoch counts."""
        write_json(self.folder / STATE, asdict(state))

    @property
    def begun(self) -> bool:
        """True once something was trained."""
        return self.finished or any((self.folder / name).exists() for name in (STATE, BUNDLE))

    @property
    def finished(self) -> bool:
        """True once the figures of the whole run are written."""
        return (self.folder / METRICS).exists()


def new_run(
    output: Path | None,
    config: Config,
    *,
    data: dict[str, Any],
    extra: dict[str, Any],
    overwrite: bool = False,
    hold: Callable[[Path], object] = lambda _: None,
) -> Run:
    """Make a run folder with its ``config.json``.

    Parameters
    ----------
    output : Path or None
        The folder; ``None`` names one in ``runs/`` by the time and the recipe.
    data, extra : dict
        Recorded beside the config: the data set, the weights.
    hold : callable
        Told of the folder before anything is looked at or written: who keeps others out of it, does so here.

    Raises
    ------
    OutputError
        The folder exists and is not empty, or cannot be written.
    """
    name = "-".join([config.recipe, *(["person"] if config.split == "person" else [])])
    if data.get("synthetic"):
        name += "-synthetic"
    if output is None:
        output = _unused(Path("runs") / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{name}")
    hold(output)
    require_free(output, overwrite=overwrite)
    if overwrite:
        _forget(output)
    record = {"name": name, "config": config_to_json(config), "data": data, **extra}
    write_json(output / CONFIG, record)
    return Run(output, config, record)


def _unused(folder: Path) -> Path:
    # Two runs in one second get two folders.
    candidate, number = folder, 2
    while candidate.exists():
        candidate, number = folder.with_name(f"{folder.name}-{number}"), number + 1
    return candidate


def _forget(folder: Path) -> None:
    """Remove an earlier run; what makes it one goes first, and its model too, for a new split does not fit it."""
    try:
        for name in (CONFIG, STATE, HISTORY, METRICS, NETWORK, SPLIT, PREDICTIONS):
            (folder / name).unlink(missing_ok=True)
        if (folder / BUNDLE).exists():
            shutil.rmtree(folder / BUNDLE)
    except OSError as error:
        raise OutputError(f"{folder}: the earlier run cannot be removed: {error}; name another output") from error


def open_run(folder: Path) -> Run:
    """Open a run folder.

    Raises
    ------
    UsageError
        It is not one.
    """
    if not (folder / CONFIG).is_file():
        raise UsageError(f"{folder}: expected a run folder with {CONFIG}, got none; see: gafas train --help")
    config = read_config(folder / CONFIG)
    return Run(folder, config, read_json(folder / CONFIG))
