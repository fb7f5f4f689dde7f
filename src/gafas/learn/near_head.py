"""A logistic regression that starts from a head that is known to work, and stays near it unless the data insist.

Ridge regression pulls a head towards zero, towards knowing nothing; a few hundred pictures are too few to learn
everything anew. Source: Li, X., Grandvalet, Y., and Davoine, F. (2018). Explicit Inductive Bias for Transfer Learning
with Convolutional Networks (L2-SP). ICML. Pure: no files, no clock, no chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gafas.scoring.metrics import log_loss

Floats = NDArray[np.float64]

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Of the pull towards the known head, on standardised features; the mean log loss counts once."""


@dataclass(frozen=True, slots=True)
class Head:
    """``logit = features @ kernel + bias``; kernel (features,), bias a number."""

    kernel: Floats
    bias: float

    def probabilities(self, features: Floats) -> Floats:
        """Return P of each row; (n,)."""
        from scipy.special import expit

        return np.asarray(expit(features @ self.kernel + self.bias))


def fit_near(known: Head, features: Floats, targets: NDArray[np.int64], *, strength: float) -> Head:
    """Fit a head near a known one.

    Parameters
    ----------
    known : Head
    features : float array (n, features)
    targets : int array (n,)
        0 or 1.
    strength : float
        Of the pull; very large ones give the known kernel back, with a bias of its own.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-3
    standard = (features - mean) / spread
    pulled = known.kernel * spread
    start = np.append(pulled, known.bias + mean @ known.kernel)
    signs = 2.0 * targets - 1

    def loss(values: Floats) -> tuple[float, Floats]:
        margins = signs * (standard @ values[:-1] + values[-1])
        away = values[:-1] - pulled
        slopes = -signs * expit(-margins) / len(signs)
        total = float(np.logaddexp(0, -margins).mean() + strength / 2 * away @ away)
        return total, np.append(standard.T @ slopes + strength * away, slopes.sum())

    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    kernel = fitted[:-1] / spread
    return Head(kernel, float(fitted[-1] - mean @ kernel))


def choose_strength(
    known: Head,
    features: Floats,
    targets: NDArray[np.int64],
    groups: Sequence[str],
    judged: NDArray[np.bool_],
    *,
    folds: int = 4,
) -> float:
    """Return the strength with the least log loss over folds of whole groups.

    Parameters
    ----------
    groups : sequence of str
        Whose picture each row is of.
    judged : bool array (n,)
        The rows that count when they are held out: pictures as they are, not their random views.
    """
    from sklearn.model_selection import GroupKFold

    losses = np.zeros(len(STRENGTHS))
    for inner, held in GroupKFold(min(folds, len(set(groups)))).split(features, targets, groups):
        rows = held[judged[held]]
        for place, strength in enumerate(STRENGTHS):
            head = fit_near(known, features[inner], targets[inner], strength=strength)
            losses[place] += len(rows) * log_loss(targets[rows], head.probabilities(features[rows]))
    return STRENGTHS[int(losses.argmin())]
