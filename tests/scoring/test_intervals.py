"""The Wilson interval against scipy, against the notebook's figures, and at its ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gafas.errors import UsageError
from gafas.scoring.intervals import wilson
from gafas.values import Interval

unhurried = settings(deadline=None)  # A busy machine is no failure.


@pytest.fixture(scope="module")
def scipy_stats() -> Any:
    return pytest.importorskip("scipy.stats")


@unhurried
@given(data=st.data())
def test_agrees_with_scipy(scipy_stats: Any, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5000))
    successes = data.draw(st.integers(0, n))
    confidence = data.draw(st.floats(0.01, 0.999))
    want = scipy_stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    got = wilson(successes, n, confidence)
    assert got.low == pytest.approx(want.low, abs=1e-9)
    assert got.high == pytest.approx(want.high, abs=1e-9)


@unhurried
@given(st.data())
def test_holds_the_share_and_mirrors(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5000))
    successes = data.draw(st.integers(0, n))
    got, mirrored = wilson(successes, n), wilson(n - successes, n)
    assert 0 <= got.low <= successes / n <= got.high <= 1
    assert got.low == pytest.approx(1 - mirrored.high)
    assert got.high == pytest.approx(1 - mirrored.low)


def test_28_of_30() -> None:
    assert wilson(28, 30).low == pytest.approx(0.7868, abs=1e-4)
    assert wilson(28, 30).high == pytest.approx(0.9815, abs=1e-4)


def test_ends_are_exact() -> None:
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0
    assert 0 < wilson(7, 7).low < 1


def test_knows_nothing_without_examples() -> None:
    assert wilson(0, 0) == Interval(0.0, 1.0)


def test_more_confidence_is_wider() -> None:
    narrow, wide = wilson(8, 10, 0.8), wilson(8, 10, 0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(UsageError, match=f"expected 0 to n = {n} successes, got {successes}"):
        wilson(successes, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, float("nan")])
def test_refuses_impossible_confidence(confidence: float) -> None:
    with pytest.raises(UsageError, match="expected a confidence between 0 and 1"):
        wilson(1, 2, confidence)
