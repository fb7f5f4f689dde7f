"""Training on faces: fit the head, then all layers, epoch by epoch; then temperature and thresholds.

Everything random follows from the config's seed and the epoch's number, so that a killed run goes on as if nothing had
happened; see `gafas.learn.train`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.errors import DataError
from gafas.files import write_json
from gafas.learn.backbone import run_batches
from gafas.learn.backend import keras, make_deterministic
from gafas.learn.conditions import CONDITIONS, crops
from gafas.learn.config import GafasConfig, NanoConfig
from gafas.learn.face_feed import FaceFeed, fixed_views
from gafas.learn.face_model import FaceNetwork, build_face_network
from gafas.learn.fitting import (
    Listener,
    Progress,
    Reporter,
    check_training_part,
    compile_averaged,
    load_checkpoint,
    save_checkpoint,
)
from gafas.learn.glasses import Glasses
from gafas.learn.nano import Notes, TaughtFeed, build_nano_network, open_teacher
from gafas.learn.portraits import Portraits
from gafas.learn.results import score_parts
from gafas.learn.runs import HISTORY, Run, State
from gafas.learn.train import predict
from gafas.learn.views import ViewConfig
from gafas.learn.wearing import OUTPUTS, PasteConfig
from gafas.learn.weights import WeightsSource
from gafas.scoring.calibration import fit_temperature
from gafas.scoring.thresholds import best_threshold
from gafas.values import SplitName

Parts = Mapping[SplitName, Portraits]

_WATCHED_VIEWS = 2
_STAGE = "tuned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What the validation part has chosen; one value for each of `OUTPUTS`.

    Attributes
    ----------
    temperatures : tuple of float
        What the logits are divided by; already inside the network.
    thresholds : tuple of float
        Of the calibrated probabilities.
    n_views, n_conditions : int
        Views that the temperatures, and photographs that the thresholds were chosen on.
    """

    temperatures: tuple[float, ...]
    thresholds: tuple[float, ...]
    n_views: int
    n_conditions: int


def train_faces(
    run_: Run,
    config: GafasConfig,
    parts: Parts,
    weights: WeightsSource,
    overlays: Sequence[Glasses],
    *,
    listener: Listener,
) -> tuple[FaceNetwork, Calibration]:
    """Train, or go on with, the recipe; checkpoint, history and metrics go into the run folder.

    Parameters
    ----------
    run_ : Run
        Its checkpoint decides where training starts.
    parts : mapping
        ``train``, ``validation`` and ``test`` portraits. Test pictures are only ever predicted.
    overlays : sequence of Glasses
        Pasted on bare faces, beside drawn ones; may be empty.
    listener : callable
        Told of each batch and each epoch.

    Returns
    -------
    FaceNetwork, Calibration
        With averaged weights, the temperatures inside.

    Raises
    ------
    DataError
        Too few training images, a missing class, or a data set that does not tell clear glasses from none.
    WeightsError
        The backbone's weights do not fit.
    """
    check_training_part(parts["train"], config.batch_size)
    make_deterministic(config.seed)
    state = run_.read_state()
    resumed = state.epochs_done > 0
    if isinstance(config, NanoConfig):
        network = build_nano_network(config, taught=not resumed)
    else:
        network = build_face_network(config, WeightsSource("random") if resumed else weights)
    training = _Training(run_, config, parts, network, state, overlays, listener)
    training.start(resumed=resumed)
    training.go()
    calibration = calibrate(network, parts["validation"], config)
    training.close(calibration)
    return network, calibration


