"""Every figure of an evaluation against scikit-learn, by hand, and where it is not defined."""

from __future__ import annotations

import json
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gafas.errors import DataError, UsageError
from gafas.scoring.intervals import wilson
from gafas.scoring.metrics import CLIP, Confusion, confusion, evaluate, log_loss, to_json
from gafas.scoring.ranking import average_precision, precision_recall_curve, roc_auc, roc_curve

# Few different scores, so that ties are common and some stand exactly on the threshold.
SCORES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.floats(0, 1))
ROWS = st.lists(st.tuples(st.integers(0, 1), SCORES), min_size=1, max_size=60)
BOTH_CLASSES = ROWS.filter(lambda rows: len({target for target, _ in rows}) == 2)
Rows = list[tuple[int, float]]

unhurried = settings(deadline=None)  # A busy machine is no failure.


def columns(rows: Rows) -> tuple[list[int], list[float]]:
    return [target for target, _ in rows], [score for _, score in rows]


@pytest.fixture(scope="module")
def sklearn_metrics() -> Any:
    return pytest.importorskip("sklearn.metrics")


@unhurried
@given(rows=ROWS, threshold=st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_counts_agree_with_sklearn(sklearn_metrics: Any, rows: Rows, threshold: float) -> None:
    targets, scores = columns(rows)
    called = np.asarray(scores) >= threshold
    got = confusion(targets, scores, threshold=threshold)
    want = sklearn_metrics.confusion_matrix(targets, called, labels=[0, 1])
    assert [[got.tn, got.fp], [got.fn, got.tp]] == want.tolist()
    assert got.n == len(rows)
    assert got.accuracy == pytest.approx(sklearn_metrics.accuracy_score(targets, called))
    for name in ("precision", "recall", "f1"):
        score = getattr(sklearn_metrics, f"{name}_score")(targets, called, zero_division=np.nan)
        value = getattr(got, name)
        assert np.isnan(score) if value is None else value == pytest.approx(score)


@unhurried
@given(rows=ROWS)
def test_loss_agrees_with_sklearn(sklearn_metrics: Any, rows: Rows) -> None:
    targets, scores = columns(rows)
    want = sklearn_metrics.log_loss(targets, np.clip(scores, CLIP, 1 - CLIP), labels=[0, 1])
    assert log_loss(targets, scores) == pytest.approx(want, abs=1e-12)


@unhurried
@given(rows=BOTH_CLASSES)
def test_areas_agree_with_sklearn(sklearn_metrics: Any, rows: Rows) -> None:
    targets, scores = columns(rows)
    assert roc_auc(targets, scores) == pytest.approx(sklearn_metrics.roc_auc_score(targets, scores))
    want = sklearn_metrics.average_precision_score(targets, scores)
    assert average_precision(targets, scores) == pytest.approx(want)


@unhurried
@given(rows=BOTH_CLASSES)
def test_curves_agree_with_sklearn(sklearn_metrics: Any, rows: Rows) -> None:
    targets, scores = columns(rows)
    roc = roc_curve(targets, scores)
    assert roc is not None
    fpr, tpr, thresholds = sklearn_metrics.roc_curve(targets, scores, drop_intermediate=False)
    np.testing.assert_allclose(roc.false_positive_rate, fpr)
    np.testing.assert_allclose(roc.true_positive_rate, tpr)
    np.testing.assert_array_equal(roc.thresholds, thresholds)

    curve = precision_recall_curve(targets, scores)
    assert curve is not None
    precision, recall, cuts = sklearn_metrics.precision_recall_curve(targets, scores)
    # scikit-learn goes the other way and adds the point (recall 0, precision 1).
    np.testing.assert_allclose(curve.precision[::-1], precision[:-1])
    np.testing.assert_allclose(curve.recall[::-1], recall[:-1])
    np.testing.assert_array_equal(curve.thresholds[::-1], cuts)


@unhurried
@given(rows=BOTH_CLASSES)
def test_area_is_the_area_under_the_curve(rows: Rows) -> None:
    targets, scores = columns(rows)
    curve = roc_curve(targets, scores)
    assert curve is not None
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert roc_auc(targets, scores) == pytest.approx(float(area))


@unhurried
@given(rows=BOTH_CLASSES, seed=st.integers(0, 9))
def test_order_of_rows_does_not_matter(rows: Rows, seed: int) -> None:
    shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    one, other = (evaluate(*columns(r), threshold=0.5) for r in (rows, shuffled))
    assert one.confusion == other.confusion
    assert one.roc_auc == pytest.approx(other.roc_auc)
    assert one.average_precision == pytest.approx(other.average_precision)
    assert one.loss == pytest.approx(other.loss)


@unhurried
@given(rows=BOTH_CLASSES)
def test_turning_the_scores_round_mirrors_the_auc(rows: Rows) -> None:
    targets, scores = columns(rows)
    eighths = np.round(np.asarray(scores) * 8) / 8  # 1 - p is exact, so ties stay ties.
    forward, backward = roc_auc(targets, eighths), roc_auc(targets, 1 - eighths)
    assert forward is not None
    assert backward == pytest.approx(1 - forward)


def test_by_hand() -> None:
    result = evaluate([1, 1, 0, 0, 1], [0.9, 0.4, 0.6, 0.1, 0.5], threshold=0.5)
    assert result.confusion == Confusion(tn=1, fp=1, fn=1, tp=2)
    assert (result.n, result.positives, result.threshold) == (5, 3, 0.5)
    assert result.accuracy == pytest.approx(3 / 5)
    assert result.interval == wilson(3, 5)
    assert result.precision == result.recall == result.f1 == pytest.approx(2 / 3)
    assert result.precision_interval == result.recall_interval == wilson(2, 3)
    assert result.roc_auc == pytest.approx(4 / 6)
    want = -(log(0.9) + log(0.4) + log(0.4) + log(0.9) + log(0.5)) / 5
    assert result.loss == pytest.approx(want)


def test_each_proportion_has_its_own_n() -> None:
    result = evaluate([1, 1, 1, 1, 0, 0], [0.9, 0.2, 0.2, 0.2, 0.1, 0.8], threshold=0.5)
    assert result.precision_interval == wilson(1, 2)
    assert result.recall_interval == wilson(1, 4)


def test_a_score_on_the_threshold_is_positive() -> None:
    assert confusion([1, 0], [0.3, 0.3], threshold=0.3) == Confusion(tn=0, fp=1, fn=0, tp=1)


def test_certain_and_wrong_costs_a_finite_amount() -> None:
    assert log_loss([1], [0.0]) == pytest.approx(-log(1e-7))
    assert log_loss([0], [1.0]) == pytest.approx(-log(1e-7), rel=1e-6)


@pytest.mark.parametrize("target", [0, 1])
def test_one_class_has_nothing_to_order(target: int) -> None:
    targets, scores = [target] * 3, [0.2, 0.5, 0.9]
    result = evaluate(targets, scores, threshold=0.5)
    assert result.roc_auc is None
    assert result.average_precision is None
    assert roc_curve(targets, scores) is None
    assert precision_recall_curve(targets, scores) is None
    assert (result.recall is None) == (result.recall_interval is None) == (target == 0)


def test_nothing_called_positive_has_no_precision() -> None:
    result = evaluate([1, 0], [0.1, 0.2], threshold=0.9)
    assert result.precision is None
    assert result.precision_interval is None
    assert result.recall == 0.0
    assert result.f1 == 0.0


def test_nothing_positive_at_all_has_no_f1() -> None:
    assert evaluate([0, 0], [0.1, 0.2], threshold=0.9).f1 is None


def test_no_examples_have_no_accuracy() -> None:
    assert Confusion(0, 0, 0, 0).accuracy is None


def test_json_keys_and_values() -> None:
    plain = to_json(evaluate([1, 0, 1], np.array([0.9, 0.2, 0.4], dtype=np.float32), threshold=0.5))
    assert set(plain) == {
        *("accuracy", "interval", "loss", "n", "positives", "threshold", "precision", "recall", "f1"),
        *("roc_auc", "average_precision", "confusion", "precision_interval", "recall_interval"),
        *("f1_interval", "roc_auc_interval"),
    }
    assert plain["confusion"] == {"tn": 1, "fp": 0, "fn": 1, "tp": 1}
    assert plain["interval"] == [wilson(2, 3).low, wilson(2, 3).high]
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_json_of_undefined_is_null() -> None:
    plain = to_json(evaluate([0], [0.1], threshold=0.5))
    for key in (
        "precision",
        "precision_interval",
        "recall",
        "recall_interval",
        "f1",
        "f1_interval",
        "roc_auc",
        "roc_auc_interval",
    ):
        assert plain[key] is None


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.float32])
def test_takes_targets_of_any_number_type(dtype: type) -> None:
    result = evaluate(np.array([0, 1], dtype=dtype), np.array([0.1, 0.9], dtype=np.float32), threshold=0.5)
    assert result.accuracy == 1.0


