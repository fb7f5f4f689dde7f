"""Finding picture files below a folder, and refusing sets that nothing can be learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gafas.errors import DataError
from gafas.imaging import SUFFIXES
from gafas.values import Sample

BAD = ".bad"
"""The ending of photographs that the camera spoilt; pictures all the same."""

_GET = "pass --data DIR, or run: gafas data fetch"


def list_pictures(root: Path) -> list[str]:
    """Return every picture and ``.bad`` file below `root`, hidden ones left out, sorted.

    Raises
    ------
    DataError
        `root` is no folder, cannot be read, or holds no pictures.
    """
    if not root.is_dir():
        what = "expected a folder of pictures, got a file" if root.exists() else "no such folder"
        raise DataError(f"{root}: {what}; {_GET}")
    try:
        found = sorted(_walk(root, root, ()))
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}") from error
    if not found:
        raise DataError(f"{root}: holds no pictures; {_GET}")
    return found


def _walk(folder: Path, root: Path, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Yield the pictures of a folder; `above` are the device and number of each folder on the way to it."""
    here = folder.stat()
    key = (here.st_dev, here.st_ino)
    if key in above:
        return  # a link that leads back up: every picture would be found again and again
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, root, (*above, key))
        elif entry.suffix.lower() in SUFFIXES or entry.suffix.lower() == BAD:
            yield entry.relative_to(root).as_posix()


def require_both_labels(root: Path, samples: Sequence[Sample]) -> None:
    """Refuse a data set that nothing can be learned from.

    Raises
    ------
    DataError
        There are no samples, or all have the same label.
    """
    labels = {sample.label for sample in samples}
    if not labels:
        raise DataError(f"{root}: holds no usable pictures; {_GET}")
    if len(labels) == 1:
        have = labels.pop()
        lacks = "sunglasses" if have == "no_sunglasses" else "no_sunglasses"
        raise DataError(f"{root}: expected pictures of both classes, got {len(samples)} {have} and 0 {lacks}; add some")
