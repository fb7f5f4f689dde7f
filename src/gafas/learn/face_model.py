"""The shipped network: rescaling, MobileNetV2 without top, pooling, dropout, two logits; wired for each use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gafas.bundle import WEIGHTS, load_bundle, shipped_bundle
from gafas.learn.backbone import build_backbone
from gafas.learn.backend import keras
from gafas.learn.config import GafasConfig
from gafas.learn.wearing import OUTPUTS
from gafas.learn.weights import FACES, WeightsSource

ARCHITECTURE = "MobileNetV2 1.0, global average pooling, dropout, dense 2: P(sunglasses), P(eyeglasses)"


@dataclass(frozen=True, slots=True)
class FaceNetwork:
    """One set of layers, wired three times; all take pixels 0-255.

    Attributes
    ----------
    training : keras.Model
        → dropout → logits of `OUTPUTS`.
    inference : keras.Model
        → probabilities of `OUTPUTS`; no random layers.
    features : keras.Model
        → the 1280 pooled features that the head sees.
    backbone, head : keras.Model, keras.layers.Dense
    dropout_state : keras.random.SeedGenerator or None
    """

    training: Any
    inference: Any
    features: Any
    backbone: Any
    head: Any
    dropout_state: Any


def build_face_network(config: GafasConfig, weights: WeightsSource, *, outputs: int = len(OUTPUTS)) -> FaceNetwork:
    """Build the network for the first `outputs` of `OUTPUTS`.

    Raises
    ------
    WeightsError
        The weights do not fit or, for ``imagenet``, cannot be downloaded.
    """
    size = (config.input_size, config.input_size, 3)
    return wire(config, start_backbone(size, weights), outputs=outputs)


def start_backbone(size: tuple[int, int, int], weights: WeightsSource) -> Any:
    """Build a backbone as `gafas.learn.backbone.build_backbone`, also with the weights of the shipped model.

    Raises
    ------
    WeightsError
        The weights do not fit or, for ``imagenet``, cannot be downloaded.
    BundleError
        The installation's bundle is damaged.
    """
    if weights.kind != FACES:
        return build_backbone(size, weights)
    backbone = build_backbone(size, WeightsSource("random"))
    backbone.set_weights(build_shipped_network().backbone.get_weights())
    return backbone


def wire(config: GafasConfig, backbone: Any, *, outputs: int = len(OUTPUTS)) -> FaceNetwork:
    """Wire a backbone for training, inference and features.

    In training BatchNorm uses each batch's own statistics and learns from them, otherwise it uses what it learnt.
    """
    rescale = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="rescale")
    pool = keras.layers.GlobalAveragePooling2D(name="pool")
    dropout = keras.layers.Dropout(config.dropout, seed=config.seed, name="dropout")
    head = keras.layers.Dense(outputs, kernel_initializer="zeros", name="logits")

    pixels = keras.Input((config.input_size, config.input_size, 3), name="image")
    features = pool(backbone(rescale(pixels), training=False))
    # Not training=False: Keras 3.15 hands a step's training=True down over it, others do not.
    seen = pool(backbone(rescale(pixels)))
    training = keras.Model(pixels, head(dropout(seen)), name="gafas_training")
    probabilities = keras.layers.Activation("sigmoid", name="probabilities")(head(features))
    return FaceNetwork(
        training,
        keras.Model(pixels, probabilities, name="gafas"),
        keras.Model(pixels, features, name="gafas_features"),
        backbone,
        head,
        getattr(dropout, "seed_generator", None),
    )


def build_shipped_network(*, outputs: int = 1) -> FaceNetwork:
    """Build the shipped model with its own weights, for going on with them.

    Parameters
    ----------
    outputs : int
        1 keeps P(sunglasses) only, 2 both of `OUTPUTS`.

    Raises
    ------
    BundleError
        The installation's bundle is damaged.
    """
    bundle = load_bundle(shipped_bundle())
    size = bundle.manifest.input_size[0]
    network = build_face_network(GafasConfig(input_size=size), WeightsSource("random"))
    network.inference.load_weights(bundle.file(WEIGHTS))
    if outputs == len(OUTPUTS):
        return network
    narrow = build_face_network(GafasConfig(input_size=size), WeightsSource("random"), outputs=outputs)
    narrow.backbone.set_weights(network.backbone.get_weights())
    narrow.head.set_weights([np.asarray(value)[..., :outputs] for value in network.head.get_weights()])
    return narrow
