"""Accuracy by group: names, counts, and what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gafas.errors import DataError, UsageError
from gafas.scoring.groups import GROUP_KEYS, GroupKey, by_group, clustered_interval, count_ungrouped, group_to_json
from gafas.scoring.intervals import wilson
from gafas.values import Interval, Label, Sample


def sample(label: Label, person: str | None, pose: str | None = None) -> Sample:
    return Sample(f"{person}/{label}.pgm", label, person=person, pose=pose, resolution="full")


SAMPLES = [
    sample("sunglasses", "tammo", "up"),
    sample("no_sunglasses", "an2i", "left"),
    sample("sunglasses", "an2i", "up"),
    sample("no_sunglasses", None, "up"),
]
SCORES = [0.9, 0.8, 0.5, 0.1]  # right, wrong, right (on the threshold), right


def test_by_person_sorted_and_without_the_unknown() -> None:
    rows = by_group(SAMPLES, SCORES, threshold=0.5, key="person")
    assert [(row.group, row.n, row.correct, row.accuracy) for row in rows] == [
        ("an2i", 2, 1, 0.5),
        ("tammo", 1, 1, 1.0),
    ]
    assert rows[0].interval == wilson(1, 2)
    assert count_ungrouped(SAMPLES, key="person") == 1


def test_by_pose() -> None:
    rows = by_group(SAMPLES, SCORES, threshold=0.5, key="pose")
    assert [(row.group, row.n, row.correct) for row in rows] == [("left", 1, 0), ("up", 3, 3)]


def test_by_label_and_resolution() -> None:
    rows = by_group(SAMPLES, SCORES, threshold=0.5, key="label")
    counts = [(row.group, row.n, row.correct) for row in rows]
    assert counts == [
        ("no_sunglasses", 2, 1),
        ("sunglasses", 2, 2),
    ]
    rows = by_group(SAMPLES, SCORES, threshold=0.5, key="resolution")
    assert [(row.group, row.n, row.correct) for row in rows] == [("full", 4, 3)]


def test_nobody_knows_the_expression() -> None:
    assert by_group(SAMPLES, SCORES, threshold=0.5, key="expression") == []
    assert count_ungrouped(SAMPLES, key="expression") == 4


@pytest.mark.parametrize("key", GROUP_KEYS)
def test_every_sample_is_counted_once(key: GroupKey) -> None:
    rows = by_group(SAMPLES, SCORES, threshold=0.5, key=key)
    assert sum(row.n for row in rows) + count_ungrouped(SAMPLES, key=key) == len(SAMPLES)


def test_row_as_json() -> None:
    row = by_group(SAMPLES, SCORES, threshold=0.5, key="person")[1]
    assert group_to_json(row) == {
        "group": "tammo",
        "n": 1,
        "correct": 1,
        "accuracy": 1.0,
        "interval": [row.interval.low, row.interval.high],
    }


@pytest.mark.parametrize("key", ["path", "target", "hat"])
def test_refuses_an_unknown_key(key: Any) -> None:
    with pytest.raises(UsageError, match=f"expected one of person, .*got {key}"):
        by_group(SAMPLES, SCORES, threshold=0.5, key=key)


def test_bad_input_is_named() -> None:
    with pytest.raises(UsageError, match=r"got \(4,\) and \(2,\)"):
        by_group(SAMPLES, SCORES[:2], threshold=0.5, key="pose")
    with pytest.raises(DataError, match="at least one example"):
        by_group([], [], threshold=0.5, key="pose")
    with pytest.raises(UsageError, match="threshold"):
        by_group(SAMPLES, SCORES, threshold=2, key="pose")


def clustered(samples: list[Sample], scores: list[float]) -> Interval:
    return clustered_interval(samples, scores, threshold=0.5, key="person", rng=np.random.default_rng(1))


def test_persons_that_are_right_or_wrong_as_a_whole_make_a_wide_interval() -> None:
    samples = [sample("sunglasses", f"p{i}") for i in range(10) for _ in range(20)]
    as_a_whole = clustered(samples, [0.9 if i < 140 else 0.1 for i in range(200)])
    mixed = clustered(samples, [0.9 if i % 10 < 7 else 0.1 for i in range(200)])
    assert as_a_whole.low < 0.5 < 0.7 < as_a_whole.high
    assert mixed == Interval(0.7, 0.7)
    assert as_a_whole == clustered(samples, [0.9 if i < 140 else 0.1 for i in range(200)])


def test_unknown_persons_are_drawn_one_by_one() -> None:
    interval = clustered(
        [sample("sunglasses", None) for _ in range(200)], [0.9 if i < 140 else 0.1 for i in range(200)]
    )
    plain = wilson(140, 200)
    assert (interval.low, interval.high) == pytest.approx((plain.low, plain.high), abs=0.02)
