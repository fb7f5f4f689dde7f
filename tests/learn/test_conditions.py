"""The fixed conditions that a model is chosen under: repeatable, of the size they say, and judged as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the train extra is not installed")
pytest.importorskip("keras", reason="the train extra is not installed")

from gafas.corruptions import CORRUPTIONS
from gafas.datasets.cmu import read_cmu
from gafas.imaging import Rgb
from gafas.learn.conditions import CONDITIONS, Condition, judge_conditions, photographs
from gafas.learn.portraits import Portraits, load_portraits
from gafas.values import Dataset, Sample

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def portraits(synthetic_root: Path) -> Portraits:
    drawn = read_cmu(synthetic_root)
    chosen = [
        Sample(sample.path, sample.label, eyewear="sunglasses" if sample.target else "none")
        for sample in drawn.at("full")[:12]
    ]
    dataset = Dataset(drawn.name, drawn.root, tuple(chosen), synthetic=True)
    return load_portraits(dataset, chosen, size=112, margin=1.5)[0]


def by_name(name: str) -> Condition:
    return next(condition for condition in CONDITIONS if condition.name == name)


def test_every_name_stands_once_and_every_corruption_is_there() -> None:
    names = [condition.name for condition in CONDITIONS]
    assert len(set(names)) == len(names)
    assert {condition.corruption for condition in CONDITIONS} == {None, *CORRUPTIONS}


@pytest.mark.parametrize("name", ["colour, near", "grey, quarter size", "yaw 60°", "JPEG quality 20"])
def test_photographs_have_the_size_and_follow_from_the_seed(portraits: Portraits, name: str) -> None:
    condition = by_name(name)
    taken = photographs(portraits, condition, seed=4)
    side = round(2.3 * condition.face)
    assert [image.shape for image in taken] == [(side, side, 3)] * len(portraits.samples)
    again = photographs(portraits, condition, seed=4)
    assert all(np.array_equal(one, other) for one, other in zip(taken, again, strict=True))
    other = photographs(portraits, condition, seed=5)
    assert any(not np.array_equal(one, another) for one, another in zip(taken, other, strict=True))


def test_every_other_head_turns_the_other_way(portraits: Portraits) -> None:
    same = portraits.take([portraits.samples[0].path, portraits.samples[0].path])
    left, right = photographs(same, by_name("yaw 60°"), seed=0)
    mirrored = right[:, ::-1]
    closer = np.abs(left.astype(int) - mirrored).mean()
    assert closer < np.abs(left.astype(int) - right).mean()


def test_the_crops_are_what_serving_shows_the_model(portraits: Portraits) -> None:
    from gafas.learn.conditions import crops
    from gafas.runtime.faces import FaceDetector
    from gafas.runtime.predictor import Predictor

    class Seen:
        input_size = (32, 32)
        images: list[Rgb]

        def probabilities(self, images: Rgb) -> np.ndarray:
            self.images = list(images)
            return np.zeros((len(images), 1), dtype=np.float32)

    two = portraits.take([portraits.samples[0].path, portraits.samples[1].path])
    taken = list(crops(two, size=32, margin=1.4, seed=0))
    assert [images.shape for images in taken] == [(2, 32, 32, 3)] * len(CONDITIONS)
    seen = Seen()
    Predictor(seen, region="face", margin=1.4, detector=FaceDetector()).score(photographs(two, CONDITIONS[0], seed=0))
    assert np.array_equal(taken[0], np.stack(seen.images))


def test_a_perfect_and_a_blind_scorer(portraits: Portraits) -> None:
    truth = portraits.targets

    def perfect(images: list[Rgb]) -> np.ndarray:
        return np.stack([truth * 0.98 + 0.01, np.zeros(len(images))], axis=1).astype(np.float32)

    def blind(images: list[Rgb]) -> np.ndarray:
        return np.full((len(images), 1), 0.5, dtype=np.float32)

    seen = list(judge_conditions(perfect, portraits, threshold=0.5))
    assert [one.name for one in seen] == [condition.name for condition in CONDITIONS]
    assert {(one.n, one.accuracy, one.roc_auc) for one in seen} == {(len(truth), 1.0, 1.0)}
    guessed = list(judge_conditions(blind, portraits, threshold=0.5))
    assert [one.loss for one in guessed] == pytest.approx([np.log(2)] * len(CONDITIONS))
    assert all(np.isnan(one.clear_loss) for one in guessed)
