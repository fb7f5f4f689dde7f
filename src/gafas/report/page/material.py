"""All that a page is made of: the folder, the samples with what the data set knows of them, and the data set itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gafas.datasets.cmu import NAME as CMU_FACES
from gafas.datasets.cmu import parse_path
from gafas.datasets.locate import load_dataset
from gafas.errors import DataError, UsageError
from gafas.report.page.folder import Folder, Row, read_folder
from gafas.values import Dataset, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Samples that were judged, and how.

    Attributes
    ----------
    part : str
        ``test``, ``all``, … of the split, or ``folds``.
    samples, probabilities : of the same length
        What could be read, and P(sunglasses) of it.
    threshold : float
        From which sunglasses are said to be worn.
    figures : dict
        Accuracy, interval, ROC-AUC, … as the folder has them.
    """

    part: str
    samples: tuple[Sample, ...]
    probabilities: tuple[float, ...]
    threshold: float
    figures: dict[str, Any]

    @property
    def targets(self) -> list[int]:
        """1 for sunglasses, 0 for none."""
        return [sample.target for sample in self.samples]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a page is made of.

    Attributes
    ----------
    folder : Folder
    dataset : Dataset or None
        ``None`` where it was not found: figures remain, pictures do not.
    missing : str
        Why it was not found.
    scored : Scored or None
        The images that figures, curves and pictures are of; ``None`` where only their figures are kept.
    crossval : Folder or None
        A cross-validation to show beside it; the folder itself where it is one.
    """

    folder: Folder
    dataset: Dataset | None
    missing: str
    scored: Scored | None
    crossval: Folder | None

    @property
    def synthetic(self) -> bool:
        """Whether the pictures were drawn, not taken."""
        return bool(self.folder.data["synthetic"])


def read_material(path: Path, *, data: str | None = None, crossval: Path | None = None) -> Material:
    """Read a folder, its data set where it can be found, and a cross-validation to show beside it.

    Parameters
    ----------
    path : Path
        As `gafas.report.page.folder.read_folder`.
    data : str, optional
        Where the data set is now; ``None``: where it was.

    Raises
    ------
    BundleError, DataError, UsageError
        As `gafas.report.page.folder.read_folder`; `data` holds no data set; `crossval` is no cross-validation.
    """
    folder = read_folder(path)
    beside = folder if folder.kind == "crossval" else None
    if crossval is not None:
        beside = read_folder(crossval)
        if beside.kind != "crossval":
            raise UsageError(f"--crossval: expected the folder of a cross-validation, got {crossval}")
    dataset, missing = _find_dataset(folder, data)
    return Material(
        folder=folder, dataset=dataset, missing=missing, scored=_choose_scored(folder, dataset), crossval=beside
    )


def _find_dataset(folder: Folder, given: str | None) -> tuple[Dataset | None, str]:
    recorded = folder.data
    classes, skip = recorded.get("classes"), bool(recorded.get("skip_unknown"))
    if given is not None:
        dataset = load_dataset(given, skip_unknown=skip, classes=classes)
        if problem := _other_pictures(folder, dataset):
            raise DataError(f"{problem}; name the data set of this folder")
        return dataset, ""
    place = recorded.get("root")
    if place is None and recorded["synthetic"]:
        # The drawn data set has a place of its own, but a page is no reason to draw one.
        return None, ""
    # An evaluation keeps the name only; the CMU faces are what is looked for by default.
    name = None if recorded["name"] == CMU_FACES else recorded["name"]
    try:
        dataset = load_dataset(place or name, skip_unknown=skip, classes=classes)
    except DataError as error:
        return None, str(error)
    problem = _other_pictures(folder, dataset)
    return (None, problem) if problem else (dataset, "")


def _other_pictures(folder: Folder, dataset: Dataset) -> str:
    """Say that the data set lacks pictures that were judged; the empty text where it has them all."""
    known = {sample.path for sample in dataset.samples}
    judged = {row.sample.path for row in (*folder.rows, *folder.evaluated)}
    return "" if judged <= known else f"{dataset.root}: holds other pictures than those that were judged"


def _choose_scored(folder: Folder, dataset: Dataset | None) -> Scored | None:
    if folder.evaluation is not None and folder.evaluated:
        return _score(folder.evaluated, folder.evaluation["split"], folder.evaluation, dataset)
    if folder.kind == "crossval" and folder.rows:
        return _score(folder.rows, "folds", folder.metrics, dataset)
    if folder.kind == "run" and folder.rows:
        parts = list(folder.stages.values())[-1]
        part = next((name for name in ("test", "validation", "train") if name in parts), None)
        rows = [row for row in folder.rows if row.part == part]
        if part is not None and rows:
            return _score(rows, part, parts[part], dataset)
    return None


def _score(rows: Iterable[Row], part: str, figures: dict[str, Any], dataset: Dataset | None) -> Scored:
    known = {} if dataset is None else {sample.path: sample for sample in dataset.samples}
    read = [(_known(row.sample, known), row.probability) for row in rows if row.probability is not None]
    return Scored(
        part=part,
        samples=tuple(sample for sample, _ in read),
        probabilities=tuple(probability for _, probability in read),
        threshold=float(figures["threshold"]),
        figures=figures,
    )


def _known(sample: Sample, known: dict[str, Sample]) -> Sample:
    """Return the sample with pose and expression: from the data set, else from a name of the CMU form."""
    found = known.get(sample.path)
    if found is None:
        try:
            found = parse_path(sample.path)
        except DataError:
            return sample
    return found if found.label == sample.label else sample
