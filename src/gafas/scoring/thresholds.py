"""What each threshold would give, and which one to take. Pure.

A threshold is chosen on validation data and judged on other data, never on the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gafas.errors import DataError, UsageError
from gafas.scoring.checks import check_scores, check_threshold
from gafas.scoring.intervals import f1_interval, wilson
from gafas.scoring.metrics import Confusion, confusion
from gafas.values import Interval

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Rows of the table, beside the model's own threshold."""

COLUMNS = (
    *("threshold", "precision", "precision_low", "precision_high", "recall", "recall_low", "recall_high"),
    *("f1", "f1_low", "f1_high", "accuracy", "accuracy_low", "accuracy_high", "tp", "fp", "fn", "tn"),
)
"""Of ``threshold_table.csv``."""

Criterion = Literal["balanced_accuracy", "f1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdRow:
    """The figures at one threshold.

    Attributes
    ----------
    threshold : float
        ``p >= threshold`` is called positive.
    confusion : Confusion
        The counts that all figures follow from.
    precision, recall, f1, accuracy : float or None
        ``None`` where the examples do not define it.
    precision_interval, recall_interval, f1_interval, accuracy_interval : Interval or None
        Wilson 95 %; that of F1 follows from Wilson's of tp among tp + fp + fn.
    """

    threshold: float
    confusion: Confusion
    precision: float | None
    precision_interval: Interval | None
    recall: float | None
    recall_interval: Interval | None
    f1: float | None
    f1_interval: Interval | None
    accuracy: float | None
    accuracy_interval: Interval | None


def threshold_table(
    targets: ArrayLike, probabilities: ArrayLike, thresholds: Sequence[float] = THRESHOLDS
) -> list[ThresholdRow]:
    """Return a row for each threshold, rising, each threshold once.

    Parameters
    ----------
    targets : (n,) of 0 and 1
    probabilities : (n,) in [0, 1]
    thresholds : sequence of float
        In [0, 1].

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.metrics.evaluate`.
    """
    truth, scores = check_scores(targets, probabilities)
    rising = sorted({check_threshold(threshold) for threshold in thresholds})
    return [_row(threshold, confusion(truth, scores, threshold=threshold)) for threshold in rising]


def _row(threshold: float, counts: Confusion) -> ThresholdRow:
    called, positives = counts.tp + counts.fp, counts.tp + counts.fn
    return ThresholdRow(
        threshold=threshold,
        confusion=counts,
        precision=counts.precision,
        precision_interval=wilson(counts.tp, called) if called else None,
        recall=counts.recall,
        recall_interval=wilson(counts.tp, positives) if positives else None,
        f1=counts.f1,
        f1_interval=f1_interval(counts.tp, counts.fp, counts.fn),
        accuracy=counts.accuracy,
        accuracy_interval=wilson(counts.tp + counts.tn, counts.n),
    )


def best_threshold(
    targets: ArrayLike, probabilities: ArrayLike, *, criterion: Criterion = "balanced_accuracy"
) -> float:
    """Return the threshold with the best criterion, in the middle of the thresholds that are as good.

    Between two neighbouring scores every threshold gives the same answers. Where several such stretches side by
    side are best, the middle of all of them is taken; of stretches apart, that of the longest. One more example
    then moves the threshold little.

    Parameters
    ----------
    targets : (n,) of 0 and 1
    probabilities : (n,) in [0, 1]
    criterion : {"balanced_accuracy", "f1"}
        Mean of the recall of both classes, or F1 of sunglasses.

    Returns
    -------
    float
        Above 0, at most 1.

    Raises
    ------
    DataError
        As `gafas.scoring.checks.check_scores`, or one class only: then no threshold is better than another.
    UsageError
        As `gafas.scoring.checks.check_scores`, or an unknown criterion.
    """
    truth, scores = check_scores(targets, probabilities)
    if criterion not in get_args(Criterion):
        raise UsageError(f"criterion: expected one of {', '.join(get_args(Criterion))}, got {criterion}")
    positives = int(truth.sum())
    if positives in (0, truth.size):
        raise DataError("best threshold: expected examples of both classes, got one only; add validation images")
    # Thresholds in (ends[i], ends[i + 1]] call the same examples positive.
    ends = np.unique(np.concatenate([[0.0], scores, [1.0]]))
    values = _criteria(truth == 1, scores, ends[1:], criterion)
    best = np.isclose(values, values.max(), rtol=0, atol=1e-12)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], best, [False]])))
    stretches = [(float(ends[start]), float(ends[stop])) for start, stop in edges.reshape(-1, 2)]
    low, high = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    middle = (low + high) / 2
    # Two neighbouring floats have no middle; the upper one is inside the stretch.
    return middle if middle > low else high


def _criteria(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], thresholds: NDArray[np.float64], criterion: Criterion
) -> NDArray[np.float64]:
    hits = _at_least(scores[positive], thresholds)
    alarms = _at_least(scores[~positive], thresholds)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if criterion == "f1":
        return np.asarray(2 * hits / (n_positive + hits + alarms))
    return np.asarray((hits / n_positive + (n_negative - alarms) / n_negative) / 2)


def _at_least(scores: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.asarray(scores.size - np.searchsorted(np.sort(scores), thresholds, side="left"))


def threshold_to_json(row: ThresholdRow) -> dict[str, Any]:
    """Return a row as plain values by the names of `COLUMNS`; undefined is ``None``."""
    value: dict[str, Any] = {"threshold": row.threshold}
    for name in ("precision", "recall", "f1", "accuracy"):
        interval: Interval | None = getattr(row, f"{name}_interval")
        value[name] = getattr(row, name)
        value[f"{name}_low"] = None if interval is None else interval.low
        value[f"{name}_high"] = None if interval is None else interval.high
    counts = row.confusion
    return value | {"tp": counts.tp, "fp": counts.fp, "fn": counts.fn, "tn": counts.tn}
