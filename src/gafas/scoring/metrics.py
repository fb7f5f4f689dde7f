"""The figures of one evaluation, computed one way for every backend. Pure, NumPy only.

A score is P(sunglasses), a target is 1 for sunglasses, and ``p >= threshold`` is called positive.
A figure that the examples do not define is ``None``, never a number made up in its place.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gafas.scoring.checks import check_scores, check_threshold
from gafas.scoring.intervals import auc_interval, f1_interval, wilson
from gafas.scoring.ranking import average_precision, roc_auc
from gafas.values import Interval

CLIP = 1e-7
"""Scores are kept this far from 0 and 1 in the loss: ``keras.config.epsilon()``."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of examples: true and false, negatives and positives; positive is sunglasses."""

    tn: int
    fp: int
    fn: int
    tp: int

    @property
    def n(self) -> int:
        """All examples."""
        return self.tn + self.fp + self.fn + self.tp

    @property
    def accuracy(self) -> float | None:
        """Share of right answers; ``None`` without examples."""
        return _share(self.tn + self.tp, self.n)

    @property
    def precision(self) -> float | None:
        """Share of the called positives that are; ``None`` when nothing was called positive."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """Share of the positives that were found; ``None`` when there are none."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """2·tp / (2·tp + fp + fn); ``None`` when nothing is positive and nothing was called so."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What one set of scores is worth.

    Attributes
    ----------
    n, positives : int
        Examples, and those with sunglasses.
    threshold : float
        P(sunglasses) from which an example was called positive.
    loss : float
        Mean binary cross-entropy, natural logarithm.
    accuracy : float
        Share of right answers at the threshold.
    interval : Interval
        Wilson 95 % interval of the accuracy.
    confusion : Confusion
        Counts at the threshold.
    precision, recall, f1 : float or None
        At the threshold, of the class sunglasses; see `Confusion` for when they are undefined.
    precision_interval, recall_interval, f1_interval : Interval or None
        Wilson 95 %, each over its own n: the called positives, the positives, both. ``None`` as the figure.
    roc_auc, average_precision : float or None
        Whatever the threshold; ``None`` unless both classes are present.
    roc_auc_interval : Interval or None
        Newcombe 95 %; ``None`` as the figure.
    """

    n: int
    positives: int
    threshold: float
    loss: float
    accuracy: float
    interval: Interval
    confusion: Confusion
    precision: float | None
    precision_interval: Interval | None
    recall: float | None
    recall_interval: Interval | None
    f1: float | None
    f1_interval: Interval | None
    roc_auc: float | None
    roc_auc_interval: Interval | None
    average_precision: float | None


def evaluate(targets: ArrayLike, probabilities: ArrayLike, *, threshold: float) -> Evaluation:
    """Compare scores with the truth.

    Parameters
    ----------
    targets : (n,) of 0 and 1
        1 is sunglasses.
    probabilities : (n,) in [0, 1]
        P(sunglasses).
    threshold : float
        In [0, 1]; ``p >= threshold`` is called positive. Never chosen on the examples given here.

    Raises
    ------
    DataError
        No examples, a target that is neither 0 nor 1, a score that is NaN or outside [0, 1].
    UsageError
        Not one score for each target, or a threshold outside [0, 1].
    """
    truth, scores = check_scores(targets, probabilities)
    counts = confusion(truth, scores, threshold=threshold)
    n, right = counts.n, counts.tn + counts.tp
    called, positives = counts.tp + counts.fp, counts.tp + counts.fn
    auc = roc_auc(truth, scores)
    return Evaluation(
        n=n,
        positives=positives,
        threshold=float(threshold),
        loss=log_loss(truth, scores),
        accuracy=right / n,
        interval=wilson(right, n),
        confusion=counts,
        precision=counts.precision,
        precision_interval=wilson(counts.tp, called) if called else None,
        recall=counts.recall,
        recall_interval=wilson(counts.tp, positives) if positives else None,
        f1=counts.f1,
        f1_interval=f1_interval(counts.tp, counts.fp, counts.fn),
        roc_auc=auc,
        roc_auc_interval=None if auc is None else auc_interval(auc, positives, n - positives),
        average_precision=average_precision(truth, scores),
    )


def confusion(targets: ArrayLike, probabilities: ArrayLike, *, threshold: float) -> Confusion:
    """Count right and wrong answers at a threshold; arguments and errors as `evaluate`."""
    truth, scores = check_scores(targets, probabilities)
    called = scores >= check_threshold(threshold)
    tp = int(np.count_nonzero(called & (truth == 1)))
    fp = int(np.count_nonzero(called)) - tp
    fn = int(np.count_nonzero(truth)) - tp
    return Confusion(tn=truth.size - tp - fp - fn, fp=fp, fn=fn, tp=tp)


def log_loss(targets: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean binary cross-entropy, in nats; arguments and errors as `evaluate`.

    Scores are clipped to [1e-7, 1 - 1e-7] as Keras does with probabilities, so that one certain
    and wrong answer costs about 16 and not infinity.
    """
    truth, scores = check_scores(targets, probabilities)
    clipped = np.clip(scores, CLIP, 1 - CLIP)
    of_truth = np.where(truth == 1, clipped, 1 - clipped)
    return float(-np.mean(np.log(of_truth)))


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as plain values; an interval is ``[low, high]``, undefined is ``None``."""
    return {
        "n": evaluation.n,
        "positives": evaluation.positives,
        "threshold": evaluation.threshold,
        "loss": evaluation.loss,
        "accuracy": evaluation.accuracy,
        "interval": _ends(evaluation.interval),
        "precision": evaluation.precision,
        "precision_interval": _ends(evaluation.precision_interval),
        "recall": evaluation.recall,
        "recall_interval": _ends(evaluation.recall_interval),
        "f1": evaluation.f1,
        "f1_interval": _ends(evaluation.f1_interval),
        "roc_auc": evaluation.roc_auc,
        "roc_auc_interval": _ends(evaluation.roc_auc_interval),
        "average_precision": evaluation.average_precision,
        "confusion": asdict(evaluation.confusion),
    }


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
