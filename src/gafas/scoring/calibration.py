"""Whether a probability means what it says: of the scores near 0.8, four in five should wear sunglasses. Pure.

Everything here is about P(sunglasses) against the share of sunglasses, on both sides of the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gafas.errors import DataError, UsageError
from gafas.scoring.checks import Probabilities, Targets, check_scores
from gafas.values import Interval

BINS = 15
"""As Guo et al. 2017."""

RESAMPLES = 1000

TEMPERATURES = (0.05, 20.0)
"""Smallest and largest temperature that `fit_temperature` gives."""

Binning = Literal["width", "mass"]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The examples whose scores lie in ``(low, high]``; the first bin also holds 0.

    Attributes
    ----------
    low, high : float
        Ends of the bin.
    n : int
        Examples in it, at least one.
    score : float
        Their mean P(sunglasses).
    share : float
        Share of them that wear sunglasses.
    """

    low: float
    high: float
    n: int
    score: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How far the scores of one set are from frequencies.

    Attributes
    ----------
    n : int
        Examples.
    brier : float
        Mean squared difference of score and truth; 0 is perfect, 0.25 is what a constant 0.5 gets.
    ece : float
        Expected calibration error, `BINS` bins of equal width.
    ece_interval : Interval
        Bootstrap 95 % interval of it. Small sets have an error above 0 by chance alone, and the interval too.
    adaptive_ece : float
        The same with bins of equally many examples.
    confidence_ece : float
        Guo et al.'s own: the confidence of the called class at 0.5, against whether the call is right.
    bins : tuple of ReliabilityBin
        Of equal width, the empty ones left out.
    """

    n: int
    brier: float
    ece: float
    ece_interval: Interval
    adaptive_ece: float
    confidence_ece: float
    bins: tuple[ReliabilityBin, ...]


def calibrate(
    targets: ArrayLike, probabilities: ArrayLike, *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Calibration:
    """Compute every calibration figure of one set; arguments and errors as the single functions."""
    truth, scores = check_scores(targets, probabilities)
    called = (scores >= 0.5).astype(np.int64)
    return Calibration(
        n=truth.size,
        brier=brier_score(truth, scores),
        ece=expected_calibration_error(truth, scores),
        ece_interval=bootstrap_ece(truth, scores, rng=rng, resamples=resamples),
        adaptive_ece=expected_calibration_error(truth, scores, binning="mass"),
        confidence_ece=expected_calibration_error(called == truth, np.maximum(scores, 1 - scores)),
        bins=tuple(reliability_bins(truth, scores)),
    )


def brier_score(targets: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean squared difference of score and truth, in [0, 1].

    Parameters
    ----------
    targets : (n,) of 0 and 1
    probabilities : (n,) in [0, 1]

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.checks.check_scores`.

    Notes
    -----
    Source: Brier 1950, "Verification of forecasts expressed in terms of probability", for one of two classes.
    """
    truth, scores = check_scores(targets, probabilities)
    return float(np.mean((scores - truth) ** 2))


def reliability_bins(
    targets: ArrayLike, probabilities: ArrayLike, *, bins: int = BINS, binning: Binning = "width"
) -> list[ReliabilityBin]:
    """Return mean score and share of positives, bin by bin; empty bins are left out.

    Parameters
    ----------
    targets : (n,) of 0 and 1
    probabilities : (n,) in [0, 1]
    bins : int
        How many, 1 or more.
    binning : {"width", "mass"}
        Bins of equal width, or with equally many examples; equal scores always share a bin.

    Raises
    ------
    DataError, UsageError
        As `gafas.scoring.checks.check_scores`; fewer than one bin, or an unknown binning.
    """
    truth, scores = check_scores(targets, probabilities)
    edges = _edges(scores, bins, binning)
    counts, positives, totals = _fill(truth, scores, edges)
    return [
        ReliabilityBin(float(edges[i]), float(edges[i + 1]), int(n), float(totals[i] / n), float(positives[i] / n))
        for i, n in enumerate(counts)
        if n
    ]


def expected_calibration_error(
    targets: ArrayLike, probabilities: ArrayLike, *, bins: int = BINS, binning: Binning = "width"
) -> float:
    """Return the mean distance of score and share over the bins, weighted by their examples.

    Arguments and errors as `reliability_bins`.

    Notes
    -----
    Source: Guo et al. 2017, "On calibration of modern neural networks", eq. 3, applied to P(sunglasses);
    with ``binning="mass"`` Nguyen & O'Connor 2015.
    """
    truth, scores = check_scores(targets, probabilities)
    return _error(truth, scores, _edges(scores, bins, binning))


