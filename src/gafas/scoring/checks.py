"""What every referee asks of its input, once. Pure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gafas.errors import DataError, UsageError

Targets = NDArray[np.int64]
Probabilities = NDArray[np.float64]


def check_scores(targets: ArrayLike, probabilities: ArrayLike) -> tuple[Targets, Probabilities]:
    """Return targets and scores as arrays ``(n,)`` of int64 and float64.

    Parameters
    ----------
    targets : (n,) of 0 and 1
        1 is sunglasses.
    probabilities : (n,) in [0, 1]
        P(sunglasses).

    Raises
    ------
    DataError
        There is nothing to score, a target is neither 0 nor 1, or a score is no probability.
    UsageError
        The two do not belong together: not one score for each target.
    """
    truth, scores = np.asarray(targets), np.asarray(probabilities)
    if truth.ndim != 1 or truth.shape != scores.shape:
        raise UsageError(
            "targets and probabilities: expected two arrays of one shape (n,), "
            f"got {truth.shape} and {scores.shape}; give one score for each target"
        )
    if truth.size == 0:
        raise DataError("targets and probabilities: expected at least one example, got 0; check the split")
    return _check_targets(truth), _check_probabilities(scores)


def check_threshold(threshold: float) -> float:
    """Return the threshold, a float in [0, 1].

    Raises
    ------
    UsageError
        It is anything else.
    """
    if math.isfinite(threshold) and 0 <= threshold <= 1:
        return float(threshold)
    raise UsageError(f"threshold: expected a number from 0 to 1, got {threshold}")


def _check_targets(truth: NDArray[np.generic]) -> Targets:
    if truth.dtype.kind not in "biuf":
        raise DataError(f"targets: expected numbers 0 and 1, got {truth.dtype}")
    wrong = np.flatnonzero((truth != 0) & (truth != 1))
    if wrong.size:
        raise DataError(
            f"targets: expected 0 or 1, got {truth[wrong[0]]} at row {wrong[0]}"
            f" ({wrong.size} of {truth.size} rows are wrong)"
        )
    return truth.astype(np.int64)


def _check_probabilities(scores: NDArray[np.generic]) -> Probabilities:
    if scores.dtype.kind not in "biuf":
        raise DataError(f"probabilities: expected numbers in [0, 1], got {scores.dtype}")
    numbers = scores.astype(np.float64)
    # NaN fails both comparisons, so "not inside" finds it as well.
    wrong = np.flatnonzero(~((numbers >= 0) & (numbers <= 1)))
    if wrong.size:
        raise DataError(
            f"probabilities: expected numbers in [0, 1], got {numbers[wrong[0]]:g} at row {wrong[0]}"
            f" ({wrong.size} of {numbers.size} rows are wrong); a logit needs a sigmoid first"
        )
    return numbers
