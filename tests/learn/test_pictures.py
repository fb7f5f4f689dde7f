"""Images in memory: all of them, or a word about each that is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gafas.errors import DataError
from gafas.imaging import write_image
from gafas.learn.pictures import load_pictures
from gafas.values import Dataset, Sample


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    for name, grey in (("a", 10), ("b", 200)):
        write_image(tmp_path / f"{name}.png", np.full((6, 8, 3), grey, dtype=np.uint8))
    (tmp_path / "broken.pgm").write_bytes(b"P5\n8 6\n255\nxx")
    samples = (Sample("a.png", "sunglasses"), Sample("b.png", "no_sunglasses"), Sample("broken.pgm", "sunglasses"))
    return Dataset("d", tmp_path, samples)


def test_pictures_in_the_order_of_the_samples(dataset: Dataset) -> None:
    pictures, broken = load_pictures(dataset, dataset.samples[:2], size=4)
    assert broken == ()
    assert pictures.images.shape == (2, 4, 4, 3)
    assert pictures.targets.tolist() == [1, 0]
    swapped = pictures.take(["b.png", "a.png"])
    assert swapped.images[:, 0, 0, 0].tolist() == [200, 10]
    with pytest.raises(DataError, match=r"nobody\.png: the split names it"):
        pictures.take(["nobody.png"])


def test_a_broken_picture_stops_training_unless_it_may_be_left_out(dataset: Dataset) -> None:
    with pytest.raises(DataError, match=r"1 of 3 images cannot be read; the first: .*broken\.pgm.*--skip-broken"):
        load_pictures(dataset, dataset.samples, size=4)
    pictures, broken = load_pictures(dataset, dataset.samples, size=4, skip_broken=True)
    assert (len(pictures.samples), broken) == (2, ("broken.pgm",))
    with pytest.raises(DataError, match="none of the 1 images can be read"):
        load_pictures(dataset, dataset.samples[2:], size=4, skip_broken=True)
