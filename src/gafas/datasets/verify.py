r"""Is this really the CMU Face Images? Every file, by its pixels, against a manifest that we ship.

The hash of a picture is the SHA-256 over ``b"{width}x{height}\n"`` and its 8-bit grey pixels, row by
row, as `gafas.imaging.decode` gives them. So a file may be rewritten (ASCII or binary, another
comment) without harm, but not one pixel may differ.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from gafas.datasets.cmu import parse_path
from gafas.datasets.listing import BAD, list_pictures
from gafas.errors import DataError, ImageError
from gafas.files import csv_text
from gafas.imaging import Rgb, read_image

MANIFEST = "cmu_faces.csv.gz"
COLUMNS = ("path", "width", "height", "sha256")

Progress = Callable[[int, int], None]
"""Called with the number of files done and the number of files in all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one picture must be: its size in pixels and the hash of its pixels."""

    width: int
    height: int
    sha256: str


Manifest = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Problem:
    """One file that is not as it should be, and why; the path is relative to the data set's root."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What was expected below `root` and what was found.

    Attributes
    ----------
    expected, right : int
        How many files the manifest lists, and how many of them are there, pixel by pixel.
    persons : int
        Persons with at least one right file.
    counts : dict
        ``(person, size)`` → number of right files; the size is ``128x120`` etc., or ``bad``.
    missing, unknown, changed, unreadable : tuple of Problem
        Files that lack, that the manifest does not know, that show something else, that show nothing.
    """

    root: Path
    expected: int
    right: int
    persons: int
    counts: dict[tuple[str, str], int]
    missing: tuple[Problem, ...] = ()
    unknown: tuple[Problem, ...] = ()
    changed: tuple[Problem, ...] = ()
    unreadable: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, the gravest first."""
        return self.unreadable + self.changed + self.missing + self.unknown

    def require(self) -> None:
        """Raise unless everything is right.

        Raises
        ------
        DataError
            With the counts and the first problem, in one line.
        """
        if not self.problems:
            return
        kinds = ("unreadable", "changed", "missing", "unknown")
        counts = ", ".join(f"{len(getattr(self, kind))} {kind}" for kind in kinds if getattr(self, kind))
        first = self.problems[0]
        raise DataError(
            f"{self.root}: {self.right} of {self.expected} files are right, {counts}; "
            f"first: {first.path}: {first.reason}; get it again: gafas data fetch --overwrite"
        )


def picture_hash(image: Rgb) -> str:
    """Return the manifest's hash of a grey picture given as RGB; see the module's description."""
    height, width = image.shape[:2]
    return hashlib.sha256(f"{width}x{height}\n".encode() + image[..., 0].tobytes()).hexdigest()


def verify_cmu(root: Path, *, manifest: Manifest | None = None, progress: Progress | None = None) -> VerificationReport:
    """Compare every picture below `root` with the manifest.

    Parameters
    ----------
    root : Path
        The folder that holds one folder per person.
    manifest : Manifest, optional
        ``None``: the one of the CMU Face Images that the package carries (1,872 + 16 files).
    progress : callable, optional
        Called with the numbers of files done and in all.

    Raises
    ------
    DataError
        `root` is no folder or holds no pictures at all. Everything else is in the report.
    """
    expected = read_manifest() if manifest is None else manifest
    found = list_pictures(root)
    right: list[str] = []
    problems: dict[str, list[Problem]] = {"unknown": [], "changed": [], "unreadable": []}
    for number, path in enumerate(found, start=1):
        kind, reason = _check(root, path, expected.get(path))
        if kind == "right":
            right.append(path)
        else:
            problems[kind].append(Problem(path, reason))
        if progress:
            progress(number, len(found))
    missing = [Problem(path, "missing") for path in sorted(set(expected) - set(found))]
    return VerificationReport(
        root=root,
        expected=len(expected),
        right=len(right),
        persons=len({path.split("/")[0] for path in right}),
        counts=count(right, expected),
        missing=tuple(missing),
        **{kind: tuple(listed) for kind, listed in problems.items()},
    )


def _check(root: Path, path: str, entry: Entry | None) -> tuple[str, str]:
    if entry is None:
        try:
            parse_path(path)
        except DataError as error:
            return "unknown", str(error)
        return "unknown", "the manifest does not list it"
    try:
        image = read_image(root / path)
    except ImageError as error:
        return "unreadable", str(error).removeprefix(f"{root / path}: ")
    height, width = image.shape[:2]
    if (width, height) != (entry.width, entry.height):
        return "changed", f"expected {entry.width}×{entry.height} pixels, got {width}×{height}"
    if (image != image[..., :1]).any():
        return "changed", "expected a grey picture, got a coloured one"
    if (got := picture_hash(image)) != entry.sha256:
        return "changed", (
            f"expected pixels with sha256 {entry.sha256[:12]}, got {got[:12]}: "
            "other pixels, or another maximum grey value in the header"
        )
    return "right", ""


def count(paths: Iterable[str], manifest: Manifest) -> dict[tuple[str, str], int]:
    """Count files by person and size; ``.bad`` files apart."""
    counter = Counter(
        (path.split("/")[0], "bad" if path.endswith(BAD) else f"{manifest[path].width}x{manifest[path].height}")
        for path in paths
    )
    return dict(sorted(counter.items()))


def make_manifest(root: Path, *, progress: Progress | None = None) -> dict[str, Entry]:
    """Compute the manifest of a CMU tree.

    Raises
    ------
    DataError
        An unknown name.
    ImageError
        A picture cannot be read.
    """
    paths = list_pictures(root)
    manifest = {}
    for number, path in enumerate(paths, start=1):
        parse_path(path)
        image = read_image(root / path)
        manifest[path] = Entry(image.shape[1], image.shape[0], picture_hash(image))
        if progress:
            progress(number, len(paths))
    return manifest


def pack_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as gzipped CSV, the same bytes every time."""
    rows = ((path, entry.width, entry.height, entry.sha256) for path, entry in sorted(manifest.items()))
    return gzip.compress(csv_text(COLUMNS, rows).encode(), compresslevel=9, mtime=0)


def read_manifest() -> dict[str, Entry]:
    """Read the manifest of the CMU Face Images that the package carries."""
    packed = resources.files("gafas").joinpath("assets", MANIFEST).read_bytes()
    rows = csv.DictReader(io.StringIO(gzip.decompress(packed).decode()))
    return {row["path"]: Entry(int(row["width"]), int(row["height"]), row["sha256"]) for row in rows}
