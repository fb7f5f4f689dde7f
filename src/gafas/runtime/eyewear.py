"""Which of the three classes a verdict means. Pure."""

from __future__ import annotations

from gafas.values import Eyewear, Verdict


def eyewear_of(verdict: Verdict, *, eyeglasses_threshold: float) -> tuple[Eyewear, float]:
    """Return what is worn at the thresholds, and the probability that this word is right.

    Sunglasses come first: whoever wears them is not also said to wear clear glasses. Where the model does not know
    clear glasses, ``none`` means no sunglasses.
    """
    if verdict.label == "sunglasses":
        return "sunglasses", verdict.sunglasses
    if verdict.eyeglasses is not None and verdict.eyeglasses >= eyeglasses_threshold:
        return "eyeglasses", verdict.eyeglasses
    return "none", 1 - verdict.sunglasses
