"""Backbone weights: where they come from, in which order, and loading them with a clear word."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from gafas.bundle import WEIGHTS, load_bundle, shipped_bundle
from gafas.errors import WeightsError
from gafas.files import sha256

PACKAGED = "mobilenet_v2_1.0_160_no_top.float16.weights.h5"

FACES = "gafas-base"
"""The word for the backbone of the shipped bundle, trained on faces."""


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """Where the backbone's weights come from.

    Attributes
    ----------
    kind : str
        ``file``, ``packaged``, ``gafas-base``, ``imagenet`` (downloaded by Keras) or ``random``.
    path : Path or None
        The file, where there is one.
    """

    kind: str
    path: Path | None = None

    def describe(self) -> dict[str, str]:
        """Return what a run records: kind, file name and SHA-256."""
        if self.path is None:
            return {"kind": self.kind}
        return {"kind": self.kind, "file": self.path.name, "sha256": sha256(self.path)}


def find_weights(given: str | None) -> WeightsSource:
    """Choose the weights: `given`, else ``$GAFAS_WEIGHTS``, else the file the package carries, else ImageNet's.

    `given` is a file, a folder with one ``.h5`` file, ``imagenet``, ``packaged``, ``gafas-base`` or ``random``.

    Raises
    ------
    WeightsError
        A file was asked for that does not exist.
    """
    if given in {"imagenet", "random"}:
        return WeightsSource(given)
    if given == FACES:
        return WeightsSource(FACES, load_bundle(shipped_bundle(FACES)).file(WEIGHTS))
    packaged = Path(str(resources.files("gafas") / "assets" / PACKAGED))
    if given is None and "GAFAS_WEIGHTS" in os.environ:
        return WeightsSource("file", _weights_file(Path(os.environ["GAFAS_WEIGHTS"]), "$GAFAS_WEIGHTS"))
    if given is not None and given != "packaged":
        return WeightsSource("file", _weights_file(Path(given), "--weights"))
    if packaged.is_file():
        return WeightsSource("packaged", packaged)
    if given == "packaged":
        raise WeightsError(f"{packaged}: this installation carries no weights; pass --weights imagenet or a file")
    return WeightsSource("imagenet")


def _weights_file(path: Path, origin: str) -> Path:
    if path.is_file():
        return path
    found = sorted(path.glob("*.h5")) if path.is_dir() else []
    if len(found) == 1:
        return found[0]
    got = f"a folder with {len(found)} .h5 files" if path.is_dir() else "nothing there"
    raise WeightsError(f"{origin} {path}: expected a Keras .weights.h5 file, got {got}; name one, or 'packaged'")


def load_backbone_weights(backbone: Any, path: Path) -> None:
    """Load a Keras weights file into a MobileNetV2 without top.

    Raises
    ------
    WeightsError
        Not an HDF5 file, or the weights of another architecture.
    """
    try:
        backbone.load_weights(path)
    except Exception as error:  # Keras and h5py raise many kinds, with messages of several lines.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"{path}: expected MobileNetV2 weights (width 1.0, no top, 2,257,984 parameters): {reason}"
        ) from error
