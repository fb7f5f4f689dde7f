"""What stands behind an accuracy, as the plain values of ``metrics.json``: calibration, thresholds, groups. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gafas.scoring.calibration import calibrate, calibration_to_json
from gafas.scoring.groups import GroupKey, by_group, count_ungrouped, group_to_json
from gafas.scoring.thresholds import THRESHOLDS, threshold_table, threshold_to_json
from gafas.values import Sample

KEYS: tuple[GroupKey, ...] = ("eyewear", "pose", "expression", "person")
"""What results are grouped by."""


def detail(
    samples: Sequence[Sample], probabilities: Sequence[float], *, threshold: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Return ``calibration``, ``thresholds``, ``by`` and ``in_no_group``.

    Parameters
    ----------
    samples : n samples
    probabilities : n numbers in [0, 1]
        P(sunglasses).
    threshold : float
        The model's own; it is in the table of thresholds too.
    rng : numpy.random.Generator
        Of the bootstrap interval.

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.metrics.evaluate`.
    """
    targets = [sample.target for sample in samples]
    rows = threshold_table(targets, probabilities, [*THRESHOLDS, threshold])
    groups: dict[str, Any] = {}
    unknown: dict[str, int] = {}
    for key in KEYS:
        found = by_group(samples, probabilities, threshold=threshold, key=key)
        if found:
            groups[key] = [group_to_json(row) for row in found]
            unknown[key] = count_ungrouped(samples, key=key)
    return {
        "calibration": calibration_to_json(calibrate(targets, probabilities, rng=rng)),
        "thresholds": [threshold_to_json(row) for row in rows],
        "by": groups,
        "in_no_group": unknown,
    }
