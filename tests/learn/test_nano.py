"""The small model: its size, what it begins with, and what it is taught."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gafas.errors import UsageError
from gafas.imaging import Rgb
from gafas.learn.config import GafasConfig, NanoConfig
from gafas.learn.portraits import Portraits
from gafas.learn.wearing import PasteConfig
from gafas.learn.weights import WeightsSource
from gafas.values import FaceBox, Sample
from tests.faces import SEEDS, portrait

pytestmark = pytest.mark.train


@dataclass
class Teacher:
    """Says the same of every view, and remembers them."""

    said: float = 0.25
    input_size: tuple[int, int] = (64, 64)
    seen: list[Rgb] = field(default_factory=list)

    def probabilities(self, images: Rgb) -> NDArray[np.float32]:
        self.seen.append(images)
        return np.full((len(images), 2), self.said, dtype=np.float32)


def some_portraits() -> Portraits:
    images = np.stack([portrait(seed, (64, 64)) for seed in SEEDS])
    samples = (
        Sample(path="none/0.jpg", label="no_sunglasses", eyewear="none"),
        Sample(path="sunglasses/1.jpg", label="sunglasses", eyewear="sunglasses"),
    )
    return Portraits(samples, images, tuple(images), (FaceBox(12, 8, 52, 60, 0.9),) * 2)


def taught(teacher: Teacher, **others: Any) -> Any:
    from gafas.learn.nano import TaughtFeed
    from gafas.learn.views import ViewConfig

    settings: dict[str, Any] = {"trust": 0.75, "pupil_size": 32, "batch_size": 3, "margin": 1.5, "seed": 1, "epoch": 1}
    paste = PasteConfig(graft=0, dark=0, clear=0, hair=0, arms=0)
    notes = others.pop("notes", {})
    return TaughtFeed(
        some_portraits(), (), teacher=teacher, notes=notes, paste=paste, views=ViewConfig(), **settings, **others
    )


def test_the_targets_are_mixed_of_labels_and_teacher() -> None:
    teacher = Teacher()
    feed = taught(teacher)
    images, targets = feed[0]
    assert images.shape == (3, 32, 32, 3)
    assert teacher.seen[0].shape == (3, 64, 64, 3)
    assert teacher.seen[0].dtype == np.uint8
    assert set(targets.round(4).ravel().tolist()) <= {0.1875, 0.4375}
    assert (targets[:, 0] == np.float32(0.4375)).sum() == 1


def test_a_second_pass_shows_the_same_views_mirrored_and_asks_nobody() -> None:
    teacher = Teacher()
    notes: dict[Any, Any] = {}
    images, targets = taught(teacher, notes=notes)[0]
    again, same = taught(teacher, notes=notes, mirrored=True)[0]
    assert len(teacher.seen) == 1
    assert np.array_equal(again, images[:, :, ::-1])
    assert np.array_equal(same, targets)


def test_accuracy_counts_soft_targets_by_their_side() -> None:
    from gafas.learn.backend import keras
    from gafas.learn.fitting import compile_averaged

    model = keras.Sequential([keras.Input((2,))])
    compile_averaged(model, 1e-3, averaging=0.9, weight_decay=0.0)
    logits = np.array([[2.0, -1.0], [0.5, 0.5]], np.float32)
    targets = np.array([[0.9, 0.2], [0.3, 0.7]], np.float32)
    assert model.evaluate(logits, targets, verbose=0, return_dict=True)["accuracy"] == 0.75


def test_it_is_small_and_begins_with_evenly_spaced_channels_of_its_teacher() -> None:
    from gafas.learn.face_model import build_shipped_network
    from gafas.learn.nano import build_nano_network

    network = build_nano_network(NanoConfig())
    assert network.inference.count_params() < 400_000
    teacher = build_shipped_network().backbone
    small, large = (one.get_layer("block_3_expand").get_weights()[0] for one in (network.backbone, teacher))
    assert small.shape[2:] == (16, 96)
    rows, columns = (np.linspace(0, old - 1, new).round().astype(int) for old, new in ((24, 16), (144, 96)))
    assert np.array_equal(small, large[:, :, rows][..., columns])


def test_blocks_that_are_left_out_pass_on_what_comes_in() -> None:
    from gafas.learn.backend import keras
    from gafas.learn.nano import LEFT_OUT, shorten

    whole = keras.applications.MobileNetV2(input_shape=(32, 32, 3), include_top=False, weights=None, alpha=0.35)
    left_out = LEFT_OUT - {16}
    for block in left_out:
        # A block that adds nothing.
        norm = whole.get_layer(f"block_{block}_project_BN")
        norm.set_weights([np.zeros_like(value) for value in norm.get_weights()])
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    expected = keras.Model(whole.input, whole.get_layer("block_16_project_BN").output)(images)
    short = keras.Model(whole.input, shorten(whole, left_out))
    assert len(short.layers) < len(whole.layers) - 8 * len(left_out)
    assert np.array_equal(short(images), expected)


def test_its_figures_are_calculated_as_keras_calculates() -> None:
    from gafas.learn.features import probabilities
    from gafas.learn.nano import build_nano_network

    network = build_nano_network(NanoConfig(input_size=32))
    network.head.set_weights([np.random.default_rng(0).normal(size=(512, 2)), np.zeros(2)])
    images = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3)).astype(np.float32)
    assert probabilities(network.inference, images) == pytest.approx(np.asarray(network.inference(images)), abs=1e-5)


@pytest.mark.parametrize("recipe", ["gafas", "nano"])
def test_norms_learn_in_training_and_only_there(recipe: str) -> None:
    from gafas.learn.face_model import build_face_network
    from gafas.learn.nano import build_nano_network

    if recipe == "nano":
        network = build_nano_network(NanoConfig(input_size=32), taught=False)
    else:
        network = build_face_network(GafasConfig(input_size=32), WeightsSource("random"))
    norm = network.backbone.get_layer("bn_Conv1")
    before = np.array(norm.moving_mean)
    network.training(np.full((4, 32, 32, 3), 200, np.float32), training=True)
    assert not np.array_equal(before, np.array(norm.moving_mean))
    network.inference(np.full((4, 32, 32, 3), 100, np.float32))
    frozen = np.array(norm.moving_mean)
    network.inference(np.full((4, 32, 32, 3), 50, np.float32))
    assert np.array_equal(frozen, np.array(norm.moving_mean))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("width", 0.4, "0.35, 0.5, 0.75 or 1"),
        ("channels", 0, "1 to 1280"),
        ("trust", 1.5, "0 to 1"),
        ("fresh", 0, "at least 1"),
    ],
)
def test_values_out_of_range(key: str, value: float, expected: str) -> None:
    with pytest.raises(UsageError, match=f"{key}: expected {expected}, got"):
        NanoConfig(**{key: value})  # type: ignore[arg-type]
