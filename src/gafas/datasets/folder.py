"""Any folder with one sub-folder a class, and the notebook's tree. Reads names, never pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gafas.datasets.cmu import parse_name
from gafas.datasets.listing import list_pictures, require_both_labels
from gafas.datasets.marker import is_synthetic
from gafas.errors import DataError
from gafas.values import LABELS, Dataset, Eyewear, Label, Resolution, Sample

POSITIVE = frozenset({"sunglasses", "glasses", "with_sunglasses"})
NEGATIVE = frozenset({"no_sunglasses", "no_glasses", "without_sunglasses", "none", "eyeglasses", "open"})
LEFT_OUT = frozenset({"unclear", "bad"})

EYEWEAR_FOLDERS: dict[str, Eyewear] = {
    "none": "none",
    "eyeglasses": "eyeglasses",
    "sunglasses": "sunglasses",
    "with_sunglasses": "sunglasses",
}
"""Folder names that say more than whether sunglasses are worn; ``no_sunglasses`` may wear clear ones."""

TREE: dict[Resolution, str] = {"full": "full", "half": "media", "quarter": "cuarto"}
"""The notebook's folder of each resolution."""

TREE_CLASSES: dict[Label, str] = {"sunglasses": "glasses", "no_sunglasses": "no_glasses"}
"""The notebook's folder of each class; Keras deals files out in the order of these names."""

TREE_BAD = "bad"

Classes = Mapping[Label, Sequence[str]]

_TELL = "say which is which: --classes sunglasses=DIR[,DIR] --classes no_sunglasses=DIR[,DIR]"


def read_folder(root: Path, *, classes: Classes | None = None) -> Dataset:
    """Read a folder with one sub-folder a class; samples are sorted by path.

    Where every file name follows the CMU grammar, person, pose and expression are filled in.

    Parameters
    ----------
    root : Path
        The folder that holds the class folders.
    classes : mapping of label to folder names, optional
        Folders relative to `root`; all others are left out. ``None``: by the usual names, where
        ``unclear`` and ``bad`` are left out, and ``eyeglasses`` are no sunglasses.

    Raises
    ------
    DataError
        No such folder, no pictures, a folder name that says no class, or a missing class.
    """
    paths = list_pictures(root)
    folders = _folders_by_label(root, paths, classes)
    samples, skipped = [], []
    for path in paths:
        label = _label_of(path, folders)
        if label is None:
            skipped.append(path)
        else:
            samples.append(Sample(path, label, eyewear=_eyewear_of(path, folders, label)))
    unclear = tuple(path for path in skipped if classes is None and path.startswith("unclear/"))
    skipped = [path for path in skipped if path not in set(unclear)]
    require_both_labels(root, samples)
    samples = _fill_cmu_fields(samples)
    if all(sample.resolution == "full" for sample in samples):
        # Without a scale in any name, the sizes are not known to be the CMU ones.
        samples = [replace(sample, resolution=None) for sample in samples]
    synthetic = is_synthetic(root, samples)
    name = ("synthetic " if synthetic else "") + (root.resolve().name or str(root))
    return Dataset(name, root, tuple(samples), synthetic=synthetic, skipped=tuple(skipped), unclear=unclear)


def is_tree(root: Path) -> bool:
    """Tell whether `root` is organised like the notebook's ``data`` folder."""
    return any((root / folder / name).is_dir() for folder in TREE.values() for name in TREE_CLASSES.values())


def read_tree(root: Path) -> Dataset:
    """Read the notebook's tree ``{full,media,cuarto}/{glasses,no_glasses}`` and ``bad``.

    Raises
    ------
    DataError
        No pictures, a picture elsewhere in the tree, or a missing class.
    """
    samples: list[Sample] = []
    bad: list[Sample] = []
    for path in list_pictures(root):
        sample = _tree_sample(root, path)
        (bad if path.startswith(f"{TREE_BAD}/") else samples).append(sample)
    require_both_labels(root, samples)
    samples = [
        replace(named, resolution=sample.resolution)
        for sample, named in zip(samples, _fill_cmu_fields(samples), strict=True)
    ]
    synthetic = is_synthetic(root, samples)
    name = ("synthetic " if synthetic else "") + f"{root.resolve().name} (organised)"
    return Dataset(name, root, tuple(samples), tuple(bad), synthetic)


def _tree_sample(root: Path, path: str) -> Sample:
    parts = PurePosixPath(path).parts
    labels = {name: label for label, name in TREE_CLASSES.items()}
    resolutions = {name: resolution for resolution, name in TREE.items()}
    if len(parts) == 3 and parts[0] in resolutions and parts[1] in labels:
        return Sample(path, labels[parts[1]], resolution=resolutions[parts[0]])
    if len(parts) == 2 and parts[0] == TREE_BAD:
        try:
            return parse_name(path)
        except DataError as error:
            raise DataError(
                f"{root / path}: expected PERSON_POSE_EXPRESSION_EYES, {error}; rename it or take it away"
            ) from error
    raise DataError(
        f"{root / path}: expected full|media|cuarto/glasses|no_glasses/PICTURE or bad/PICTURE; "
        "take it away, or name one folder such as full as the data set"
    )


def _folders_by_label(root: Path, paths: Iterable[str], classes: Classes | None) -> dict[str, Label]:
    if classes is not None:
        return _given_folders(root, classes)
    names = {PurePosixPath(path).parts[0] for path in paths if "/" in path}
    if not names:
        raise DataError(f"{root}: expected one sub-folder a class, got pictures only; make the folders")
    folders: dict[str, Label] = {}
    for name in sorted(names - LEFT_OUT):
        # The notebook calls sunglasses "glasses"; beside "eyeglasses" the word could mean either.
        ambiguous = name == "glasses" and "no_glasses" not in names and "eyeglasses" in names
        if ambiguous or name not in POSITIVE | NEGATIVE:
            raise DataError(f"{root / name}: the folder name does not say which class it is; {_TELL}")
        folders[name] = "sunglasses" if name in POSITIVE else "no_sunglasses"
    return folders


def _given_folders(root: Path, classes: Classes) -> dict[str, Label]:
    folders: dict[str, Label] = {}
    for label, names in classes.items():
        if label not in LABELS:
            raise DataError(f"--classes {label}: expected one of {', '.join(LABELS)}; {_TELL}")
        for given in names:
            name = PurePosixPath(given).as_posix()
            if not (root / name).is_dir():
                raise DataError(f"--classes {label}={given}: {root / name} is no folder; {_TELL}")
            if folders.setdefault(name, label) != label:
                raise DataError(f"--classes {label}={given}: the folder is in both classes; {_TELL}")
    return folders


def _label_of(path: str, folders: Mapping[str, Label]) -> Label | None:
    # The nearest folder decides, so that a class may be named inside another.
    for parent in PurePosixPath(path).parents:
        if parent.as_posix() in folders:
            return folders[parent.as_posix()]
    return None


def _eyewear_of(path: str, folders: Mapping[str, Label], label: Label) -> Eyewear | None:
    for parent in PurePosixPath(path).parents:
        if parent.as_posix() in folders:
            eyewear = EYEWEAR_FOLDERS.get(parent.name)
            # With --classes, a folder may mean what its name does not say.
            return eyewear if (eyewear == "sunglasses") == (label == "sunglasses") else None
    return None


def _fill_cmu_fields(samples: list[Sample]) -> list[Sample]:
    try:
        parsed = [parse_name(sample.path) for sample in samples]
    except DataError:
        return samples
    return [
        replace(named, label=sample.label, eyewear=sample.eyewear)
        for sample, named in zip(samples, parsed, strict=True)
    ]
