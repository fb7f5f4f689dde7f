"""The small model: a narrower and shorter MobileNetV2 that is taught by the shipped one.

It begins with a part of the teacher's weights, evenly spaced channels of each layer (Xu, Z., Chen, Y., Vishniakov, K.,
Yin, Y., Shen, Z., Darrell, T., Liu, L., and Liu, Z. (2024). Initializing Models with Larger Ones. ICLR), and learns
from the teacher's probabilities as well as from the labels (Hinton, G., Vinyals, O., and Dean, J. (2015). Distilling
the Knowledge in a Neural Network).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gafas.bundle import ONNX, load_bundle, shipped_bundle
from gafas.imaging import Rgb
from gafas.learn.backend import keras
from gafas.learn.config import NanoConfig
from gafas.learn.face_feed import FaceFeed
from gafas.learn.face_model import FaceNetwork, build_shipped_network, wire
from gafas.runtime.backends import Backend, open_model

LEFT_OUT = frozenset({2, 5, 9, 12, 16})
"""Blocks of MobileNetV2 that the small one does without.

In 8 bits a layer takes nearly as long however narrow it is, so fewer and wider ones see more in the same time.
"""

ARCHITECTURE = (
    f"MobileNetV2 {{width:g}} without blocks {', '.join(map(str, sorted(LEFT_OUT)))}, last convolution {{channels}}, "
    "global average pooling, dense 2: P(sunglasses), P(eyeglasses); taught by gafas-base"
)


def build_nano_network(config: NanoConfig, *, taught: bool = True) -> FaceNetwork:
    """Build the narrow network.

    Parameters
    ----------
    taught : bool
        Begin with the teacher's weights; otherwise with random ones, which a checkpoint is about to replace.

    Raises
    ------
    BundleError
        The installation's bundle is damaged.
    """
    side = config.input_size
    whole = keras.applications.MobileNetV2(
        input_shape=(side, side, 3), include_top=False, weights=None, alpha=config.width
    )
    # The names of Keras's own last layers, which this narrower one replaces.
    last = keras.layers.Conv2D(config.channels, 1, use_bias=False, name="Conv_1")(shorten(whole, LEFT_OUT))
    last = keras.layers.BatchNormalization(epsilon=1e-3, name="Conv_1_bn")(last)
    wired = keras.Model(whole.input, keras.layers.ReLU(6.0, name="out_relu")(last), name="mobilenet_v2")
    # Layers that stand in one network only know what comes in and goes out of them.
    backbone = keras.models.clone_model(wired)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # Keras's 0.999 takes longer to follow than a short training has steps.
            layer.momentum = 0.99
    if taught:
        _select_weights(backbone, build_shipped_network().backbone)
    return wire(config, backbone)


def shorten(whole: Any, left_out: Collection[int]) -> Any:
    """Apply the layers of a MobileNetV2 anew up to its last block, without those that are left out; return the output.

    Parameters
    ----------
    whole : keras.Model
    left_out : collection of int
        Numbers of blocks that add to what comes in (2, 4, 5, 7-9, 11, 12, 14 and 15), or of the last one, 16.
    """
    output = before = whole.input
    for layer in whole.layers[1:]:
        if layer.name == "Conv_1":
            break
        block, _, part = layer.name.removeprefix("block_").partition("_")
        if block.isdigit() and int(block) in left_out:
            continue
        if part == "expand":
            before = output
        output = layer([before, output] if part == "add" else output)
    return output


def _select_weights(small: Any, large: Any) -> None:
    """Give each layer the teacher's weights at evenly spaced channels; the same channels meet in all layers."""
    for layer in small.layers:
        if layer.weights:
            given = large.get_layer(layer.name).get_weights()
            layer.set_weights([_select(old, new.shape) for old, new in zip(given, layer.weights, strict=True)])


def _select(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    places = [np.linspace(0, old - 1, new).round().astype(int) for old, new in zip(values.shape, shape, strict=True)]
    return np.asarray(values[np.ix_(*places)])


Notes = dict[tuple[int, int], tuple[Rgb, NDArray[np.float32]]]
"""Batches by epoch and place: small views and their targets."""


class TaughtFeed(FaceFeed):
    """A `FaceFeed` whose targets are partly what the teacher says of each view; the pupil sees it at its own size.

    Parameters
    ----------
    teacher : Backend
        Takes views of size `size` and gives probabilities of `gafas.learn.wearing.OUTPUTS`.
    trust : float
        The teacher's share in the targets, the labels have the rest.
    pupil_size : int
        Side of the views that are given out.
    notes : dict
        What was made in earlier passes over the same epoch, by epoch and place; it is filled here.
    mirrored : bool
        Whether the views are given out mirrored.
    others
        As `FaceFeed`.
    """

    def __init__(
        self,
        *arguments: Any,
        teacher: Backend,
        trust: float,
        pupil_size: int,
        notes: Notes,
        mirrored: bool = False,
        **others: Any,
    ) -> None:
        super().__init__(*arguments, size=teacher.input_size[0], **others)
        self._teacher, self._trust, self._pupil_size = teacher, trust, pupil_size
        self._notes, self._mirrored = notes, mirrored

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Make one batch, or take it from the notes: images (n, pupil_size, pupil_size, 3) and targets (n, 2)."""
        key = (self._epoch, index)
        if key not in self._notes:
            self._notes[key] = self._make(index)
        images, targets = self._notes[key]
        return (images[:, :, ::-1] if self._mirrored else images).astype(np.float32), targets

    def _make(self, index: int) -> tuple[Rgb, NDArray[np.float32]]:
        floats, labels = super().__getitem__(index)
        views = floats.astype(np.uint8)
        said = self._teacher.probabilities(views)
        side = (self._pupil_size, self._pupil_size)
        small = np.stack([cv2.resize(view, side, interpolation=cv2.INTER_AREA) for view in views])
        return small, (self._trust * said + (1 - self._trust) * labels).astype(np.float32)


def open_teacher() -> Backend:
    """Open the shipped model as it calculates everywhere alike.

    Raises
    ------
    BundleError
        The installation's bundle is damaged.
    """
    return open_model(load_bundle(shipped_bundle()).file(ONNX))
