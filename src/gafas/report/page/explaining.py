"""What the model looked at: the model of a folder found again, if it still gives the answer that is to be explained."""

from __future__ import annotations

import numpy as np
from PIL import Image

from gafas.errors import GafasError
from gafas.imaging import Rgb
from gafas.report.page.examples import Explainer
from gafas.report.page.material import Material
from gafas.report.words import Words
from gafas.runtime.explain import Explanation, explain, resolve_method
from gafas.runtime.heatmap import paint
from gafas.runtime.predictor import Predictor, load_predictor

_SAME = 0.1
"""Largest difference of the score from the recorded one; beyond it another answer would be explained."""

_MOST_COVERED = 6
"""Answers explained at most by covering parts of the picture, which runs the model 197 times for each."""


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
                return colour_evidence(found)
        return None

    covering = resolve_method(usual, "auto") == "occlusion"
    return Explainer(colour, most=_MOST_COVERED if covering else None), ""


def _explain(predictor: Predictor, image: Rgb, recorded: float, *, threshold: float) -> Explanation | None:
    """Return the explanation of the main face, which is the one that was judged; ``None`` of another answer."""
    score = float(predictor.score([image])[0, 0])
    if (score >= threshold) != (recorded >= threshold) or abs(score - recorded) > _SAME:
        return None
    return max(explain(predictor, image), key=lambda one: one.verdict.box.area)


def colour_evidence(found: Explanation) -> Rgb:
    """Return what the model saw, in grey under the colours of its evidence: uint8 array (height, width, 3)."""
    grey = Image.fromarray(found.crop).convert("L").convert("RGBA")
    return np.asarray(Image.alpha_composite(grey, Image.fromarray(paint(found.evidence))).convert("RGB"))
