"""What the tests of jobs share: many small images, and the rows of a job counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from gafas.imaging import encode
from gafas.scale.places import find_place
from gafas.scale.worker import Work, model_digest


def draw_images(folder: Path, count: int, *, broken: int = 0) -> Path:
    """Fill a folder with images, dark and light ones, and with files that are none."""
    pictures = [encode(np.full((10, 20, 3), brightness, np.uint8), ".png") for brightness in (10, 90, 160, 250)]
    for number in range(count):
        path = folder / f"{number // 1000:03}" / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no image" if number < broken else pictures[number % 4])
    return folder


def read_rows(output: Path | str) -> list[dict[str, Any]]:
    """Return the rows of all parts, in their order."""
    from pyarrow import parquet

    folder = find_place(str(output))
    places = [folder / name for name in sorted(folder.names()) if name.startswith("part-")]
    files = [place.filesystem.open_input_file(place.path) for place in places]
    return [row for file in files for row in parquet.read_table(file).to_pylist()]


def assert_each_once(output: Path | str, folder: Path) -> None:
    """Every image of a folder has a row, and none has two."""
    counted = Counter(row["path"] for row in read_rows(output))
    wanted = {str(path) for path in folder.rglob("*.png")}
    assert [path for path, times in counted.items() if times > 1] == []
    assert wanted - counted.keys() == set()
    assert counted.keys() - wanted == set()


def make_work(bundle: Path, output: Path | str, **settings: Any) -> Work:
    """Return the work of a job with a tiny model."""
    return Work(model=str(bundle), model_sha256=model_digest(bundle), output=str(output), settings=settings)