def bootstrap_ece(
    targets: ArrayLike,
    probabilities: ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    bins: int = BINS,
    confidence: float = 0.95,
) -> Interval:
    """Return the percentile bootstrap interval of the equal-width calibration error.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the resamples: the same generator state gives the same interval.
    resamples : int
        1 or more.
    confidence : float
        Share between the two percentiles, in (0, 1).

    Raises
    ------
    DataError, UsageError
        As `reliability_bins`, no resample, or a confidence outside (0, 1).
    """
    truth, scores = check_scores(targets, probabilities)
    if resamples < 1:
        raise UsageError(f"resamples: expected 1 or more, got {resamples}")
    if not 0 < confidence < 1:
        raise UsageError(f"confidence: expected a number between 0 and 1, got {confidence}")
    edges = _edges(scores, bins, "width")
    errors = []
    for _ in range(resamples):
        drawn = rng.integers(0, truth.size, truth.size)
        errors.append(_error(truth[drawn], scores[drawn], edges))
    low, high = np.quantile(errors, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def fit_temperature(logits: ArrayLike, targets: ArrayLike) -> float:
    """Return the temperature T for which ``sigmoid(logit / T)`` has the least log loss.

    It changes how sure the scores are, never their order. Fit it on validation data.

    Parameters
    ----------
    logits : (n,) finite
        Log odds of sunglasses.
    targets : (n,) of 0 and 1

    Returns
    -------
    float
        In `TEMPERATURES`; at an end of it the examples do not say: at the lower one the logits make no mistake,
        at the upper one they order no better than chance.

    Raises
    ------
    DataError
        No examples, a logit that is not finite, or a target that is neither 0 nor 1.
    UsageError
        Not one logit for each target.

    Notes
    -----
    Source: Guo et al. 2017, section 4.2. The log loss is convex in 1/T, so its slope has one zero, found by halving.
    """
    values = np.asarray(logits, dtype=np.float64)
    if values.size and not np.isfinite(values).all():
        raise DataError("logits: expected finite numbers, got NaN or infinity; clip the probabilities first")
    truth, _ = check_scores(targets, np.full(values.shape, 0.5))

    def slope(inverse: float) -> float:
        # tanh, for exp of a large logit is infinite.
        probabilities = 0.5 * (1 + np.tanh(values * inverse / 2))
        return float(np.mean((probabilities - truth) * values))

    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if slope(low) >= 0:
        return TEMPERATURES[1]
    if slope(high) <= 0:
        return TEMPERATURES[0]
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 2 / (low + high)


def calibration_to_json(calibration: Calibration) -> dict[str, Any]:
    """Return the figures as plain values; the interval is ``[low, high]``."""
    return {
        "n": calibration.n,
        "brier": calibration.brier,
        "ece": calibration.ece,
        "ece_interval": [calibration.ece_interval.low, calibration.ece_interval.high],
        "adaptive_ece": calibration.adaptive_ece,
        "confidence_ece": calibration.confidence_ece,
        "bins": [
            {"low": one.low, "high": one.high, "n": one.n, "score": one.score, "share": one.share}
            for one in calibration.bins
        ],
    }


def _edges(scores: Probabilities, bins: int, binning: Binning) -> NDArray[np.float64]:
    if bins < 1:
        raise UsageError(f"bins: expected 1 or more, got {bins}")
    if binning not in get_args(Binning):
        raise UsageError(f"binning: expected one of {', '.join(get_args(Binning))}, got {binning}")
    steps = np.linspace(0, 1, bins + 1)
    return steps if binning == "width" else np.quantile(scores, steps)


def _fill(truth: Targets, scores: Probabilities, edges: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return of each bin: examples, positives and the sum of scores."""
    place = np.searchsorted(edges[1:-1], scores, side="left")
    weights = (np.ones(truth.size), truth.astype(np.float64), scores)
    size = len(edges) - 1
    return tuple(np.bincount(place, weights=weight, minlength=size).astype(np.float64) for weight in weights)


def _error(truth: Targets, scores: Probabilities, edges: NDArray[np.float64]) -> float:
    _, positives, totals = _fill(truth, scores, edges)
    # n/N · |score - share| of each bin, with its n cancelled.
    return float(np.abs(totals - positives).sum() / truth.size)
