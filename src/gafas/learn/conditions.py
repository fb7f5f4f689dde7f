"""Fixed conditions under which models and thresholds are chosen: held-out portraits as other cameras would take them.

Nothing is ever chosen by the pictures that the model is later judged on. What those may be like is imitated with
validation portraits: farther away, in grey, in bad light, compressed, with the head turned. Each condition is one set
of photographs, so the face is searched for again, as in serving. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gafas.corruptions import CORRUPTIONS
from gafas.imaging import LUMA, Rgb, resize
from gafas.learn.portraits import Portraits, main_face
from gafas.learn.turning import Pose, turn
from gafas.learn.wearing import PasteConfig, dress
from gafas.runtime.faces import FaceDetector, cut_patch
from gafas.scoring.metrics import evaluate
from gafas.values import EYEWEAR

Scorer = Callable[[list[Rgb]], NDArray[np.float32]]
"""Photographs → probabilities (n, outputs): `gafas.runtime.predictor.Predictor.score`."""

_AROUND = 2.3
"""Side of the photograph, in long sides of the face's box."""

_NEAR = 56
"""Long side of the box, in pixels, where a condition says nothing else: a face in a small picture."""

_UNDRESSED = PasteConfig(graft=0, dark=0, clear=0, hair=0, arms=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How the photographs of one set are taken.

    Attributes
    ----------
    name : str
    yaw, pitch : float
        Of the head, in degrees, as `gafas.learn.turning.Pose`; every other head turns the other way.
    face : int
        Long side of the face's box, in pixels.
    grey : bool
    corruption : str or None
        Of `gafas.corruptions.CORRUPTIONS`.
    """

    name: str
    yaw: float = 0.0
    pitch: float = 0.0
    face: int = _NEAR
    grey: bool = True
    corruption: str | None = None


CONDITIONS = (
    Condition(name="colour, near", face=100, grey=False),
    Condition(name="grey"),
    Condition(name="grey, half size", face=28),
    Condition(name="grey, quarter size", face=14),
    *(Condition(name=name, corruption=name) for name in CORRUPTIONS),
    Condition(name="yaw 35°", yaw=35),
    Condition(name="yaw 60°", yaw=60),
    Condition(name="yaw 80°", yaw=80),
    Condition(name="yaw 60°, half size", yaw=60, face=28),
    Condition(name="yaw 60°, quarter size", yaw=60, face=14),
    Condition(name="looking up 30°", pitch=-30),
    Condition(name="looking up 50°", pitch=-50),
    Condition(name="looking up 30°, half size", pitch=-30, face=28),
    Condition(name="looking up 30°, quarter size", pitch=-30, face=14),
    Condition(name="looking down 25°", pitch=25),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Figures of one condition.

    Attributes
    ----------
    name : str
    n : int
        Photographs.
    loss, accuracy, roc_auc : float
        Of P(sunglasses); accuracy at the model's threshold.
    clear_loss : float
        Log loss of P(eyeglasses); ``nan`` where the model does not know them.
    """

    name: str
    n: int
    loss: float
    accuracy: float
    roc_auc: float
    clear_loss: float


def photographs(portraits: Portraits, condition: Condition, *, seed: int) -> list[Rgb]:
    """Take every portrait again under one condition.

    Returns
    -------
    list of uint8 arrays (side, side, 3)
        In the order of the portraits.
    """
    random = np.random.default_rng([seed, CONDITIONS.index(condition)])
    return [
        _photograph(portraits, place, condition, random, side=1 if place % 2 else -1)
        for place in range(len(portraits.samples))
    ]


def _photograph(
    portraits: Portraits, place: int, condition: Condition, random: np.random.Generator, *, side: int
) -> Rgb:
    image, box = portraits.photographs[place], portraits.boxes[place]
    image, worn, _ = dress(image, box, int(portraits.eyewear[place]), (), random, _UNDRESSED)
    across, down = random.normal(0, 0.05, 2)
    pose = Pose(
        yaw=float(np.deg2rad(condition.yaw + random.normal(0, 3))) * side,
        pitch=float(np.deg2rad(condition.pitch + random.normal(0, 3))),
        roll=float(np.deg2rad(random.normal(0, 3))),
        zoom=_AROUND,
        shift=(float(across), float(down)),
    )
    # Taken from near, then made small, as a camera's pixels average what falls on them.
    view = turn(image, box, round(_AROUND * 100), pose, worn).clip(0, 255).round().astype(np.uint8)
    if condition.grey:
        view = np.repeat((view @ LUMA).round().astype(np.uint8)[..., None], 3, axis=2)
    length = round(_AROUND * condition.face)
    small = resize(view, (length, length))
    return small if condition.corruption is None else CORRUPTIONS[condition.corruption](small, random)


def crops(portraits: Portraits, *, size: int, margin: float, seed: int) -> Iterator[Rgb]:
    """Take every portrait again under each of `CONDITIONS`, and cut its main face out as in serving.

    Yields
    ------
    uint8 array (n, size, size, 3)
        All portraits under one condition.
    """
    detector = FaceDetector(threads=0)
    for condition in CONDITIONS:
        taken = photographs(portraits, condition, seed=seed)
        yield np.stack(
            [cut_patch(image, main_face(detector.detect(image)), (size, size), margin=margin) for image in taken]
        )


def judge_conditions(score: Scorer, portraits: Portraits, *, threshold: float, seed: int = 0) -> Iterator[Outcome]:
    """Score the portraits under each of `CONDITIONS`.

    Parameters
    ----------
    score : callable
    portraits : Portraits
        Of validation; never of the test set.
    threshold : float
        P(sunglasses) from which the label is ``sunglasses``.

    Raises
    ------
    DataError
        The data set does not tell clear glasses from none.
    """
    clear = (portraits.eyewear == EYEWEAR.index("eyeglasses")).astype(int)
    for condition in CONDITIONS:
        scores = score(photographs(portraits, condition, seed=seed))
        found = evaluate(portraits.targets, scores[:, 0], threshold=threshold)
        known = scores.shape[1] > 1
        yield Outcome(
            name=condition.name,
            n=len(scores),
            loss=found.loss,
            accuracy=found.accuracy,
            roc_auc=float("nan") if found.roc_auc is None else found.roc_auc,
            clear_loss=evaluate(clear, scores[:, 1], threshold=0.5).loss if known else float("nan"),
        )
