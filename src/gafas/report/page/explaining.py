"""What the model looked at: the model of a folder found again, if it is still the one that gave the scores."""

from __future__ import annotations

from gafas.report.page.examples import Explain
from gafas.report.page.material import Material
from gafas.report.words import Words


def find_explanation(material: Material, words: Words) -> tuple[Explain | None, str]:
    """Return what explains an answer; else ``None`` and why, in words."""
    if material.folder.kind == "crossval":
        return None, words("errors.no_fold_model")
    return None, words("errors.no_model")
