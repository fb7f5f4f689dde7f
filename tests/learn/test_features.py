"""The frozen part on ONNX Runtime, the folded end, and the views: the numbers that Keras's layers give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

cv2 = pytest.importorskip("cv2", reason="the train extra is not installed")
pytest.importorskip("keras", reason="the train extra is not installed")

pytestmark = pytest.mark.train

RANDOM = np.random.default_rng(5)
SIZE = 64


@pytest.fixture(scope="module")
def network() -> Any:
    """Statistics and scales that are not those of a fresh network, which would hide a wrong BatchNorm."""
    from gafas.learn.config import NotebookConfig
    from gafas.learn.model import build_network
    from gafas.learn.weights import WeightsSource

    network = build_network(NotebookConfig(input_size=SIZE), WeightsSource("random"))
    for variable in network.backbone.weights:
        name = variable.path.rpartition("/")[2]
        if name in {"moving_mean", "beta"}:
            variable.assign(RANDOM.normal(0.2, 0.3, variable.shape))
        elif name in {"moving_variance", "gamma"}:
            variable.assign(RANDOM.uniform(0.6, 1.4, variable.shape))
    return network


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return RANDOM.integers(0, 256, (7, SIZE, SIZE, 3)).astype(np.uint8)


def _keras(network: Any, images: Any, until: int) -> NDArray[np.float32]:
    import keras

    part = keras.Model(network.backbone.input, network.backbone.layers[until].output)
    return np.asarray(keras.ops.convert_to_numpy(part(images.astype(np.float32) / 127.5 - 1, training=False)))


@pytest.mark.parametrize("until", [0, 8, 62, 97, 153])
def test_activations_are_those_of_keras(network: Any, images: NDArray[np.uint8], until: int) -> None:
    from gafas.learn.features import FrozenPart

    got, want = FrozenPart(network.backbone, until=until)(images), _keras(network, images, until)
    assert got.shape == want.shape
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-4 * max(1.0, float(np.abs(want).max())))


def test_whole_backbone_is_averaged_and_the_batches_do_not_matter(network: Any, images: NDArray[np.uint8]) -> None:
    from gafas.learn.features import FrozenPart

    whole = FrozenPart(network.backbone)
    got, want = whole(images), _keras(network, images, 153).mean(axis=(1, 2))
    np.testing.assert_allclose(got, want, atol=1e-4 * float(np.abs(want).max()))
    np.testing.assert_allclose(np.concatenate([whole(images[:3]), whole(images[3:])]), got, rtol=1e-5, atol=1e-5)
    assert whole(images[:0]).shape == (0, 1280)


def test_probabilities_are_those_of_the_inference_network(network: Any, images: NDArray[np.uint8]) -> None:
    from gafas.learn.backbone import run_batches
    from gafas.learn.features import probabilities

    got, want = probabilities(network.inference, images), run_batches(network.inference, images)
    assert got.shape == want.shape == (7, 1)
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_another_layer_is_refused(network: Any) -> None:
    import keras

    from gafas.learn.features import write_graph

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Softmax()])
    with pytest.raises(TypeError, match="expected a layer of MobileNetV2, got Softmax"):
        write_graph([network.backbone.layers[0], model.layers[0]], pooled=False)


@pytest.mark.parametrize(
    ("before", "cut"),
    [(100, 97), (98, 97), (107, 106), (108, 106), (0, 0), (1, 0), (153, 152), (90, 89), (88, 80)],
)
def test_a_single_tensor_crosses_the_cut(network: Any, before: int, cut: int) -> None:
    from gafas.learn.features import single_cut

    assert single_cut(network.backbone, before) == cut


@pytest.mark.parametrize("cut", [0, 62, 97, 152])
def test_folded_layers_are_the_layers_in_inference_mode_gradients_too(network: Any, cut: int) -> None:
    tf = pytest.importorskip("tensorflow")
    import keras

    from gafas.learn.backend import backend_name
    from gafas.learn.folded import FoldedLayers
    from gafas.learn.model import unfreeze

    if backend_name() != "tensorflow":
        pytest.skip("gradients are taken with TensorFlow")
    unfreeze(network, fine_tune_at=cut + 1)
    backbone = network.backbone
    middle = backbone.layers[cut].output
    folded = FoldedLayers(middle.name, backbone.layers[cut + 1 :])
    rest = keras.Model(middle, backbone.output)
    variables = [v.value for v in folded.trainable_variables]
    assert [v.path for v in folded.trainable_variables] == [v.path for v in backbone.trainable_variables]
    given = tf.constant(RANDOM.normal(0, 1, (3, *middle.shape[1:])).astype(np.float32))
    answers, slopes = [], []
    for layers, training in ((folded, True), (rest, False)):
        with tf.GradientTape() as tape:
            answer = layers(given, training=training)
            total = tf.reduce_sum(answer * tf.cos(answer))
        answers.append(answer.numpy())
        slopes.append([slope.numpy() for slope in tape.gradient(total, variables)])
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)
    for ours, theirs in zip(*slopes, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3 * max(1.0, float(np.abs(theirs).max())))


@pytest.mark.parametrize("flip", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_views_are_the_pixels_of_the_layers(flip: str) -> None:
    import keras

    from gafas.learn.augment import TurnDrawer, augmentation, turned

    images = RANDOM.integers(0, 256, (13, 40, 56, 3)).astype(np.uint8)
    layers = augmentation(flip=flip, rotation=0.2, seed=4)
    generators = [layer.generator for layer in layers.layers]
    start = [np.asarray(keras.ops.convert_to_numpy(generator.state)).copy() for generator in generators]
    want = np.concatenate(
        [
            np.asarray(keras.ops.convert_to_numpy(layers(images[i : i + 5].astype(np.float32), training=True)))
            for i in range(0, 13, 5)
        ]
    )
    for generator, state in zip(generators, start, strict=True):
        generator.state.assign(state)
    turns = TurnDrawer(layers, 13, batch_size=5)()
    assert 0 < turns.flipped.sum() < 13
    assert 0.3 < np.abs(turns.angles).max() <= 0.4 * np.pi
    got = np.stack(
        [
            turned(image, turns.flip, bool(flipped), angle)
            for image, flipped, angle in zip(images, turns.flipped, turns.angles, strict=True)
        ]
    )
    # OpenCV 4 rounds places to 1/32 pixel, which on noise is up to 8 grey levels.
    np.testing.assert_allclose(got, want, atol=0.02 if int(cv2.__version__.partition(".")[0]) >= 5 else 9)
