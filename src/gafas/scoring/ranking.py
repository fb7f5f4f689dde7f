"""How well the scores order the examples, whatever the threshold. Pure.

All of it is about two classes: with only one present there is nothing to order, and the answer
is ``None``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gafas.scoring.checks import Probabilities, Targets, check_scores


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """Points from (0, 0) to (1, 1), one for each different score.

    Attributes
    ----------
    false_positive_rate, true_positive_rate, thresholds : float64 arrays (k,)
        Rates when ``p >= threshold`` is called positive; thresholds fall, the first is infinite.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecallCurve:
    """Points of rising recall, one for each different score; no invented point at recall 0.

    Attributes
    ----------
    precision, recall, thresholds : float64 arrays (k,)
        Values when ``p >= threshold`` is called positive; thresholds fall.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def roc_auc(targets: ArrayLike, probabilities: ArrayLike) -> float | None:
    """Return the area under the ROC curve, or ``None`` unless both classes are present.

    It is the chance that a random positive scores above a random negative, a tie counting half.

    Parameters
    ----------
    targets : (n,) of 0 and 1
    probabilities : (n,) in [0, 1]

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.checks.check_scores`.

    Notes
    -----
    Source: Hanley & McNeil 1982, by the rank sum of Mann & Whitney 1947.
    """
    truth, scores = check_scores(targets, probabilities)
    positives, negatives = _count(truth)
    if not positives or not negatives:
        return None
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    # Equal scores share the mean of their ranks, which counts a tie as half.
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    wins = ranks[truth == 1].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def average_precision(targets: ArrayLike, probabilities: ArrayLike) -> float | None:
    """Return the mean of precision over the steps of recall, or ``None`` unless both classes are present.

    The steps are not interpolated, as in scikit-learn: a straight line between two points of the
    curve would promise what no threshold gives.

    Parameters
    ----------
    targets : (n,) of 0 and 1
    probabilities : (n,) in [0, 1]

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.checks.check_scores`.
    """
    curve = precision_recall_curve(targets, probabilities)
    if curve is None:
        return None
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))


def roc_curve(targets: ArrayLike, probabilities: ArrayLike) -> RocCurve | None:
    """Return the ROC curve, or ``None`` unless both classes are present.

    Parameters
    ----------
    targets : (n,) of 0 and 1
    probabilities : (n,) in [0, 1]

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.checks.check_scores`.
    """
    truth, scores = check_scores(targets, probabilities)
    positives, negatives = _count(truth)
    if not positives or not negatives:
        return None
    thresholds, hits, alarms = _sweep(truth, scores)
    return RocCurve(
        false_positive_rate=np.concatenate([[0.0], alarms / negatives]),
        true_positive_rate=np.concatenate([[0.0], hits / positives]),
        thresholds=np.concatenate([[np.inf], thresholds]),
    )


def precision_recall_curve(targets: ArrayLike, probabilities: ArrayLike) -> PrecisionRecallCurve | None:
    """Return precision against recall, or ``None`` unless both classes are present.

    Parameters
    ----------
    targets : (n,) of 0 and 1
    probabilities : (n,) in [0, 1]

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.checks.check_scores`.
    """
    truth, scores = check_scores(targets, probabilities)
    positives, negatives = _count(truth)
    if not positives or not negatives:
        return None
    thresholds, hits, alarms = _sweep(truth, scores)
    return PrecisionRecallCurve(hits / (hits + alarms), hits / positives, thresholds)


def _count(truth: Targets) -> tuple[int, int]:
    positives = int(truth.sum())
    return positives, truth.size - positives


def _sweep(truth: Targets, scores: Probabilities) -> tuple[NDArray[np.float64], Targets, Targets]:
    """Return the different scores, falling, and the true and false positives at each of them."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    # Equal scores cannot be told apart by any threshold: only the last row of each run counts.
    ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    hits = np.cumsum(truth[order])[ends]
    return ordered[ends], hits, ends + 1 - hits
