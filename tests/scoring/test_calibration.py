"""Calibration against scikit-learn and SciPy, by hand, and at the edges."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gafas.errors import DataError, UsageError
from gafas.scoring.calibration import (
    TEMPERATURES,
    Binning,
    bootstrap_ece,
    brier_score,
    calibrate,
    calibration_to_json,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
)

SCORES = st.one_of(st.sampled_from([0.0, 1 / 15, 0.2, 0.5, 1.0]), st.floats(0, 1))
ROWS = st.lists(st.tuples(st.integers(0, 1), SCORES), min_size=1, max_size=80)
unhurried = settings(deadline=None)  # A busy machine is no failure.


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def drawn(n: int, *, sharpness: float = 1.0) -> tuple[Any, Any, Any]:
    """Return targets drawn from the probabilities of logits, those logits sharpened, and their probabilities."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, n)
    targets = (random.random(n) < 1 / (1 + np.exp(-logits))).astype(int)
    return targets, logits * sharpness, 1 / (1 + np.exp(-logits * sharpness))


@unhurried
@given(rows=ROWS, bins=st.integers(1, 20), strategy=st.sampled_from(["uniform", "quantile"]))
def test_bins_are_those_of_sklearn(rows: list[tuple[int, float]], bins: int, strategy: str) -> None:
    sklearn = pytest.importorskip("sklearn.calibration")
    targets, scores = [row[0] for row in rows], [row[1] for row in rows]
    if len(set(targets)) < 2 and strategy == "uniform":
        targets, scores = [*targets, 1 - targets[0]], [*scores, 0.3]
    if len(set(targets)) < 2:
        return  # scikit-learn wants both classes
    # Where rounding puts a quantile beside the score that it is, either bin is right.
    cuts = np.linspace(0, 1, bins + 1)
    assume(strategy == "uniform" or (np.percentile(scores, cuts * 100) == np.quantile(scores, cuts)).all())
    shares, means = sklearn.calibration_curve(targets, scores, n_bins=bins, strategy=strategy)
    binning: Binning = "width" if strategy == "uniform" else "mass"
    got = reliability_bins(targets, scores, bins=bins, binning=binning)
    assert [one.share for one in got] == pytest.approx(shares)
    assert [one.score for one in got] == pytest.approx(means)
    assert sum(one.n for one in got) == len(targets)
    error = sum(one.n * abs(one.score - one.share) for one in got) / len(targets)
    assert expected_calibration_error(targets, scores, bins=bins, binning=binning) == pytest.approx(error, abs=1e-12)