@pytest.mark.parametrize(
    ("targets", "scores", "error", "message"),
    [
        ([], [], DataError, "expected at least one example, got 0"),
        ([0, 1], [0.5], UsageError, r"got \(2,\) and \(1,\)"),
        ([0, 1], [[0.5], [0.5]], UsageError, r"got \(2,\) and \(2, 1\)"),
        ([[0]], [[0.5]], UsageError, r"one shape \(n,\)"),
        ([0, 2], [0.5, 0.5], DataError, r"expected 0 or 1, got 2 at row 1 \(1 of 2 rows are wrong\)"),
        ([0.0, np.nan], [0.5, 0.5], DataError, "expected 0 or 1, got nan at row 1"),
        (["yes"], [0.5], DataError, "expected numbers 0 and 1"),
        ([0, 1], [0.5, np.nan], DataError, "got nan at row 1"),
        ([0, 1], [-0.1, 0.5], DataError, "got -0.1 at row 0"),
        ([0, 1], [0.5, 3.2], DataError, "a logit needs a sigmoid first"),
        ([0], ["high"], DataError, r"expected numbers in \[0, 1\]"),
    ],
)
def test_bad_input_is_named(targets: Any, scores: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        evaluate(targets, scores, threshold=0.5)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), float("inf")])
def test_refuses_impossible_threshold(threshold: float) -> None:
    with pytest.raises(UsageError, match="threshold: expected a number from 0 to 1"):
        evaluate([0, 1], [0.1, 0.9], threshold=threshold)
