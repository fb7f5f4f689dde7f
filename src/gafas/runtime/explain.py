"""Where the evidence for an answer lies in the picture: a map over what the model sees of each face.

Two ways that know nothing of each other. ``activation`` asks the graph, which shares its logit out among the places of
the image (see `gafas.learn.evidence`), for several shifted and mirrored views, and lays their maps over each other.
``occlusion`` takes no look inside: it covers a part of the picture and sees how far the logit falls; any model can be
asked so. Source: Zeiler, M. D., and Fergus, R. (2014). Visualizing and Understanding Convolutional Networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gafas.errors import UsageError
from gafas.imaging import Rgb
from gafas.runtime.backends import Backend, ExplainingBackend, can_explain
from gafas.runtime.faces import face_square
from gafas.runtime.predictor import Predictor, as_image, chunks
from gafas.values import FaceBox, Verdict

Method = Literal["activation", "occlusion"]
METHODS = ("auto", "activation", "occlusion")
"""What a caller may ask for; ``auto`` is ``activation`` where the model can, else ``occlusion``."""

EvidenceMap = NDArray[np.float32]

_SHIFT = 28
"""Views are shifted by the input's side divided by this, so that they lie half a position of a 7×7 map apart."""

_COVER = 3.5
"""The covering square's side is the input's divided by this: about a pair of glasses' height, twice."""

_STEPS = 14
"""Places of the covering square along each side."""

_BATCH = 8
_LOGIT_LIMIT = 1e-6
"""Probabilities nearer than this to 0 or 1 count as this near: beyond, float32 gives no logit."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Where one verdict comes from.

    Attributes
    ----------
    verdict : Verdict
        As `Predictor.predict` gives it.
    attribute : str
        What is explained: ``sunglasses`` or ``eyeglasses``.
    probability : float
        P(attribute) in [0, 1].
    square : (int, int, int, int)
        x0, y0, x1, y1 of the part that the model saw, in pixels of the upright image; x1, y1 exclusive. It may reach
        over the image's border, where the border's pixels are repeated.
    crop : uint8 array (height, width, 3)
        What the model saw: that part, at its input size.
    evidence : float32 array (height, width)
        For each pixel of `crop`: above 0 speaks for the attribute, below 0 against it. Its scale is the logit's: with
        ``activation`` the mean is the logit but for a number that is the model's own, with ``occlusion`` a value is
        how far the logit falls when the surroundings of the pixel are covered.
    method : {"activation", "occlusion"}
        How it was found.
    """

    verdict: Verdict
    attribute: str
    probability: float
    square: tuple[int, int, int, int]
    crop: Rgb
    evidence: EvidenceMap
    method: Method


def explain(
    predictor: Predictor,
    image: Rgb | bytes | str | Path,
    *,
    attribute: str = "sunglasses",
    method: str = "auto",
    sharpen: bool = True,
) -> tuple[Explanation, ...]:
    """Say for each verdict of `Predictor.predict`, in its order, where the evidence lies.

    Parameters
    ----------
    predictor : Predictor
    image : array, bytes or path
        As for `Predictor.predict`.
    attribute : str
        One of the predictor's `outputs`.
    method : {"auto", "activation", "occlusion"}
    sharpen : bool
        ``activation`` lays the maps of several views over each other; otherwise it takes that of the picture alone.

    Raises
    ------
    ImageError
        The picture cannot be read.
    UsageError
        An attribute that the model does not know, an unknown method, or ``activation`` of a model that cannot.
    BundleError
        The graph cannot run.
    """
    upright = as_image(image)
    column = column_of(predictor, attribute)
    chosen = resolve_method(predictor, method)
    boxes = predictor.find(upright)
    crops = list(predictor.cut(upright, boxes))
    (verdicts,) = predictor.judge([boxes], crops)
    found = []
    for verdict, crop in zip(verdicts, crops, strict=True):
        found.append(
            Explanation(
                verdict=verdict,
                attribute=attribute,
                probability=(verdict.eyeglasses or 0.0) if attribute == "eyeglasses" else verdict.sunglasses,
                square=square_of(predictor, verdict.box),
                crop=crop,
                evidence=evidence_map(predictor.backend, crop, column=column, method=chosen, sharpen=sharpen),
                method=chosen,
            )
        )
    return tuple(found)


def resolve_method(predictor: Predictor, method: str) -> Method:
    """Return how a model is explained when `method` is asked for.

    Raises
    ------
    UsageError
        Not one of `METHODS`, or ``activation`` of a model that cannot say where its evidence lies.
    """
    if method not in METHODS:
        raise UsageError(f"--method: expected one of {', '.join(METHODS)}, got {method}")
    able = can_explain(predictor.backend)
    if method == "activation" and not able:
        raise UsageError(
            f"--method activation: {predictor.name} does not say where its evidence lies; "
            "export its run again, or take --method occlusion"
        )
    return "activation" if able and method != "occlusion" else "occlusion"


