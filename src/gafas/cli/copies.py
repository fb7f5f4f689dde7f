"""Copies that ``gafas predict`` makes of the images: sorted by label, or with boxes drawn. Originals stay."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gafas.errors import OutputError, UsageError
from gafas.values import LABELS

if TYPE_CHECKING:
    from gafas.runtime.answers import Answer
    from gafas.runtime.sources import Source

TakeAnswer = Callable[["Answer"], None]

# Drawn in colour, so not for formats that are grey by name.
_GREY = {".pgm", ".pbm"}

_LONGEST = 255
"""Bytes of a name, on every file system in use."""


def check_copies(images: Iterable[Source], sort_into: Path | None, annotate: Path | None, *, overwrite: bool) -> None:
    """Refuse, before anything is written, copies that would replace what is here or what is still to be judged.

    Raises
    ------
    OutputError
        A folder is not free, or one of the images lies in it.
    UsageError
        The two folders lie in each other.
    """
    if sort_into is not None and annotate is not None:
        one, other = sort_into.resolve(), annotate.resolve()
        if one.is_relative_to(other) or other.is_relative_to(one):
            raise UsageError(
                f"--sort-into {sort_into} and --annotate {annotate}: expected folders outside of each other"
            )
    sorting = [] if sort_into is None else [(sort_into / label, "--sort-into") for label in LABELS]
    drawing = [] if annotate is None else [(annotate, "--annotate")]
    images = list(images)
    for folder, option in sorting + drawing:
        check_target(images, folder, option, overwrite=overwrite)


def check_target(images: Iterable[Source], folder: Path, option: str, *, overwrite: bool) -> None:
    """Refuse, before anything is written, a folder that is not free, or that one of the images lies in.

    Raises
    ------
    OutputError
    """
    from gafas.cli.holding import hold
    from gafas.files import require_free

    hold(folder)
    require_free(folder, overwrite=overwrite)
    target = folder.resolve()
    for image in images:
        path = Path(image.path)
        # A link counts at both of its ends.
        places = (path.resolve(), path.parent.resolve() / path.name) if image.problem is None else ()
        if any(place.is_relative_to(target) for place in places):
            raise OutputError(f"{path}: would be copied into the folder that it lies in; choose another {option}")


def sorter(folder: Path) -> TakeAnswer:
    """Return what copies each judged image into the folder of its label."""
    from gafas.files import write_beside
    from gafas.runtime.sources import STDIN

    taken: set[str] = set()

    def take(answer: Answer) -> None:
        source, labels = answer.source, {verdict.label for verdict in answer.verdicts}
        if labels and source.path != STDIN:
            # Several faces: whoever wears sunglasses decides.
            label = "sunglasses" if "sunglasses" in labels else "no_sunglasses"
            with write_beside(free_name(folder / label / source.relative, taken)) as temporary:
                shutil.copy2(source.path, temporary)

    return take


def annotator(folder: Path, *, eyeglasses_threshold: float) -> TakeAnswer:
    """Return what writes a copy of each judged image with its verdicts drawn, in the image's format where possible."""
    from gafas.imaging import write_image
    from gafas.runtime.annotate import annotate

    taken: set[str] = set()

    def take(answer: Answer) -> None:
        if answer.image is None:
            return
        path = folder / answer.source.relative
        path = free_name(path if _in_colour(path.suffix) else path.with_name(f"{path.stem}.png"), taken)
        write_image(path, annotate(answer.image, answer.verdicts, eyeglasses_threshold=eyeglasses_threshold))

    return take


def _in_colour(suffix: str) -> bool:
    from gafas.imaging import can_encode

    return suffix.lower() not in _GREY and can_encode(suffix)


def free_name(target: Path, taken: set[str], *, behind: str = "") -> Path:
    """Return `target`, numbered where this run has used it: the same name from two folders, both are kept.

    `behind` is put behind the stem. What would become longer than a name may be loses the end of its stem.
    """
    free, number = _with_end(target, behind), 2
    # Some file systems take A.jpg and a.jpg for one name.
    while str(free).casefold() in taken:
        free = _with_end(target, f"{behind}-{number}")
        number += 1
    taken.add(str(free).casefold())
    return free


def _with_end(target: Path, end: str) -> Path:
    stem, rest = target.stem, f"{end}{target.suffix}"
    while len(os.fsencode(stem + rest)) > _LONGEST and len(stem) > 1:
        stem = stem[:-1]
    return target.with_name(stem + rest)
