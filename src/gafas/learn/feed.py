"""Two ways to feed one training: all of the network in each step, or its trained part with what goes into it.

Both give the optimizer the same gradients, up to rounding: the views of an epoch are the same, and the frozen layers
run in inference mode either way. `FrozenFeed` computes them once for each view, on ONNX Runtime.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gafas.learn.augment import TurnDrawer, turned
from gafas.learn.backbone import run_batches
from gafas.learn.backend import keras
from gafas.learn.config import NotebookConfig
from gafas.learn.features import FrozenPart, batches, probabilities, single_cut
from gafas.learn.fitting import Reporter
from gafas.learn.folded import FoldedLayers
from gafas.learn.model import Network
from gafas.learn.pictures import Pictures
from gafas.learn.steps import Step, make_steps

Floats = NDArray[np.float32]

_VALIDATION_BATCH = 64


class Feed(Protocol):
    """How the training code gets at a model to fit, and fits it."""

    def enter(self, *, frozen: bool, fine_tune_at: int) -> Any:
        """Begin a stage: return the model to be compiled and fitted; it ends in logits."""

    def train(self, number: int, *, last: int, reporter: Reporter) -> dict[str, float]:
        """Take the steps of one epoch, in `epoch_order`, and validate.

        Parameters
        ----------
        number, last : int
            The epoch, and the last one of its stage.
        reporter : Reporter
            Told of each step.

        Returns
        -------
        dict
            ``loss``, ``accuracy``, ``val_loss`` and ``val_accuracy``.
        """

    def validate(self) -> dict[str, float]:
        """Return ``loss`` and ``accuracy`` of the validation part with the weights of now."""

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
    """Keras's own way: augmentation and frozen layers run inside each step of its ``fit``."""

    def __init__(self, network: Network, config: NotebookConfig, train: Pictures, validation: Pictures) -> None:
        self._network, self._config = network, config
        self._train = train.images.astype(np.float32), _column(train)
        self._validation = validation.images.astype(np.float32), _column(validation)

    def enter(self, *, frozen: bool, fine_tune_at: int) -> Any:  # noqa: ARG002  # the whole network in either stage
        """Return the whole network."""
        return self._network.training

    def train(self, number: int, *, last: int, reporter: Reporter) -> dict[str, float]:  # noqa: ARG002  # nothing is made ahead
        """Fit for one epoch."""
        images, targets = self._train
        order = epoch_order(self._config.seed, number, len(targets))
        reseed(self._network, self._config.seed, number)
        fitted = self._network.training.fit(
            images[order],
            targets[order],
            batch_size=self._config.batch_size,
            shuffle=False,
            validation_data=self._validation,
            validation_batch_size=self._config.batch_size,
            callbacks=[reporter],
            verbose=0,
        )
        return {name: float(values[-1]) for name, values in fitted.history.items()}

    def validate(self) -> dict[str, float]:
        """Evaluate the network."""
        logs = self._network.training.evaluate(
            *self._validation, batch_size=self._config.batch_size, return_dict=True, verbose=0
        )
        return {name: float(value) for name, value in logs.items()}

    def predict(self, pictures: Pictures) -> NDArray[np.float64]:
        """Run the inference network; (n,)."""
        return run_batches(self._network.inference, pictures.images)[:, 0]


class FrozenFeed:
    """The frozen layers run once for each view, beside the steps of the epoch before."""

    def __init__(self, network: Network, config: NotebookConfig, train: Pictures, validation: Pictures) -> None:
        self._network, self._config = network, config
        self._images, self._validation_images = train.images, validation.images
        self._targets, self._validation_targets = _column(train), _column(validation)
        # Of the stage that was entered last.
        self._take: Step
        self._test: Step
        self._draw = TurnDrawer(
            network.training.get_layer("augmentation"), len(train.images), batch_size=config.batch_size
        )
        self._part: FrozenPart | None = None
        self._validation: Floats | None = None
        self._worker = ThreadPoolExecutor(1)
        self._ahead: dict[int, Future[Floats]] = {}

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
        model = keras.Model(inputs, head(dropout(features)), name="gafas_trained_part")
        self._take, self._test = make_steps(model)
        return model

    def train(self, number: int, *, last: int, reporter: Reporter) -> dict[str, float]:
        """Take the steps with one random view of each image, and begin with the views of the next epoch.

        Step by step, for ``fit`` spends longer on its pipelines than such a small model on its epoch.
        """
        targets = self._targets[epoch_order(self._config.seed, number, len(self._targets))]
        views = self._ahead.pop(number, None) or self._begin(number)
        if number < last:
            self._ahead[number + 1] = self._begin(number + 1)
        inputs = views.result()
        reseed(self._network, self._config.seed, number)
        means, trained = _Means(), {}
        for step, part in enumerate(batches(len(targets), self._config.batch_size)):
            trained = means.add(self._take(inputs[part], targets[part]), part)
            reporter.on_train_batch_end(step, trained)
        return {**trained, **{f"val_{name}": value for name, value in self.validate().items()}}

    def validate(self) -> dict[str, float]:
        """Evaluate on what the frozen layers make of the validation images; that is computed once for each stage."""
        if self._validation is None:
            self._validation = self._frozen()(self._validation_images)
        inputs, targets = self._validation, self._validation_targets
        means, found = _Means(), {}
        for part in batches(len(inputs), _VALIDATION_BATCH):
            found = means.add(self._test(inputs[part], targets[part]), part)
        return found

    def _begin(self, number: int) -> Future[Floats]:
        part, images = self._frozen(), self._images
        order = epoch_order(self._config.seed, number, len(images))
        reseed(self._network, self._config.seed, number)
        turns = self._draw()

        def make(places: slice) -> Floats:
            drawn = zip(order[places], turns.flipped[places], turns.angles[places], strict=True)
            return np.stack([turned(images[i], turns.flip, bool(flipped), angle) for i, flipped, angle in drawn])

        return self._worker.submit(part.of_batches, len(order), make)

    def predict(self, pictures: Pictures) -> NDArray[np.float64]:
        """Run the inference network on ONNX Runtime; (n,)."""
        return probabilities(self._network.inference, pictures.images)[:, 0]

    def _frozen(self) -> FrozenPart:
        if self._part is None:
            raise RuntimeError("enter a stage first")
        return self._part


def _column(part: Pictures) -> Floats:
    return part.targets.astype(np.float32)[:, None]


class _Means:
    """Running means over all images of an epoch: Keras's own begin anew with each batch."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: dict[str, float] = {}

    def add(self, logs: Mapping[str, float], part: slice) -> dict[str, float]:
        """Count a batch, and return the means so far."""
        count = part.stop - part.start
        self._count += count
        for name, value in logs.items():
            self._sums[name] = self._sums.get(name, 0.0) + count * float(value)
        return {name: total / self._count for name, total in self._sums.items()}
