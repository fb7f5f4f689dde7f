"""Intervals against scipy, against the notebook's figures, by simulation, and at their ends."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gafas.errors import UsageError
from gafas.scoring.intervals import auc_interval, f1_interval, mean_interval, wilson
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


@pytest.mark.parametrize(("tp", "fp", "fn"), [(10, 2, 3), (5, 0, 0), (0, 3, 4)])
def test_f1_interval_holds_f1(tp: int, fp: int, fn: int) -> None:
    interval = f1_interval(tp, fp, fn)
    assert interval is not None
    assert 0 <= interval.low <= 2 * tp / (2 * tp + fp + fn) <= interval.high <= 1
    assert interval.high > interval.low


def test_f1_interval_without_positives() -> None:
    assert f1_interval(0, 0, 0) is None


def test_f1_interval_covers() -> None:
    random = np.random.default_rng(5)
    shares = np.array([0.35, 0.06, 0.09, 0.5])  # tp, fp, fn, tn
    true = 2 * 0.35 / (2 * 0.35 + 0.06 + 0.09)
    drawn = random.multinomial(120, shares, 2000)
    intervals = [f1_interval(int(tp), int(fp), int(fn)) for tp, fp, fn, _ in drawn]
    covered = np.mean([i is not None and i.low <= true <= i.high for i in intervals])
    assert 0.93 < covered < 0.97


@pytest.mark.parametrize("auc", [0.0, 0.3, 0.5, 0.98, 1.0])
def test_auc_interval_holds_the_auc_and_keeps_its_width(auc: float) -> None:
    interval = auc_interval(auc, 30, 40)
    assert 0 <= interval.low <= auc <= interval.high <= 1
    assert interval.high - interval.low > 0.02
    wide = auc_interval(auc, 5, 5)
    assert wide.high - wide.low > interval.high - interval.low
    mirrored = auc_interval(1 - auc, 40, 30)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - interval.high, 1 - interval.low))


def test_auc_interval_covers() -> None:
    random = np.random.default_rng(6)
    distance = 2.0
    true = NormalDist().cdf(distance / sqrt(2))
    covered = []
    for _ in range(1000):
        positives, negatives = random.normal(distance, 1, 40), random.normal(0, 1, 60)
        auc = float(np.mean(positives[:, None] > negatives[None, :]))
        interval = auc_interval(auc, 40, 60)
        covered.append(interval.low <= true <= interval.high)
    assert 0.93 < np.mean(covered) < 0.985


@pytest.mark.parametrize(
    ("auc", "positives", "negatives", "confidence"), [(1.2, 3, 3, 0.95), (0.5, 0, 3, 0.95), (0.5, 3, 3, 1.0)]
)
def test_auc_interval_of_nonsense(auc: float, positives: int, negatives: int, confidence: float) -> None:
    with pytest.raises(UsageError, match="auc_interval: expected"):
        auc_interval(auc, positives, negatives, confidence)


def test_the_interval_of_a_mean_is_drawn_around_it() -> None:
    values = [0.0, 1.0] * 50
    got = mean_interval(values, rng=np.random.default_rng(0))
    # The mean of 100 tosses of a coin: 0.5 ± 1.96 · 0.05.
    assert (got.low, got.high) == pytest.approx((0.402, 0.598), abs=0.015)
    assert mean_interval(values, rng=np.random.default_rng(0)) == got
    assert mean_interval([0.3], rng=np.random.default_rng(0)) == Interval(0.3, 0.3)


def test_no_mean_no_interval() -> None:
    with pytest.raises(UsageError, match="expected at least one value"):
        mean_interval([], rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="expected a confidence between 0 and 1, got 1"):
        mean_interval([0.5], rng=np.random.default_rng(0), confidence=1)
