"""A split by blocks of file numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gafas.datasets.blocks import BLOCK, file_number, split_blocks
from gafas.errors import DataError
from gafas.values import SPLIT_NAMES, Sample


def _samples(numbers: list[int]) -> list[Sample]:
    labels = ("sunglasses", "no_sunglasses")
    return [Sample(f"{labels[n % 2]}/{n:06d}.jpg", labels[n % 2]) for n in numbers]  # type: ignore[arg-type]


@given(st.integers(0, 1000))
def test_a_block_stays_on_one_side(seed: int) -> None:
    samples = _samples(list(range(0, 8000, 7)))
    split = split_blocks(samples, seed=seed)
    sides: dict[int, set[str]] = {}
    for name in SPLIT_NAMES:
        for path in split.part(name):
            sides.setdefault(int(path[-10:-4]) // BLOCK, set()).add(name)
    assert all(len(names) == 1 for names in sides.values())
    assert sorted(path for name in SPLIT_NAMES for path in split.part(name)) == sorted(s.path for s in samples)
    assert split.kind == "block"


def test_shares_are_twentieths_of_the_blocks() -> None:
    split = split_blocks(_samples(list(range(20 * BLOCK))), seed=1)
    assert [len(split.part(name)) // BLOCK for name in SPLIT_NAMES] == [14, 3, 3]


def test_the_seed_decides() -> None:
    samples = _samples(list(range(0, 8000, 7)))
    assert split_blocks(samples, seed=1) == split_blocks(samples, seed=1)
    assert split_blocks(samples, seed=1).test != split_blocks(samples, seed=2).test


def test_the_first_number_of_a_name_counts() -> None:
    assert file_number(Sample("none/060492(1).jpg", "no_sunglasses")) == 60492
    assert file_number(Sample("2020/a17_3.jpg", "no_sunglasses")) == 17


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([Sample("none/anna.jpg", "no_sunglasses")], "expected a number"),
        (_samples([1, 2, 3]), "no image with"),
        (_samples(list(range(0, 8000, 2))), "no image with no_sunglasses"),
    ],
    ids=["no number", "one block", "one class"],
)
def test_what_cannot_be_split_is_refused(samples: list[Sample], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_blocks(samples, seed=1)
    with pytest.raises(DataError, match="seed"):
        split_blocks(samples, seed=-1)
