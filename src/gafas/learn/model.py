"""The notebook's network: augmentation, rescaling, MobileNetV2 without top, pooling, dropout, one logit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from gafas.errors import WeightsError
from gafas.learn.augment import augmentation
from gafas.learn.backend import keras
from gafas.learn.config import NotebookConfig
from gafas.learn.face_model import start_backbone
from gafas.learn.weights import WeightsSource

ARCHITECTURE = "MobileNetV2 1.0, global average pooling, dropout, dense 1"
_TRAINABLE_FROM_100 = (56, 1_862_721)


@dataclass(frozen=True, slots=True)
class Network:
    """One set of layers, wired twice.

    Attributes
    ----------
    training : keras.Model
        Pixels 0-255 → augmentation → … → logit of sunglasses.
    inference : keras.Model
        Pixels 0-255 → … → P(sunglasses); no random layers, so that every exporter takes it.
    backbone : keras.Model
    generators : tuple of keras.random.SeedGenerator
        The state of every random layer of `training`, in a fixed order.
    """

    training: Any
    inference: Any
    backbone: Any
    generators: tuple[Any, ...]


def build_network(config: NotebookConfig, weights: WeightsSource) -> Network:
    """Build the network with a frozen backbone.

    The backbone always runs with ``training=False``: BatchNorm keeps its statistics, also when fine-tuned.

    Raises
    ------
    WeightsError
        The weights do not fit or, for ``imagenet``, cannot be downloaded.
    """
    size = (config.input_size, config.input_size, 3)
    backbone = start_backbone(size, weights)
    backbone.trainable = False

    rescale = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescale")
    pool = keras.layers.GlobalAveragePooling2D(name="pool")
    dropout = keras.layers.Dropout(config.dropout, seed=config.seed + 2, name="dropout")
    head = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=config.seed), name="logit")
    random_views = augmentation(flip=config.flip, rotation=config.rotation, seed=config.seed)

    pixels = keras.Input(size, name="image")
    logit = head(dropout(pool(_InferenceMode(backbone)(rescale(random_views(pixels))))))
    training = keras.Model(pixels, logit, name="gafas_training")

    pixels = keras.Input(size, name="image")
    logit = head(pool(backbone(rescale(pixels), training=False)))
    probability = keras.layers.Activation("sigmoid", name="sunglasses")(logit)
    inference = keras.Model(pixels, probability, name="gafas")
    layers = [*random_views.layers, dropout]
    generators = [getattr(layer, "generator", getattr(layer, "seed_generator", None)) for layer in layers]
    # A dropout of 0 has no generator.
    return Network(training, inference, backbone, tuple(g for g in generators if g is not None))


class _InferenceMode(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """A backbone that never hears that it is trained.

    ``backbone(x, training=False)`` in a functional model is not enough: Keras 3 hands the ``training=True`` of a
    step down over it, and BatchNorm would take the statistics of ten images.
    """

    def __init__(self, backbone: Any) -> None:
        super().__init__(name="inference_mode")
        self.backbone = backbone

    def call(self, images: Any) -> Any:
        """Run the backbone in inference mode."""
        return self.backbone(images, training=False)


def unfreeze(network: Network, *, fine_tune_at: int) -> None:
    """Make the backbone's layers from number `fine_tune_at` up trainable.

    Raises
    ------
    WeightsError
        With ``fine_tune_at=100`` the counts are not the notebook's 56 variables and 1,862,721 parameters:
        Keras's MobileNetV2 is no longer the network that the recipe was made for.
    """
    network.backbone.trainable = True
    for layer in network.backbone.layers[:fine_tune_at]:
        layer.trainable = False
    counts = trainable_counts(network)
    if fine_tune_at == 100 and counts != _TRAINABLE_FROM_100:
        raise WeightsError(
            f"fine-tuning from layer 100: expected {_TRAINABLE_FROM_100} trainable (variables, parameters), "
            f"got {counts}; this Keras builds another MobileNetV2"
        )


def trainable_counts(network: Network) -> tuple[int, int]:
    """Return the numbers of trainable variables and of parameters in them."""
    variables = network.training.trainable_variables
    return len(variables), sum(math.prod(variable.shape) for variable in variables)


def describe(network: Network) -> dict[str, Any]:
    """Return the counts that the notebook prints: features, layers, parameters, trainable ones.

    ``trainable`` holds (variables, parameters) of the frozen stage, and of the tuned one once it began.
    """
    head = network.training.get_layer("logit")
    frozen = (len(head.trainable_variables), head.count_params())
    now = trainable_counts(network)
    return {
        "input_size": network.training.input_shape[1],
        "features": list(network.backbone.output_shape[1:]),
        "backbone_layers": len(network.backbone.layers),
        "parameters": network.training.count_params(),
        "trainable": {"frozen": frozen, **({"tuned": now} if now != frozen else {})},
    }
