"""Which model a command means when it is not told."""

from __future__ import annotations

import os
from pathlib import Path

from gafas.bundle import MANIFEST, SHIPPED


def bundles_below(folder: Path) -> list[Path]:
    """Return the bundles and the run folders with a bundle below `folder`, newest first."""
    manifests = {path.parent: path for path in folder.glob(f"*/{MANIFEST}")}
    manifests |= {path.parent.parent: path for path in folder.glob(f"*/bundle/{MANIFEST}")}
    # A hidden folder is one that is still being written.
    found = [(path.stat().st_mtime, place) for place, path in manifests.items() if not place.name.startswith(".")]
    return [place for _, place in sorted(found, reverse=True)]


def is_model_file(path: Path) -> bool:
    """Whether `path` means a bare ``.onnx`` or ``.tflite`` file, not a bundle's folder or name."""
    return bool(path.suffix) and not path.is_dir()


def find_model(given: Path | None) -> Path:
    """Return `given`, else ``$GAFAS_MODEL``, else the bundle that the package carries."""
    if given is not None:
        return given
    return Path(os.environ.get("GAFAS_MODEL") or SHIPPED)