class _Training:
    def __init__(
        self,
        run_: Run,
        config: GafasConfig,
        parts: Parts,
        network: FaceNetwork,
        state: State,
        overlays: Sequence[Glasses],
        listener: Listener,
    ) -> None:
        self.run, self.config, self.parts = run_, config, parts
        self.network, self.state, self.overlays, self.listener = network, state, overlays, listener
        self.watched = _views(parts["validation"], config, count=_WATCHED_VIEWS, seed=config.seed + 1)
        self.loss = keras.losses.BinaryCrossentropy(from_logits=True)
        self.teacher = open_teacher() if isinstance(config, NanoConfig) else None
        self.notes: Notes = {}

    def feed(self, epoch: int) -> FaceFeed:
        config = self.config
        common: dict[str, Any] = {
            "batch_size": config.batch_size,
            "margin": config.margin,
            "seed": config.seed,
            "epoch": epoch,
            "paste": paste_config(config),
            "views": ViewConfig(),
        }
        train = self.parts["train"]
        if isinstance(config, NanoConfig) and self.teacher is not None:
            passes, place = divmod(epoch - 1, config.fresh)
            common["epoch"] = place + 1
            return TaughtFeed(
                train,
                self.overlays,
                teacher=self.teacher,
                trust=config.trust,
                pupil_size=config.input_size,
                notes=self.notes,
                mirrored=passes % 2 == 1,
                **common,
            )
        return FaceFeed(train, self.overlays, size=config.input_size, **common)

    def start(self, *, resumed: bool) -> None:
        """Fit the head, or bring network and optimizer to where the checkpoint stands."""
        if not resumed:
            if self.teacher is None:
                started = time.perf_counter()
                fit_head(self.network, self.feed(0))
                self.state.seconds["head"] = time.perf_counter() - started
            loss, accuracy = self._watch()
            self.state.initial = {"val_loss": loss, "val_accuracy": accuracy}
        self._compile()
        if resumed:
            load_checkpoint(self.run, self.state, self.network.training)

    def _compile(self) -> None:
        config = self.config
        steps = len(self.feed(1))
        cycle = min(config.cycle, config.epochs)
        rates = keras.optimizers.schedules.CosineDecay(
            0.05 * config.learning_rate,
            max(1, cycle * steps - steps // 2),
            alpha=0.01,
            warmup_target=config.learning_rate,
            warmup_steps=max(1, steps // 2),
        )
        rates = _Restarting(rates, cycle * steps)
        compile_averaged(self.network.training, rates, averaging=config.averaging, weight_decay=config.weight_decay)

    def go(self) -> None:
        """Run the remaining epochs; then the averaged weights take the place of the last ones."""
        for epoch in range(self.state.epochs_done + 1, self.config.epochs + 1):
            self._one_epoch(epoch)
        self._average()

    def _one_epoch(self, epoch: int) -> None:
        started = time.perf_counter()
        if self.network.dropout_state is not None:
            seeds = np.random.SeedSequence([self.config.seed, epoch]).generate_state(2)
            self.network.dropout_state.state.assign(seeds)
        feed = self.feed(epoch)
        keeper = _Keeper()
        fitted = self.network.training.fit(
            feed,
            shuffle=False,
            callbacks=[Reporter(self.listener, _STAGE, epoch, self.config.epochs, len(feed)), keeper],
            verbose=0,
        )
        logs = {key: float(values[-1]) for key, values in fitted.history.items()}
        # Keras ends every fit with the averaged weights in place: they are judged, the others go on.
        logs["val_loss"], logs["val_accuracy"] = self._watch()
        keeper.put_back()
        for key, value in logs.items():
            self.state.history.setdefault(key, []).append(value)
        seconds = self.state.seconds
        seconds[_STAGE] = seconds.get(_STAGE, 0.0) + time.perf_counter() - started
        save_checkpoint(self.run, self.state, self.network.training, epoch)
        write_json(self.run.folder / HISTORY, history_to_json(self.state))
        self.listener(Progress(_STAGE, epoch, self.config.epochs, len(feed), len(feed), logs))

    def _average(self) -> None:
        model = self.network.training
        model.optimizer.finalize_variable_values(model.trainable_variables)

    def _watch(self) -> tuple[float, float]:
        images, targets = self.watched
        # Traced once, for all epochs.
        logits = self.network.training.predict(images, batch_size=64, verbose=0)
        loss = float(self.loss(targets, logits))
        return loss, float(((logits > 0) == (targets > 0.5)).mean())

    def close(self, calibration: Calibration) -> None:
        """Score all parts at the chosen threshold."""
        self.state.stages[_STAGE] = score_parts(
            self.parts, lambda part: predict(self.network.inference, part), threshold=calibration.thresholds[0]
        )
        self.run.write_state(self.state)
        write_json(self.run.folder / "calibration.json", {"outputs": OUTPUTS, **asdict(calibration)})


class _Restarting(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras ships no types
    """A schedule that begins anew every `period` steps.

    Source: Loshchilov, I., and Hutter, F. (2017). SGDR: Stochastic Gradient Descent with Warm Restarts. ICLR.
    """

    def __init__(self, schedule: Any, period: int) -> None:
        super().__init__()
        self._schedule, self._period = schedule, period

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        return self._schedule(step % self._period)


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Keeps the weights as the last step left them, before Keras replaces them by their average."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002  # Keras's names
        self.values = [np.array(keras.ops.convert_to_numpy(variable)) for variable in self.model.trainable_variables]

    def put_back(self) -> None:
        for variable, value in zip(self.model.trainable_variables, self.values, strict=True):
            variable.assign(value)


def fit_head(network: FaceNetwork, feed: FaceFeed, *, strength: float = 0.01) -> None:
    """Fit the head by logistic regression on the features of random views: all layers then start from sense.

    Parameters
    ----------
    strength : float
        Inverse strength C of the L2 penalty, on standardised features.
    """
    from sklearn.linear_model import LogisticRegression

    features, targets = [], []
    for step in range(len(feed)):
        images, wanted = feed[step]
        features.append(run_batches(network.features, images.astype(np.uint8)))
        targets.append(wanted)
    values, wanted = np.concatenate(features), np.concatenate(targets)
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-3
    kernel = np.zeros((values.shape[1], len(OUTPUTS)))
    bias = np.zeros(len(OUTPUTS))
    for column in range(len(OUTPUTS)):
        if len(set(wanted[:, column].tolist())) < 2:
            raise DataError(f"training needs faces with and without {OUTPUTS[column]}, got one kind only")
        fitted = LogisticRegression(C=strength, max_iter=1000).fit((values - mean) / spread, wanted[:, column])
        kernel[:, column] = fitted.coef_[0] / spread
        bias[column] = fitted.intercept_[0] - mean @ kernel[:, column]
    network.head.set_weights([kernel, bias])


def calibrate(network: FaceNetwork, validation: Portraits, config: GafasConfig) -> Calibration:
    """Choose temperatures on plain and random views of the validation part, thresholds under fixed conditions.

    One data set has one light and one camera, and a threshold that is best there drifts on the next; the conditions
    stand for many, with all that serving does to a photograph. The temperatures are folded into the head.
    """
    views, targets = _views(validation, config, count=config.validation_views, seed=config.seed + 2)
    # The plain crops count as much as the random views: most photographs are good ones.
    images = np.concatenate([views, *[validation.images] * config.validation_views])
    plain = targets[:: config.validation_views]
    wanted = np.concatenate([targets, *[plain] * config.validation_views])
    logits = run_batches(network.training, images)
    temperatures = np.array([fit_temperature(logits[:, i], wanted[:, i]) for i in range(len(OUTPUTS))])
    kernel, bias = (np.asarray(value) for value in network.head.get_weights())
    network.head.set_weights([kernel / temperatures, bias / temperatures])
    taken = crops(validation, size=config.input_size, margin=config.margin, seed=config.seed)
    probabilities = np.concatenate([run_batches(network.inference, images) for images in taken])
    wanted = np.tile(plain, (len(CONDITIONS), 1))
    thresholds = [best_threshold(wanted[:, i], probabilities[:, i], criterion="f1") for i in range(len(OUTPUTS))]
    return Calibration(
        temperatures=tuple(round(float(value), 4) for value in temperatures),
        thresholds=tuple(round(value, 4) for value in thresholds),
        n_views=len(images),
        n_conditions=len(probabilities),
    )


def _views(
    part: Portraits, config: GafasConfig, *, count: int, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    return fixed_views(part, ViewConfig(), size=config.input_size, margin=config.margin, count=count, seed=seed)


def paste_config(config: GafasConfig) -> PasteConfig:
    """Return the part of the config that says how glasses are pasted."""
    return PasteConfig(**{field.name: getattr(config, field.name) for field in fields(PasteConfig)})


def history_to_json(state: State) -> dict[str, Any]:
    """Return ``history.json``: one value an epoch; there is one stage, so fine-tuning starts nowhere."""
    return {**state.history, "initial": state.initial, "fine_tune_at": None}
