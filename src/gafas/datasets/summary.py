"""How many pictures of what: counts of a data set. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gafas.values import RESOLUTIONS, Dataset, Sample


@dataclass(frozen=True, slots=True)
class Count:
    """Pictures with one value of an attribute."""

    value: str
    sunglasses: int
    no_sunglasses: int
    bad: int = 0

    @property
    def total(self) -> int:
        """Usable pictures."""
        return self.sunglasses + self.no_sunglasses


@dataclass(frozen=True, slots=True)
class Summary:
    """What a data set holds.

    Attributes
    ----------
    photographs, sunglasses, no_sunglasses : int
        Usable pictures of the largest resolution there is, so that none counts twice.
    files : int
        Usable files of all resolutions.
    bad, skipped : int
        Files that are marked as spoilt, and files left out.
    by : dict
        ``person``, ``pose``, ``expression`` (of those same photographs) and ``resolution``
        → counts; an attribute that the data set does not know is not there.
    """

    name: str
    root: str
    synthetic: bool
    photographs: int
    sunglasses: int
    no_sunglasses: int
    files: int
    bad: int
    skipped: int
    by: dict[str, tuple[Count, ...]]

    @property
    def sentence(self) -> str:
        """The notebook's sentence."""
        text = (
            f"There are {self.photographs:,} good images without repetition: {self.sunglasses:,} of people "
            f"with sunglasses and {self.no_sunglasses:,} of people without sunglasses"
        )
        text += ", in different poses and expressions." if "pose" in self.by else "."
        return f"SYNTHETIC DATA, drawn and not taken. {text}" if self.synthetic else text

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {**asdict(self), "sentence": self.sentence}


def largest(dataset: Dataset) -> tuple[Sample, ...]:
    """Return the samples of the largest resolution there is, so that no photograph counts twice."""
    return next((dataset.at(size) for size in RESOLUTIONS if dataset.at(size)), ())


def summarise(dataset: Dataset) -> Summary:
    """Count a data set."""
    photographs = largest(dataset)
    by: dict[str, tuple[Count, ...]] = {}
    for attribute in ("person", "pose", "expression"):
        if any(getattr(sample, attribute) is not None for sample in photographs):
            by[attribute] = _count(attribute, photographs, dataset.bad)
    if any(sample.resolution is not None for sample in dataset.samples):
        counted = {count.value: count for count in _count("resolution", dataset.samples, dataset.bad)}
        by["resolution"] = tuple(counted[size] for size in RESOLUTIONS if size in counted)
    positive = sum(sample.target for sample in photographs)
    return Summary(
        name=dataset.name,
        root=str(dataset.root),
        synthetic=dataset.synthetic,
        photographs=len(photographs),
        sunglasses=positive,
        no_sunglasses=len(photographs) - positive,
        files=len(dataset.samples),
        bad=len(dataset.bad),
        skipped=len(dataset.skipped),
        by=by,
    )


def _count(attribute: str, samples: Iterable[Sample], bad: Iterable[Sample]) -> tuple[Count, ...]:
    def value(sample: Sample) -> str:
        return str(getattr(sample, attribute) or "unknown")

    good = Counter((value(sample), sample.label) for sample in samples)
    spoilt = Counter(value(sample) for sample in bad)
    values = sorted({key for key, _ in good} | set(spoilt))
    return tuple(Count(key, good[key, "sunglasses"], good[key, "no_sunglasses"], spoilt[key]) for key in values)
