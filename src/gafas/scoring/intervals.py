"""How far a figure measured on n examples can be trusted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np

from gafas.errors import UsageError
from gafas.values import Interval


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Return the two-sided Wilson score interval of a proportion.

    Unlike the textbook ``p ± z·sqrt(p(1-p)/n)`` it stays inside [0, 1] and keeps its width where
    all or none are right, which is common on small test sets. It takes the examples for
    independent: several pictures of one person are not, so there it is narrower than it should be.

    Parameters
    ----------
    successes, n : int
        Right ones, of how many. With ``n = 0`` nothing is known: [0, 1].
    confidence : float
        Share of such intervals that cover the truth, in (0, 1).

    Raises
    ------
    UsageError
        `successes` is not in 0..n, or `confidence` not in (0, 1).

    Notes
    -----
    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, 209-212; without continuity correction.
    """
    if not 0 <= successes <= n:
        raise UsageError(f"wilson: expected 0 to n = {n} successes, got {successes}")
    if not 0 < confidence < 1:
        raise UsageError(f"wilson: expected a confidence between 0 and 1, got {confidence}")
    if n == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z / scale * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # The two ends are exact by algebra; rounding must not make a proportion of 1.0000000000000002.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high)


def f1_interval(tp: int, fp: int, fn: int, confidence: float = 0.95) -> Interval | None:
    """Return an interval of F1, or ``None`` where F1 is not defined: nothing is positive and nothing was called so.

    Of the examples that are positive or called so, tp / (tp + fp + fn) is a plain proportion, and F1 grows with
    it: ``F1 = 2 s / (1 + s)``. So the ends of its Wilson interval give the ends for F1.

    Raises
    ------
    UsageError
        As `wilson`.
    """
    if tp + fp + fn == 0:
        return None
    share = wilson(tp, tp + fp + fn, confidence)
    return Interval(2 * share.low / (1 + share.low), 2 * share.high / (1 + share.high))


def auc_interval(auc: float, positives: int, negatives: int, confidence: float = 0.95) -> Interval:
    """Return an interval of a ROC-AUC that stays inside [0, 1] and keeps its width at 1.

    Like `wilson` it asks which true values would make `auc` no surprise.

    Parameters
    ----------
    auc : float
        In [0, 1].
    positives, negatives : int
        Examples of each class, 1 or more.
    confidence : float
        In (0, 1).

    Raises
    ------
    UsageError
        A value outside of its range.

    Notes
    -----
    Source: Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic,
    part 2", Statistics in Medicine 25, 559-573, method 5: the variance of Hanley & McNeil 1982 with both classes
    counted as their mean, at the true value and not at the measured one.
    """
    if not 0 <= auc <= 1:
        raise UsageError(f"auc_interval: expected an AUC from 0 to 1, got {auc}")
    if positives < 1 or negatives < 1:
        raise UsageError(f"auc_interval: expected examples of both classes, got {positives} and {negatives}")
    if not 0 < confidence < 1:
        raise UsageError(f"auc_interval: expected a confidence between 0 and 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    others = (positives + negatives) / 2 - 1

    def surprising(true: float) -> bool:
        spread = 1 + others * ((1 - true) / (2 - true) + true / (1 + true))
        variance = true * (1 - true) * spread / (positives * negatives)
        return (auc - true) ** 2 > z * z * variance

    return Interval(_edge(surprising, auc, 0.0), _edge(surprising, auc, 1.0))


def _edge(surprising: Callable[[float], bool], inside: float, outside: float) -> float:
    """Return where `surprising` turns true between a value and an end of the range, by halving."""
    if inside == outside:
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if surprising(middle) else (middle, outside)
    return inside


def mean_interval(
    values: Sequence[float], *, rng: np.random.Generator, confidence: float = 0.95, rounds: int = 2000
) -> Interval:
    """Return the bootstrapped percentile interval of a mean, for values of whatever distribution.

    Parameters
    ----------
    values : sequence of float
        One for each example, 1 or more; the examples count as independent.
    rng : Generator
        Draws the examples again, with replacement.
    confidence : float
        In (0, 1).
    rounds : int
        How often they are drawn.

    Raises
    ------
    UsageError
        No values, or `confidence` not in (0, 1).

    Notes
    -----
    Source: Efron, B., and Tibshirani, R. J. (1993). An Introduction to the Bootstrap, chapter 13.
    """
    if not len(values):
        raise UsageError("mean_interval: expected at least one value, got none")
    if not 0 < confidence < 1:
        raise UsageError(f"mean_interval: expected a confidence between 0 and 1, got {confidence}")
    known = np.asarray(values, dtype=np.float64)
    means = [float(rng.choice(known, len(known)).mean()) for _ in range(rounds)]
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))
