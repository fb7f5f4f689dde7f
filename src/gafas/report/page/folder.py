"""What lies in the folder that a page is made of: read, checked, and named for what it is. Writes nothing."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gafas.bundle import MANIFEST, Bundle, find_bundle, load_bundle
from gafas.errors import BundleError, DataError, UsageError
from gafas.files import read_json
from gafas.values import LABELS, Sample

Kind = Literal["run", "evaluation", "crossval", "bundle"]

EVALUATION = "evaluation"
"""Where in a run folder `gafas reproduce` puts its evaluation."""

_COLUMNS = ("path", "person", "label", "probability")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of ``predictions.csv``: a sample, its P(sunglasses), and its part of the split or its fold."""

    sample: Sample
    probability: float | None
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What a folder says, as its files have it.

    Attributes
    ----------
    path : Path
    kind : {"run", "evaluation", "crossval", "bundle"}
    record : dict
        ``config.json``; empty where the kind has none.
    metrics : dict
        ``metrics.json``; of a bundle, its manifest's.
    history, network, split : dict or None
        The files of that name.
    rows : tuple of Row
        ``predictions.csv``.
    evaluation : dict or None
        Figures of `gafas evaluate`: the folder's own, or those in a run's `EVALUATION`.
    evaluated : tuple of Row
        The rows that `evaluation` is of.
    bundle : Bundle or None
        The model, where the folder holds one.
    """

    path: Path
    kind: Kind
    record: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    history: dict[str, Any] | None = None
    network: dict[str, Any] | None = None
    split: dict[str, Any] | None = None
    rows: tuple[Row, ...] = ()
    evaluation: dict[str, Any] | None = None
    evaluated: tuple[Row, ...] = ()
    bundle: Bundle | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The recipe's values; of a bundle, those in its manifest."""
        found = self.record.get("config")
        if found is None and self.bundle is not None:
            found = self.bundle.manifest.training.get("config")
        return found or {}

    @property
    def stages(self) -> dict[str, Any]:
        """Stage → part → figures, of a run."""
        return {name: parts for name, parts in self.metrics.items() if name != "seconds"} if self.kind == "run" else {}

    @property
    def data(self) -> dict[str, Any]:
        """What is recorded of the data set: at least ``name`` and ``synthetic``."""
        if self.kind == "evaluation":
            return {"name": self.metrics["data"], "synthetic": self.metrics["synthetic"]}
        recorded = self.record.get("data")
        if recorded is None and self.bundle is not None:
            recorded = self.bundle.manifest.training.get("data")
        return {"name": "", "synthetic": False, **(recorded or {})}


def read_folder(path: Path) -> Folder:
    """Read what `path` means: a folder of one of the four kinds, or the name of a bundle that the package carries.

    Raises
    ------
    BundleError
        The bundle in it is damaged.
    DataError
        It is not finished, or one of its files is damaged.
    UsageError
        It is none of these.
    """
    config, metrics = path / "config.json", path / "metrics.json"
    if config.is_file():
        record = _read_object(config)
        if not isinstance(record.get("config"), dict) or not isinstance(record.get("data"), dict):
            raise DataError(f"{config}: expected a recipe under config and a data set under data; start a new run")
        return _read_crossval(path, record) if "folds" in record else _read_run(path, record)
    if metrics.is_file():
        return _read_evaluation(path)
    if path.is_dir() and not (path / MANIFEST).is_file() and not (path / "bundle" / MANIFEST).is_file():
        raise UsageError(
            f"{path}: expected the folder of a run, an evaluation (gafas evaluate -o) or a cross-validation, "
            "got one without config.json and metrics.json; see: gafas report --help"
        )
    try:
        bundle = load_bundle(find_bundle(path))
    except BundleError as error:
        if path.exists():
            raise
        raise UsageError(f"{path}: no such folder, and no model of that name comes with gafas") from error
    return Folder(path=path, kind="bundle", metrics=bundle.manifest.metrics, bundle=bundle)


