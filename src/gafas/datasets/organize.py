"""Writing a data set as the notebook's tree: ``{full,media,cuarto}/{glasses,no_glasses}`` and ``bad``.

Each file is written atomically and only when it is not right already, so that a second run writes
nothing and an interrupted one goes on where it stopped.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from gafas.datasets.cmu import parse_name
from gafas.datasets.folder import TREE, TREE_BAD, TREE_CLASSES
from gafas.datasets.marker import MARKER
from gafas.datasets.verify import Problem
from gafas.errors import DataError, ImageError, OutputError
from gafas.files import sweep, write_beside, write_text
from gafas.imaging import encode, read_image
from gafas.values import Dataset, Sample

ImageFormat = Literal["jpg", "png"]

QUALITY = 95
"""Of JPEG, as OpenCV writes it in the notebook."""


@dataclass(frozen=True, slots=True)
class OrganizeReport:
    """How many files were written, were right already, and could not be read (with the reason)."""

    root: Path
    written: int
    unchanged: int
    failed: tuple[Problem, ...] = ()


def organize(
    dataset: Dataset,
    output: Path,
    *,
    image_format: ImageFormat = "jpg",
    progress: Callable[[int, int], None] | None = None,
) -> OrganizeReport:
    """Write the pictures of `dataset` as the notebook's tree below `output`.

    Parameters
    ----------
    dataset : Dataset
        Of any kind; samples without a resolution go to ``full``.
    output : Path
        Made when missing; what an earlier run wrote there is kept where it is right.
    image_format : {"jpg", "png"}
        ``jpg`` as the notebook, ``png`` without loss.
    progress : callable, optional
        Called with the numbers of files done and in all.

    Returns
    -------
    OrganizeReport
        A picture that cannot be read does not stop the others; it is in ``failed``.

    Raises
    ------
    DataError
        Two pictures would get the same name.
    OutputError
        `output` cannot be written, or holds pictures that are not of this data set and format.
    """
    places = plan(dataset, image_format=image_format)
    try:
        _check_output(output, places)
        for place in places:
            (output / place).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{output}: cannot be written: {error.strerror or error}") from error
    _copy_marker(dataset, output)
    written = unchanged = 0
    failed = []
    for number, (place, sample) in enumerate(places.items(), start=1):
        try:
            new = _write_one(dataset.root / sample.path, output / place)
        except ImageError as error:
            reason = str(error).removeprefix(f"{dataset.root / sample.path}: ")
            failed.append(Problem(sample.path, reason))
        else:
            written, unchanged = written + new, unchanged + (not new)
        if progress:
            progress(number, len(places))
    return OrganizeReport(output, written, unchanged, tuple(failed))


def plan(dataset: Dataset, *, image_format: ImageFormat) -> dict[str, Sample]:
    """Return where each sample goes, relative to the output.

    Raises
    ------
    DataError
        Two samples would go to the same place.
    """
    places: dict[str, Sample] = {}
    for folder, sample in _folders(dataset):
        place = f"{folder}/{_stem(sample)}.{image_format}"
        if place in places:
            raise DataError(f"{sample.path} and {places[place].path} would both become {place}; rename one of them")
        places[place] = sample
    return places


def _folders(dataset: Dataset) -> Iterable[tuple[str, Sample]]:
    for sample in dataset.samples:
        yield f"{TREE[sample.resolution or 'full']}/{TREE_CLASSES[sample.label]}", sample
    for sample in dataset.bad:
        yield TREE_BAD, sample


def _stem(sample: Sample) -> str:
    stem = PurePosixPath(sample.path).stem
    try:
        parse_name(sample.path)
    except DataError:
        return stem
    # Without _2 or _4, as in the notebook: the folder says the size.
    return "_".join(stem.split("_")[:4])


def _check_output(output: Path, places: dict[str, Sample]) -> None:
    """Clear what a killed run left, and refuse pictures that training would take along."""
    for folder in sorted({str(PurePosixPath(place).parent) for place in places}):
        if not (output / folder).exists():
            continue
        sweep(output / folder)
        for path in sorted((output / folder).iterdir()):
            if not path.name.startswith(".") and path.relative_to(output).as_posix() not in places:
                raise OutputError(f"{path}: exists already and is not of this data set and format; name another output")


def _copy_marker(dataset: Dataset, output: Path) -> None:
    if not dataset.synthetic:
        return
    marker = next((p for p in (dataset.root, dataset.root.absolute().parent) if (p / MARKER).is_file()), None)
    if marker is None:
        write_text(output / MARKER, "drawn by gafas, not photographs\n")
        return
    with write_beside(output / MARKER) as temporary:
        shutil.copyfile(marker / MARKER, temporary)


def _write_one(source: Path, target: Path) -> bool:
    data = encode(read_image(source), target.suffix, quality=QUALITY)
    try:
        if target.is_file() and target.read_bytes() == data:
            return False
    except OSError:
        # Unreadable: replace it.
        target.unlink(missing_ok=True)
    with write_beside(target) as temporary:
        temporary.write_bytes(data)
    return True
