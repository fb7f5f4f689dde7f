"""The threshold table and the choice of a threshold."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gafas.errors import DataError, UsageError
from gafas.scoring.intervals import wilson
from gafas.scoring.metrics import confusion, evaluate
from gafas.scoring.thresholds import (
    COLUMNS,
    THRESHOLDS,
    Criterion,
    best_threshold,
    threshold_table,
    threshold_to_json,
)

SCORES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))
ROWS = st.lists(st.tuples(st.integers(0, 1), SCORES), min_size=2, max_size=40)
unhurried = settings(deadline=None)


def value_at(criterion: Criterion, targets: Any, scores: Any, threshold: float) -> float:
    counts = confusion(targets, scores, threshold=threshold)
    if criterion == "f1":
        return counts.f1 or 0.0
    assert counts.recall is not None
    return (counts.recall + counts.tn / (counts.tn + counts.fp)) / 2


def test_rows_are_those_of_the_evaluation() -> None:
    targets, scores = [1, 1, 0, 0, 1], [0.9, 0.4, 0.6, 0.1, 0.5]
    rows = threshold_table(targets, scores)
    assert [row.threshold for row in rows] == list(THRESHOLDS)
    for row in rows:
        want = evaluate(targets, scores, threshold=row.threshold)
        assert (row.confusion, row.precision, row.recall, row.f1) == (
            want.confusion,
            want.precision,
            want.recall,
            want.f1,
        )
        assert (row.accuracy, row.accuracy_interval) == (want.accuracy, want.interval)
        assert (row.precision_interval, row.recall_interval) == (want.precision_interval, want.recall_interval)


def test_rows_rise_and_stand_once() -> None:
    rows = threshold_table([1, 0], [0.9, 0.1], [0.5, 0.2, 0.5])
    assert [row.threshold for row in rows] == [0.2, 0.5]
    assert rows[0].accuracy_interval == wilson(2, 2)


def test_undefined_stays_undefined() -> None:
    (row,) = threshold_table([0, 0], [0.1, 0.2], [0.5])
    value = threshold_to_json(row)
    assert tuple(value) == COLUMNS
    assert value["precision"] is value["precision_low"] is value["recall"] is value["f1"] is value["f1_low"] is None
    assert value["accuracy"] == 1
    assert json.loads(json.dumps(value, allow_nan=False)) == value


@unhurried
@given(rows=ROWS, criterion=st.sampled_from(["balanced_accuracy", "f1"]))
def test_no_threshold_is_better(rows: list[tuple[int, float]], criterion: Criterion) -> None:
    targets, scores = [row[0] for row in rows], [row[1] for row in rows]
    if len(set(targets)) < 2:
        return
    chosen = best_threshold(targets, scores, criterion=criterion)
    assert 0 < chosen <= 1
    best = max(value_at(criterion, targets, scores, s) for s in [*scores, 1.0] if s > 0)
    assert value_at(criterion, targets, scores, chosen) == pytest.approx(best)


@pytest.mark.parametrize("criterion", ["balanced_accuracy", "f1"])
def test_the_middle_of_the_gap(criterion: Criterion) -> None:
    assert best_threshold([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], criterion=criterion) == pytest.approx(0.5)


def test_as_good_neighbours_are_one_stretch() -> None:
    # One of each class at 0.5: on both sides of it 3 of 4 are right.
    assert best_threshold([0, 0, 1, 1], [0.2, 0.5, 0.5, 0.9]) == pytest.approx(0.55)


def test_the_longest_stretch_wins() -> None:
    assert best_threshold([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.9]) == pytest.approx(0.6)


def test_one_more_example_moves_it_little() -> None:
    random = np.random.default_rng(0)
    targets = random.integers(0, 2, 400)
    scores = (0.5 + (targets - 0.5) * 0.5 + random.normal(0, 0.2, 400)).clip(0, 1)
    whole = best_threshold(targets, scores)
    moved = [abs(best_threshold(np.delete(targets, i), np.delete(scores, i)) - whole) for i in range(50)]
    assert np.median(moved) < 0.02


def test_neighbouring_floats() -> None:
    low = 0.5
    high = float(np.nextafter(low, 1))
    assert best_threshold([0, 1], [low, high]) == high


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: best_threshold([1, 1], [0.2, 0.3]), DataError, "both classes"),
        (lambda: best_threshold([], []), DataError, "at least one example"),
        (lambda: best_threshold([1, 0], [0.2, 0.3], criterion="loss"), UsageError, "criterion"),  # type: ignore[arg-type]
        (lambda: threshold_table([1], [0.5], [1.5]), UsageError, "threshold: expected a number from 0 to 1"),
    ],
)
def test_bad_input(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()
