"""Two-stage training, epoch by epoch, so that it can be killed after any of them and go on.

Everything random in an epoch follows from the config's seed and the epoch's number alone: the order of
the images, the augmentation and the dropout. With the weights and the optimizer of the last checkpoint,
a resumed run therefore repeats the undisturbed one.

What the steps are fed with is another matter: see `gafas.learn.feed`. The optimizer and the checkpoints are those of
the whole network either way.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.files import write_json
from gafas.learn.backend import keras, make_deterministic
from gafas.learn.config import NotebookConfig
from gafas.learn.features import probabilities
from gafas.learn.feed import Feed, FrozenFeed, PlainFeed
from gafas.learn.fitting import Listener, Progress, Reporter, check_training_part, load_checkpoint, save_checkpoint
from gafas.learn.model import Network, build_network, unfreeze
from gafas.learn.pictures import Pictures
from gafas.learn.results import score_parts
from gafas.learn.rmsprop import make_rmsprop
from gafas.learn.runs import HISTORY, Run, State
from gafas.learn.weights import WeightsSource
from gafas.values import SplitName

Parts = Mapping[SplitName, Pictures]


def train_network(
    run: Run, config: NotebookConfig, parts: Parts, weights: WeightsSource, *, listener: Listener
) -> Network:
    """Train, or go on with, the two stages; checkpoint, history and metrics go into the run folder.

    Parameters
    ----------
    run : Run
        Its checkpoint decides where training starts; ``plain`` in its record asks for plain Keras.
    parts : mapping
        ``train``, ``validation`` and ``test`` pictures. Test pictures are only ever predicted.
    listener : callable
        Told of each batch and each epoch.

    Returns
    -------
    Network
        With the final weights.

    Raises
    ------
    DataError
        Fewer training images than one batch, or a class missing among them.
    WeightsError
        The backbone's weights do not fit.
    """
    check_training_part(parts["train"], config.batch_size)
    make_deterministic(config.seed)
    state = run.read_state()
    resumed = state.epochs_done > 0
    network = build_network(config, WeightsSource("random") if resumed else weights)
    training = _Training(run, config, parts, network, state, listener)
    training.start(resumed=resumed)
    training.go()
    return network


class _Training:
    def __init__(
        self,
        run: Run,
        config: NotebookConfig,
        parts: Parts,
        network: Network,
        state: State,
        listener: Listener,
    ) -> None:
        self.run, self.config, self.parts = run, config, parts
        self.network, self.state, self.listener = network, state, listener
        self.epochs = config.epochs + config.fine_tune_epochs
        plain = run.record.get("plain")
        kind = PlainFeed if plain else FrozenFeed
        self.feed: Feed = kind(network, config, parts["train"], parts["validation"])
        self.rmsprop = keras.optimizers.RMSprop if plain else make_rmsprop

    def stage_of(self, epoch: int) -> str:
        """Return the stage that epoch number `epoch` (from 1) belongs to."""
        return "frozen" if epoch <= self.config.epochs else "tuned"

    def start(self, *, resumed: bool) -> None:
        """Bring network and optimizer to where the checkpoint stands."""
        if not resumed:
            self._enter("frozen")
            self.state.initial = {f"val_{name}": value for name, value in self.feed.validate().items()}
            return
        self._enter(self.stage_of(self.state.epochs_done))
        load_checkpoint(self.run, self.state, self.network.training)

    def go(self) -> None:
        """Run the remaining epochs, closing each stage with its metrics."""
        for epoch in range(self.state.epochs_done + 1, self.epochs + 1):
            if self.stage_of(epoch) == "tuned" and epoch == self.config.epochs + 1:
                self._close("frozen")
                self._enter("tuned")
            self._one_epoch(epoch)
        self._close(self.stage_of(self.epochs))

    def _enter(self, stage: str) -> None:
        config = self.config
        if stage == "frozen":
            optimizer = keras.optimizers.Adam(config.learning_rate)
        else:
            unfreeze(self.network, fine_tune_at=config.fine_tune_at)
            optimizer = self.rmsprop(config.fine_tune_learning_rate)
        fitted = self.feed.enter(frozen=stage == "frozen", fine_tune_at=config.fine_tune_at)
        # The network too, where only a part of it is fitted: it is what checkpoints hold.
        for model in (self.network.training, fitted):
            model.compile(
                optimizer=optimizer,
                loss=keras.losses.BinaryCrossentropy(from_logits=True),
                # The outputs are logits: the notebook's plain "accuracy" would cut them at 0.5 instead of 0.
                metrics=[keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)],
            )
        # In the network's order whichever model is fitted, for checkpoints hold its variables one by one.
        optimizer.build(self.network.training.trainable_variables)

    def _one_epoch(self, epoch: int) -> None:
        started = time.perf_counter()
        stage = self.stage_of(epoch)
        steps = -(-len(self.parts["train"].samples) // self.config.batch_size)
        logs = self.feed.train(
            epoch,
            last=self.config.epochs if stage == "frozen" else self.epochs,
            reporter=Reporter(self.listener, stage, epoch, self.epochs, steps),
        )
        for key, value in logs.items():
            self.state.history.setdefault(key, []).append(value)
        seconds = self.state.seconds
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - started
        save_checkpoint(self.run, self.state, self.network.training, epoch)
        write_json(self.run.folder / HISTORY, history_to_json(self.state, self.config))
        self.listener(Progress(stage, epoch, self.epochs, steps, steps, logs))

    def _close(self, stage: str) -> None:
        if stage not in self.state.stages:
            self.state.stages[stage] = score_parts(self.parts, self.feed.predict, threshold=self.config.threshold)
            self.run.write_state(self.state)


def history_to_json(state: State, config: NotebookConfig) -> dict[str, Any]:
    """Return ``history.json``: one value an epoch, and after how many epochs fine-tuning starts."""
    return {**state.history, "initial": state.initial, "fine_tune_at": config.epochs}


def predict(model: Any, pictures: Pictures) -> NDArray[np.float64]:
    """Return P(sunglasses) of each picture from an inference network; (n,)."""
    return probabilities(model, pictures.images)[:, 0]
