"""What the model looked at: the model of a folder found again, if it still gives the answer that is to be explained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gafas.errors import GafasError
from gafas.imaging import LUMA, Rgb
from gafas.report.page.examples import Explainer
from gafas.report.page.material import Material
from gafas.report.style import BLUE, ORANGE
from gafas.report.words import Words
from gafas.runtime.explain import Explanation, explain, resolve_method
from gafas.runtime.predictor import Predictor, load_predictor

_SAME = 0.1
"""Largest difference of the score from the recorded one: int8 moves it by a few hundredths."""

_MOST_COVERED = 6
"""Answers explained at most by covering parts of the picture, which runs the model 197 times for each."""

_STRONGEST = 99
"""Percentile of the evidence that gets the full colour: a single pixel must not pale the others."""


def find_explanation(material: Material, words: Words) -> tuple[Explainer | None, str]:
    """Return what explains an answer; else ``None`` and why, in words."""
    folder = material.folder
    if folder.kind == "crossval":
        return None, words("errors.no_fold_model")
    if material.scored is None or material.dataset is None:
        return None, ""
    # An evaluation names the model that it judged; it may be gone, or a bare file.
    model = folder.path if folder.bundle is not None else str(folder.metrics.get("model", ""))
    try:
        usual = load_predictor(model, threads=0)
        careful = load_predictor(model, threads=0, precision="float32", thorough=True)
    except GafasError:
        return None, words("errors.no_model")
    threshold = material.scored.threshold

    def colour(image: Rgb, recorded: float) -> Rgb | None:
        # Nobody wrote down how the face was looked for and with which precision: one of the two gave that score.
        for predictor in (usual, careful):
            if (found := _explain(predictor, image, recorded, threshold=threshold)) is not None:
                return paint(found.crop, found.evidence)
        return None

    covering = resolve_method(usual, "auto") == "occlusion"
    return Explainer(colour, most=_MOST_COVERED if covering else None), ""


def _explain(predictor: Predictor, image: Rgb, recorded: float, *, threshold: float) -> Explanation | None:
    """Return the explanation of the main face, which is the one that was judged; ``None`` of another answer."""
    score = float(predictor.score([image])[0, 0])
    if (score >= threshold) != (recorded >= threshold) or abs(score - recorded) > _SAME:
        return None
    return max(explain(predictor, image), key=lambda one: one.verdict.box.area)


def paint(crop: Rgb, evidence: NDArray[np.float32]) -> Rgb:
    """Return a grey copy of `crop`, orange where `evidence` is above 0 and blue where it is below.

    Parameters
    ----------
    crop : uint8 array (height, width, 3)
    evidence : float array (height, width)
    """
    strongest = float(np.percentile(np.abs(evidence), _STRONGEST)) or 1.0
    strength = np.clip(evidence / strongest, -1, 1)[..., None]
    colour = np.where(strength > 0, _rgb(ORANGE), _rgb(BLUE))
    grey = (crop @ LUMA)[..., None]
    # Weak evidence leaves the picture alone; the strongest still lets it shine through.
    cover = 0.7 * np.abs(strength)
    painted: Rgb = np.clip((1 - cover) * grey + cover * colour, 0, 255).round().astype(np.uint8)
    return painted


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], dtype=np.float64)
