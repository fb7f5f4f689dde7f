"""What adapting computes once: views that follow from their picture alone, and no more memory than allowed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("cv2", reason="the train extra is not installed")
pytest.importorskip("keras", reason="the train extra is not installed")

from gafas.datasets.cmu import read_cmu
from gafas.learn.adapt import VIEWS
from gafas.learn.adapt_views import SeenPictures, Store
from gafas.learn.portraits import Portraits, load_portraits

pytestmark = pytest.mark.train

SIZE, MARGIN = 32, 1.5


class Pixels:
    """Stands for the frozen part: gives the images back and counts them."""

    output_shape = (SIZE, SIZE, 3)

    def __init__(self) -> None:
        self.computed = 0

    def __call__(self, images: NDArray[Any]) -> NDArray[np.float32]:
        self.computed += len(images)
        return images.astype(np.float32)

    def of_batches(self, count: int, make: Any) -> NDArray[np.float32]:
        return self(np.concatenate([make(slice(start, min(start + 4, count))) for start in range(0, count, 4)]))


@pytest.fixture(scope="module")
def faces(synthetic_root: Path) -> Portraits:
    drawn = read_cmu(synthetic_root)
    portraits, _ = load_portraits(drawn, drawn.at("full")[:10], size=SIZE, margin=MARGIN)
    return portraits


def _see(faces: Portraits, *, seed: int = 1, store: Store | None = None) -> tuple[SeenPictures, Pixels]:
    pixels: Any = Pixels()
    store = store or Store()
    seen = SeenPictures(faces, pixels, pixels, size=SIZE, margin=MARGIN, views=VIEWS, seed=seed, store=store)
    return seen, pixels


def test_a_view_does_not_depend_on_the_other_pictures(faces: Portraits) -> None:
    some = faces.take([faces.samples[place].path for place in (7, 2, 5)])
    whole, part = _see(faces)[0], _see(some)[0]
    places = whole.places(some)
    np.testing.assert_array_equal(places, [7, 2, 5])
    third = whole.activations(3, places)
    np.testing.assert_array_equal(third, part.features(3, np.arange(3)))
    assert (whole.activations(4, places) != third).any()
    assert (_see(faces, seed=2)[0].activations(3, places) != third).any()
    np.testing.assert_array_equal(whole.features("plain", places), some.images)
    np.testing.assert_array_equal(whole.features("mirrored", places), some.images[:, :, ::-1])


def test_what_is_computed_is_kept_up_to_a_limit(faces: Portraits) -> None:
    seen, pixels = _see(faces, store=Store(limit=5 * SIZE * SIZE * 3 * 4))
    few = np.array([4, 0])
    first = [seen.activations(number, few) for number in (1, 2, 3)]
    again = [seen.activations(number, few) for number in (1, 2, 3)]
    # The sixth view is one too many.
    assert pixels.computed == 7
    np.testing.assert_array_equal(first, again)


def test_the_next_fold_computes_only_what_it_has_not_seen(faces: Portraits) -> None:
    store = Store()
    some = faces.take([sample.path for sample in faces.samples[:6]])
    _see(some, store=store)[0].features(1, np.arange(6))
    seen, pixels = _see(faces, store=store)
    got = seen.features(1, np.arange(10))
    assert pixels.computed == 4
    np.testing.assert_array_equal(got, _see(faces)[0].features(1, np.arange(10)))
    # Another picture under a path that is known.
    other = replace(faces, photographs=tuple(255 - photograph for photograph in faces.photographs))
    seen, pixels = _see(other, store=store)
    seen.features(1, np.arange(10))
    assert pixels.computed == 10
