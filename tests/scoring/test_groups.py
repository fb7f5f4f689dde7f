"""Accuracy by group: names, counts, and what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from gafas.errors import DataError, UsageError
from gafas.scoring.groups import GROUP_KEYS, GroupKey, by_group, count_ungrouped, group_to_json
from gafas.scoring.intervals import wilson
from gafas.values import Label, Sample


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
