"""Two ways to feed one training: all of the network in each step, or its trained part with what goes into it.

Both give the optimizer the same gradients, up to rounding: the views of an epoch are the same, and the frozen layers
run in inference mode either way. `FrozenFeed` computes them once for each view, on ONNX Runtime.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gafas.learn.augment import TurnDrawer, turned
from gafas.learn.backend import keras
from gafas.learn.config import NotebookConfig
from gafas.learn.features import FrozenPart, probabilities, single_cut
from gafas.learn.folded import FoldedLayers
from gafas.learn.model import Network, run_batches
from gafas.learn.pictures import Pictures

Floats = NDArray[np.float32]

_VALIDATION_BATCH = 64


class Feed(Protocol):
    """How the training code gets at a model to fit and at what goes into it."""

    validation_batch: int

    def enter(self, *, frozen: bool, fine_tune_at: int) -> Any:
        """Begin a stage: return the model to be compiled and fitted; it ends in logits."""

    def epoch(self, number: int, *, last: int) -> Floats:
        """Return the model's inputs for one epoch, in `epoch_order`: views, or images that it makes views of.

        Parameters
        ----------
        number, last : int
            The epoch, and the last one of its stage.
        """

    def validation(self) -> Floats:
        """Return the model's inputs for the validation part, without anything random."""

    def predict(self, pictures: Pictures) -> NDArray[np.float64]:
        """Return P(sunglasses) of each picture with the weights of now; (n,)."""


def epoch_order(seed: int, number: int, count: int) -> NDArray[np.int64]:
    """Return the order of `count` training images in an epoch; (count,)."""
    return np.random.default_rng([seed, number]).permutation(count)


def reseed(network: Network, seed: int, number: int) -> None:
    """Put each random layer's generator where the epoch begins: at (seed, epoch, its place) and nothing else."""
    for place, generator in enumerate(network.generators):
        generator.state.assign(np.random.SeedSequence([seed, number, place]).generate_state(2))


class PlainFeed:
    """Keras's own way: augmentation and frozen layers run inside each step."""

    def __init__(self, network: Network, config: NotebookConfig, train: Pictures, validation: Pictures) -> None:
        self._network, self._seed = network, config.seed
        self._train = train.images.astype(np.float32)
        self._validation = validation.images.astype(np.float32)
        self.validation_batch = config.batch_size

    def enter(self, *, frozen: bool, fine_tune_at: int) -> Any:  # noqa: ARG002  # the whole network in either stage
        """Return the whole network."""
        return self._network.training

    def epoch(self, number: int, *, last: int) -> Floats:  # noqa: ARG002  # nothing is made ahead
        """Return the images themselves."""
        return self._train[epoch_order(self._seed, number, len(self._train))]

    def validation(self) -> Floats:
        """Return the images themselves."""
        return self._validation

    def predict(self, pictures: Pictures) -> NDArray[np.float64]:
        """Run the inference network; (n,)."""
        return run_batches(self._network.inference, pictures.images)[:, 0]


class FrozenFeed:
    """The frozen layers run once for each view, beside the steps of the epoch before."""

    def __init__(self, network: Network, config: NotebookConfig, train: Pictures, validation: Pictures) -> None:
        self._network, self._seed = network, config.seed
        self._train, self._validation_images = train.images, validation.images
        self._draw = TurnDrawer(
            network.training.get_layer("augmentation"), len(train.images), batch_size=config.batch_size
        )
        self._part: FrozenPart | None = None
        self._validation: Floats | None = None
        self._worker = ThreadPoolExecutor(1)
        self._ahead: dict[int, Future[Floats]] = {}
        self.validation_batch = _VALIDATION_BATCH

    def enter(self, *, frozen: bool, fine_tune_at: int) -> Any:
        """Return what follows the frozen layers.

        In the frozen stage that is dropout and head. In the tuned stage some frozen layers may come along: the cut
        is where a single tensor crosses it.
        """
        training, backbone = self._network.training, self._network.backbone
        pool, dropout, head = (training.get_layer(name) for name in ("pool", "dropout", "logit"))
        if frozen:
            self._part = FrozenPart(backbone)
            inputs = keras.Input(backbone.output_shape[-1:], name="features")
            features = inputs
        else:
            cut = single_cut(backbone, fine_tune_at)
            self._part = FrozenPart(backbone, until=cut)
            middle = backbone.layers[cut].output
            inputs = keras.Input(middle.shape[1:], name="activations")
            features = pool(FoldedLayers(middle.name, backbone.layers[cut + 1 :])(inputs))
        self._validation = None
        self._ahead.clear()
        return keras.Model(inputs, head(dropout(features)), name="gafas_trained_part")

    def epoch(self, number: int, *, last: int) -> Floats:
        """Return what the frozen layers make of one random view of each image, and begin with the next epoch's."""
        views = self._ahead.pop(number, None) or self._begin(number)
        if number < last:
            self._ahead[number + 1] = self._begin(number + 1)
        return views.result()

    def _begin(self, number: int) -> Future[Floats]:
        part, images = self._frozen(), self._train
        order = epoch_order(self._seed, number, len(images))
        reseed(self._network, self._seed, number)
        turns = self._draw()

        def make(places: slice) -> Floats:
            drawn = zip(order[places], turns.flipped[places], turns.angles[places], strict=True)
            return np.stack([turned(images[i], turns.flip, bool(flipped), angle) for i, flipped, angle in drawn])

        return self._worker.submit(part.of_batches, len(order), make)

    def validation(self) -> Floats:
        """Return what the frozen layers make of the validation images; computed once for each stage."""
        if self._validation is None:
            self._validation = self._frozen()(self._validation_images)
        return self._validation

    def predict(self, pictures: Pictures) -> NDArray[np.float64]:
        """Run the inference network on ONNX Runtime; (n,)."""
        return probabilities(self._network.inference, pictures.images)[:, 0]

    def _frozen(self) -> FrozenPart:
        if self._part is None:
            raise RuntimeError("enter a stage first")
        return self._part
