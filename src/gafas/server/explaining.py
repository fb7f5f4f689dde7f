"""Where the evidence lies, as a small grey picture for each face. Pure."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from gafas.imaging import Rgb, encode
from gafas.runtime.explain import EvidenceMap, evidence_map, square_of
from gafas.runtime.predictor import Predictor
from gafas.values import FaceBox

MOST_FACES = 16
"""Faces of an image that are explained, the surest first: each takes 18 runs of the graph."""


def explanation_of(predictor: Predictor, box: FaceBox, patch: Rgb) -> dict[str, Any]:
    """Return the explanation of one region's P(sunglasses) as it stands in an answer.

    Parameters
    ----------
    predictor : Predictor
        Its backend must be able to explain.
    patch : uint8 array (height, width, 3)
        What the classifier sees of the region.
    """
    grey = to_grey(evidence_map(predictor.backend, patch, method="activation"))
    png = encode(np.repeat(grey[..., None], 3, axis=2), ".png")
    return {
        "attribute": "sunglasses",
        "method": "activation",
        "box": list(square_of(predictor, box)),
        "width": grey.shape[1],
        "height": grey.shape[0],
        "png": base64.b64encode(png).decode("ascii"),
    }


def to_grey(evidence: EvidenceMap) -> Rgb:
    """Return a map as uint8 (height, width): 128 no evidence, 255 strongest for, 0 strongest against, of this map."""
    strongest = float(np.abs(evidence).max())
    share = evidence / strongest if strongest > 0 else np.zeros_like(evidence)
    levels = 128 + np.where(share > 0, 127, 128) * share
    return np.asarray(levels.round().clip(0, 255), dtype=np.uint8)
