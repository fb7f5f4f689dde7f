"""How good a map of evidence is: does it point at the right place, and does the answer hang on what it marks? Pure.

A map is an array (height, width) over a picture; only the order of its values counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gafas.errors import DataError, UsageError

Picture = NDArray[np.uint8]
Score = Callable[[Picture], ArrayLike]
"""Pictures (n, height, width, 3) → scores (n,), the probability that is explained."""


def hits_band(evidence: ArrayLike, eyes: Sequence[tuple[float, float]], *, reach: float) -> bool:
    """Say whether a map's highest value lies at the eyes: the pointing game.

    Parameters
    ----------
    evidence : (height, width)
        Of several equally high values the first counts.
    eyes : two (x, y)
        In pixels of the map.
    reach : float
        Pixels that it may lie away from the straight line between the eyes.

    Raises
    ------
    DataError
        The map is empty or holds something else than numbers.
    UsageError
        Not two eyes.

    Notes
    -----
    Source: Zhang, J., Bargal, S. A., Lin, Z., Brandt, J., Shen, X., and Sclaroff, S. (2018). Top-down neural attention
    by excitation backprop. International Journal of Computer Vision 126, 1084-1102, section 4.
    """
    values = _check_map(evidence)
    ends = np.asarray(eyes, dtype=np.float64)
    if ends.shape != (2, 2):
        raise UsageError(f"eyes: expected two points (x, y), got an array {ends.shape}")
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    point, along = np.array([column, row], dtype=np.float64) - ends[0], ends[1] - ends[0]
    # In a profile the two eyes may be one point.
    share = float(np.clip(point @ along / max(float(along @ along), 1e-12), 0, 1))
    return bool(np.linalg.norm(point - share * along) <= reach)


def deletion_area(score: Score, picture: Picture, evidence: ArrayLike, *, blank: Picture, steps: int = 20) -> float:
    """Return the mean score while the picture is taken away, what the map marks most first; low is good.

    Parameters
    ----------
    score : callable
    picture, blank : uint8 array (height, width, 3)
        What is taken away from, and what stays in its place.
    evidence : (height, width)
    steps : int
        In which all pixels are exchanged; the score before the first and after the last counts as well.

    Returns
    -------
    float
        The area under the curve of the score over the share of pixels, by the trapezoidal rule.

    Raises
    ------
    DataError, UsageError
        As `hits_band`; the shapes do not fit.

    Notes
    -----
    Source: Petsiuk, V., Das, A., and Saenko, K. (2018). RISE: Randomized input sampling for explanation of black-box
    models. British Machine Vision Conference, section 4.
    """
    return _area(score, picture, blank, evidence, steps)


def insertion_area(score: Score, picture: Picture, evidence: ArrayLike, *, blank: Picture, steps: int = 20) -> float:
    """Return the mean score while the picture comes into `blank`, what the map marks most first; high is good.

    Parameters, errors and source as `deletion_area`.
    """
    return _area(score, blank, picture, evidence, steps)


def _area(score: Score, before: Picture, after: Picture, evidence: ArrayLike, steps: int) -> float:
    values = _check_map(evidence)
    if not before.shape == after.shape == (*values.shape, 3):
        raise UsageError(f"expected pictures {(*values.shape, 3)}, got {before.shape} and {after.shape}")
    if steps < 1:
        raise UsageError(f"steps: expected 1 or more, got {steps}")
    order = np.argsort(-values, axis=None, kind="stable")
    stages = [before.copy()]
    for part in np.array_split(order, steps):
        stage = stages[-1].copy()
        stage.reshape(-1, 3)[part] = after.reshape(-1, 3)[part]
        stages.append(stage)
    curve = np.asarray(score(np.stack(stages)), dtype=np.float64)
    if curve.shape != (steps + 1,):
        raise UsageError(f"score: expected one value for each of {steps + 1} pictures, got {curve.shape}")
    return float(np.trapezoid(curve, dx=1 / steps))


def _check_map(evidence: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(evidence, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise DataError(f"evidence: expected a map (height, width), got {values.shape}")
    if not np.isfinite(values).all():
        raise DataError(f"evidence: expected numbers, got {np.count_nonzero(~np.isfinite(values))} that are none")
    return values


def centre_prior(size: tuple[int, int]) -> NDArray[np.float64]:
    """Return a map (height, width) that knows nothing of the picture: highest in the middle, falling to the border."""
    rows, columns = (np.linspace(-1, 1, side) if side > 1 else np.zeros(1) for side in size)
    return np.asarray(np.exp(-2 * (rows[:, None] ** 2 + columns[None, :] ** 2)))
