"""How far a proportion measured on n examples can be trusted. Pure."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

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
