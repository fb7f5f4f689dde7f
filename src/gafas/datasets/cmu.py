"""The CMU Face Images: their file-name grammar and their tree. Reads names, never pixels.

``PERSON/PERSON_POSE_EXPRESSION_EYES[_SCALE].pgm``; ``.bad`` marks a photograph that the camera
spoilt. Source: Mitchell, T. (1999), CMU Face Images, UCI Machine Learning Repository,
doi 10.24432/C5JC79.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gafas.datasets.listing import BAD, list_pictures, require_both_labels
from gafas.datasets.marker import is_synthetic
from gafas.errors import DataError
from gafas.values import Dataset, Eyewear, Label, Resolution, Sample

NAME = "CMU Face Images"
POSES = ("left", "right", "straight", "up")
EXPRESSIONS = ("angry", "happy", "neutral", "sad")
EYES: dict[str, Label] = {"open": "no_sunglasses", "sunglasses": "sunglasses"}
SCALES: dict[str, Resolution] = {"": "full", "2": "half", "4": "quarter"}
GOOD = ".pgm"

CLEAR_GLASSES = frozenset({"at33", "bpm", "ch4f", "choon", "phoebe", "saavik", "tammo"})
"""Who wears clear eyeglasses in the "open" pictures: looked at, for no file name says it."""

NO_GLASSES = frozenset(
    {"an2i", "boland", "cheyer", "danieln", "glickman", "karyadi", "kawamura"}
    | {"kk49", "megak", "mitchell", "night", "steffi", "sz24"}
)

GRAMMAR = "PERSON_POSE_EXPRESSION_EYES[_SCALE]"
_HELP = "rename it or pass --skip-unknown"


def parse_name(path: str) -> Sample:
    """Read what a file name says of its picture.

    Parameters
    ----------
    path : str
        Relative to the data set's root; only the last part is parsed, and its ending is not looked at.

    Raises
    ------
    DataError
        The name does not follow the grammar; the message has no path and no next step, which the
        caller knows better.
    """
    fields = PurePosixPath(path).stem.split("_")
    if len(fields) not in (4, 5):
        raise DataError(f"got {len(fields)} field{'s' if len(fields) != 1 else ''}")
    person, pose, expression, eyes = fields[:4]
    scale = fields[4] if len(fields) == 5 else ""
    if not re.fullmatch(r"[A-Za-z0-9-]+", person):
        raise DataError(f"got person {person!r}")
    for field, value, known in (
        ("pose", pose, POSES),
        ("expression", expression, EXPRESSIONS),
        ("eyes", eyes, tuple(EYES)),
        ("scale", scale, tuple(SCALES)),
    ):
        if value not in known or (field == "scale" and len(fields) == 5 and not scale):
            raise DataError(f"got {field} {value!r}, not one of {', '.join(filter(None, known))}")
    return Sample(path, EYES[eyes], person, pose, expression, SCALES[scale])


def parse_path(path: str) -> Sample:
    """Read the path of one file of the CMU tree, ``PERSON/NAME.pgm`` or ``PERSON/NAME.bad``.

    Raises
    ------
    DataError
        Not a path of the tree: wrong depth, ending, grammar, or a person who lives elsewhere.
    """
    pure = PurePosixPath(path)
    if len(pure.parts) != 2:
        raise DataError(f"expected PERSON/{GRAMMAR}{GOOD}, got {len(pure.parts)} path parts; {_HELP}")
    suffix = pure.suffix.lower()
    if suffix not in (GOOD, BAD):
        raise DataError(f"expected {GRAMMAR}{GOOD}, got the ending {pure.suffix!r}; {_HELP}")
    try:
        sample = parse_name(path)
    except DataError as error:
        raise DataError(f"expected {GRAMMAR}{suffix}, {error}; {_HELP}") from error
    if sample.person != pure.parts[0]:
        raise DataError(f"expected a picture of {pure.parts[0]}, got {sample.person}; {_HELP}")
    return sample


def read_cmu(root: Path, *, skip_unknown: bool = False) -> Dataset:
    """Read the CMU tree below `root`; samples are sorted by path.

    Parameters
    ----------
    root : Path
        The folder that holds one folder per person.
    skip_unknown : bool
        Leave pictures with unknown names out and list them in ``skipped``.

    Raises
    ------
    DataError
        No such folder, no pictures, an unknown name, or one of the two classes is missing.
    """
    samples: list[Sample] = []
    bad: list[Sample] = []
    skipped: list[str] = []
    for path in list_pictures(root):
        try:
            sample = parse_path(path)
        except DataError as error:
            if not skip_unknown:
                raise DataError(f"{root / path}: {error}") from error
            skipped.append(path)
            continue
        (bad if path.lower().endswith(BAD) else samples).append(sample)
    require_both_labels(root, samples)
    synthetic = is_synthetic(root, samples)
    name = f"synthetic faces in the form of the {NAME}" if synthetic else NAME
    if not synthetic:
        samples = [replace(sample, eyewear=_eyewear(sample)) for sample in samples]
    return Dataset(name, root, tuple(samples), tuple(bad), synthetic, tuple(skipped))


def _eyewear(sample: Sample) -> Eyewear | None:
    if sample.label == "sunglasses":
        return "sunglasses"
    if sample.person in CLEAR_GLASSES:
        return "eyeglasses"
    return "none" if sample.person in NO_GLASSES else None
