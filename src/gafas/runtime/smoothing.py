"""Probabilities of one face over time, so that its label does not flicker. Pure.

Frames of one face are opinions on the same question. Their log-odds are averaged, which is the logarithmic opinion
pool (Genest and Zidek 1986, *Combining probability distributions*), with weights that fall off exponentially with
their age; dividing by the sum of the weights is the bias correction of Kingma and Ba 2015, section 3, so that the first
frame does not outweigh the next ones. The age is in seconds, not in frames: frames may be left out or come unevenly.
"""

from __future__ import annotations

import math
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

_SUREST = 1e-4
"""Probabilities count as at least this, and at most one minus this: one frame must not outweigh all the others."""

_FORGET = 20.0
"""Time constants after which a face's past counts as nothing (e^-20) and is let go."""


class Smoother:
    """Averages the log-odds of each track.

    Parameters
    ----------
    seconds : float
        Time constant: what is so old counts 1/e. 0 leaves probabilities as they are.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._past: dict[Hashable, tuple[float, float, NDArray[np.float64]]] = {}

    def smooth(self, track: Hashable, at: float, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the average up to now.

        Parameters
        ----------
        at : float
            Seconds, not before those of the last call.
        probabilities : float array (outputs,), 0 to 1
        """
        if self.seconds <= 0:
            return probabilities
        safe = np.clip(probabilities, _SUREST, 1 - _SUREST)
        logits = np.log(safe / (1 - safe))
        then, weight, total = self._past.pop(track, (at, 0.0, np.zeros_like(logits)))
        left = math.exp(-max(0.0, at - then) / self.seconds)
        weight, total = left * weight + 1, left * total + logits
        # Taken out and put in again, so that the oldest stand first.
        self._past[track] = at, weight, total
        self._forget(at)
        return np.asarray(1 / (1 + np.exp(-total / weight)))

    def _forget(self, at: float) -> None:
        while self._past:
            oldest = next(iter(self._past))
            if at - self._past[oldest][0] <= _FORGET * self.seconds:
                return
            del self._past[oldest]
