"""Which model a command means when it is not told."""

from __future__ import annotations

import os
from pathlib import Path

from gafas.bundle import MANIFEST
from gafas.cli.console import note
from gafas.errors import UsageError


def bundles_below(folder: Path) -> list[Path]:
    """Return the bundles and the run folders with a bundle below `folder`, newest first."""
    manifests = {path.parent: path for path in folder.glob(f"*/{MANIFEST}")}
    manifests |= {path.parent.parent: path for path in folder.glob(f"*/bundle/{MANIFEST}")}
    # A hidden folder is one that is still being written.
    found = [(path.stat().st_mtime, place) for place, path in manifests.items() if not place.name.startswith(".")]
    return [place for _, place in sorted(found, reverse=True)]


def find_model(given: Path | None) -> Path:
    """Return `given`, else ``$GAFAS_MODEL``, else the newest bundle in ``runs/``.

    Raises
    ------
    UsageError
        There is none.
    """
    if given is not None:
        return given
    if named := os.environ.get("GAFAS_MODEL"):
        return Path(named)
    newest = bundles_below(Path("runs"))
    if not newest:
        raise UsageError("no model: pass --model BUNDLE, set $GAFAS_MODEL, or train one with: gafas reproduce")
    note(f"model: {newest[0]}")
    return newest[0]