def square_of(predictor: Predictor, box: FaceBox) -> tuple[int, int, int, int]:
    """Return what the model sees of a box: x0, y0, x1, y1 in pixels of the image, over whose border it may reach."""
    if box.confidence is None:
        return box.x0, box.y0, box.x1, box.y1
    return face_square(box, margin=predictor.margin)


def column_of(predictor: Predictor, attribute: str) -> int:
    """Return the place of an attribute among a model's outputs.

    Raises
    ------
    UsageError
        The model does not know it.
    """
    if attribute not in predictor.outputs:
        raise UsageError(f"--attribute: expected one of {', '.join(predictor.outputs)}, got {attribute}")
    return predictor.outputs.index(attribute)


def evidence_map(
    backend: Backend, crop: Rgb, *, column: int = 0, method: Method = "activation", sharpen: bool = True
) -> EvidenceMap:
    """Map the evidence for one output over one crop.

    Parameters
    ----------
    crop : uint8 array (height, width, 3)
        Of the backend's `input_size`.
    column : int
        Which of the model's outputs.

    Returns
    -------
    float32 array (height, width)
    """
    if method == "activation" and can_explain(backend):
        return _activation(backend, crop, column, sharpen=sharpen)
    return _occlusion(backend, crop, column)


def _activation(backend: ExplainingBackend, crop: Rgb, column: int, *, sharpen: bool) -> EvidenceMap:
    height, width = crop.shape[:2]
    views = list(_views(height, width)) if sharpen else [(0, 0, False)]
    reach = max(max(abs(down), abs(right)) for down, right, _ in views)
    wider = np.pad(crop, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    seen = []
    for down, right, mirrored in views:
        view = wider[reach + down :, reach + right :][:height, :width]
        seen.append(view[:, ::-1] if mirrored else view)
    total = np.zeros((height, width), dtype=np.float32)
    for (down, right, mirrored), coarse in zip(views, _shares(backend, seen, column), strict=True):
        fine = enlarge(coarse[:, ::-1] if mirrored else coarse, (height, width))
        total += np.pad(fine, reach, mode="edge")[reach - down :, reach - right :][:height, :width]
    return total / np.float32(len(views))


def _views(height: int, width: int) -> Iterator[tuple[int, int, bool]]:
    """Yield pixels down, pixels to the right, and whether the view is mirrored."""
    for mirrored in (False, True):
        for down in (-(height // _SHIFT), height // _SHIFT):
            for right in (-(width // _SHIFT), width // _SHIFT):
                yield down, right, mirrored


def _shares(backend: ExplainingBackend, views: Sequence[Rgb], column: int) -> Iterator[EvidenceMap]:
    for batch in chunks(views, _BATCH):
        yield from backend.evidence(np.stack(batch))[..., column]


def enlarge(coarse: EvidenceMap, size: tuple[int, int]) -> EvidenceMap:
    """Stretch a map smoothly to ``(height, width)``."""
    picture = Image.fromarray(np.ascontiguousarray(coarse, dtype=np.float32))
    return np.asarray(picture.resize(size[::-1], Image.Resampling.BICUBIC), dtype=np.float32)


def _occlusion(backend: Backend, crop: Rgb, column: int) -> EvidenceMap:
    height, width = crop.shape[:2]
    grey = crop.mean(axis=(0, 1)).round().astype(np.uint8)
    tall, wide = max(1, round(height / _COVER)), max(1, round(width / _COVER))
    middles = [((2 * row + 1) * height // (2 * _STEPS), (2 * step + 1) * width // (2 * _STEPS))
               for row in range(_STEPS) for step in range(_STEPS)]  # fmt: skip

    def covered() -> Iterator[Rgb]:
        yield crop
        for y, x in middles:
            picture = crop.copy()
            picture[max(0, y - tall // 2) : y - tall // 2 + tall, max(0, x - wide // 2) : x - wide // 2 + wide] = grey
            yield picture

    logits = _logits(backend, covered(), column)
    falls = (logits[0] - logits[1:]).reshape(_STEPS, _STEPS)
    return enlarge(falls, (height, width))


def _logits(backend: Backend, pictures: Iterator[Rgb], column: int) -> EvidenceMap:
    """Score pictures, never holding more of them than one batch."""
    scores = [backend.probabilities(np.stack(batch))[:, column] for batch in chunks(pictures, _BATCH)]
    probabilities = np.concatenate(scores).astype(np.float64).clip(_LOGIT_LIMIT, 1 - _LOGIT_LIMIT)
    return np.asarray(np.log(probabilities / (1 - probabilities)), dtype=np.float32)
