"""Three classes from two probabilities: sunglasses, clear eyeglasses, nothing. Pure.

An image is said to show sunglasses from P(sunglasses) >= threshold, else eyeglasses from P(eyeglasses) >= their own
threshold, else none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gafas.errors import DataError, UsageError
from gafas.scoring.checks import check_scores, check_threshold
from gafas.scoring.intervals import f1_interval, wilson
from gafas.scoring.metrics import Confusion, Evaluation, evaluate
from gafas.values import EYEWEAR, Eyewear, Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class EyewearClass:
    """The figures of one of the three classes.

    Attributes
    ----------
    eyewear : Eyewear
        Which.
    n, called : int
        Examples of the class, and examples said to be.
    precision, recall, f1 : float or None
        ``None`` where undefined, as in `gafas.scoring.metrics.Confusion`; so are the intervals, Wilson 95 %.
    """

    eyewear: Eyewear
    n: int
    called: int
    precision: float | None
    precision_interval: Interval | None
    recall: float | None
    recall_interval: Interval | None
    f1: float | None
    f1_interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EyewearScores:
    """What two probabilities are worth as a decision between three classes.

    Attributes
    ----------
    n, correct : int
        Examples, and those of which the right class was said.
    accuracy : float
        ``correct / n``.
    interval : Interval
        Wilson 95 %.
    confusion : 3 rows of 3 counts
        True class by row, said class by column, in the order of `EYEWEAR`.
    classes : tuple of EyewearClass
        In the same order.
    mixed_up, glasses : int
        Sunglasses said to be eyeglasses and the other way round, of how many examples with either.
    mixed_up_share : float or None
        ``mixed_up / glasses``; ``None`` when nobody wears either.
    mixed_up_interval : Interval or None
        Wilson 95 %.
    """

    n: int
    correct: int
    accuracy: float
    interval: Interval
    confusion: tuple[tuple[int, int, int], ...]
    classes: tuple[EyewearClass, ...]
    mixed_up: int
    glasses: int
    mixed_up_share: float | None
    mixed_up_interval: Interval | None


def decide(
    sunglasses: ArrayLike, eyeglasses: ArrayLike, *, threshold: float, eyeglasses_threshold: float
) -> list[Eyewear]:
    """Return the class that is said of each example; dark glasses come before clear ones.

    Parameters
    ----------
    sunglasses, eyeglasses : (n,) in [0, 1]
        P(sunglasses) and P(eyeglasses).
    threshold, eyeglasses_threshold : float
        In [0, 1].

    Raises
    ------
    DataError
        No examples, or a score that is no probability.
    UsageError
        Not one of each for each example, or a threshold outside [0, 1].
    """
    dark = np.asarray(sunglasses)
    _, dark = check_scores(np.zeros(dark.shape, dtype=np.int64), dark)
    _, clear = check_scores(np.zeros(dark.shape, dtype=np.int64), eyeglasses)
    is_dark = dark >= check_threshold(threshold)
    is_clear = clear >= check_threshold(eyeglasses_threshold)
    # Places in EYEWEAR: none, eyeglasses, sunglasses.
    return [EYEWEAR[place] for place in np.where(is_dark, 2, is_clear.astype(np.int64)).tolist()]


def score_eyewear(truth: Sequence[Eyewear], said: Sequence[Eyewear]) -> EyewearScores:
    """Compare the classes said with the truth.

    Raises
    ------
    DataError
        No examples.
    UsageError
        Not one answer for each example, or an unknown class.
    """
    counts = _count(truth, said)
    n, correct = int(counts.sum()), int(np.trace(counts))
    none, clear, dark = range(3)
    mixed_up = int(counts[dark, clear] + counts[clear, dark])
    glasses = n - int(counts[none].sum())
    return EyewearScores(
        n=n,
        correct=correct,
        accuracy=correct / n,
        interval=wilson(correct, n),
        confusion=tuple((int(row[0]), int(row[1]), int(row[2])) for row in counts),
        classes=tuple(_one_class(counts, place) for place in range(3)),
        mixed_up=mixed_up,
        glasses=glasses,
        mixed_up_share=mixed_up / glasses if glasses else None,
        mixed_up_interval=wilson(mixed_up, glasses) if glasses else None,
    )


def _count(truth: Sequence[Eyewear], said: Sequence[Eyewear]) -> NDArray[np.int64]:
    if len(truth) != len(said):
        raise UsageError(f"eyewear: expected one answer for each of {len(truth)} examples, got {len(said)}")
    if not truth:
        raise DataError("eyewear: expected at least one example, got 0; check the data set")
    counts = np.zeros((3, 3), dtype=np.int64)
    for true, answer in zip(truth, said, strict=True):
        for word in (true, answer):
            if word not in EYEWEAR:
                raise UsageError(f"eyewear: expected one of {', '.join(EYEWEAR)}, got {word}")
        counts[EYEWEAR.index(true), EYEWEAR.index(answer)] += 1
    return counts


def _one_class(counts: NDArray[np.int64], place: int) -> EyewearClass:
    tp = int(counts[place, place])
    n, called = int(counts[place].sum()), int(counts[:, place].sum())
    of_class = Confusion(tn=int(counts.sum()) - n - called + tp, fp=called - tp, fn=n - tp, tp=tp)
    return EyewearClass(
        eyewear=EYEWEAR[place],
        n=n,
        called=called,
        precision=of_class.precision,
        precision_interval=wilson(tp, called) if called else None,
        recall=of_class.recall,
        recall_interval=wilson(tp, n) if n else None,
        f1=of_class.f1,
        f1_interval=f1_interval(tp, called - tp, n - tp),
    )


def evaluate_eyeglasses(
    truth: Sequence[Eyewear], eyeglasses: ArrayLike, *, threshold: float, without_sunglasses: bool
) -> Evaluation | None:
    """Judge P(eyeglasses) alone: clear eyeglasses are the positives.

    Parameters
    ----------
    truth : n classes
    eyeglasses : (n,) in [0, 1]
        P(eyeglasses).
    threshold : float
        Of P(eyeglasses).
    without_sunglasses : bool
        Leave out whoever wears sunglasses; else they are negatives.

    Returns
    -------
    Evaluation or None
        ``None`` where no example is left.

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.metrics.evaluate`.
    """
    scores = np.asarray(eyeglasses, dtype=np.float64)
    if scores.shape != (len(truth),):
        raise UsageError(f"eyeglasses: expected one score for each of {len(truth)} examples, got {scores.shape}")
    kept = [i for i, eyewear in enumerate(truth) if not (without_sunglasses and eyewear == "sunglasses")]
    if not kept:
        return None
    return evaluate([truth[i] == "eyeglasses" for i in kept], scores[kept], threshold=threshold)


def eyewear_to_json(scores: EyewearScores) -> dict[str, Any]:
    """Return the figures as plain values; an interval is ``[low, high]``, undefined is ``None``."""
    return {
        "n": scores.n,
        "correct": scores.correct,
        "accuracy": scores.accuracy,
        "interval": _ends(scores.interval),
        "labels": list(EYEWEAR),
        "confusion": [list(row) for row in scores.confusion],
        "classes": {
            one.eyewear: {
                "n": one.n,
                "called": one.called,
                "precision": one.precision,
                "precision_interval": _ends(one.precision_interval),
                "recall": one.recall,
                "recall_interval": _ends(one.recall_interval),
                "f1": one.f1,
                "f1_interval": _ends(one.f1_interval),
            }
            for one in scores.classes
        },
        "mixed_up": {
            "n": scores.glasses,
            "count": scores.mixed_up,
            "share": scores.mixed_up_share,
            "interval": _ends(scores.mixed_up_interval),
        },
    }


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
