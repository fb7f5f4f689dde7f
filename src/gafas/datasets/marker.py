"""The mark on drawn data sets, so that they never pass for photographs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from gafas.values import Sample

MARKER = "SYNTHETIC.txt"
"""The file in the root of a drawn data set, and of everything organised from it."""

PERSON = "synth{:02d}"
"""How drawn persons are called: the mark that travels with each file."""

_DRAWN = re.compile(r"synth\d+")


def is_synthetic(root: Path, samples: Iterable[Sample]) -> bool:
    """Tell whether a data set was drawn: by its marker file, or by a drawn person in it.

    The parent is asked as well, because ``data/full`` of an organised tree may be named alone.
    """
    if (root / MARKER).is_file() or (root.absolute().parent / MARKER).is_file():
        return True
    return any(sample.person and _DRAWN.fullmatch(sample.person) for sample in samples)
