"""Where a model is right and where not: by person, pose, expression, resolution, label, eyewear. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from gafas.errors import UsageError
from gafas.scoring.checks import check_scores, check_threshold
from gafas.scoring.intervals import wilson
from gafas.values import Interval, Sample

GroupKey = Literal["person", "pose", "expression", "resolution", "label", "eyewear"]
GROUP_KEYS: tuple[GroupKey, ...] = get_args(GroupKey)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The accuracy of one group of examples.

    Attributes
    ----------
    group : str
        Its name: a person, a pose, …
    n, correct : int
        Examples, and those answered rightly at the threshold.
    accuracy : float
        ``correct / n``.
    interval : Interval
        Wilson 95 % interval of the accuracy; wide, for groups are small.
    """

    group: str
    n: int
    correct: int
    accuracy: float
    interval: Interval


def by_group(samples: Sequence[Sample], probabilities: ArrayLike, *, threshold: float, key: GroupKey) -> list[GroupRow]:
    """Return the accuracy of each group, sorted by name.

    Samples that do not know `key` are in no row; `count_ungrouped` says how many they are.

    Parameters
    ----------
    samples : n samples
        They hold the truth and the groups.
    probabilities : (n,) in [0, 1]
        P(sunglasses).
    threshold : float
        In [0, 1]; ``p >= threshold`` is called positive.
    key : {"person", "pose", "expression", "resolution", "label", "eyewear"}
        What to group by.

    Raises
    ------
    DataError
        No samples, or a score that is NaN or outside [0, 1].
    UsageError
        Not one score for each sample, an unknown key, or a threshold outside [0, 1].
    """
    targets, scores = check_scores([sample.target for sample in samples], probabilities)
    right = (scores >= check_threshold(threshold)) == (targets == 1)
    sizes: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    for sample, is_right in zip(samples, right.tolist(), strict=True):
        group = _group_of(sample, key)
        if group is not None:
            sizes[group] += 1
            correct[group] += is_right
    return [
        GroupRow(group, n, correct[group], correct[group] / n, wilson(correct[group], n))
        for group, n in sorted(sizes.items())
    ]


def clustered_interval(
    samples: Sequence[Sample],
    probabilities: ArrayLike,
    *,
    threshold: float,
    key: GroupKey,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """Return the percentile bootstrap interval of the accuracy, with whole groups drawn and not single examples.

    Pictures of one person are alike, so they are right or wrong together; drawing persons says how far the accuracy
    holds for other persons. Samples that do not know `key` are groups of their own.

    Parameters
    ----------
    samples, probabilities, threshold, key
        As `by_group`.
    rng : numpy.random.Generator
        Draws the groups.
    resamples : int
    confidence : float
        Share between the two percentiles, in (0, 1).

    Raises
    ------
    DataError, UsageError
        As `by_group`.
    """
    targets, scores = check_scores([sample.target for sample in samples], probabilities)
    right = (scores >= check_threshold(threshold)) == (targets == 1)
    names = [_group_of(sample, key) or f"\0{place}" for place, sample in enumerate(samples)]
    _, group = np.unique(names, return_inverse=True)
    sizes, correct = np.bincount(group), np.bincount(group, weights=right)
    drawn = rng.integers(0, sizes.size, (resamples, sizes.size))
    shares = correct[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(shares, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def count_ungrouped(samples: Sequence[Sample], *, key: GroupKey) -> int:
    """Return how many samples `by_group` leaves out, because their data set does not know `key`.

    Raises
    ------
    UsageError
        An unknown key.
    """
    return sum(_group_of(sample, key) is None for sample in samples)


def group_to_json(row: GroupRow) -> dict[str, Any]:
    """Return a row as plain values; the interval is ``[low, high]``."""
    return {
        "group": row.group,
        "n": row.n,
        "correct": row.correct,
        "accuracy": row.accuracy,
        "interval": [row.interval.low, row.interval.high],
    }


def _group_of(sample: Sample, key: GroupKey) -> str | None:
    if key not in GROUP_KEYS:
        raise UsageError(f"group: expected one of {', '.join(GROUP_KEYS)}, got {key}")
    value: str | None = getattr(sample, key)
    return value