@unhurried
@given(rows=ROWS)
def test_brier_is_that_of_sklearn(rows: list[tuple[int, float]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    targets, scores = [row[0] for row in rows], [row[1] for row in rows]
    assert brier_score(targets, scores) == pytest.approx(metrics.brier_score_loss(targets, scores, pos_label=1))


def test_by_hand() -> None:
    # Two bins: 0.2 and 0.4 with one positive of two, 0.9 with one of one.
    targets, scores = [0, 1, 1], [0.2, 0.4, 0.9]
    low, high = reliability_bins(targets, scores, bins=2)
    assert (low.low, low.high, low.n, low.share) == (0.0, 0.5, 2, 0.5)
    assert (high.low, high.high, high.n, high.share) == (0.5, 1.0, 1, 1.0)
    assert low.score == pytest.approx(0.3)
    assert expected_calibration_error(targets, scores, bins=2) == pytest.approx(2 / 3 * 0.2 + 1 / 3 * 0.1)
    assert brier_score(targets, scores) == pytest.approx((0.04 + 0.36 + 0.01) / 3)


def test_confidence_error_is_guos() -> None:
    # Confidence 0.8 twice, one of the two calls right: |0.5 - 0.8|; the error of P(sunglasses) is another.
    figures = calibrate([1, 1], [0.8, 0.2], rng=rng())
    assert figures.confidence_ece == pytest.approx(0.3)
    assert figures.ece == pytest.approx((0.2 + 0.8) / 2)


def test_equal_scores_share_a_bin() -> None:
    bins = reliability_bins([0, 1, 0, 1], [0.5] * 4, bins=4, binning="mass")
    assert [(one.n, one.share) for one in bins] == [(4, 0.5)]


def test_perfect_and_worst() -> None:
    assert (brier_score([1, 0], [1.0, 0.0]), expected_calibration_error([1, 0], [1.0, 0.0])) == (0, 0)
    assert (brier_score([1, 0], [0.0, 1.0]), expected_calibration_error([1, 0], [0.0, 1.0])) == (1, 1)


def test_bootstrap_interval_is_repeatable_and_holds_the_error() -> None:
    targets, _, scores = drawn(2000, sharpness=3)
    first, second = (bootstrap_ece(targets, scores, rng=rng(), resamples=200) for _ in range(2))
    assert first == second
    assert first.low < expected_calibration_error(targets, scores) < first.high
    assert first.high - first.low < 0.05
    narrow = bootstrap_ece(targets, scores, rng=rng(), resamples=200, confidence=0.5)
    assert narrow.high - narrow.low < first.high - first.low


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_temperature_undoes_the_sharpening(sharpness: float) -> None:
    targets, logits, _ = drawn(5000, sharpness=sharpness)
    assert fit_temperature(logits, targets) == pytest.approx(sharpness, rel=0.08)


def test_temperature_is_where_scipy_finds_the_least_loss() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    targets, logits, _ = drawn(300, sharpness=2.5)

    def loss(temperature: float) -> float:
        values = logits / temperature
        return float(np.mean(np.logaddexp(0, values) - targets * values))

    want = optimize.minimize_scalar(loss, bounds=TEMPERATURES, method="bounded", options={"xatol": 1e-8}).x
    assert fit_temperature(logits, targets) == pytest.approx(want, rel=1e-4)


def test_temperature_lowers_the_error_and_keeps_the_order() -> None:
    targets, logits, sharp = drawn(2000, sharpness=4)
    calibrated = 1 / (1 + np.exp(-logits / fit_temperature(logits, targets)))
    assert expected_calibration_error(targets, calibrated) < expected_calibration_error(targets, sharp) / 3
    assert (np.argsort(calibrated) == np.argsort(logits)).all()


def test_temperature_ends_where_the_examples_do_not_say() -> None:
    assert fit_temperature([5.0, -5.0], [1, 0]) == TEMPERATURES[0]
    assert fit_temperature([5.0, -5.0], [0, 1]) == TEMPERATURES[1]
    assert fit_temperature([0.0, 0.0], [0, 1]) == TEMPERATURES[1]
    assert TEMPERATURES[0] <= fit_temperature([1e6, -1e6, 1e6], [1, 0, 0]) <= TEMPERATURES[1]


def test_all_figures_as_json() -> None:
    targets, _, scores = drawn(50)
    figures = calibration_to_json(calibrate(targets, scores, rng=rng(), resamples=20))
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["n"] == sum(one["n"] for one in figures["bins"]) == 50
    assert len(figures["ece_interval"]) == 2


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: brier_score([], []), DataError, "at least one example"),
        (lambda: brier_score([1], [1.5]), DataError, "in \\[0, 1\\]"),
        (lambda: brier_score([1, 0], [0.5]), UsageError, "one score for each"),
        (lambda: reliability_bins([1], [0.5], bins=0), UsageError, "bins: expected 1 or more"),
        (lambda: reliability_bins([1], [0.5], binning="size"), UsageError, "binning"),  # type: ignore[arg-type]
        (lambda: bootstrap_ece([1], [0.5], rng=rng(), resamples=0), UsageError, "resamples"),
        (lambda: bootstrap_ece([1], [0.5], rng=rng(), confidence=1), UsageError, "confidence"),
        (lambda: fit_temperature([np.inf], [1]), DataError, "finite"),
        (lambda: fit_temperature([], []), DataError, "at least one example"),
        (lambda: fit_temperature([1.0, 2.0], [1]), UsageError, "one shape"),
        (lambda: fit_temperature([1.0], [2]), DataError, "0 or 1"),
    ],
)
def test_bad_input(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()
