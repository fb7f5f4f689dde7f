"""Frozen values that cross the doors between rooms. No behaviour, no files, no third party."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Label = Literal["sunglasses", "no_sunglasses"]
LABELS: tuple[Label, Label] = ("no_sunglasses", "sunglasses")
"""In the order of the integer targets 0 and 1: a score is always P(sunglasses)."""

Eyewear = Literal["none", "eyeglasses", "sunglasses"]
EYEWEAR: tuple[Eyewear, ...] = ("none", "eyeglasses", "sunglasses")
"""What stands before the eyes: nothing, clear glasses, dark ones."""

Resolution = Literal["full", "half", "quarter"]
RESOLUTIONS: tuple[Resolution, ...] = ("full", "half", "quarter")

SplitName = Literal["train", "validation", "test"]
SPLIT_NAMES: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled image file of a data set.

    Attributes
    ----------
    path : str
        Relative to the data set's root, with forward slashes: the sample's identity.
    label : Label
        What the data set says is worn.
    person, pose, expression : str or None
        ``None`` where the data set does not know.
    resolution : Resolution or None
        Which of the CMU sizes; ``None`` for other data sets.
    eyewear : Eyewear or None
        The finer class, where the data set knows it: a face without sunglasses may wear clear glasses.
    """

    path: str
    label: Label
    person: str | None = None
    pose: str | None = None
    expression: str | None = None
    resolution: Resolution | None = None
    eyewear: Eyewear | None = None

    @property
    def target(self) -> int:
        """1 for sunglasses, 0 for none."""
        return LABELS.index(self.label)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled files below one root, in the order that splits are drawn from.

    Attributes
    ----------
    name : str
        For people; contains ``synthetic`` when the pictures are drawn, not taken.
    root : Path
        What sample paths are relative to.
    samples : tuple of Sample
        Every usable file, all resolutions.
    bad : tuple of Sample
        Files that the data set itself marks as spoilt; never trained on, never counted.
    synthetic : bool
        True when the pictures were drawn by ``gafas.datasets.synthetic``.
    skipped : tuple of str
        Paths that were left out on request, so that nothing leaves silently.
    unclear : tuple of str
        Paths that the data set itself calls unclear: tinted lenses, goggles; of no class, reported apart.
    """

    name: str
    root: Path
    samples: tuple[Sample, ...]
    bad: tuple[Sample, ...] = ()
    synthetic: bool = False
    skipped: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()

    def at(self, resolution: Resolution) -> tuple[Sample, ...]:
        """Return the samples of one resolution; a sample without resolution counts as full."""
        return tuple(s for s in self.samples if (s.resolution or "full") == resolution)


@dataclass(frozen=True, slots=True)
class Split:
    """Fixed lists of relative paths, made once and saved with the run.

    Attributes
    ----------
    kind : {"file", "person", "block"}
        What was dealt out: files, persons, or blocks of consecutive numbers; only with ``person`` is it certain that
        nobody is on both sides.
    seed : int
        The seed it was drawn with.
    """

    kind: Literal["file", "person", "block"]
    seed: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def part(self, name: SplitName) -> tuple[str, ...]:
        """Return the paths of one part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Pixels of the upright image; ``x1``, ``y1`` exclusive.

    Attributes
    ----------
    confidence : float or None
        The detector's, in [0, 1]; ``None`` where nothing was detected but the whole image taken.
    landmarks : tuple of (x, y) or None
        Right eye, left eye (the person's own), nose, right and left corner of the mouth, in pixels; they may lie
        outside the image.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    confidence: float | None = None
    landmarks: tuple[tuple[float, float], ...] | None = None

    @property
    def width(self) -> int:
        """In pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """In pixels."""
        return self.y1 - self.y0

    @property
    def area(self) -> int:
        """In square pixels; the largest face of an image is its main one."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model says of one region of one image.

    Attributes
    ----------
    region : {"whole", "face"}
        What was scored.
    box : FaceBox
        Where; the whole image for ``whole``.
    sunglasses, eyeglasses : float or None
        Probabilities in [0, 1]; ``None`` where the model does not know the attribute.
    label : Label
        At the bundle's threshold.
    """

    region: Literal["whole", "face"]
    box: FaceBox
    sunglasses: float
    eyeglasses: float | None
    label: Label


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, both ends inclusive."""

    low: float
    high: float
