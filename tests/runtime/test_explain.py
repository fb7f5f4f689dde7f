"""Explanations: both ways find what an answer hangs on, in the frame they say, and refuse what they cannot do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gafas.errors import BundleError, ImageError, UsageError
from gafas.imaging import Rgb, encode
from gafas.runtime.backends import ConstantBackend, can_explain, open_model
from gafas.runtime.explain import evidence_map, explain
from gafas.runtime.heatmap import draw_explanation, paint
from gafas.runtime.predictor import Predictor
from gafas.values import FaceBox

SIDE = 56


class Darkness:
    """The darker any place the more sunglasses; tells of its evidence on a map 7 positions wide."""

    input_size = (SIDE, SIDE)
    explains = True

    def _dark(self, images: Rgb) -> NDArray[np.float32]:
        blocks = images.reshape(len(images), 7, SIDE // 7, 7, SIDE // 7, 3).mean(axis=(2, 4, 5))
        return np.asarray((200 - blocks) / 4, dtype=np.float32)

    def evidence(self, images: Rgb) -> NDArray[np.float32]:
        dark = self._dark(images)
        return np.stack([dark, -dark], axis=-1)

    def probabilities(self, images: Rgb) -> NDArray[np.float32]:
        logit = self._dark(images).mean(axis=(1, 2))
        return np.asarray(1 / (1 + np.exp(np.stack([-logit, logit], axis=1))), dtype=np.float32)


class Silent(Darkness):
    """The same, but with nothing to say about why."""

    explains = False


class OneFace:
    def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
        return (FaceBox(40, 10, 70, 50, confidence=0.9),)


def with_spot(x: int, y: int, height: int = SIDE, width: int = SIDE) -> Rgb:
    """A light picture with a dark square around (x, y)."""
    picture = np.full((height, width, 3), 200, np.uint8)
    picture[max(0, y - 5) : y + 6, max(0, x - 5) : x + 6] = 0
    return picture


def peak_of(evidence: NDArray[np.float32]) -> tuple[int, int]:
    y, x = np.unravel_index(int(evidence.argmax()), evidence.shape)
    return int(x), int(y)


@pytest.mark.parametrize(("x", "y"), [(12, 20), (40, 12), (28, 28), (45, 44)])
@pytest.mark.parametrize(("method", "sharpen"), [("activation", True), ("activation", False), ("occlusion", True)])
def test_the_peak_is_where_the_answer_comes_from(x: int, y: int, method: Any, sharpen: bool) -> None:
    evidence = evidence_map(Darkness(), with_spot(x, y), method=method, sharpen=sharpen)
    assert evidence.shape == (SIDE, SIDE)
    assert evidence.dtype == np.float32
    found = peak_of(evidence)
    assert np.hypot(found[0] - x, found[1] - y) <= 5
    # What speaks for one output speaks against the other.
    against = evidence_map(Darkness(), with_spot(x, y), column=1, method=method, sharpen=sharpen)
    np.testing.assert_allclose(against, -evidence, atol=1e-3)


def test_several_views_are_sharper_than_one() -> None:
    def miss(sharpen: bool) -> float:
        places = [(x, y) for x in range(12, 45, 4) for y in range(12, 45, 4)]
        peaks = [peak_of(evidence_map(Darkness(), with_spot(*place), sharpen=sharpen)) for place in places]
        return float(np.mean([np.hypot(p[0] - x, p[1] - y) for p, (x, y) in zip(peaks, places, strict=True)]))

    assert miss(sharpen=True) < miss(sharpen=False)


def test_a_face_is_explained_in_the_photographs_frame() -> None:
    image = with_spot(55, 25, height=60, width=90)
    predictor = Predictor(
        Darkness(), region="face", detector=OneFace(), margin=1.0, outputs=("sunglasses", "eyeglasses")
    )
    (found,) = explain(predictor, image)
    assert found.square == (35, 10, 75, 50)
    assert found.verdict == predictor.predict(image)[0]
    assert found.probability == found.verdict.sunglasses
    assert found.crop.shape == (SIDE, SIDE, 3)
    x, y = peak_of(found.evidence)
    assert (35 + x * 40 / SIDE, 10 + y * 40 / SIDE) == pytest.approx((55, 25), abs=4)
    (other,) = explain(predictor, image, attribute="eyeglasses")
    assert other.probability == other.verdict.eyeglasses


def test_a_whole_image_from_bytes_and_from_a_file(tmp_path: Path) -> None:
    image = with_spot(20, 20, height=60, width=90)
    data = encode(image, ".png")
    (tmp_path / "a.png").write_bytes(data)
    for given in (image, data, tmp_path / "a.png"):
        (found,) = explain(Predictor(Darkness()), given)
        assert found.square == (0, 0, 90, 60)
        assert found.verdict.region == "whole"
        assert found.method == "activation"


def test_who_says_nothing_is_explained_by_occlusion() -> None:
    (found,) = explain(Predictor(Silent()), with_spot(20, 20))
    assert found.method == "occlusion"
    with pytest.raises(UsageError, match="--method activation: model does not say where its evidence lies"):
        explain(Predictor(Silent()), with_spot(20, 20), method="activation")
    # A backend that has never heard of all this.
    (flat,) = explain(Predictor(ConstantBackend(1.0, (8, 8))), with_spot(20, 20))
    assert (flat.evidence == 0).all()


def test_a_graph_without_the_output(tmp_path: Path, onnx_maker: Callable[..., None]) -> None:
    onnx_maker(tmp_path / "model.onnx")
    backend: Any = open_model(tmp_path / "model.onnx")
    assert not can_explain(backend)
    with pytest.raises(BundleError, match="expected a graph with an output evidence; export the model again"):
        backend.evidence(np.zeros((1, 8, 8, 3), np.uint8))
    (found,) = explain(Predictor(backend), with_spot(20, 20))
    assert found.method == "occlusion"


def test_what_makes_no_sense() -> None:
    predictor = Predictor(Darkness())
    with pytest.raises(UsageError, match="--attribute: expected one of sunglasses, got hats"):
        explain(predictor, with_spot(9, 9), attribute="hats")
    with pytest.raises(UsageError, match="--method: expected one of auto, activation, occlusion, got magic"):
        explain(predictor, with_spot(9, 9), method="magic")
    with pytest.raises(ImageError, match="not a picture"):
        explain(predictor, b"Dear Sir or Madam")


# Pictures


def test_colours_say_for_and_against_and_nothing() -> None:
    painted = paint(np.array([[-2.0, -0.5, 0.0, 0.5, 2.0]]))
    assert painted.shape == (1, 5, 4)
    red, blue, opacity = painted[0, :, 0].astype(int), painted[0, :, 2].astype(int), painted[0, :, 3].astype(int)
    assert (blue - red)[:2].min() > 0
    assert (red - blue)[3:].min() > 0
    assert opacity[2] == 0
    assert opacity.tolist() == opacity[::-1].tolist()
    assert opacity[0] > opacity[1] > 0
    # A common limit makes two maps comparable.
    assert paint(np.array([[1.0]]), limit=4)[0, 0, 3] < paint(np.array([[1.0]]))[0, 0, 3]


def test_a_map_without_evidence_covers_nothing() -> None:
    assert (paint(np.zeros((2, 3)))[..., 3] == 0).all()
    assert paint(np.zeros((0, 0))).shape == (0, 0, 4)


@pytest.mark.parametrize(("height", "width"), [(60, 90), (300, 4), (4, 300), (1, 1)])
def test_a_picture_of_any_shape(height: int, width: int) -> None:
    image = np.full((height, width, 3), 90, np.uint8)
    (found,) = explain(Predictor(Darkness()), image)
    before = image.copy()
    caption = "a/very/long/path/" * 30 + "of a picture\n\udce9.jpg"
    drawn = draw_explanation(found, image, threshold=0.5, caption=caption)
    assert drawn.dtype == np.uint8
    assert 600 < drawn.shape[1] < 1000
    assert (image == before).all()


def test_the_picture_shows_the_evidence() -> None:
    image = with_spot(20, 20)
    (found,) = explain(Predictor(Darkness()), image)
    drawn = draw_explanation(found, image, threshold=0.5).astype(int)
    # The photograph, left, is grey; orange is to the right of it and in the bar below.
    orange = (drawn[..., 0] - drawn[..., 2]) > 60
    rows, columns = np.nonzero(orange[: drawn.shape[0] - 120])
    assert len(rows) > 100
    assert columns.min() > drawn.shape[1] / 2
