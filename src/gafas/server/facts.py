"""What a server says of its model and of itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gafas import __version__
from gafas.bundle import Manifest
from gafas.imaging import FORMATS
from gafas.runtime.backends import can_explain
from gafas.runtime.predictor import Predictor
from gafas.server.results import model_of
from gafas.server.settings import Settings
from gafas.values import LABELS


def facts_of(predictor: Predictor, manifest: Manifest | None, settings: Settings) -> dict[str, Any]:
    """Return the answer of ``GET /v1/model``.

    Parameters
    ----------
    manifest : Manifest or None
        Of the model's bundle; without it, less is known.
    """
    return {
        **model_of(predictor),
        "architecture": None if manifest is None else manifest.architecture,
        "labels": list(LABELS),
        "region": predictor.region,
        "regions": list(predictor.regions),
        "input_size": list(predictor.backend.input_size),
        "explains": can_explain(predictor.backend),
        "metrics": {} if manifest is None else _figures(manifest.metrics),
        "licences": [] if manifest is None else list(manifest.licences),
        "limits": {
            "body_bytes": settings.max_body,
            "image_bytes": settings.max_image,
            "image_pixels": settings.max_pixels,
            "files": settings.max_files,
            "queue": settings.queue,
            "seconds": settings.timeout,
            "requests_per_minute": settings.rate or None,
        },
        "formats": list(FORMATS),
        "version": __version__,
    }


def _figures(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return each set of figures with its n and intervals, without tables and what lies deeper."""
    sets = {name: {key: value for key, value in found.items() if _is_figure(value)}
            for name, found in metrics.items() if isinstance(found, Mapping)}  # fmt: skip
    return {name: figures for name, figures in sets.items() if "n" in figures}


def _is_figure(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) == 2 and all(isinstance(end, int | float) for end in value)
    return isinstance(value, int | float | str)
