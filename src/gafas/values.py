"""Frozen values that cross the doors between rooms. No behaviour, no files, no third party."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Label = Literal["sunglasses", "no_sunglasses"]
LABELS: tuple[Label, Label] = ("no_sunglasses", "sunglasses")
"""In the order of the integer targets 0 and 1: a score is always P(sunglasses)."""

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
    """

    path: str
    label: Label
    person: str | None = None
    pose: str | None = None
    expression: str | None = None
    resolution: Resolution | None = None

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
    """

    name: str
    root: Path
    samples: tuple[Sample, ...]
    bad: tuple[Sample, ...] = ()
    synthetic: bool = False
    skipped: tuple[str, ...] = ()

    def at(self, resolution: Resolution) -> tuple[Sample, ...]:
        """Return the samples of one resolution; a sample without resolution counts as full."""
        return tuple(s for s in self.samples if (s.resolution or "full") == resolution)


@dataclass(frozen=True, slots=True)
class Split:
    """Fixed lists of relative paths, made once and saved with the run.

    Attributes
    ----------
    kind : {"file", "person"}
        What was dealt out: with ``file`` the same person may be on both sides.
    seed : int
        The seed it was drawn with.
    """

    kind: Literal["file", "person"]
    seed: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def part(self, name: SplitName) -> tuple[str, ...]:
        """Return the paths of one part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Pixels of the upright image; ``x1``, ``y1`` exclusive."""

    x0: int
    y0: int
    x1: int
    y1: int
    confidence: float | None = None


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
