"""Three classes: the decision, the confusion, the figures of each class."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gafas.errors import DataError, UsageError
from gafas.scoring.eyewear import decide, evaluate_eyeglasses, eyewear_to_json, score_eyewear
from gafas.scoring.intervals import wilson
from gafas.values import EYEWEAR, Eyewear

TRUTH: list[Eyewear] = ["sunglasses", "sunglasses", "sunglasses", "eyeglasses", "eyeglasses", "none", "none"]
SAID: list[Eyewear] = ["sunglasses", "eyeglasses", "none", "eyeglasses", "sunglasses", "none", "eyeglasses"]


def test_dark_glasses_come_first_and_thresholds_belong_to_their_class() -> None:
    dark, clear = [0.7, 0.69, 0.69, 0.0, 1.0], [0.9, 0.4, 0.39, 0.39, 0.0]
    said = decide(dark, clear, threshold=0.7, eyeglasses_threshold=0.4)
    assert said == ["sunglasses", "eyeglasses", "none", "none", "sunglasses"]


def test_counts_by_hand() -> None:
    scores = score_eyewear(TRUTH, SAID)
    assert scores.confusion == ((1, 1, 0), (0, 1, 1), (1, 1, 1))
    assert (scores.n, scores.correct, scores.interval) == (7, 3, wilson(3, 7))
    # One sunglasses said eyeglasses, one eyeglasses said sunglasses, of five with either.
    assert (scores.mixed_up, scores.glasses, scores.mixed_up_share) == (2, 5, 0.4)
    assert scores.mixed_up_interval == wilson(2, 5)


def test_classes_are_those_of_sklearn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(4)
    truth, said = ([EYEWEAR[i] for i in random.integers(0, 3, 200)] for _ in range(2))
    scores = score_eyewear(truth, said)
    assert [list(row) for row in scores.confusion] == metrics.confusion_matrix(
        truth, said, labels=list(EYEWEAR)
    ).tolist()
    precision, recall, f1, n = metrics.precision_recall_fscore_support(truth, said, labels=list(EYEWEAR))
    for place, one in enumerate(scores.classes):
        assert (one.precision, one.recall, one.f1) == pytest.approx((precision[place], recall[place], f1[place]))
        assert one.n == n[place]
        assert one.f1_interval is not None
        assert one.f1_interval.low < f1[place] < one.f1_interval.high


def test_without_glasses_nothing_is_mixed_up() -> None:
    scores = score_eyewear(["none", "none"], ["none", "eyeglasses"])
    assert (scores.glasses, scores.mixed_up_share, scores.mixed_up_interval) == (0, None, None)
    dark = scores.classes[2]
    assert (dark.n, dark.called, dark.precision, dark.recall, dark.f1) == (0, 0, None, None, None)
    figures = eyewear_to_json(scores)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["classes"]["sunglasses"]["f1_interval"] is None


def test_eyeglasses_alone_and_among_those_without_sunglasses() -> None:
    scores = [0.9, 0.8, 0.1, 0.7, 0.6, 0.2, 0.3]
    everyone = evaluate_eyeglasses(TRUTH, scores, threshold=0.5, without_sunglasses=False)
    some = evaluate_eyeglasses(TRUTH, scores, threshold=0.5, without_sunglasses=True)
    assert everyone is not None
    assert some is not None
    assert (everyone.n, everyone.positives, everyone.confusion.fp) == (7, 2, 2)
    assert (some.n, some.positives, some.roc_auc, some.f1) == (4, 2, 1.0, 1.0)
    assert evaluate_eyeglasses(["sunglasses"], [0.5], threshold=0.5, without_sunglasses=True) is None


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: score_eyewear([], []), DataError, "at least one example"),
        (lambda: score_eyewear(["none"], []), UsageError, "one answer for each of 1"),
        (lambda: score_eyewear(["hat"], ["none"]), UsageError, "got hat"),  # type: ignore[list-item]
        (lambda: decide([], [], threshold=0.5, eyeglasses_threshold=0.5), DataError, "at least one example"),
        (lambda: decide([0.5], [0.5, 0.5], threshold=0.5, eyeglasses_threshold=0.5), UsageError, "one shape"),
        (lambda: decide([0.5], [1.5], threshold=0.5, eyeglasses_threshold=0.5), DataError, "in \\[0, 1\\]"),
        (lambda: decide([0.5], [0.5], threshold=0.5, eyeglasses_threshold=2), UsageError, "threshold"),
        (
            lambda: evaluate_eyeglasses(["none"], [0.1, 0.2], threshold=0.5, without_sunglasses=False),
            UsageError,
            "one score for each of 1",
        ),
    ],
)
def test_bad_input(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()