def _read_run(path: Path, record: dict[str, Any]) -> Folder:
    metrics_path = path / "metrics.json"
    if not metrics_path.is_file():
        raise DataError(f"{path}: not finished; go on with: gafas train --resume {path}")
    metrics = _read_object(metrics_path)
    for stage, parts in metrics.items():
        for figures in parts.values() if stage != "seconds" and isinstance(parts, dict) else ():
            _check_figures(metrics_path, figures)
    if not [stage for stage in metrics if stage != "seconds"]:
        raise DataError(f"{metrics_path}: expected figures of at least one stage, got none; train again")
    evaluation = path / EVALUATION
    found = _read_evaluation(evaluation) if (evaluation / "metrics.json").is_file() else None
    return Folder(
        path=path,
        kind="run",
        record=record,
        metrics=metrics,
        history=_read_optional(path / "history.json"),
        network=_read_optional(path / "network.json"),
        split=_read_optional(path / "split.json"),
        rows=_read_rows(path / "predictions.csv", "split"),
        evaluation=None if found is None else found.metrics,
        evaluated=() if found is None else found.rows,
        bundle=load_bundle(path / "bundle") if (path / "bundle" / MANIFEST).is_file() else None,
    )


def _read_crossval(path: Path, record: dict[str, Any]) -> Folder:
    metrics_path = path / "metrics.json"
    if not metrics_path.is_file():
        raise DataError(f"{path}: not finished; go on with: gafas crossval --resume {path}")
    metrics = _read_object(metrics_path)
    _check_figures(metrics_path, metrics)
    rows = _read_rows(path / "predictions.csv", "fold")
    return Folder(path=path, kind="crossval", record=record, metrics=metrics, rows=rows)


def _read_evaluation(path: Path) -> Folder:
    metrics = _read_object(path / "metrics.json")
    _check_figures(path / "metrics.json", metrics)
    if missing := [name for name in ("model", "data", "synthetic", "split", "by") if name not in metrics]:
        raise DataError(
            f"{path / 'metrics.json'}: expected the figures of gafas evaluate, got none of {', '.join(missing)}; "
            "judge the model again"
        )
    rows = _read_rows(path / "predictions.csv", "split")
    return Folder(path=path, kind="evaluation", metrics=metrics, rows=rows, evaluation=metrics, evaluated=rows)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON: {error}; make the folder again") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected a JSON object, got {type(value).__name__}; make the folder again")
    return value


def _read_optional(path: Path) -> dict[str, Any] | None:
    return _read_object(path) if path.is_file() else None


def _check_figures(path: Path, figures: Any) -> None:
    """Refuse figures without those that every page shows."""
    numbers = ("n", "positives", "threshold", "accuracy", "loss")
    fits = isinstance(figures, Mapping) and all(isinstance(figures.get(name), int | float) for name in numbers)
    interval = figures.get("interval") if isinstance(figures, Mapping) else None
    confusion = figures.get("confusion") if isinstance(figures, Mapping) else None
    if not fits or not isinstance(interval, list) or len(interval) != 2 or not isinstance(confusion, Mapping):
        raise DataError(f"{path}: expected {', '.join(numbers)}, interval and confusion; make the folder again")


def _read_rows(path: Path, part: str) -> tuple[Row, ...]:
    if not path.is_file():
        return ()
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
            table = csv.DictReader(lines)
            # Only names of files may be no UTF-8.
            if not all(name.isascii() for name in table.fieldnames or ()):
                raise csv.Error("its first line is no text")
            missing = [name for name in (*_COLUMNS, part) if name not in (table.fieldnames or ())]
            if missing:
                raise DataError(f"{path}: expected a column {missing[0]}, got none; make the folder again")
            return tuple(_read_row(path, number, line, part) for number, line in enumerate(table, start=2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}; make the folder again") from error


def _read_row(path: Path, number: int, line: dict[str, str], part: str) -> Row:
    score, label = line["probability"], next((name for name in LABELS if name == line["label"]), None)
    try:
        probability = float(score) if score else None
    except (TypeError, ValueError):
        probability = -1.0
    if label is None or (probability is not None and not 0 <= probability <= 1):
        raise DataError(
            f"{path}, line {number}: expected a label of {', '.join(LABELS)} and a probability from 0 to 1, "
            f"got {line['label']} and {score}; make the folder again"
        )
    return Row(sample=Sample(line["path"], label, line["person"] or None), probability=probability, part=line[part])
