"""The sets of figures that a page is of, in the one form that `gafas evaluate` writes; what is missing is filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gafas.report.page.material import Material, Scored
from gafas.scoring.calibration import Calibration, ReliabilityBin
from gafas.scoring.detail import detail
from gafas.values import Interval

_SEED = 0
_INT8 = ", int8"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSet:
    """Figures of one model on one set of images.

    Attributes
    ----------
    name : str
        Of the images; empty where the page has one set only.
    part : str
        Which images.
    figures : dict
        As ``metrics.json`` of an evaluation.
    scored : Scored or None
        The images themselves.
    place : int
        Among the sets of a page.
    """

    name: str
    part: str
    figures: dict[str, Any]
    scored: Scored | None
    place: int = 0


def figure_sets(material: Material) -> list[FigureSet]:
    """Return the sets of figures of a page: one, or of a bundle one for each data set that its manifest names."""
    folder = material.folder
    if material.scored is not None:
        scored = material.scored
        return [FigureSet(name="", part=scored.part, figures=_fill(scored), scored=scored)]
    if folder.kind == "bundle" and "stage" in folder.metrics:
        # A run's own bundle: the figures of its last stage.
        parts = {name: folder.metrics[name] for name in ("test", "validation", "train") if name in folder.metrics}
        return [FigureSet(name="", part=name, figures=one, scored=None) for name, one in list(parts.items())[:1]]
    if folder.kind == "bundle":
        named = [(name, one) for name, one in folder.metrics.items() if "n" in one and not name.endswith(_INT8)]
        return [
            FigureSet(name=name, part=one["split"], figures=one, scored=None, place=place)
            for place, (name, one) in enumerate(named)
        ]
    figures, part = folder.metrics, "folds"
    if folder.evaluation is not None:
        figures, part = folder.evaluation, folder.evaluation["split"]
    elif folder.kind == "run":
        parts = list(folder.stages.values())[-1]
        part, figures = next((name, parts[name]) for name in ("test", "validation", "train") if name in parts)
    return [FigureSet(name="", part=part, figures=figures, scored=None)]


def _fill(scored: Scored) -> dict[str, Any]:
    wanted = {"calibration", "thresholds", "by"}
    if wanted <= scored.figures.keys():
        return scored.figures
    rng = np.random.default_rng(_SEED)
    found = detail(scored.samples, scored.probabilities, threshold=scored.threshold, rng=rng)
    return {**found, **scored.figures}


def read_calibration(figures: dict[str, Any]) -> Calibration:
    """Return what `gafas.scoring.calibration.calibration_to_json` has written."""
    low, high = figures["ece_interval"]
    bins = tuple(ReliabilityBin(**one) for one in figures["bins"])
    rest = {name: figures[name] for name in ("n", "brier", "ece", "adaptive_ece", "confidence_ece")}
    return Calibration(**rest, ece_interval=Interval(low, high), bins=bins)
